"""A broker for each test that wants one, a PostgreSQL server for all of them, a store of either kind."""

import pytest
from relay.lab import Lab
from relay.server import Server

from tools.relay import databases


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.end()


@pytest.fixture(scope="session")
def postgres():
    server = Server()
    yield server
    server.end()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """A database of its own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'relay.db'}"
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def store(url):
    opened = databases.open_store(url)
    yield opened
    opened.close()

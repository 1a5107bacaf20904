"""A broker and a relay for each test that wants them."""

import pytest
from relay.lab import Lab


@pytest.fixture
def lab(tmp_path):
    made = Lab(tmp_path)
    yield made
    made.end()

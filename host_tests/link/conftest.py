"""A rig for each test that wants one; its gateway's process ends with the test."""

import pytest
from link.harness import Rig


@pytest.fixture
def rig(tmp_path):
    made = []

    def make(**options):
        made.append(Rig(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.end()

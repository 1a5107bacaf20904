"""What was once found wrong in keeping the home's network, in virtual time."""


import pytest
from played import play_in

PRELUDE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from net_scene import *
"""


@pytest.fixture
def play(micropython):
    def run(program):
        lines = play_in(micropython, PRELUDE, program)
        assert lines[-1][1] == "end"
        return lines

    return run


@pytest.mark.req("ZB-16")
@pytest.mark.fault(29)
@pytest.mark.parametrize(("own", "outcome"), [(False, [False, "bad_backup"]), (True, [True, ""])])
def test_a_bad_backup_and_another_chip_do_not_make_a_foreign_network_the_home_s(play, own, outcome):
    """What can still be read of the backup says that the chip's network is not the home's: nothing takes its place."""
    lines = play(f"""
        async def main():
            bench = Bench()
            await bench.live(bench.settled, 120000)
            bad = bench.kept
            bad["channel"] = 99
            if not {own}:
                bad["extended_pan_id"] = "d00d" * 4
            bench.kept, bench.networks = bad, []
            await bench.live(lambda: False, 90000, bad)
            tell("state", bench.coordinator.ready, bench.coordinator.network.trouble)
            tell("kept", bench.kept is not bad)
        play(main())
    """)
    assert [line[2:] for line in lines if line[1] == "state"] == [outcome]
    assert [line[2:] for line in lines if line[1] == "kept"] == [[own]]

"""The power goes at any moment while sensors are registered, renamed, replaced and removed, and settings are changed.

After each boot list and settings are as they were before or after what was being done, every registered sensor's alarm
is heard, and the network is the same.
"""

import pytest
from proofs.watched import SOAK, watched

CYCLES = 40
SEEDS = range(1, 31 if SOAK else 3)
HEAP = "4M"  # every sensor that ever came stays in the simulated home
SENSORS = [
    {"name": "kitchen", "kind": "smoke", "place": "부엌"},
    {"name": "bedroom", "kind": "smoke", "place": "침실"},
    {"name": "pendant", "kind": "call_button", "place": "욕실"},
    {"name": "door", "kind": "door", "place": "현관"},
]


@pytest.mark.req("ZB-03")
@pytest.mark.req("ZB-16")
@pytest.mark.fault(1)
@pytest.mark.parametrize("seed", SEEDS)
def test_power_cuts_at_random_moments_of_changing_the_home(seed, capsys):
    scenario = {"seed": seed, "sensors": SENSORS, "steps": [], "until": CYCLES * 120_000}
    home = watched("changes", scenario, cycles=CYCLES, heap=HEAP)
    cycles, alarms = home.all("cycle"), home.all("alarms")
    assert len(cycles) == len(alarms) == CYCLES
    done: dict = {}
    for cycle in cycles[1:]:
        assert cycle["listed"] in cycle["allowed"], cycle
        assert cycle["settings"] in cycle["may"], cycle
        what = cycle["did"].split()[0]
        old, new = cycle["allowed"][0], cycle["allowed"][-1]
        kept = done.setdefault(what, [0, 0, 0])
        kept[0] += 1
        kept[1] += cycle["listed"] == old
        kept[2] += cycle["listed"] == new != old
    for tried in alarms:
        for event, index, fits in tried["expected"]:
            assert not fits or [event, index] in tried["heard"], tried
        assert tried["network"] == alarms[0]["network"], tried
    away = sum(not fits for tried in alarms for _, _, fits in tried["expected"])
    unready = [sum(not entry[5] for entry in cycle["listed"]) for cycle in cycles]
    count = sum(len(tried["expected"]) for tried in alarms)
    with capsys.disabled():
        print(f"\n{CYCLES} cuts (done, list as before, as after): {done}; {count} alarms, "
              f"{away} of sensors that were away; sensors whose interview went on after the boot: {sum(unready)}")
    assert len(done) >= 4 and sum(kept[2] for kept in done.values()) >= 3
    assert home.all("dial") == [] and home.faults() == []

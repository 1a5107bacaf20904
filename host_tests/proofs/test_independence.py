"""EMG-19: the way from a trigger to 119 with every other part broken, one at a time and all at once."""

import pytest
from conftest import HEAP
from proofs.futures import PRESSED, SOAK, futures, scenario
from proofs.judge import calls, died, story, times

NORMAL_MS = 16_000  # EMG-02 to EMG-04: the window and the dialling
AFTER_HANG_MS = 90_000  # boots of 8 s of watchdog and 1.5 s of start each, until the part is left out
PARTS = ("Link", "Screen", "Recorder", "Queue", "Settings", "Sensors", "Coordinator", "Speaker", "Journal", "Log",
         "TestMode", "Pcf8563", "Outputs", "BootCounter", "Store", "Registry", "Registration", "Takeover", "Announcer",
         "Watch", "Reports", "Commands")
TIGHT = "1600K"  # every failed allocation looks through all of the heap: no larger than the home needs
COUNTED = [part for part in PARTS if part != "BootCounter"]  # it is what ends a loop of resets: nothing counts its own
BUSES = ("rtc", "journal", "console", "monitor", "queue", "net", "i2c", "speaker", "beacon", "siren", "lamp_119",
         "amp_enable",
         "ncp_uart", "ncp_reset", "store")
KNOWN = [part for part in COUNTED if part != "Journal"]  # when the journal itself goes, a press must be repeated
RADIO = ("Sensors", "Registry", "Coordinator", "ncp_uart", "ncp_reset")
AGAIN_MS = 7000  # somebody whom nothing answers presses again


def some(parts: list, first: int) -> list:
    """Whoever keeps the memory, everybody is without: every eighth part does, all of them with SOAK."""
    return parts if SOAK else parts[first::8]


def prove(cases: list, limit_ms: int, presses: int = 1, until: int = 150_000, heap: str = HEAP) -> dict:
    """119 is dialled within limit_ms of the first trigger in every case; returns {name: ms}."""
    scenarios = {trigger: scenario(trigger, until=until) for trigger in ("button", "fire")}
    for plan in scenarios.values():
        for again in range(1, presses):
            plan["steps"].append({"at": PRESSED + again * AGAIN_MS, "do": "press", "button": "119"})
    cases = [{"trigger": "button", "at": 0, **case} for case in cases]
    found = futures({"scenarios": scenarios, "cases": cases, "limit": until, "shield": True}, "broken", heap=heap)
    took = {}
    for case in cases:
        lines = found[case["name"]]
        assert not died(lines), case["name"] + story(lines)
        dialled = [call.dialled - PRESSED for call in calls(lines)]
        assert dialled and 0 < dialled[0] <= limit_ms, f"{case['name']}: {dialled}\n{story(lines)}"
        took[case["name"]] = dialled[0]
    return took


def every(how: str, parts=PARTS, **fields) -> list:
    """Each part and all of them; fire as well, unless the radio is what is broken."""
    cases = []
    for part in (*parts, "+".join(parts)):
        for trigger in ("button", "fire"):
            if trigger == "button" or not any(radio in part for radio in RADIO):
                cases.append({"name": f"{part}-{trigger}"[-60:], "part": part, "how": how, "trigger": trigger,
                              **fields})
    return cases


def show(capsys, what: str, took: dict) -> None:
    worst = max(took, key=took.get)
    with capsys.disabled():
        print(f"\n{what}: {len(took)} cases, slowest dialled {took[worst]} ms after the press ({worst})")


@pytest.mark.req("EMG-19")
@pytest.mark.fault(85)
@pytest.mark.parametrize("how", ["constructor", "at_once", "later"])
def test_a_part_that_raises(how, capsys):
    parts = PARTS if SOAK else PARTS[how == "at_once"::2]  # half of them in each way, all of them in one or the other
    cases = every(how, parts, from_ms=PRESSED - 500 if how == "later" else 0)
    show(capsys, f"raises ({how})", prove(cases, NORMAL_MS))


@pytest.mark.req("EMG-19")
@pytest.mark.fault(86)
@pytest.mark.fault(88)
def test_a_part_that_never_returns_from_the_press_on(capsys):
    """The watchdog resets; the journal has the emergency; boots that keep failing do without the part."""
    took = prove([{"name": part, "part": part, "how": "hang", "from_ms": PRESSED + 1000} for part in KNOWN],
                 AFTER_HANG_MS)
    show(capsys, "hangs after the press", took)


@pytest.mark.req("EMG-19")
@pytest.mark.fault(86)
@pytest.mark.fault(88)
def test_a_part_that_never_returns_at_all(capsys):
    """Presses fall on a controller that hangs; once it does without the part, a press counts."""
    took = prove([{"name": part, "part": part, "how": "hang", "from_ms": PRESSED - 3000} for part in COUNTED],
                 AFTER_HANG_MS + 2 * AGAIN_MS, presses=16)
    show(capsys, "hangs before the press", took)


@pytest.mark.req("EMG-19")
@pytest.mark.fault(82)
@pytest.mark.parametrize("after", [-3000, 1000])
def test_a_part_that_keeps_all_memory(after, capsys):
    """No allocation works any more, for anybody, until the watchdog's reset gives the memory back."""
    took = prove([{"name": part, "part": part, "how": "eat", "from_ms": PRESSED + after}
                  for part in (some(COUNTED, 0) if after < 0 else some(KNOWN, 4))],
                 AFTER_HANG_MS + 2 * AGAIN_MS, presses=16 if after < 0 else 1, heap=TIGHT)
    show(capsys, f"keeps all memory from {after} ms", took)


@pytest.mark.req("EMG-19")
@pytest.mark.fault(61)
def test_a_part_that_holds_every_lock_and_the_modem(capsys):
    took = prove([{"name": "locks", "part": "locks", "how": "", "trigger": "button"},
                  {"name": "locks-fire", "part": "locks", "how": "", "trigger": "fire"}], NORMAL_MS)
    show(capsys, "holds locks and modem", took)


@pytest.mark.req("EMG-19")
@pytest.mark.parametrize("how", ["none", "dead"])
def test_a_bus_that_is_dead_or_not_there(how, capsys):
    buses = [bus for bus in BUSES if how == "dead" or bus not in RADIO]  # no board has none of these
    cases = every(how, buses)
    cases += [{"name": "flash-" + fault, "part": "flash", "how": fault} for fault in ("dead", "silent")]
    show(capsys, f"bus {how}", prove(cases, NORMAL_MS))


def test_the_breaking_breaks():
    """Proof of the proof: the telephone itself is no spare part, and a class broken at once is broken."""
    lines = futures({"scenarios": {"button": scenario("button", until=60_000)}, "limit": 60_000,
                     "cases": [{"name": "x", "at": 0, "part": "Speaker", "how": "at_once", "trigger": "button"}]},
                    "broken")["x"]
    assert times(lines, "note", broken="at_once") and not times(lines, "prompt", to="room")

"""Fault 48: the modem hangs at any second of an emergency; fault 50: it restarts by itself. Never more than 45 s."""

import pytest
from proofs.futures import PRESSED, SOAK, futures, scenario
from proofs.judge import calls, died, story

DIALLING_MS = 45_000  # from hung to dialling
ANSWERED = 18_600  # from the press: 4 s after the dialling
WINDOW_MS = 15_000


@pytest.mark.req("EMG-19")
@pytest.mark.parametrize("fault", [pytest.param("hang", marks=pytest.mark.fault(48)),
                                   pytest.param("reset", marks=pytest.mark.fault(50))])
@pytest.mark.parametrize("trigger", ["button", "fire"])
def test_at_any_second_of_an_emergency(fault, trigger, capsys):
    """Until the report was heard twice, a call is dialled again within 45 s; then nobody is dialled twice."""
    step_ms = 250 if SOAK else 1000
    cases = [{"name": str(at), "at": PRESSED + at, "steps": [[0, "do", {"do": "modem", "fault": fault}]]}
             for at in range(-3000, 27_000, step_ms)]
    found = futures({"scenario": scenario(trigger), "cases": cases})
    slowest = (0, "")
    for case in cases:
        lines = found[case["name"]]
        assert not died(lines), story(lines)
        made = calls(lines)
        answered_before = any(0 <= call.answered < case["at"] for call in made)
        due = max(case["at"], PRESSED + WINDOW_MS)
        after = [call for call in made if call.dialled > case["at"]]
        if not answered_before:
            assert after, story(lines)
            slowest = max(slowest, (after[0].dialled - due, case["name"]))
            assert after[0].dialled - due <= DIALLING_MS, f"{case['name']}\n{story(lines)}"
        assert any(call.spoken >= 2 for call in made), f"{case['name']}\n{story(lines)}"
    with capsys.disabled():
        print(f"\nmodem {fault}, {trigger}: {len(cases)} futures, at most {slowest[0]} ms later ({slowest[1]})")

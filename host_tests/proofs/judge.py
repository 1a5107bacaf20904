"""What a timeline proves: calls put together from its `dial` and `call` lines, and the invariants over them."""

import dataclasses
import json

REPORTS = ("화재발생! 안심콜 시스템 확인 요청", "응급호출! 안심콜 시스템 확인 요청")
REPORT_MS = 4200  # a play that lasted less was cut short
KNOWN_MS = 45  # from the press: 20 ms of debounce, a pass of the service, one page of flash


@dataclasses.dataclass
class Call:
    """One call to 119; -1: not reached."""

    dialled: int
    answered: int = -1
    over: int = -1
    spoken: int = 0  # whole plays of the report into it
    reported: int = -1  # end of the second one


def calls(lines: list) -> list:
    """The calls in order; fails when one is dialled while another is up, or to another number."""
    found: list = []
    began = 0
    for line in lines:
        if line["what"] == "dial":
            assert line["number"] == "119", line
            assert not found or found[-1].over >= 0, f"two calls at once (I4)\n{story(lines)}"
            found.append(Call(line["t"]))
        elif line["what"] == "call" and line["state"] == "answered":
            found[-1].answered = line["t"]
        elif line["what"] == "call" and line["state"] in ("ended", "failed"):
            found[-1].over = line["t"]
        elif line["what"] == "prompt" and line["to"] == "line":
            assert line["text"] in REPORTS, line
            began = line["t"]
        elif line["what"] == "prompt_end" and line["to"] == "line" and line["t"] - began >= REPORT_MS:
            _spoken(found[-1], line)
    return found


def _spoken(call: Call, line: dict) -> None:
    call.spoken += 1
    if call.spoken == 2:
        call.reported = line["t"]


def story(lines: list) -> str:
    return "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)


def died(lines: list) -> list:
    return [line for line in lines if line["what"] == "died"]


def times(lines: list, what: str, **fields) -> list:
    return [line["t"] for line in lines if line["what"] == what and all(line.get(k) == v for k, v in fields.items())]


def interruptions(lines: list) -> list:
    """When the controller was cut off or reset: times of `note` lines of cut and reset."""
    return [line["t"] for line in lines if line["what"] == "note" and ("cut" in line or "reset" in line)]


def judge(lines: list, pressed: int) -> None:
    """Never forgotten, never doubled: whatever interrupted it, the emergency ends with one call that was reported.

    A further call is right only while no call before it was reported; a call that was reported is the last one.
    """
    assert not died(lines), story(lines)
    found = calls(lines)
    stops = interruptions(lines)
    if not found:
        assert stops and stops[0] - pressed <= KNOWN_MS, f"forgotten (I2)\n{story(lines)}"
        return
    last = found[-1]
    assert last.spoken >= 2, f"the last call was not reported (I2)\n{story(lines)}"
    for call in found[:-1]:
        told = call.reported >= 0 and not any(0 <= stop - call.reported <= _REPORT_SEEN_MS for stop in stops)
        assert not told, f"dialled again after 119 was told (EMG-17)\n{story(lines)}"


_REPORT_SEEN_MS = 1600  # how long the gateway may take to learn that the second play ended, at one look a second

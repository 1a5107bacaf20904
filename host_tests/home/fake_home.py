"""A stand-in for the simulator's process, for tests of the server alone: JSON lines in, JSON lines out.

What it is told decides what it does: no firmware, no time. Must never be used to show a requirement.
"""

import json
import sys


def say(**line) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)


def main() -> None:
    scenario = json.loads(sys.stdin.readline())
    say(t=0, what="boot", reason="power")
    say(t=5, what="screen", view="home", title="정상 작동 중입니다", lines=[], test=False)
    say(t=6, what="log", level="info", text="%d sensors" % len(scenario["sensors"]))
    for text in sys.stdin:
        step = json.loads(text)
        say(t=100, what="log", level="info", text=json.dumps(step, ensure_ascii=False))
        if step.get("button") == "119":
            say(t=110, what="call", state="ringing", number="119")
            say(t=120, what="call", state="answered", number="119")
        elif step.get("do") == "clock":
            print("not a timeline line", flush=True)
            print("[1, 2]", flush=True)
        elif step.get("do") == "power_cut":
            print("Traceback: the last words", file=sys.stderr, flush=True)
            sys.exit(3)


if __name__ == "__main__":
    main()

"""The scene's home on a pty, its chip with a given memory: `serve_items.py LINK ITEMS`.

ITEMS is a JSON list of [key, hexadecimal value], or "blank": another chip, which never had a network. The sensors are
on the home's network either way. Every 2 s there is smoke and a press.
"""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from hal_sim.sched import Scheduler  # noqa: E402
from hal_sim.zigbee.chip import NcpChip  # noqa: E402
from tools.ptyserve import serve  # noqa: E402

HOME = [
    {"name": "smoke", "kind": "smoke", "place": "kitchen"},
    {"name": "pendant", "kind": "call_button", "place": "person"},
    {"name": "door", "kind": "door", "place": "hall"},
    {"name": "movement", "kind": "activity", "place": "room"},
]
_EVERY_MS = 2000


def main(link: str, path: str) -> None:
    sched = Scheduler()
    chip = NcpChip(sched, lambda what, **fields: None)
    chip.load_home(HOME)
    items = json.loads(pathlib.Path(path).read_text())
    if items == "blank":
        chip.set_fault("replace")
    else:
        chip.nv.items = {tuple(key) if isinstance(key, list) else key: bytes.fromhex(value) for key, value in items}

    def alarm(on: bool) -> None:
        chip.smoke("smoke", on)
        chip.call_button("pendant", "call")
        sched.after(_EVERY_MS, alarm, not on)

    alarm(True)
    chip.power_on()
    serve(chip, sched, link)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

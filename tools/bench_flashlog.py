"""What the flash log costs beside littlefs on the same simulated flash: bytes programmed, erases, time a record.

Owns no measurement: tools/bench_flashlog_port.py, on MicroPython, is the half that measures. `measure` runs it.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from tools import simulator

if TYPE_CHECKING:
    from tools.bench import Row

RECORDS = 3072  # twice round the partition, for the log; littlefs is slower and gets fewer
MOST_AMPLIFICATION = 1.08  # bytes programmed a byte of a 300-byte record, acknowledgements included
MOST_ERASES = 0.09
WAYS = {"log": "flash log", "append": "littlefs, appended to a file", "files": "littlefs, a file a record"}
_HEAP = "4M"
_RUN_LIMIT_S = 300


def measure(records: int = RECORDS) -> dict[str, dict[str, Any]]:
    """{way: figures} of one run. Raises RuntimeError when it fails, LookupError without MicroPython."""
    command = [simulator.micropython(), "-X", f"heapsize={_HEAP}", "-m", "tools.bench_flashlog_port", str(records)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_LIMIT_S, **simulator.surroundings())
    if done.returncode or done.stderr:
        raise RuntimeError(f"the flash log's benchmark ended with {done.returncode}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def flashlog() -> list[Row]:
    """The rows of `make bench`, 300-byte records."""
    from tools.bench import Row  # here, because it imports this module

    found = measure()
    rows = []
    for way, name in WAYS.items():
        cost, ours = found[way], way == "log"
        amplification, erases = cost["amplification"], cost["erases"]
        rows += [
            Row(f"{name}: bytes programmed a byte", f"{amplification:.3f}",
                *((f"<= {MOST_AMPLIFICATION}", amplification <= MOST_AMPLIFICATION) if ours else ())),
            Row(f"{name}: erases a record", f"{erases:.3f}",
                *((f"<= {MOST_ERASES}", erases <= MOST_ERASES) if ours else ())),
            Row(f"{name}: ms that the flash works a record", f"{cost['busy_ms']:.1f}"),
            Row(f"{name}: records a second on this computer, appended", f"{1e6 / cost['append_us']:,.0f}"),
            Row(f"{name}: records a second on this computer, read", f"{1e6 / cost['read_us']:,.0f}"),
        ]
    return rows

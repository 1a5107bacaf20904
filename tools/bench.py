"""`make bench`: what the code costs, measured in one run; one table of figures with their units.

Owns the table. Each part is a function that returns its rows, so that a test can ask for one. Exit status 1 when a
figure that has a limit does not keep it.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from tools import bench_flashlog, bench_link, bench_zigbee, scenario, simulator

ROOT = simulator.ROOT
IMAGE = ROOT / "build" / "image"
DAY_MS = 24 * 3600 * 1000
SAMPLE_MS = 50
_RUN_LIMIT_S = 900
_MINUTE_MS = 60_000
SETTLED_MS = 3_600_000  # a new home's first writes; bench_home_port counts from then on
CYCLES = 100_000  # erases a sector stands (W25Q128, data sheet 1)
ROOMY = "4M"  # a day of 32 sensors with the world around them; pieces of 15 KB have to be found to the end
YEARS = 10  # how long a gateway is to last
FIRMWARE_KB = 1024  # on the 64-bit port; the board's objects are half as large, and it has 8 MB
_KB = 1024
# A home that nobody is in: the sensors supervise, the modem is asked, the clock ticks.
IDLE_SENSORS = [
    {"name": "kitchen", "kind": "smoke", "place": "kitchen"},
    {"name": "pendant", "kind": "call_button", "place": "person"},
    {"name": "door", "kind": "door", "place": "hall"},
    {"name": "movement", "kind": "activity", "place": "living room"},
]


class Row(NamedTuple):
    """One line of the table. ok: None when the figure has no limit."""

    what: str
    figure: str
    limit: str = ""
    ok: bool | None = None


class Run(NamedTuple):
    """One run of the home: what it printed, and what the process took."""

    counts: dict[str, Any]
    cpu_s: float  # of the process; the wall clock would measure the neighbours too


def play(home: dict, heap: str = simulator.HEAP, sample_ms: int = 0) -> Run | None:
    """Run a scenario under the benchmark's counter; None when this heap is too small for it."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        simulator.furnish(folder)
        command = [simulator.micropython(), "-X", f"heapsize={heap}", "-m", "tools.bench_home_port", name,
                   str(sample_ms)]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, input=json.dumps(home) + "\n", capture_output=True, text=True,
                              timeout=_RUN_LIMIT_S, **simulator.surroundings())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        if "MemoryError" in done.stderr or "memory allocation" in done.stderr:
            return None
        raise RuntimeError(f"the home ended with status {done.returncode}: {done.stderr[-500:]}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(json.loads(done.stdout.splitlines()[-1]), cpu_s)


def zigbee() -> list[Row]:
    """Decoding against zigpy-znp in the same run, and what a frame leaves on the heap."""
    result = bench_zigbee.measure()
    ratio = result["ratio"]
    return [
        Row(f"ZNP+ZCL frames decoded a CPU second, {bench_zigbee.HEAP} heap", f"{result['ours_per_s']:,.0f}"),
        Row("the same frames, zigpy-znp on CPython", f"{result['theirs_per_s']:,.0f}"),
        Row("ratio", f"{ratio:.0f}", f">= {bench_zigbee.WANTED_RATIO}", ratio >= bench_zigbee.WANTED_RATIO),
        Row("bytes allocated a frame", f"{result['bytes_per_frame']:.1f}"),
    ]


def sensors() -> list[Row]:
    """What 32 sensors cost: heap of each, CPU of their day, memory that a frame of each sort leaves behind."""
    cost = bench_zigbee.home()
    peer_per_s = bench_zigbee.theirs()
    rows = [
        Row("heap of a sensor, 32 known: in the registry's list", f"{cost['listed_bytes']:,} B"),
        Row("heap of a sensor, 32 known: what is remembered of it", f"{cost['sensor_bytes']:,} B"),
    ]
    for kind, day in bench_zigbee.DAYS.items():
        cpu_ms = sum(cost["sorts"][sort][0] * count for sort, count in day.items()) / 1000
        peer_ms = sum(day.values()) / peer_per_s * 1000
        rows.append(Row(f"CPU of a sensor's day, {kind}, {sum(day.values())} frames", f"{cpu_ms:.2f} ms"))
        rows.append(Row("so many frames, decoded only, by zigpy-znp on CPython", f"{peer_ms:.2f} ms"))
        rows.append(Row("ratio", f"{peer_ms / cpu_ms:.1f}", ">= 1", peer_ms >= cpu_ms))
    for sort, (cpu_us, left) in sorted(cost["sorts"].items()):
        answered = "answered" in sort  # what goes out takes memory until it is gone
        rows.append(Row(f"a frame, {sort}: CPU", f"{cpu_us:.1f} us"))
        rows.append(Row(f"a frame, {sort}: bytes allocated", f"{left:.1f}", *(() if answered else ("0", left == 0))))
    return rows


def idle_day(days: int = 1) -> list[Row]:
    """What an idle home costs."""
    run = play({"seed": 1, "until": days * DAY_MS, "sensors": IDLE_SENSORS})
    if run is None:
        raise RuntimeError("an idle home does not fit its heap")
    return [
        Row("simulated days a CPU second, idle home", f"{days / run.cpu_s:.3f}"),
        Row("CPU seconds a simulated day", f"{run.cpu_s / days:.2f}"),
        Row("wakes of the controller a simulated day", f"{run.counts['wakes'] / days:,.0f}"),
        Row("timeline lines a simulated day", f"{run.counts['lines'] / days:,.0f}"),
    ]


def lived_in(sensors: int) -> dict:
    """An hour in which so many sensors are registered, IDLE_SENSORS over and over, and a day of somebody's life."""
    steps: list[dict[str, Any]] = [
        {"at": 30_000 + 45_000 * number, "do": "monitor", "touch": "sensors.register"}
        for number in range(sensors // 2)
    ]
    for number in range(sensors):
        one = IDLE_SENSORS[number % 4]
        steps.append({"at": 32_000 + 22_500 * number, "do": "pair", "name": f"{one['name']} {number // 4}",
                      "kind": one["kind"], "place": one["place"]})
    for minute in range(8 * 60, 23 * 60, 20):
        steps.append({"at": minute * _MINUTE_MS, "do": "move", "place": "living room", "for_ms": 90_000})
        if minute % 100 == 0:
            for wait_s, is_open in ((0, True), (20, False)):
                steps.append({"at": minute * _MINUTE_MS + wait_s * 1000, "do": "door", "sensor": "door 0",
                              "open": is_open})
    return {"seed": 1, "until": DAY_MS + SETTLED_MS, "sensors": [], "network": "none", "steps": steps}


def flash() -> list[Row]:
    """What is kept in flash, how much is written in a day without an emergency, and how many years that makes."""
    rows = []
    cpu_s = {}
    for count in (4, 32):
        run = play(lived_in(count), ROOMY, SETTLED_MS)
        if run is None:
            raise RuntimeError(f"a home of {count} sensors does not fit its heap")
        cpu_s[count] = run.cpu_s
        told, home = run.counts, f"home of {count} sensors"
        sizes = told["kept"]
        if sizes.pop("ready") != count:
            raise RuntimeError(f"{count} sensors should have been registered: {told['kept']}")
        years = CYCLES / max(told["worst"], 1) / 365
        rows += [
            Row(f"{home}: heap in use at most, beside {told['world'] // _KB} KB of the simulated world",
                f"{(told['peak'] - told['world']) // _KB} KB"),
            Row(f"{home}: kept in flash, bytes", ", ".join(f"{name} {sizes[name]:,}" for name in sizes)),
            Row(f"{home}: flash written in a day",
                f"{told['programs']:,} programs, {told['programmed']:,} B, {told['erases']:,} erases"),
            Row(f"{home}: years until its busiest sector has {CYCLES:,} erases", f"{years:.0f}", f">= {YEARS}",
                years >= YEARS),
        ]
    rows.append(Row("CPU of a day of one sensor more, firmware and simulated home",
                    f"{(cpu_s[32] - cpu_s[4]) / 28 * 1000:.0f} ms"))
    return rows


def heap() -> list[Row]:
    """What an emergency from power on to the end of the call needs: live bytes, and the least heap it passes in."""
    home = scenario.load(str(ROOT / "scenarios" / "smoke.json"))
    run = play(home, sample_ms=SAMPLE_MS)
    if run is None or run.counts["dials"] != 1:
        raise RuntimeError(f"the emergency did not pass in {simulator.HEAP}")
    total, live, world = run.counts["heap"], run.counts["peak"], run.counts["world"]
    least = least_heap(home, live // _KB, total // _KB)
    return [
        Row(f"heap in use at most, emergency, of {total // _KB} KB, firmware and simulated home", f"{live // _KB} KB",
            f"< {total // _KB} KB", live < total),
        Row("of it the simulated home, before the firmware is loaded", f"{world // _KB} KB"),
        Row("of it the firmware, and what it moves in the home", f"{(live - world) // _KB} KB"),
        Row("least heap the same emergency passes in", f"{least} KB"),
        Row("the same without the simulated home", f"{least - world // _KB} KB",
            f"< {FIRMWARE_KB} KB", least - world // _KB < FIRMWARE_KB),
    ]


def least_heap(home: dict, low: int, high: int, step: int = 32) -> int:
    """KB, to within step, by halving; low is known to be too small, high to be enough."""
    while high - low > step:
        middle = (low + high) // 2
        run = play(home, f"{middle}K")
        if run is not None and run.counts["dials"] == 1:
            high = middle
        else:
            low = middle
    return high


def image(folder: pathlib.Path = IMAGE) -> list[Row]:
    """Size of what a board gets; nothing when `make image` was not run."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return [Row("image", "not made: make image")]
    files = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    code = sum(each["bytes"] for each in files if each["path"].endswith(".mpy"))
    whole = sum(each["bytes"] for each in files)
    return [
        Row(f"image: code, {sum(each['path'].endswith('.mpy') for each in files)} modules", f"{code / _KB:.0f} KB"),
        Row(f"image: all {len(files)} files, with sound", f"{whole / _KB:.0f} KB"),
    ]


PARTS = {"zigbee": zigbee, "sensors": sensors, "idle": idle_day, "flash": flash, "heap": heap, "image": image,
         "flashlog": bench_flashlog.flashlog, "link": bench_link.link}


def table(rows: list[Row]) -> str:
    """The rows under each other, figures to the right."""
    cells = [(row.what, row.figure, row.limit, {None: "", True: "ok", False: "NOT KEPT"}[row.ok]) for row in rows]
    widths = [max(len(cell[column]) for cell in cells) for column in range(4)]
    return "\n".join(
        f"{what:<{widths[0]}}  {figure:>{widths[1]}}  {limit:<{widths[2]}}  {kept}".rstrip()
        for what, figure, limit, kept in cells
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="What the code costs.",
                                     epilog='Of make: make bench ARGS="flashlog link"')
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; without any, all")
    asked = parser.parse_args().parts or list(PARTS)
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        print(f"bench: there is no part {unknown[0]!r} (known: {', '.join(PARTS)})", file=sys.stderr)
        return 2
    rows = []
    try:
        for name in asked:
            rows += PARTS[name]()
    except (RuntimeError, LookupError, subprocess.TimeoutExpired) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; heap as on the 64-bit unix port, about half of "
          f"it on the board")
    print(table(rows))
    return 1 if any(row.ok is False for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

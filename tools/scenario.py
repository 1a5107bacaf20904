"""`make scenario FILE=x.json OUT=y.jsonl`: run a scenario in virtual time and write its timeline.

Owns what is said about a bad scenario: one line that names it, exit status 2. Status 1: the firmware or the
simulator failed.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from typing import TextIO

from firmware.settings import check_setting
from hal_sim.steps import HOST_ONLY, ScenarioError, check_scenario
from tools import simulator

AFTER_MS = 120_000  # a scenario that does not say when it ends goes on so long after its last step


def load(path: str) -> dict:
    """The scenario in a file, checked whole. Raises ScenarioError with one line."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from None
    try:
        scenario = json.loads(text)
    except json.JSONDecodeError as error:
        raise ScenarioError(f"{path}: not JSON: line {error.lineno}: {error.msg}") from None
    try:
        check_scenario(scenario)
        if scenario.get("internet") == "host":
            raise ScenarioError(HOST_ONLY)
        for name, value in scenario.get("settings", {}).items():
            reason = check_setting(name, value)
            if reason:
                raise ScenarioError(reason)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None
    last_ms = max((step["at"] for step in scenario.get("steps", [])), default=0)
    scenario.setdefault("until", last_ms + AFTER_MS)
    return scenario


def run(scenario: dict, out: TextIO, heap: str = simulator.HEAP, progress: Callable[[str], None] | None = None) -> None:
    """Write the timeline's lines to out. Raises RuntimeError with the last words when the process fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        simulator.furnish(folder, scenario.get("settings", {}).get("gateway", "GW-000000"))
        with subprocess.Popen(
            simulator.command("run", folder, heap), **simulator.surroundings(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
        ) as process:
            assert process.stdin and process.stdout
            process.stdin.write(json.dumps(scenario) + "\n")
            process.stdin.close()
            _copy(process.stdout, out, progress)
        if process.returncode:
            raise RuntimeError(f"the simulator ended with status {process.returncode}")


def _copy(lines: Iterable[str], out: TextIO, progress: Callable[[str], None] | None) -> None:
    """Timeline lines to out; anything else is the simulator's last words."""
    words: list[str] = []
    for line in lines:
        if line.startswith('{"t": ') and not words:
            out.write(line)
            if progress:
                progress(line)
        else:
            words.append(line)
    if words:
        raise RuntimeError("".join(words[-30:]).rstrip())


def _opened(path: str) -> TextIO:
    """Raises ScenarioError."""
    try:
        return open(path, "w", encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot write {path}: {error.strerror}") from None


class Progress:
    """A line on a terminal that says how far the home's clock is."""

    def __init__(self, until_ms: int) -> None:
        self._until = until_ms
        self._shown = -1

    def __call__(self, line: str) -> None:
        percent = 100 * int(line[6 : line.index(",")]) // max(self._until, 1)
        if percent != self._shown:
            self._shown = percent
            print(f"\r{percent:3d} %", end="", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make scenario", description=__doc__.split("\n")[0])
    parser.add_argument("file", help="scenario, JSON")
    parser.add_argument("out", help="timeline, a JSON object a line; - for standard output")
    options = parser.parse_args()
    try:
        scenario = load(options.file)
        progress = Progress(scenario["until"]) if sys.stderr.isatty() and options.out != "-" else None
        if options.out == "-":
            run(scenario, sys.stdout)
        else:
            with _opened(options.out) as out:
                run(scenario, out, progress=progress)
    except (ScenarioError, LookupError, OSError) as error:
        print(f"scenario: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"scenario: {error}", file=sys.stderr)
        return 1
    if progress:
        print("\r100 %", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs a program in a scene on MicroPython and reads what it told: a JSON list a line, [ms, what, ...]."""

import json
import textwrap


def play_in(micropython, prelude: str, program: str, *options) -> list:
    """The lines of a program that follows the prelude. options: heap and time limit of the micropython fixture."""
    text = prelude + textwrap.dedent(program)
    return [json.loads(line) for line in micropython(["-c", text], *options).splitlines()]


def of(lines: list, what: str, *start) -> list:
    """The lines that tell this and go on with `start`."""
    return [line for line in lines if line[1] == what and tuple(line[2:2 + len(start)]) == start]


def times(lines: list, what: str, *start) -> list:
    """When they were told, ms."""
    return [line[0] for line in of(lines, what, *start)]

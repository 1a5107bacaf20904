"""The console: log lines never hold the product up for long, whoever reads them or does not."""

import time
import types

import pytest

from firmware.boards import console
from firmware.boards.console import Console


class Terminal:
    """stdout whose writes take time, or fail."""

    def __init__(self, clock):
        self.clock = clock
        self.takes_ms = 0
        self.error = None
        self.lines = []

    def write(self, text):
        self.clock[0] += self.takes_ms
        if self.error:
            raise self.error
        self.lines.append(text)


@pytest.fixture
def clock(monkeypatch):
    now = [0]
    monkeypatch.setattr(time, "ticks_ms", lambda: now[0], raising=False)
    monkeypatch.setattr(time, "ticks_diff", lambda end, start: end - start, raising=False)
    return now


@pytest.fixture
def terminal(monkeypatch, clock):
    terminal = Terminal(clock)
    monkeypatch.setattr(console, "sys", types.SimpleNamespace(stdout=terminal))
    return terminal


def test_lines_go_through(terminal, clock):
    under_test = Console()
    under_test.write("info one\n")
    under_test.write("x" * 5000)
    assert terminal.lines == ["info one\n", "x" * 1024] and under_test.dropped == 0


@pytest.mark.fault(89)
def test_a_terminal_that_does_not_read_costs_half_a_second_a_minute(terminal, clock):
    under_test = Console()
    terminal.takes_ms = 500  # MICROPY_HW_USB_CDC_TX_TIMEOUT
    spent = 0
    for _ in range(600):  # ten lines a second for a minute
        before = clock[0]
        under_test.write("info line\n")
        spent += clock[0] - before
        clock[0] += 100
    assert spent <= 1000 and under_test.dropped >= 590


def test_it_speaks_again_when_somebody_reads(terminal, clock):
    under_test = Console()
    terminal.takes_ms = 500
    under_test.write("lost\n")
    terminal.takes_ms = 0
    under_test.write("muted\n")
    clock[0] += 60_000
    under_test.write("back\n")
    assert terminal.lines[-1] == "back\n" and "muted\n" not in terminal.lines and under_test.dropped == 1


@pytest.mark.parametrize("error", [OSError(5), ValueError(), MemoryError()])
def test_a_terminal_that_fails_is_counted(terminal, clock, error):
    under_test = Console()
    terminal.error = error
    under_test.write("lost\n")
    assert under_test.dropped == 1


def test_it_runs_on_micropython(micropython):
    program = "from firmware.boards.console import Console\nc = Console()\nc.write('info 한글\\n')\nprint(c.dropped)"
    assert micropython(["-c", program]) == "info 한글\n0\n"

"""What the board runs at every start: open the board, run the firmware, start again if it ever ends.

Owns what happens when the firmware cannot run at all. Must never leave a silent REPL behind: whatever ends the
firmware, the controller starts again. Ctrl-C is for the developer and the flashing tool: it gives the REPL, and the
watchdog (started here if nobody did) brings the firmware back unless they hold it off, see docs/flashing.md.
"""

import sys
import time

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from firmware.boards.board import Board

_PAUSE_MS = const(3000)  # before the restart: a Ctrl-C fits in, and a resumed emergency keeps its 30 s
_DEVELOPER_MS = const(60_000)  # how long the REPL stays without anybody holding the watchdog off


def main() -> None:
    """Run the firmware; returns only when Ctrl-C gave the board to a developer."""
    board = None
    try:
        try:
            from firmware.boards.esp32s3 import open_board

            board = open_board()
            from firmware.app import run

            run(board)
            print("error main: the firmware ended")
        except Exception as error:  # noqa: BLE001 - whatever it is, the answer is to start again
            print("error main: the firmware stopped")
            sys.print_exception(error)
        time.sleep_ms(_PAUSE_MS)
    except KeyboardInterrupt:
        _to_developer(board)
        return
    _restart(board)


def _to_developer(board: "Board | None") -> None:
    if board is not None and board.wdt is None:
        board.start_wdt(_DEVELOPER_MS)
    print("warning main: stopped by Ctrl-C; the watchdog starts the firmware again")


def _restart(board: "Board | None") -> None:
    """A hard reset, or a soft one when not even the board file could be imported."""
    if board is not None:
        board.reset()
    raise SystemExit


if __name__ == "__main__":
    main()

"""What surrounds the firmware when the unix port plays the board: mounts its files at "/", runs boot.py and main.py.

Runs once at every start of the interpreter, before the REPL. Must leave the interpreter as a board leaves it: its
files at "/", its modules on the path, nothing of the host in reach of a file name.
"""

import os
import sys

import board_end
import vfs
from board_files import BoardFiles


def start(scope: dict) -> None:
    """Boot in the namespace of the REPL. A soft reset out of the raw REPL does not run main.py, as on a board."""
    try:
        _build()
    except Exception as error:  # noqa: BLE001 - the simulation is broken, not the board: the supervisor gives up
        sys.print_exception(error)
        board_end.end("broken")
    sys.stdout.write("\0")
    if _run("boot.py", scope) and not board_end.RAW:
        _run("main.py", scope)


def _build() -> None:
    import simhome

    kernel, sched = simhome.start_time()  # before anything else imports `time`
    import esp32  # noqa: F401 - all of the host's that is needed, before its files go out of reach
    import machine
    import network  # noqa: F401

    vfs.umount("/")
    vfs.mount(BoardFiles(board_end.FOLDER), "/")
    os.chdir("/")
    machine.attach(simhome.open_home(kernel, sched).board)
    sys.path[:] = ["", ".frozen", "/lib"]


def _run(name: str, scope: dict) -> bool:
    """Run a boot file if it is there; False when it ended with an exception (then main.py is not run either)."""
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return True
    try:
        exec(compile(source, name, "exec"), scope)
    except SystemExit:
        board_end.end("soft")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - printed, as the board does
        sys.print_exception(error)
        return False
    return True

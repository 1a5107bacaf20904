"""What every test shares: where the tools are, and how MicroPython is started."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAP = "3M"  # firmware and simulated world; the firmware itself is about half of it, and half of that on the board


def need(name: str) -> str:
    """Path of a test program. Missing: an error in CI, a visible skip elsewhere."""
    found = shutil.which(name, path=os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]))
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{name} is not installed; CI needs it")
    pytest.skip(f"{name} is not installed")


def micropython_path() -> str:
    return os.environ.get("MICROPYTHON") or need("micropython")


@pytest.fixture(scope="session")
def micropython():
    """Run a MicroPython program from the project's root: micropython(["-c", "print(1)"]) -> stdout text.

    A non-zero exit or anything on stderr fails the test.
    """

    def run(args, heap: str = HEAP, timeout: float = 300, stdin: str | None = None, env=None) -> str:
        done = subprocess.run(
            [micropython_path(), "-X", f"heapsize={heap}", *args],
            cwd=ROOT, capture_output=True, text=True, timeout=timeout, input=stdin,
            env={**os.environ, "MICROPYPATH": f"{ROOT}:.frozen", **(env or {})},
        )
        assert done.returncode == 0 and not done.stderr, (
            f"micropython {args} ended with {done.returncode}\n{done.stderr[-4000:]}\n{done.stdout[-2000:]}"
        )
        return done.stdout

    return run

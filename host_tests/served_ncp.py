"""The simulated coprocessor on a pty for a judge that is not ours: `make serve-ncp` as a process, steps on stdin."""

import asyncio
import contextlib
import json
import pathlib
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
_READY_S = 10
_LIMIT_S = 45


class Served:
    """A served coprocessor: `link`, what it told (`told`, dicts), `do` for a step."""

    def __init__(self, folder: pathlib.Path, home: dict) -> None:
        self.link = str(folder / "ncp")
        self.told: list = []
        (folder / "home.json").write_text(json.dumps(home))
        self.process = subprocess.Popen(
            [sys.executable, "tools/serve_ncp.py", self.link, str(folder / "home.json")],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        limit = time.monotonic() + _READY_S
        while not pathlib.Path(self.link).exists():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < limit
            time.sleep(0.02)
        self._reader = threading.Thread(target=self._take, daemon=True)
        self._reader.start()

    def _take(self) -> None:
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def do(self, step: dict) -> None:
        self.process.stdin.write(json.dumps(step) + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Stop it; what it had to complain about."""
        self.process.terminate()
        self.process.stdin.close()
        errors = self.process.stderr.read()
        self.process.wait(10)
        self.process.stderr.close()
        self._reader.join(10)
        self.process.stdout.close()
        return errors.replace(f"serving on {self.link}\n", "")


async def until(condition, limit_s: float = _LIMIT_S) -> None:
    """Wait for it. TimeoutError: it did not come."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def application(link: str, **settings):
    """zigpy's application on that port, started."""
    from zigpy import config
    from zigpy_znp.zigbee.application import ControllerApplication

    whole = {config.CONF_DEVICE: {config.CONF_DEVICE_PATH: link}, config.CONF_DATABASE: None, **settings}
    app = await ControllerApplication.new(whole, auto_form=False, start_radio=False)
    await app.connect()
    try:
        yield app
    finally:
        await app.shutdown()

"""One part of the gateway replaced by a broken one: each case is forked before the home is built.

As world.py, with cases of `part` (a name of _PARTS, several with +, or one of the board's buses), `how` and `trigger`.
A part that hangs or eats does so at every call of its methods from `from_ms` on; the way in is told by a `note`.
"""

import json
import os
import sys

from host_tests.proofs.port import world

_CLASSES = ("Link", "Screen", "Recorder", "Queue", "Sensors", "Coordinator", "Speaker", "Journal", "Log", "TestMode",
            "Pcf8563", "Outputs", "BootCounter", "Store", "Registry", "Registration", "Takeover", "Announcer", "Watch",
            "Reports", "Commands")
_TASKS = ("run", "show", "touched", "send", "receive")
_INNER = {"Log": ("_allowed",)}  # its public methods are the guard around this one
_BUSES = ("rtc", "journal", "console", "monitor", "queue", "net", "i2c", "speaker", "beacon", "siren", "lamp_119",
          "lamp_centre", "lamp_call", "lamp_cancel", "amp_enable", "ncp_uart", "ncp_reset", "store")


class Dead:
    """A bus object whose every use raises OSError, and that says so when it is polled, as the port's own do."""

    peer = None  # the simulated board cuts the wire when the controller stops

    def ioctl(self, _request: int, _arg: int) -> int:
        return 8  # POLLERR

    def __getattr__(self, name: str):
        raise OSError(5)


class Breaker:
    """What a broken part does."""

    def __init__(self, home, case: dict) -> None:
        self._home = home
        self._how = case["how"]
        self._from_ms = case.get("from_ms", 0)
        self._told = False

    def due(self) -> bool:
        return world.SCHED.now_ms >= self._from_ms

    def act(self) -> None:
        if not self._told:
            self._told = True
            self._home.note(broken=self._how)
        if self._how == "hang":
            import time

            while True:
                time.sleep_ms(10)
        if self._how == "eat":
            os.getenv("proof:arm 1 0")
        raise RuntimeError("broken")

    def method(self, inner):
        def outer(*args, **fields):
            if self.due():
                self.act()
            return inner(*args, **fields)

        return outer

    def task(self, inner):
        import asyncio

        async def outer(part):
            own = asyncio.create_task(inner(part))
            try:
                while not self.due():
                    await asyncio.sleep_ms(100)
            finally:
                own.cancel()
            self.act()

        return outer

    def refuse(self, *_args, **_fields):
        """The constructor."""
        self.act()


def break_class(owner, name: str, breaker: Breaker, how: str) -> None:
    real = getattr(owner, name)
    if how == "constructor":
        setattr(owner, name, breaker.refuse)
        return
    for attribute in _INNER.get(name) or dir(real):
        inner = getattr(real, attribute)
        if name not in _INNER and (attribute.startswith("_") or not callable(inner)):
            continue
        setattr(real, attribute, breaker.task(inner) if attribute in _TASKS else breaker.method(inner))


def break_board(names: list, how: str):
    def prepare(board) -> None:
        os.getenv("proof:disarm")  # a reset gives the memory back
        for name in names:
            setattr(board, name, None if how == "none" else Dead())

    return prepare


def hold_locks() -> None:
    """A part of no importance takes every lock there is, and keeps the modem busy with a command that never ends."""
    import asyncio

    import firmware.app as app

    class Greedy(app.Link):
        async def run(self):
            gateway = self.parts
            link = gateway.coordinator._link  # noqa: SLF001
            await link._lock.acquire()  # noqa: SLF001
            while True:
                await gateway.phone._modem.at.command(b"AT+CLCC?", 60000, b"")  # noqa: SLF001
                await asyncio.sleep_ms(0)

    app.Link = Greedy


def live(job: dict, case: dict) -> None:
    import firmware.app as app
    import firmware.settings as settings

    job["scenario"] = job["scenarios"][case["trigger"]]
    home = world.new_home(job)
    home.name = case["name"]
    how = case["how"]
    breaker = Breaker(home, case)
    buses = []
    for part in case["part"].split("+") if case["part"] else []:
        if part == "Settings":
            break_class(settings, part, breaker, how)
        elif part in _CLASSES:
            break_class(app, part, breaker, how)
        elif part == "flash":
            home.flash.fault = how
        elif part == "locks":
            hold_locks()
        else:
            assert part in _BUSES, part
            buses.append(part)
    world.PREPARE.append(break_board(buses, how))
    world.SCHED.after(home.limit_ms, world.Steps(home).end)
    world.live(home)


def main() -> None:
    from host_tests.proofs.port import shield

    job = json.loads(sys.stdin.readline())
    shield.install()
    import firmware.app  # noqa: F401 - once, before the forks

    forks = world.Forks(job["jobs"])
    for index, case in enumerate(job["cases"]):
        if forks.split(case["name"]):
            job["root"] += "/%d" % index  # files of its own
            live(job, case)
            os.getenv("proof:exit 0")
    forks.finish()
    os.getenv("proof:exit 0")


if __name__ == "__main__":
    main()

"""The watchdog: not fed in time, it restarts the controller."""

from hal_sim.ends import BoardReset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hal_sim.sched import Scheduler


class WDT:
    """machine.WDT; timeout in ms. Cannot be stopped, as on the board."""

    def __init__(self, sched: "Scheduler", timeout_ms: int) -> None:
        self._sched = sched
        self._timeout = timeout_ms
        self._due = sched.now_ms + timeout_ms
        self._handle = sched.at(self._due, self._check)

    def feed(self) -> None:
        self._due = self._sched.now_ms + self._timeout

    def _check(self) -> None:
        if self._sched.now_ms >= self._due:
            raise BoardReset("watchdog")
        self._handle = self._sched.at(self._due, self._check)

    def stop(self) -> None:
        """The controller is off or restarts: the world's part, not the firmware's."""
        self._sched.cancel(self._handle)

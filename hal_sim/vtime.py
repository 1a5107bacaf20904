"""Virtual time for MicroPython: the `time` module and asyncio's queues, driven by a Scheduler.

Owns what the firmware takes for time. MicroPython only. `install()` must run before anything
imports `time` or `asyncio`. Nothing here reads a real clock; a `pace` may hold the world back
to real time. asyncio's C task queue stamps tasks from the real clock, so Task and TaskQueue are
replaced too: equal times run in the order they were pushed, which makes a run repeatable.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from hal_sim.sched import Scheduler

TICKS_PERIOD = 1 << 30  # as on the board: ticks_ms wraps after 12.4 days
_MASK = TICKS_PERIOD - 1
_HALF = TICKS_PERIOD >> 1
_PASS_LIMIT = 1000  # passes of the loop in one virtual millisecond before time moves on by itself
_LOOK_MS = 1000
_CALL_LIMIT = 20000  # clock readings in one virtual millisecond, likewise (a busy wait)
_POLL = 3
_POLL_RD = 1
_POLL_WR = 4


class Kernel:
    """The world's time as the controller meets it: ticks since boot, and the jump to what is next."""

    def __init__(self, sched: "Scheduler") -> None:
        self.sched = sched
        self.boot_ms = 0  # world time at which the controller's ticks were 0
        self.pace: Any = None  # object with wait(target_ms) -> reached_ms, for real time
        self.wakes = 0
        self._calls = 0
        self._passes = 0

    def boot(self, ticks_at_boot: int = 0) -> None:
        """The controller starts now; its ticks_ms begins at ticks_at_boot."""
        self.boot_ms = self.sched.now_ms - ticks_at_boot

    def ticks_ms(self) -> int:
        self._calls += 1
        if self._calls > _CALL_LIMIT:
            self.advance_to(self.sched.now_ms + 1)
        return (self.sched.now_ms - self.boot_ms) & _MASK

    def advance_to(self, target_ms: int) -> None:
        """Run the world up to target_ms; it may end the run by raising from a callback."""
        self._calls = 0
        self._passes = 0
        if self.pace is not None:
            target_ms = self.pace.wait(target_ms)
        self.sched.run_until(target_ms)

    def block(self, delay_ms: int) -> None:
        """The controller is held (blocking sleep, flash stall) while the world goes on."""
        end = self.sched.now_ms + delay_ms
        while self.sched.now_ms < end:
            self.advance_to(end)

    def idle(self, dt: int) -> None:
        """The event loop has nothing to do for dt ms (-1: until something happens)."""
        now = self.sched.now_ms
        if dt == 0:
            self._passes += 1
            self.advance_to(now + 1) if self._passes > _PASS_LIMIT else self.sched.run_until(now)
            return
        self.wakes += 1
        upcoming = self.sched.next_ms()
        target = now + dt if dt > 0 else upcoming
        if target is None and self.pace is not None:
            target = now + _LOOK_MS  # a step or a socket of the real world may come
        if target is None:
            raise RuntimeError("the firmware waits for something that can never happen")
        if upcoming is not None and upcoming < target:
            target = upcoming
        self.advance_to(target)


def ticks_diff(end: int, start: int) -> int:
    return ((end - start + _HALF) & _MASK) - _HALF


def ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) & _MASK


class TimeModule:
    """Stands where `time` stands."""

    def __init__(self, kernel: Kernel, real: "Any") -> None:
        self.ticks_ms = kernel.ticks_ms
        self.ticks_diff = ticks_diff
        self.ticks_add = ticks_add
        self.sleep_ms = kernel.block
        self.gmtime = real.gmtime
        self.localtime = real.localtime
        self.mktime = real.mktime
        self._kernel = kernel

    def ticks_us(self) -> int:
        return (self._kernel.ticks_ms() * 1000) & _MASK

    ticks_cpu = ticks_us

    def sleep(self, seconds: "Any") -> None:
        self._kernel.block(int(seconds * 1000))

    def sleep_us(self, micros: int) -> None:
        self._kernel.block((micros + 999) // 1000)

    def time(self) -> int:
        return self._kernel.sched.now_ms // 1000

    def time_ns(self) -> int:
        return self._kernel.sched.now_ms * 1000000


class TaskQueue:
    """asyncio's queue as a list in order of time; allocates nothing, keeps the order of equals."""

    def __init__(self) -> None:
        self._head: Any = None

    def peek(self) -> "Any":
        return self._head

    def push(self, task: "Any", key: "Any" = None) -> None:
        core = _core()
        if key is None:
            key = core.ticks()
        task.data = None
        task.ph_key = key
        before: Any = None
        node = self._head
        while node is not None and ticks_diff(node.ph_key, key) <= 0:
            before = node
            node = node.next
        task.next = node
        if before is None:
            self._head = task
        else:
            before.next = task

    def pop(self) -> "Any":
        task = self._head
        self._head = task.next
        task.next = None
        return task

    def remove(self, task: "Any") -> None:
        before: Any = None
        node = self._head
        while node is not task:
            before = node
            node = node.next
        if before is None:
            self._head = task.next
        else:
            before.next = task.next
        task.next = None


class Task:
    """asyncio's task, with the states its core expects: True running, a TaskQueue of waiters, None, False."""

    def __init__(self, coro: "Any", _globals: "Any" = None) -> None:
        self.coro = coro
        self.data: Any = None
        self.state: Any = True
        self.ph_key = 0
        self.next: Any = None

    def __iter__(self) -> "Any":
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self) -> "Any":
        if not self.state:
            raise self.data
        current = _core().cur_task
        self.state.push(current)
        current.data = self

    def done(self) -> bool:
        return not self.state

    def cancel(self) -> bool:
        core = _core()
        task = self
        if not task.state:
            return False
        if task is core.cur_task:
            raise RuntimeError("can't cancel self")
        while isinstance(task.data, Task):
            task = task.data
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            core._task_queue.push(task)
        elif ticks_diff(task.ph_key, core.ticks()) > 0:
            core._task_queue.remove(task)
            core._task_queue.push(task)
        task.data = core.CancelledError
        return True


class IOQueue:
    """Who waits for which stream; asks the streams themselves through ioctl, as poll does."""

    kernel: "Any" = None

    def __init__(self) -> None:
        self.map: list = []  # [stream, reading task or None, writing task or None]

    def _enqueue(self, stream: "Any", index: int) -> None:
        current = _core().cur_task
        for entry in self.map:
            if entry[0] is stream:
                entry[index] = current
                break
        else:
            entry = [stream, None, None]
            entry[index] = current
            self.map.append(entry)
        current.data = self

    def queue_read(self, stream: "Any") -> None:
        self._enqueue(stream, 1)

    def queue_write(self, stream: "Any") -> None:
        self._enqueue(stream, 2)

    def remove(self, task: "Any") -> None:
        for entry in list(self.map):
            if entry[1] is task:
                entry[1] = None
            if entry[2] is task:
                entry[2] = None
            if entry[1] is None and entry[2] is None:
                self.map.remove(entry)

    def wait_io_event(self, dt: int) -> None:
        """Wake whom a stream lets go on; time moves only when nobody can. dt -1: until somebody goes on."""
        if dt != 0 and self._wake_ready():
            return
        self.kernel.idle(dt)
        while not self._wake_ready() and dt < 0 and _core()._task_queue.peek() is None:
            self.kernel.idle(dt)

    def _wake_ready(self) -> bool:
        woken = False
        index = 0
        while index < len(self.map):
            entry = self.map[index]
            woken = self._wake(entry) or woken
            if entry[1] is None and entry[2] is None:
                self.map.pop(index)
            else:
                index += 1
        return woken

    def _wake(self, entry: list) -> bool:
        wanted = (_POLL_RD if entry[1] else 0) | (_POLL_WR if entry[2] else 0)
        ready = entry[0].ioctl(_POLL, wanted)
        queue = _core()._task_queue
        woken = False
        if ready & ~_POLL_WR and entry[1]:
            queue.push(entry[1])
            entry[1] = None
            woken = True
        if ready & ~_POLL_RD and entry[2]:
            queue.push(entry[2])
            entry[2] = None
            woken = True
        return woken


def _core() -> "Any":
    return sys.modules["asyncio.core"]


def install(sched: "Scheduler") -> Kernel:
    """Put virtual time under `time` and `asyncio`. Call once, before either is imported."""
    import utime  # the built-in one, whatever stands in sys.modules as `time`

    kernel = Kernel(sched)
    modules: Any = sys.modules
    modules["time"] = TimeModule(kernel, utime)
    import asyncio

    core: Any = asyncio.core  # type: ignore[attr-defined]
    modules["asyncio.core"] = core
    IOQueue.kernel = kernel
    core.Task = Task
    core.TaskQueue = TaskQueue
    core.IOQueue = IOQueue
    core.new_event_loop()
    return kernel

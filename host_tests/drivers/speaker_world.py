"""Runs under MicroPython: a Speaker on a simulated I2S and amplifier in virtual time.

Argument: a JSON object {root, index, until, steps}; a step is [at_ms, what, arguments...]. Prints a JSON line for
everything that can be heard or seen: prompt, prompt_end, amp, log, done.
"""

import gc
import json
import sys

from hal_sim import vtime
from hal_sim.sched import Scheduler

sched = Scheduler()
kernel = vtime.install(sched)

import asyncio  # noqa: E402 - virtual time must stand under it first

from drivers.speaker import Speaker  # noqa: E402
from hal_sim.bus.i2s import I2S  # noqa: E402
from hal_sim.bus.pin import Pin  # noqa: E402
from hal_sim.room_speaker import RoomSpeaker  # noqa: E402


def emit(what, **fields):
    fields["t"] = sched.now_ms
    fields["what"] = what
    print(json.dumps(fields))


class BrokenFile:
    def seek(self, *_where):
        raise OSError(5)

    readinto = read = seek

    def close(self):
        raise OSError(5)


class World:
    def __init__(self, plan):
        self.room = RoomSpeaker(sched, emit, plan["index"])
        self.i2s = None if plan.get("no_i2s") else I2S(sched, self.room)
        self.amp = Pin(0, self.amp_changed)
        self.speaker = Speaker(self.i2s, self.amp, plan["root"], self)

    def error(self, text):
        emit("log", level="ERROR", text=text)

    def info(self, text):
        emit("log", level="INFO", text=text)

    def amp_changed(self, level):
        emit("amp", on=level)
        self.room.set_amp(level)

    def do_say(self, name, plays=1, gap_ms=0):
        self.speaker.say(name, plays, gap_ms)
        emit("said", name=name, ms=self.speaker.length_ms(name))

    def do_stop(self):
        self.speaker.stop()
        emit("stopped")

    def do_fault(self, fault):
        self.i2s.fault = fault

    def do_memory_error(self, count):
        real, left = self.i2s.write, [count]

        def write(buf):
            if left[0]:
                left[0] -= 1
                raise MemoryError
            return real(buf)

        self.i2s.write = write

    def do_break_file(self):
        self.speaker._source._file = BrokenFile()

    def do_break_amp(self):
        def value(level=None):
            raise OSError(1)

        self.amp.value = value

    def do_break_log(self):
        def error(text):
            raise OSError(1)

        self.error = error

    def do_hold(self, ms):
        kernel.block(ms)  # another task, or a flash erase, holds the controller

    def do_heap(self):
        gc.collect()
        emit("heap", used=gc.mem_alloc())

    async def main(self, plan):
        task = asyncio.create_task(self.speaker.run())
        for step in plan["steps"]:
            await asyncio.sleep_ms(max(0, step[0] - sched.now_ms))
            getattr(self, "do_" + step[1])(*step[2:])
        await asyncio.sleep_ms(max(0, plan["until"] - sched.now_ms))
        speaker = self.speaker
        emit(
            "done", alive=not task.done(), speaking=speaker.speaking, finished=speaker.finished, failed=speaker.failed,
            gaps=self.room.gaps, blocking=self.i2s.blocking_writes if self.i2s else 0,
        )
        task.cancel()


with open(sys.argv[1]) as file:
    plan = json.load(file)
world = World(plan)
asyncio.run(world.main(plan))

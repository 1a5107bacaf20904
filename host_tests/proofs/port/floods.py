"""A sensor and a stranger send 1,000 frames a second each while another sensor alarms; to the call and its answer.

Job: `flood`: [from ms, to ms]. Frames are put into the receive ring as they are: no serial line
that runs at 115,200 Bd could carry so many.
"""

from hal_sim.zigbee.mt import frame, put16, put32
from host_tests.proofs.port import watched
from host_tests.proofs.port.watched import SCHED, Watched

STRANGER = 0x7ACE
SORTS = (
    (0x0402, b"\x18\x00\x0a\x00\x00\x29\x34\x08"),  # temperature
    (0x0500, b"\x19\x00\x00\x00\x00\x00\xff\x00\x00"),  # zone status, no alarm
    (0x0406, b"\x18\x00\x0a\x00\x00\x18\x01"),  # occupancy
    (0x0001, b"\x18\x00\x0a\x20\x00\x20\x1d"),  # battery
    (0x0000, b"\x10\x00\x00\x05\x00"),  # what are you
)


class Floods(Watched):
    keep = ("relay", "dial", "call", "beacon", "prompt")

    def __init__(self, *args) -> None:
        Watched.__init__(self, *args)
        self.sent = 0
        SCHED.at(self.job["flood"][0], self.pour)

    def pour(self) -> None:
        if SCHED.now_ms >= self.job["flood"][1]:
            self.say("flooded", sent=self.sent, overruns=self.board.ncp_uart.overruns)
            return
        talker = self.ncp.air.devices["talker"].short
        for short in (talker, STRANGER):
            self.sent += 1
            cluster, data = SORTS[self.sent // 2 % len(SORTS)]
            data = bytearray(data)
            data[1] = self.sent // 2 & 0xFF
            head = put16(0) + put16(cluster) + put16(short) + bytes((1, 1, 0, 180, 0)) + put32(SCHED.now_ms)
            payload = head + bytes((0, len(data))) + bytes(data) + put16(short) + b"\x1d"
            self.board.ncp_uart._receive(frame(0x4481, payload))  # noqa: SLF001
        SCHED.after(1, self.pour)


watched.live(Floods)

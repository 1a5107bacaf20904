"""Questions to one device with their answers: for pairing, where the next step depends on the last.

Owns the open questions, a few. Must never delay what comes in: an answer is copied in the handling of its frame, after
everything else was done with it. Everything goes out through the Sender, behind confirmations.

A question has one frame under way at a time: the next try starts when the coprocessor says that the last one failed, or
when a device that has it stays silent. So a sensor that sleeps takes one of the coprocessor's buffers, not several.
"""

import asyncio
from array import array

from micropython import const

from zigbee import scan, zcl
from zigbee.devices import NO_SHORT, Device
from zigbee.frames import ZDO_MGMT_LEAVE_REQ, ZDO_SEC_DEVICE_REMOVE
from zigbee.guard import wait_limited
from zigbee.joining import zdo
from zigbee.sender import Outgoing, Sender

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable

_OPEN = const(6)  # questions
_TRIES = const(2)
_ANSWER_MS = const(3000)  # from its delivery; a device that was just asked polls fast
_DELIVERY_MS = const(12_000)  # line, then 7.68 s for a sleeping child
_PROFILE_MS = (5500, 8500)  # device profile: delivery is not confirmed
_STRAY_MS = const(1500)  # the answer to a try that was given up too early may still come
_FULL_MS = const(500)
_ANSWERS = const(0x4580)  # ZDO_..._REQ 0x25xx is answered by 0x4580 | xx
_OF_MAKER = const(0x04)  # frame control: a manufacturer code follows


class Question:
    """One that waits. answer: None until it came; of a ZCL question the command and its payload."""

    def __init__(self, short: int, cluster: int, tsn: int, command: int, maker: int = 0) -> None:
        self.short = short
        self.cluster = cluster
        self.tsn = tsn
        self.command = command
        self.maker = maker
        self.answer: bytes | None = None
        self.event = asyncio.Event()


class Asker:
    """take() with every AF_INCOMING_MSG, profile() with every answer of a device profile; zcl() and zdo() ask."""

    def __init__(self, sender: Sender, next_tsn: "Callable[[], int]") -> None:
        self._sender = sender
        self._next_tsn = next_tsn
        self._open: list = []
        self._fields = array("I", [0] * scan.FIELDS_SIZE)
        self.asked = 0
        self.unanswered = 0
        self.broken = 0  # answers that were refused for their form

    async def zcl(
        self, device: Device, endpoint: int, cluster: int, command: int, payload: bytes, wanted: int,
        own: bool = False, maker: int = 0,
    ) -> "tuple | None":  # fmt: skip
        """Ask and return (command, payload) of the answer, `wanted` or a default response. None: no answer.

        own: the command is the cluster's own and the answer a default response. maker: the code of a maker's own frame.
        """
        tsn = self._next_tsn()
        control = zcl.CLUSTER_SPECIFIC if own else zcl.NO_DEFAULT_RESPONSE
        head = bytes((control | _OF_MAKER, maker & 0xFF, maker >> 8)) if maker else bytes((control,))
        frame = head + bytes((tsn, command)) + payload
        for _ in range(_TRIES):
            item = Outgoing(device.short, endpoint, cluster, frame, False, 0, 1)
            answer = await self._once(Question(device.short, cluster, tsn, wanted, maker), item)
            if answer:
                return answer[0], answer[1:]
        self.unanswered += 1
        return None

    def post(
        self, device: Device, endpoint: int, cluster: int, command: int, payload: bytes, general: bool = False
    ) -> None:
        """Send a command, the cluster's own or a general one, whose answer nobody waits for."""
        if device.short != NO_SHORT:
            build = zcl.general if general else zcl.specific
            frame = build(self._next_tsn(), command, payload)
            self._sender.post(Outgoing(device.short, endpoint, cluster, frame, False))

    def leave(self, device: Device, short: int = NO_SHORT) -> None:
        """Ask the device to leave; short: at this address, where two have the same name."""
        short = device.short if short == NO_SHORT else short
        if short != NO_SHORT:
            self._sender.post(Outgoing(short, 0, 0, zdo.leave(short, device.wire), False, ZDO_MGMT_LEAVE_REQ, 2))

    def drop_keys(self, wire: bytes) -> None:
        """Have the coprocessor forget a device that has left."""
        self._sender.post(Outgoing(0, 0, 0, wire, False, ZDO_SEC_DEVICE_REMOVE, 1))

    async def zdo(self, device: Device, command: int, payload: bytes) -> "bytes | None":
        """Send the device profile request (an SREQ of zigbee.frames); the answer as the AREQ has it, or None."""
        wanted = _ANSWERS | command & 0x7F
        for number in range(_TRIES):
            item = Outgoing(device.short, 0, 0, payload, False, command, 1)
            answer = await self._once(Question(device.short, -1, 0, wanted), item, _PROFILE_MS[number])
            if answer:
                if number:
                    await asyncio.sleep_ms(_STRAY_MS)
                return answer
        self.unanswered += 1
        return None

    async def _once(self, question: Question, item: Outgoing, limit_ms: int = 0) -> "bytes | None":
        if len(self._open) >= _OPEN or item.short == NO_SHORT:
            await asyncio.sleep_ms(_FULL_MS)
            return None
        item.told = question.event
        self._open.append(question)
        try:
            if not self._sender.post(item):
                await asyncio.sleep_ms(_FULL_MS)
                return None
            self.asked += 1
            await wait_limited(question.event, limit_ms or _DELIVERY_MS)
            if question.answer is None and item.outcome == 0:  # it has the question
                question.event.clear()
                await wait_limited(question.event, _ANSWER_MS)
            return question.answer
        finally:
            self._open.remove(question)
            self._sender.withdraw(item)

    def take(self, buf: bytearray, at: int, size: int) -> None:
        """An AF_INCOMING_MSG: the answer to an open question, perhaps."""
        fields = self._fields
        if not self._open or not scan.decode(buf, at, size, fields):
            return
        if fields[scan.CONTROL] & 3:
            return  # a cluster's own command
        for question in self._open:
            if (
                question.tsn == fields[scan.TSN] and question.cluster == fields[scan.CLUSTER]
                and question.short == fields[scan.SHORT] and question.answer is None
                and question.maker == fields[scan.MAKER]
                and fields[scan.COMMAND] in (question.command, zcl.DEFAULT_RESPONSE)
            ):  # fmt: skip
                body = fields[scan.BODY]
                question.answer = bytes((fields[scan.COMMAND],)) + bytes(buf[body:body + fields[scan.SIZE]])
                question.event.set()
                return

    def profile(self, command: int, data: bytes) -> None:
        """A device profile answer: data as the coprocessor gives it, the sender's short address first."""
        if len(data) < 3:
            self.broken += 1
            return
        short = zdo.le16(data, 0)
        for question in self._open:
            if question.cluster < 0 and question.command == command and question.short == short:
                if question.answer is None:
                    question.answer = data
                    question.event.set()
                return

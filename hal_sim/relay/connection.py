"""One connection to the broker: what its client says, packet by packet, and when it said nothing for too long.

Owns the time limits and the last will. What the protocol forbids ends the connection, never
more than that.
"""

from hal_sim.relay import answers, packets
from hal_sim.relay.packets import BadPacket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.relay.broker import Broker
    from hal_sim.relay.session import Session

_CONNECT_MS = 20000  # a connection that does not say CONNECT by then is closed
_ACCEPTED = 0
_BAD_VERSION = 1
_BAD_CLIENT = 2
_FULL = 3
_REFUSED = 0x80
_LONGEST_CLIENT = 64


class Connection:
    """send(bytes), close(): the transport. user: the name in its certificate; None: whoever it is, without limits."""

    def __init__(
        self, broker: "Broker", send: "Callable[[bytes], Any]", close: "Callable[[], Any]", user: "str | None"
    ) -> None:
        self.user = user
        self.send = send
        self._broker = broker
        self._close = close
        self._reader = packets.Reader()
        self._open = True
        self._session: Session | None = None
        self._will: Any = None
        self._limit_ms = _CONNECT_MS
        self._heard_ms = broker.sched.now_ms
        self._due: list | None = broker.sched.after(_CONNECT_MS, self._look)

    def feed(self, data: "Any") -> None:
        """Bytes from the client."""
        try:
            self._reader.feed(data)
            while self._open:
                packet = self._reader.next()
                if packet is None:
                    return
                self._heard_ms = self._broker.sched.now_ms
                self._handle(*packet)
        except BadPacket as bad:
            self._broker.refused += 1
            self._broker.last_refusal = bad.args[0]
            self.drop()

    def drop(self) -> None:
        """The broker ends it."""
        if self._open:
            self.lost()
            self._close()

    def lost(self) -> None:
        """The transport is gone. The will is published unless the client took its leave."""
        if not self._open:
            return
        self._open = False
        self._broker.sched.cancel(self._due)
        self._broker.left(self, self._session)
        will, self._will = self._will, None
        if will is not None:
            self._broker.arrived(self, will[0], will[1], will[2])

    def _look(self) -> None:
        """Nothing was heard for the limit?"""
        over_ms = self._heard_ms + self._limit_ms - self._broker.sched.now_ms
        if over_ms <= 0:
            self._broker.timed_out += 1
            self.drop()
        else:
            self._due = self._broker.sched.after(over_ms, self._look)

    # ------------------------------------------------------------------ packets
    def _handle(self, kind: int, flags: int, body: bytes) -> None:
        if (self._session is None) != (kind == packets.CONNECT):
            raise BadPacket("CONNECT, first and once")
        if kind == packets.CONNECT:
            self._connect(packets.Connect(body))
        elif kind == packets.PUBLISH:
            self._publish(flags, body)
        elif kind == packets.PUBACK:
            self._session.acknowledged(packets.read_identifier(body))  # type: ignore[union-attr]
        elif kind == packets.SUBSCRIBE:
            self._subscribe(body)
        elif kind == packets.UNSUBSCRIBE:
            self._unsubscribe(body)
        elif body:
            raise BadPacket("too long")
        elif kind == packets.PINGREQ:
            self.send(answers.PINGRESP)
        else:  # DISCONNECT
            self._will = None
            self.drop()

    def _connect(self, asked: packets.Connect) -> None:
        broker = self._broker
        if broker.mute:
            return
        code, client = self._welcome(asked)
        session, present = broker.enter(self, client, asked.clean) if code == _ACCEPTED else (None, False)
        if session is None:
            self.send(answers.connack(code or _FULL))
            self.drop()
            return
        self._session = session
        self._will = asked.will
        broker.sched.cancel(self._due)
        self._limit_ms = asked.keep_alive_s * 1500
        self._due = broker.sched.after(self._limit_ms, self._look) if self._limit_ms else None
        self.send(answers.connack(_ACCEPTED, present))
        session.resume()
        if broker.kick_ms is not None:
            broker.sched.after(broker.kick_ms, self.drop)

    def _welcome(self, asked: packets.Connect) -> tuple:
        """(code of CONNACK, client id)."""
        if asked.level != 4:
            return _BAD_VERSION, ""
        if len(asked.client) > _LONGEST_CLIENT or not asked.client and not asked.clean:
            return _BAD_CLIENT, ""
        if self.user is not None and asked.client != self.user:  # nobody puts another out
            return _BAD_CLIENT, ""
        return _ACCEPTED, asked.client or self._broker.name()

    def _publish(self, flags: int, body: bytes) -> None:
        broker = self._broker
        topic, payload, qos, identifier = packets.read_publish(flags, body)
        broker.arrived(self, topic, payload, qos)
        for _ in range(broker.copies if qos else 0):
            if broker.late_ms:
                broker.sched.after(broker.late_ms, self._late, answers.puback(identifier))
            else:
                self.send(answers.puback(identifier))

    def _late(self, packet: bytes) -> None:
        if self._open:
            self.send(packet)

    def _subscribe(self, body: bytes) -> None:
        identifier, filters = packets.read_filters(body, True)
        codes = []
        for pattern, qos in filters:
            allowed = self._broker.may_read(self.user, pattern)
            codes.append(self._session.subscribe(pattern, qos) if allowed else _REFUSED)  # type: ignore[union-attr]
        self.send(answers.suback(identifier, codes))

    def _unsubscribe(self, body: bytes) -> None:
        identifier, filters = packets.read_filters(body, False)
        for pattern in filters:
            self._session.filters.pop(pattern, None)  # type: ignore[union-attr]
        self.send(answers.unsuback(identifier))

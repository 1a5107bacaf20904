"""A small MQTT 3.1.1 broker: sessions, routing, who may touch which topic, and the faults of a broker.

Owns the sessions, a bounded number of them. QoS 0 and 1; nothing is retained. Sans-I/O: whoever has a transport calls
connect() and feeds what comes. Must never know what a payload means.
"""

from hal_sim.relay.connection import Connection
from hal_sim.relay.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_SESSIONS = 32
_CONNECTIONS = 32


class Broker:
    """heard(user, topic, payload) gets every publication that is allowed, wills too."""

    def __init__(self, sched: "Scheduler", heard: "Callable[[Any, str, bytes], Any]") -> None:
        self.sched = sched
        self._heard = heard
        self._sessions: dict = {}  # client id -> Session
        self._connections: list = []
        self._named = 0
        self.mute = False  # fault: CONNECT is not answered
        self.late_ms = 0  # fault: PUBACK comes so late
        self.copies = 1  # of each PUBACK
        self.kick_ms: int | None = None  # fault: a session is closed so long after CONNACK
        self.refused = 0  # packets that ended their connection
        self.last_refusal = ""
        self.denied = 0  # publications to topics that are not the client's
        self.timed_out = 0

    # ------------------------------------------------------------------ for the transports and the relay
    def connect(
        self, send: "Callable[[bytes], Any]", close: "Callable[[], Any]", user: "str | None" = None
    ) -> Connection:
        """Somebody is connected: give it what comes with feed(), tell it with lost() when the transport is gone."""
        connection = Connection(self, send, close, user)
        self._connections.append(connection)
        if len(self._connections) > _CONNECTIONS:
            self._connections[0].drop()
        return connection

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> None:
        """To every client that asked for it."""
        for session in list(self._sessions.values()):
            session.deliver(topic, payload, qos)

    def stop(self) -> None:
        """The broker is gone, and all it knew: no will is published."""
        heard, self._heard = self._heard, lambda user, topic, payload: None
        for connection in list(self._connections):
            connection.drop()
        self._sessions = {}
        self._heard = heard

    # ------------------------------------------------------------------ for its connections
    def enter(self, connection: Connection, client: str, clean: bool) -> tuple:
        """(session or None when there is no room, whether it was there before). Another with that id is put out."""
        session = self._sessions.get(client)
        if session is not None and session.connection is not None:
            session.connection.drop()
            session = self._sessions.get(client)
        present = session is not None and not clean
        if session is None or clean:
            if client not in self._sessions and not self._has_room():
                return None, False
            session = self._sessions[client] = Session(clean)
        session.connection = connection
        session.clean = clean
        return session, present

    def _has_room(self) -> bool:
        """One that is away is forgotten rather than a new one refused."""
        if len(self._sessions) < _SESSIONS:
            return True
        for client in self._sessions:
            if self._sessions[client].connection is None:
                del self._sessions[client]
                return True
        return False

    def left(self, connection: Connection, session: "Session | None") -> None:
        """That connection is over."""
        if connection in self._connections:
            self._connections.remove(connection)
        if session is None or session.connection is not connection:
            return
        session.connection = None
        if session.clean:
            for client in list(self._sessions):
                if self._sessions[client] is session:
                    del self._sessions[client]

    def name(self) -> str:
        """A client id for one that has none."""
        self._named += 1
        return "auto-%d" % self._named

    def arrived(self, connection: Connection, topic: str, payload: bytes, qos: int) -> None:
        """A publication of that client; what it may not write is dropped and counted."""
        user = connection.user
        if user is not None and not topic.startswith("gw/%s/up/" % user):
            self.denied += 1
            return
        self._heard(user, topic, payload)
        self.publish(topic, payload, qos)

    def may_read(self, user: "str | None", pattern: str) -> bool:
        """A gateway reads what is sent to it, nothing else."""
        return user is None or pattern.startswith("gw/%s/down/" % user)

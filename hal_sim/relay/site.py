"""Where the gateway's link ends: the server with broker and relay on the simulated internet, and how it may fail.

Owns the faults of the far end. Survives every reset of the gateway. MicroPython only where TLS is spoken.
"""

from hal_sim.relay.broker import Broker
from hal_sim.relay.relay import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.bus.net import SimNet
    from hal_sim.bus.tcp import Socket

_SLOW_MS = 60000
_KICK_MS = 1000


class Site:
    """folder: of ca.der and server/; epoch_ms: ms since 1970 when the world began; gateway: who is commanded."""

    def __init__(
        self, net: "SimNet", emit: "Callable[..., None]", folder: str, epoch_ms: int, gateway: str
    ) -> None:
        self._net = net
        self._folder = folder
        self._epoch_ms = epoch_ms
        self._gateway = gateway
        self._server: Any = None
        self._mute = False
        self.tls_failures = 0
        self.last_failure = ""
        self.broker = Broker(net.sched, self._heard)
        self.relay = Relay(net.sched, emit, self.broker.publish, self._true_ms)

    def _true_ms(self) -> int:
        return self._epoch_ms + self._net.sched.now_ms

    def _heard(self, user: "Any", topic: str, payload: bytes) -> None:
        self.relay.heard(user, topic, payload)

    def listen(self, host: str, port: int) -> None:
        """Be there under this name, whatever the certificate says."""
        self._net.listen(host, port, self._accept)

    def _accept(self, socket: "Socket") -> None:
        if self._mute:
            return
        from hal_sim.relay.secure import SecureEnd, Server  # MicroPython's; not before it is needed

        if self._server is None:
            try:
                self._server = Server(self._folder)
            except OSError as error:
                self._failed("the server's files cannot be read: %r" % error)
                socket.reset()
                return
        SecureEnd(socket, self._server, self.broker, self._failed)

    def _failed(self, why: str) -> None:
        self.tls_failures += 1
        self.last_failure = why

    # ------------------------------------------------------------------ what a scenario does
    def set_up(self, up: bool) -> None:
        """False: connections are broken and refused, as if the broker were down."""
        self.set_fault("none" if up else "down")

    def set_fault(self, fault: str) -> None:
        """One of hal_sim.steps.RELAY_FAULTS; it stays until another is set."""
        broker, relay = self.broker, self.relay
        self._mute = fault == "mute"
        self._net.refuse = fault == "down"
        broker.mute = fault == "no_connack"
        relay.deaf = fault == "mute_relay"
        relay.doubled = fault == "doubled"
        broker.copies = 2 if fault == "doubled" else 1
        broker.late_ms = relay.late_ms = _SLOW_MS if fault == "slow" else 0
        broker.kick_ms = _KICK_MS if fault == "kick" else None
        self._net.set_silent(fault == "silent")
        if fault == "down":
            broker.stop()  # tells no will
            relay.cut_off()
            self._net.reset_all()
        elif fault in ("mute", "no_connack", "kick"):
            self._net.reset_all()  # what is up would never meet the fault

    def command(self, command: dict) -> None:
        """The relay commands the gateway."""
        self.relay.command(self._gateway, command)

"""The simulated internet between the gateway and its servers: names, connections, and what may go wrong with them.

Owns what may go wrong (no network, DNS that fails or lies, refusal, half-open connections, resets) and the count of
what went over the mobile link. Must never know what the bytes mean.
"""

from hal_sim.bus.tcp import ECONNREFUSED, Socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_ENETUNREACH = 101
_SEGMENT = 1360  # payload of a packet on a mobile network
_HEADER = 40  # IPv4 and TCP
_SLOW_MS = 20000
_NOWHERE = "203.0.113.1"  # addresses of documentation: nobody is there
_STRANGER = "203.0.113.2"


class SimNet:
    """The gateway's way into the internet, and the servers there."""

    def __init__(self, sched: "Scheduler", latency_ms: int = 30) -> None:
        self.sched = sched
        self.latency_ms = latency_ms  # each way
        self.attached = True
        self.dns = "works"  # one of hal_sim.steps.DNS
        self.refuse = False
        self.silent = False
        self.up_bytes = self.up_packets = 0  # from the gateway; payload of TCP: TLS included
        self.down_bytes = self.down_packets = 0
        self.connections = 0  # begun
        self._names: dict = {}  # name -> address
        self._servers: dict = {}  # (address, port) -> accept(socket)
        self._open: list = []

    # ------------------------------------------------------------------ for the gateway
    def ready(self) -> bool:
        """A data network is attached."""
        return self.attached

    def resolve(self, host: str, port: int, found: "Callable[[list], Any]") -> None:
        """found(addresses) is called later, with [] when there is none; DNS that is `silent` never answers."""
        if _is_address(host):
            found([(host, port)])
        elif not self.attached or self.dns == "fails":
            self.sched.after(2 * self.latency_ms, found, [])
        elif self.dns != "silent" and not self.silent:
            wait_ms = 2 * self.latency_ms + (_SLOW_MS if self.dns == "slow" else 0)
            self.sched.after(wait_ms, found, self._addresses(host, port))

    def _addresses(self, host: str, port: int) -> list:
        told = {"lies": _NOWHERE, "stranger": _STRANGER}.get(self.dns) or self._names.get(host)
        return [(told, port)] if told else []

    def open(self, address: tuple) -> Socket:
        """Begin to connect to (address, port). Raises OSError when there is no network."""
        if not self.attached:
            raise OSError(_ENETUNREACH)
        near = Socket(self, True)
        self.connections += 1
        self.count(True, 0)
        self._open.append(near)
        if self.silent:
            near.lost = True
        else:
            self.sched.after(self.latency_ms, self._knock, near, address)
        return near

    def _knock(self, near: Socket, address: tuple) -> None:
        accept = _stranger if address[0] == _STRANGER else self._servers.get(address)
        if near.lost or address[0] == _NOWHERE:
            return
        if accept is None or self.refuse:
            self.sched.after(self.latency_ms, near.fail, ECONNREFUSED)
            return
        far = Socket(self, False)
        far.other, near.other = near, far
        far.connected = True
        self._open.append(far)
        self.count(False, 0)
        self.sched.after(self.latency_ms, near.connect)
        accept(far)

    # ------------------------------------------------------------------ for who makes the world
    def listen(self, host: str, port: int, accept: "Callable[[Socket], Any]") -> None:
        """A server of that name: accept(socket) gets its end of each connection."""
        address = host if _is_address(host) else self._names.setdefault(host, "198.51.100.%d" % (len(self._names) + 1))
        self._servers[(address, port)] = accept

    def set_attached(self, attached: bool) -> None:
        """The data network; what was open when it went is half-open for good: the next address is another."""
        self.attached = attached
        if not attached:
            self.lose()

    def set_silent(self, silent: bool) -> None:
        """Nothing passes, and nobody is told; what was open then stays dead afterwards too."""
        self.silent = silent
        if silent:
            self.lose()

    def lose(self) -> None:
        """Every open connection is half-open from now on. So a controller leaves that loses its power."""
        for end in self._open:
            end.lost = True
            if end.other is not None:
                end.other.lost = True
        self._open = []

    def reset_all(self) -> None:
        """Every open connection is broken."""
        for end in list(self._open):
            end.reset()

    def leave(self, end: Socket) -> None:
        """That end is over."""
        if end in self._open:
            self._open.remove(end)
        other = end.other
        if other is not None and other.shut and other in self._open:
            self._open.remove(other)

    def count(self, is_up: bool, size: int) -> None:
        """Payload of `size` bytes goes out; 0: a packet that opens or closes."""
        packets = max(1, (size + _SEGMENT - 1) // _SEGMENT)
        if is_up:
            self.up_bytes += size
            self.up_packets += packets
        else:
            self.down_bytes += size
            self.down_packets += packets

    def wire_bytes(self) -> int:
        """Both ways, with the headers of IP and TCP and an acknowledgement of its own for each packet: at most."""
        return self.up_bytes + self.down_bytes + 2 * _HEADER * (self.up_packets + self.down_packets)


def _is_address(host: str) -> bool:
    return all(part.isdigit() for part in host.split("."))


def _stranger(far: Socket) -> None:
    """Somebody else answers: the page of a hotel's network."""

    def answer() -> None:
        try:
            if far.readinto(bytearray(512)):
                far.write(b"HTTP/1.1 302 Found\r\nLocation: http://portal.invalid/\r\nContent-Length: 0\r\n\r\n")
            far.close()
        except OSError:
            pass  # it is gone

    far.on_event = answer

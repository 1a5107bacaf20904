"""The computer's own network as the gateway's way into the internet: real sockets, in real time.

Owns the sockets. MicroPython's unix port only, and only where the world keeps real time: a socket follows no virtual
clock. Whoever waits for a socket is woken by the pace (hal_sim/play.py), which sleeps on them and on stdin. Where time
runs fast it is held to real time from any byte on until it is quiet: else the far end would always be too late.
"""

import errno
import io
import select
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_POLL = 3
_CLOSE = 4
_RD = 1
_WR = 4
_ERR = 8
_ENETUNREACH = 101
# Real ms for which time is held: as long as the far end of a socket on this computer takes, also when that is busy.
_ANSWER_MS = 1500  # a connection, a flight of the handshake: it is answered, and then the hold is cut short
_QUIET_MS = 200  # a message; there may be no answer
_SMALL_MS = 40  # what is no longer than a ping or an acknowledgement
_SMALL = 64
_HANDSHAKE = (20, 22)  # first byte of a TLS record: change of cipher, handshake
_LEFT = 4  # sockets of controllers that lost their power: kept open as long as another does not need the room


def _as_it_is(_ms: int) -> None:
    """Time never runs fast."""


class HostSocket(io.IOBase):
    """A non-blocking TCP socket that is a MicroPython stream. dead: half-open, nothing passes any more."""

    def __init__(self, net: "HostNet", real: "Any") -> None:
        self._net = net
        self.real = real
        self.dead = False
        self._shut = False
        self._poller = select.poll()
        self._poller.register(real, _RD | _WR)

    def readinto(self, buf: "Any") -> "Any":
        """Bytes read; None: it would have to wait; 0: the other end closed. Raises OSError."""
        if self.dead:
            return None
        count = _attempt(self.real.readinto, buf)
        if count:
            self._net.down_bytes += count
            self._net.came(count)
        return count

    def write(self, buf: "Any") -> "Any":
        """Bytes taken, perhaps not all; None: it would have to wait. Raises OSError."""
        if self.dead:
            return None
        count = _attempt(self.real.write, buf)
        if count:
            self._net.up_bytes += count
            self._net.went(count, buf[0] in _HANDSHAKE)
        return count

    def ioctl(self, request: int, arg: int) -> int:
        if request == _CLOSE:
            self.close()  # also when TLS above it is thrown away as garbage: allocates nothing
        if request != _POLL or self.dead:
            return 0
        if self._shut:
            return _ERR
        self._poller.modify(self.real, arg)
        for _, events in self._poller.poll(0):
            return events
        self._net.watch(self.real, arg)
        return 0

    def close(self) -> None:
        if not self._shut:
            self._shut = True
            self._net.leave(self)
            self.real.close()


class HostNet:
    """watch(socket, events): have the pace wake the gateway once one of them is there; forget(socket): no more.

    hold(ms): have it keep to real time for so long at least; shorten(ms): for no longer than that.
    """

    def __init__(
        self, watch: "Callable[[Any, int], Any]", forget: "Callable[[Any], Any]",
        hold: "Callable[[int], Any]" = _as_it_is, shorten: "Callable[[int], Any]" = _as_it_is,
    ) -> None:
        self.attached = True
        self.watch = watch
        self._forget = forget
        self._hold = hold
        self._shorten = shorten
        self._asked = False  # a flight of the handshake is to be answered
        self.up_bytes = self.down_bytes = 0
        self.connections = 0
        self._open: list = []
        self._left: list = []

    def ready(self) -> bool:
        """A data network is attached."""
        return self.attached

    def resolve(self, host: str, port: int, found: "Callable[[list], Any]") -> None:
        """found(addresses) is called at once, with [] when there is none. The host's resolver may take its time."""
        try:
            answers = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM) if self.attached else []
        except OSError:
            answers = []
        found([answer[-1] for answer in answers])

    def open(self, address: "Any") -> HostSocket:
        """Begin to connect. Raises OSError when there is no network."""
        if not self.attached:
            raise OSError(_ENETUNREACH)
        real = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        real.setblocking(False)
        try:
            real.setsockopt(6, 1, 1)  # TCP_NODELAY
            real.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                real.close()
                raise
        self.connections += 1
        self._asked = True
        self._hold(_ANSWER_MS)
        made = HostSocket(self, real)
        self._open.append(made)
        return made

    def went(self, count: int, is_handshake: bool) -> None:
        """The gateway said so many bytes."""
        self._asked = self._asked or is_handshake
        self._hold(_ANSWER_MS if is_handshake else _SMALL_MS if count < _SMALL else _QUIET_MS)

    def came(self, count: int) -> None:
        """The far end said so many bytes."""
        if self._asked:
            self._asked = False
            self._shorten(_QUIET_MS)
        self._hold(_SMALL_MS if count < _SMALL else _QUIET_MS)

    def set_attached(self, attached: bool) -> None:
        """The data network; what was open when it went is half-open for good."""
        self.attached = attached
        if not attached:
            self.lose()

    def lose(self) -> None:
        """Every open connection is half-open from now on: the far end hears neither a word nor an end."""
        for one in self._open:
            one.dead = True
            self._forget(one.real)
        self._left = (self._left + self._open)[-_LEFT:]
        self._open = []

    def leave(self, one: HostSocket) -> None:
        """That socket is closed."""
        self._forget(one.real)
        if self._asked:
            self._asked = False
            self._shorten(0)
        if one in self._open:
            self._open.remove(one)
        if one in self._left:
            self._left.remove(one)


def _attempt(call: "Callable[[Any], Any]", buf: "Any") -> "Any":
    try:
        return call(buf)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            return None
        raise

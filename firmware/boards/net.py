"""The internet through the port's own sockets: names, and connections that begin without waiting.

Owns no network: `attached()` says whether there is one. Must never block the event loop: a name is looked up in a
thread of its own, because the port's getaddrinfo waits for the answer (on esp32 it lets the others run meanwhile).
"""

import _thread
import errno
import socket

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_IPPROTO_TCP = const(6)
_TCP_NODELAY = const(1)  # a batch is one write: it need not wait for company


class Net:
    """attached(): a data network is there."""

    def __init__(self, attached: "Callable[[], bool]") -> None:
        self._attached = attached

    def ready(self) -> bool:
        try:
            return bool(self._attached())
        except (OSError, ValueError, RuntimeError, ImportError):  # a radio that cannot be switched on is no network
            return False

    def resolve(self, host: str, port: int, found: "Callable[[list], Any]") -> None:
        """found(addresses) is called from another thread; with [] when there is none."""
        try:
            _thread.start_new_thread(_look_up, (host, port, found))
        except (OSError, RuntimeError, MemoryError):
            found([])

    def open(self, address: "Any") -> socket.socket:
        """A socket that begins to connect. OSError: it cannot even begin."""
        raw = socket.socket()
        try:
            raw.setblocking(False)
            raw.setsockopt(_IPPROTO_TCP, _TCP_NODELAY, 1)
            raw.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raw.close()
                raise
        return raw


def _look_up(host: str, port: int, found: "Callable[[list], Any]") -> None:
    try:
        addresses = [info[-1] for info in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)]
    except (OSError, MemoryError):
        addresses = []
    found(addresses)

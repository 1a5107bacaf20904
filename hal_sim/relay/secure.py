"""TLS in front of the broker: one end of a simulated connection, its certificate asked for, its bytes into the broker.

Owns the handshake and what waits to be written. MicroPython only (`tls`). Takes no time: only the network does.
"""

import tls

from hal_sim.relay.names import common_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.bus.tcp import Socket
    from hal_sim.relay.broker import Broker
    from hal_sim.relay.connection import Connection

_SAY_MS = 20000  # handshake and first word
_MOST_WAITING = 65536  # bytes that a client does not take: it is put out


class Server:
    """TLS of the server: folder has ca.der, server/cert.der, server/key.der. Raises OSError when one is missing."""

    def __init__(self, folder: str) -> None:
        self.context = _context()
        self.context.load_cert_chain(_read(folder + "/server/cert.der"), _read(folder + "/server/key.der"))
        self.context.load_verify_locations(_read(folder + "/ca.der"))
        self.context.verify_mode = tls.CERT_REQUIRED
        self.context.verify_callback = self._look
        self._seen = ""

    def _look(self, certificate: "Any", depth: int) -> int:
        """Called while a client's chain is checked, and changes nothing of that: there is no other way to the name."""
        if depth == 0:
            self._seen = common_name(certificate)
        return 0

    def seen(self) -> str:
        """The name in the certificate that was shown since the last time, or empty."""
        name, self._seen = self._seen, ""
        return name


def _context() -> "Any":
    return tls.SSLContext(tls.PROTOCOL_TLS_SERVER)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


class SecureEnd:
    """A client's connection, as the server has it."""

    def __init__(self, socket: "Socket", server: Server, broker: "Broker", failed: "Callable[[str], Any]") -> None:
        self._broker = broker
        self._failed = failed  # told why TLS ended it
        self._socket = socket
        self._server = server
        self._user = ""
        self._stream = server.context.wrap_socket(socket, server_side=True, do_handshake_on_connect=False)
        self._connection: Connection | None = None
        self._buf = bytearray(2048)
        self._waiting: list = []
        self._waiting_bytes = 0
        self._over = False
        socket.on_event = self._work
        self._due: list | None = broker.sched.after(_SAY_MS, self._fail, "nothing was said")

    def _work(self) -> None:
        """Something may be read or written."""
        try:
            while not self._over:
                count = self._stream.readinto(self._buf)
                self._user = self._server.seen() or self._user
                if count is None:
                    break
                if not count:
                    self._close()
                    return
                self._client().feed(memoryview(self._buf)[:count])
            self._write()
        except (OSError, ValueError) as error:
            self._fail(repr(error))

    def _client(self) -> "Connection":
        """The broker's connection: there is one when the handshake is done, under the name of the certificate."""
        connection = self._connection
        if connection is None:
            self._broker.sched.cancel(self._due)
            connection = self._connection = self._broker.connect(self._send, self._close, self._user)
        return connection

    def _fail(self, why: str) -> None:
        if not self._over:
            self._failed(why)
            self._close()

    def _send(self, data: bytes) -> None:
        if self._over:
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > _MOST_WAITING:
            self._close()
            return
        try:
            self._write()
        except (OSError, ValueError) as error:
            self._fail(repr(error))

    def _write(self) -> None:
        """The first that waits, with the same bytes until they are taken: TLS may have begun with them."""
        while self._waiting and not self._over:
            count = self._stream.write(self._waiting[0])
            if count is None:
                return
            self._waiting_bytes -= count
            if count == len(self._waiting[0]):
                self._waiting.pop(0)
            else:
                self._waiting[0] = self._waiting[0][count:]

    def _close(self) -> None:
        if self._over:
            return
        self._over = True
        self._waiting = []
        self._broker.sched.cancel(self._due)
        if self._connection is not None:
            self._connection.lost()
        try:
            self._stream.close()
        except OSError:
            pass  # TLS that failed does not close what is under it
        self._socket.close()

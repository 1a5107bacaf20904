"""Servers that are not the relay's broker: what the gateway says to each is kept, byte by byte."""

import socket
import ssl
import threading


class Imposter:
    """A TLS server with a certificate of its own (a folder of tools.certs); lets everybody in and listens.

    `said`: what arrived once the handshake was over. `tries`: how each handshake ended, "" when it did.
    """

    def __init__(self, folder):
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.said = b""
        self.tries = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                end, _ = self._server.accept()
            except OSError:
                return
            with end:
                end.settimeout(20)
                self._meet(end)

    def _meet(self, end):
        try:
            with self._context.wrap_socket(end, server_side=True) as stream:
                self.tries.append("")
                while True:
                    data = stream.recv(4096)
                    if not data:
                        return
                    self.said += data
        except OSError as error:
            self.tries.append(str(error))

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

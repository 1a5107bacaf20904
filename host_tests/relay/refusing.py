"""A PostgreSQL server that says no to everybody, in its own language: the SQLSTATE is the argument; prints its port.

A process of its own: libpq's ping lets no other thread of its process run.
"""

import socketserver
import sys


class Refusing(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.rfile.read(int.from_bytes(self.rfile.read(4), "big") - 4)
        said = f"SFATAL\0VFATAL\0C{sys.argv[1]}\0M지금은 안 됩니다\0\0".encode()
        self.wfile.write(b"E" + (len(said) + 4).to_bytes(4, "big") + said)


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()

"""`python -m tools.home [--port 8119] [--no-open] [--embedded | --simulated]`: the simulated home in a browser.

Owns the command line. What goes wrong is one line on stderr; Ctrl-C ends without a word.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import pathlib
import signal
import sys
import webbrowser
from typing import NoReturn

from aiohttp import web

from tools import owner, simulator
from tools.home import house, outside
from tools.home.server import make_app
from tools.relay import RelayError

HOST = "127.0.0.1"
PORT = 8119


async def serve(port: int, open_page: bool, folder: pathlib.Path, broker: str) -> int:
    """Serve until SIGINT or SIGTERM; the exit status. broker: of tools.home.outside. Raises OSError, RelayError."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(make_app(house.command(folder), simulator.ROOT, house.scenario(), simulator.SOUND,
                                    house.products(), folder, broker),
                           access_log=None, shutdown_timeout=2)
    try:
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        url = f"http://{HOST}:{port}/"
        print(f"The simulated home is open at {url}  (Ctrl-C ends it)", flush=True)
        if broker != outside.SIMULATED:
            print(f"What its relay has: {house.export(folder)}", flush=True)
        if open_page:
            await asyncio.to_thread(webbrowser.open, url)
        await stop.wait()
    finally:
        await runner.cleanup()
    return 0


def _broker(embedded: bool) -> str:
    """Which one there is; without any the home goes on with a simulated one, and says so."""
    try:
        return outside.choose(embedded)
    except RelayError as error:
        print(f"Broker and relay are simulated: {error}", flush=True)
        return outside.SIMULATED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"home: {message}; --help tells more\n")


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"port {text} is none: 1 to 65535")
    return int(text)


def _parse(args: list[str] | None) -> argparse.Namespace:
    """Ends the program for --help and for what is wrong."""
    parser = _Parser(prog="python -m tools.home", description="The simulated home in a browser.")
    parser.add_argument("--port", type=_port, default=PORT, help=f"TCP port on {HOST} (default {PORT})")
    parser.add_argument("--no-open", action="store_true", help="do not open the browser")
    relay = parser.add_mutually_exclusive_group()
    relay.add_argument("--embedded", action="store_true", help="the broker in Python, even if mosquitto is there")
    relay.add_argument("--simulated", action="store_true", help="no real broker and relay; fast time is faster with it")
    return parser.parse_args(args)


def main(args: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    asked = _parse(args)
    broker = outside.SIMULATED if asked.simulated else _broker(asked.embedded)
    try:
        with owner.folder("simulated-home-") as folder:
            simulator.furnish(folder)
            return asyncio.run(serve(asked.port, not asked.no_open, folder, broker))
    except (LookupError, RelayError) as error:
        print(error, file=sys.stderr)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            print(f"port {asked.port} is in use: another home may be open; try --port {asked.port + 1}",
                  file=sys.stderr)
        else:
            print(f"cannot serve on port {asked.port}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

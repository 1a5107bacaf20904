"""The command line of `python -m tools.fleet`; what is wrong with it is one line."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any, NoReturn

from tools.fleet import FleetError

MOST_GATEWAYS = 5000  # one process, one loop, and a socket each
MOST_RATE = 20_000.0
MOST_MINUTES = 24 * 60.0
MOST_OUTAGE_S = 3600.0
MOST_RELAYS = 8


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"fleet: {message}; --help tells more\n")


class _Number:
    """A number within limits."""

    def __init__(self, kind: type, least: float, most: float) -> None:
        self._kind, self._least, self._most = kind, least, most

    def __call__(self, text: str) -> Any:
        try:
            number = self._kind(text)
        except ValueError:
            number = self._least - 1
        if not self._least <= number <= self._most:
            what = "a whole number" if self._kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{what} of {self._least:g} to {self._most:g}, not {text!r}")
        return number


def parse(argv: list[str]) -> argparse.Namespace:
    """Ends the program for --help and for what is wrong. Raises FleetError for what does not go together."""
    parser = _Parser(prog="python -m tools.fleet", description="Many simulated gateways against a broker and a relay.")
    parser.add_argument("--broker", metavar="HOST[:PORT]", help="a running one with a relay; without: both are started")
    parser.add_argument("--certs", type=pathlib.Path, metavar="DIR",
                        help="folder of tools.certs whose CA the broker trusts; certificates missing there are made")
    parser.add_argument("--db", metavar="URL", help="with --broker: the relay's database, to be checked at the end")
    parser.add_argument("--gateways", type=_Number(int, 1, MOST_GATEWAYS), default=100, metavar="N", help="100")
    parser.add_argument("--rate", type=_Number(float, 0, MOST_RATE), default=100.0, metavar="R",
                        help="records a second, all gateways together; 100")
    parser.add_argument("--events", type=_Number(float, 0, 100), default=10.0, metavar="PERCENT",
                        help="of the records that are events; 10")
    parser.add_argument("--minutes", type=_Number(float, 0.05, MOST_MINUTES), default=1.0, metavar="M", help="1")
    parser.add_argument("--every", type=_Number(int, 1, 3600), default=60, metavar="S", help="between heartbeats; 60")
    parser.add_argument("--outage", type=_Number(float, 0, MOST_OUTAGE_S), metavar="S",
                        help="in the middle, what --outage-of says is killed and started again after so many seconds")
    parser.add_argument("--outage-of", choices=("broker", "relay"), default="broker", help="broker")
    parser.add_argument("--kill", action="store_true",
                        help="in the outage, as a power cut would: a broker forgets what it had for the relay")
    parser.add_argument("--relays", type=_Number(int, 1, MOST_RELAYS), default=1, metavar="N",
                        help="with a shared subscription when there are several; 1")
    parser.add_argument("--any-order", action="store_true", help="what is out of order is counted and no failure")
    parser.add_argument("--drain", type=_Number(float, 0, MOST_OUTAGE_S), default=60.0, metavar="S",
                        help="at the end, for what is not answered yet, three times the outage more; 60")
    parser.add_argument("--seed", type=_Number(int, 0, 2**31), default=1, metavar="N", help="of what is random; 1")
    parser.add_argument("--json", action="store_true", help="the summary as a JSON object")
    args = parser.parse_args(argv)
    args.host, args.port = _place(args)
    return args


def _place(args: argparse.Namespace) -> tuple[str | None, int]:
    """The broker that was named. Raises FleetError."""
    if args.outage is None and (args.kill or args.outage_of != "broker"):
        raise FleetError("--kill and --outage-of say how an outage is: add --outage SECONDS")
    if args.broker is None:
        if args.db is not None:
            raise FleetError("--db goes with --broker: a relay that is started here has its own")
        return None, 0
    if args.certs is None:
        raise FleetError("--broker needs --certs DIR: a folder of tools.certs whose CA the broker trusts")
    if args.outage is not None or args.relays > 1:
        raise FleetError("--outage and --relays are for a broker that is started here, without --broker")
    host, colon, port = args.broker.rpartition(":")
    if not colon:
        host, port = args.broker, "8883"
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise FleetError(f"--broker is HOST or HOST:PORT, not {args.broker!r}")
    return host, int(port)

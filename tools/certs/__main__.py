"""`python -m tools.certs DIR ca | server NAME | relay [NAME] | gateway NUMBER | revoke NAME`: a lab's certificates."""

from __future__ import annotations

import argparse
import datetime
import pathlib
import sys

from tools.certs.authority import HERE, RELAY, Authority, CertsError
from tools.certs.x509s import Validity

_DAYS = 3650
_MOST_DAYS = 36500


def _moment(text: str) -> datetime.datetime:
    """ISO date or time; UTC when it says no zone. Raises ValueError."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))  # Python 3.10 knows no Z
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def _validity(args: argparse.Namespace) -> Validity:
    try:
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        since = _moment(args.since) if args.since else now - datetime.timedelta(minutes=5)  # clocks differ a little
        until = _moment(args.until) if args.until else since + datetime.timedelta(days=args.days)
    except (ValueError, OverflowError):
        raise CertsError("--from and --until are dates such as 2026-03-01 or 2026-03-01T12:00") from None
    if not 1950 <= since.year <= 2500 or not 1950 <= until.year <= 2500:
        raise CertsError("--from and --until lie between 1950 and 2500")
    return Validity(since, until)


def _days(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"1 to {_MOST_DAYS} days, not {text!r}")
    return int(text)


class _Parser(argparse.ArgumentParser):
    """One line for what is wrong, no usage before it."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"certs: {message}; --help tells more\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m tools.certs", description="A lab's CA and certificates, in DIR.")
    parser.add_argument("dir", type=pathlib.Path, metavar="DIR")
    what = parser.add_subparsers(dest="what", required=True, metavar="ca|server|relay|gateway|revoke")
    dated = _Parser(add_help=False)
    dated.add_argument("--from", dest="since", metavar="ISO", help="valid from; five minutes ago")
    dated.add_argument("--until", metavar="ISO", help="valid until")
    dated.add_argument("--days", type=_days, default=_DAYS, help=f"in place of --until; {_DAYS}")
    again = _Parser(add_help=False)
    again.add_argument("--again", action="store_true", help="in place of one that is still good")
    what.add_parser("ca", parents=[dated], help="make the CA")
    server = what.add_parser("server", parents=[dated, again],
                             help=f"a server's certificate, for its name, {' and '.join(HERE)}")
    server.add_argument("name", metavar="NAME", help="its host name")
    server.add_argument("--san", action="append", default=[], metavar="NAME", help="a further name or address")
    server.add_argument("--only", action="store_true", help="not for localhost and 127.0.0.1")
    relay = what.add_parser("relay", parents=[dated, again], help="a relay's certificate for the broker")
    relay.add_argument("name", metavar="NAME", nargs="?", default=RELAY, help=f"{RELAY}, or {RELAY}-2 for a second one")
    gateway = what.add_parser("gateway", parents=[dated, again], help="a gateway's certificate")
    gateway.add_argument("name", metavar="NUMBER")
    revoke = what.add_parser("revoke", help="put one on the list of revoked certificates")
    revoke.add_argument("name", metavar="NAME")
    return parser


def _run(args: argparse.Namespace) -> str:
    if args.what == "ca":
        return f"{Authority.create(args.dir, _validity(args)).folder / 'ca.pem'}"
    authority = Authority.open(args.dir)
    if args.what == "revoke":
        authority.revoke(args.name)
        return f"{args.name} is revoked: {args.dir / 'crl.pem'}; the broker reads it when it is started again"
    if args.what == "server":
        return str(authority.server(args.name, [*args.san, *(() if args.only else HERE)], _validity(args), args.again))
    if args.what == "relay":
        return str(authority.relay(_validity(args), args.again, args.name))
    return str(authority.gateway(args.name, _validity(args), args.again))


def main(argv: list[str] | None = None) -> int:
    """Exit status 0, or 1 with one line on stderr."""
    args = _parser().parse_args(argv)
    try:
        print(_run(args))
    except CertsError as error:
        print(f"certs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

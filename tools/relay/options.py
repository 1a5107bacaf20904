"""The command line of `python -m tools.relay`; what is wrong with it is one line."""

from __future__ import annotations

import argparse
import pathlib
from typing import NoReturn

import paho.mqtt.client as paho

from tools.relay import RelayError, certificate, databases
from tools.relay.commands import MOST_MINUTES
from tools.relay.link import Broker

PORT = 8883
_PROTOCOLS = {"5": paho.MQTTv5, "3.1.1": paho.MQTTv311}
_SUBCOMMANDS = ("send", "commands", "export", "broker")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"relay: {message}; --help tells more\n")


def parse(argv: list[str]) -> argparse.Namespace:
    """`what` is run, send, commands, export or broker. Ends the program for --help and for what is wrong."""
    what = argv[0] if argv and argv[0] in _SUBCOMMANDS else "run"
    parser = {"run": _run, "send": _send, "commands": _commands, "export": _export, "broker": _broker}[what]()
    args = parser.parse_args(argv[1:] if what != "run" else argv)
    args.what = what
    return args


def broker_of(args: argparse.Namespace) -> Broker:
    """The broker and this relay's certificate. Raises RelayError."""
    files = {name: getattr(args, name) or (str(path) if path else None) for name, path in _lab_files(args.lab).items()}
    if args.lab is not None and not (args.ca and args.cert and args.key) and not (args.lab / "ca.pem").exists():
        raise RelayError(f"--lab {args.lab}: no lab there: `python -m tools.relay broker {args.lab}` makes one")
    missing = [f"--{name}" for name, path in files.items() if path is None]
    if missing:
        raise RelayError(f"{', '.join(missing)} missing: PEM files, or --lab DIR for those of tools.certs")
    host, port = _place(args.broker)
    ca, cert, key = (str(files[name]) for name in ("ca", "cert", "key"))
    return Broker(host, port, ca, cert, key, certificate.read(cert), args.share, _PROTOCOLS[args.mqtt])


def _lab_files(folder: pathlib.Path | None) -> dict[str, pathlib.Path | None]:
    if folder is None:
        return {"ca": None, "cert": None, "key": None}
    return {"ca": folder / "ca.pem", "cert": folder / "relay" / "cert.pem", "key": folder / "relay" / "key.pem"}


def _place(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(PORT)
    host = host.strip("[]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise RelayError(f"--broker {text!r} is not HOST or HOST:PORT")
    return host, int(port)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"1 to 65535, not {text!r}")
    return int(text)


def _minutes(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"1 to {MOST_MINUTES} minutes, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 60 * MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"a number of seconds, not {text!r}")
    return seconds


def _group(text: str) -> str:
    if not text or any(char in "+#/" or not char.isprintable() for char in text):
        raise argparse.ArgumentTypeError(f"a name without + # /, not {text!r}")
    return text


def _parser(command: str, text: str) -> _Parser:
    return _Parser(prog=f"python -m tools.relay{command}", description=text)


def _with_db(parser: _Parser) -> _Parser:
    parser.add_argument("--db", default=databases.DEFAULT, metavar="URL",
                        help=f"sqlite:///FILE or postgresql://...; {databases.DEFAULT}")
    return parser


def _run() -> _Parser:
    text = "Commit what gateways say, and answer. Further commands: send, commands, export, broker; docs/relay.md."
    parser = _with_db(_parser("", text))
    parser.add_argument("--broker", default="localhost", metavar="HOST[:PORT]", help=f"localhost, port {PORT}")
    parser.add_argument("--lab", type=pathlib.Path, metavar="DIR", help="for these three: a folder of tools.certs")
    parser.add_argument("--ca", metavar="PEM", help="whose certificate the broker must have")
    parser.add_argument("--cert", metavar="PEM", help="this relay's")
    parser.add_argument("--key", metavar="PEM")
    parser.add_argument("--share", type=_group, metavar="GROUP", help="share the messages with other relays")
    parser.add_argument("--mqtt", choices=("5", "3.1.1"), default="5", help="3.1.1 for the embedded broker")
    parser.add_argument("--no-view", action="store_true", help="lines instead of the table on a terminal")
    parser.add_argument("--follow", action="store_true", help="every committed record as a JSON object a line")
    return parser


def _send() -> _Parser:
    parser = _with_db(_parser(" send", "Put a command down for a gateway; a running relay sends it."))
    parser.add_argument("gateway", metavar="GW")
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("fields", nargs="*", default=[], metavar="FIELD=VALUE", help="the value is JSON, or a word")
    parser.add_argument("--for", dest="minutes", type=_minutes, default=10, metavar="MINUTES", help="it is good; 10")
    parser.add_argument("--wait", type=_seconds, metavar="SECONDS", help="for the answer; status 0: it is done")
    return parser


def _commands() -> _Parser:
    parser = _with_db(_parser(" commands", "Commands and what became of them, the newest first."))
    parser.add_argument("gateway", nargs="?", metavar="GW")
    return parser


def _export() -> _Parser:
    parser = _with_db(_parser(" export", "Committed records to stdout, in order."))
    form = parser.add_mutually_exclusive_group(required=True)
    form.add_argument("--csv", action="store_true")
    form.add_argument("--jsonl", action="store_true")
    parser.add_argument("--gateway", metavar="GW")
    parser.add_argument("--since", metavar="ISO", help="date or time, local when it says no zone")
    parser.add_argument("--kind", metavar="KIND", help="event, status, activity, ...")
    return parser


def _broker() -> _Parser:
    parser = _parser(" broker", "mosquitto for a lab, in the foreground: mutual TLS, gateways apart from each other.")
    parser.add_argument("dir", type=pathlib.Path, metavar="DIR", help="of tools.certs; what is missing there is made")
    parser.add_argument("--port", type=_port, default=PORT, help=str(PORT))
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="127.0.0.1")
    parser.add_argument("--server", default="relay.lab", metavar="NAME", help="whose certificate it has; relay.lab")
    parser.add_argument("--embedded", action="store_true", help="a small broker in Python instead, for a try")
    parser.add_argument("--write-only", action="store_true", help="write the configuration, start nothing")
    return parser

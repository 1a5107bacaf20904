"""`python -m tools.relay`: run the relay, send a command, see commands, export records, run a broker for a lab."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time

from tools.certs.authority import RELAY, is_relay
from tools.relay import RelayError, broker, commands, databases, export, options, show
from tools.relay.committer import Notice, printable
from tools.relay.database import Unacceptable, Unavailable
from tools.relay.link import Link
from tools.relay.messages import Inbox
from tools.relay.service import Relay
from tools.relay.store import Store

_SHOWN = 50  # commands
_POLL_S = 0.1


def _run(args: argparse.Namespace) -> int:
    place = options.broker_of(args)
    shown = show.choose(args.follow, not args.no_view, f"relay {place.name} at {place.host}:{place.port}")
    inbox = Inbox()
    link = Link(place, inbox, lambda text: shown.notice(Notice("", "relay", text)))
    store = databases.open_store(args.db)
    relay = Relay(store, link, inbox, shown, place.name)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: relay.stop())
    if not is_relay(place.name):
        text = f"the certificate is {place.name}'s: most brokers let only {RELAY} or {RELAY}-... hear gateways"
        shown.notice(Notice("", "relay", text))
    link.start()
    try:
        relay.run()
    finally:
        link.stop()
        store.close()
    if relay.replaced:
        raise RelayError(f"another relay connected as {place.name}: each needs a certificate of its own, docs/relay.md")
    return 0


def _send(args: argparse.Namespace) -> int:
    with contextlib.closing(databases.open_store(args.db, make=False)) as store:
        now = int(time.time() * 1000)
        identity = commands.put_down(store, args.gateway, args.name, args.fields, args.minutes, now)
        print(identity, flush=True)
        if args.wait is None:
            return 0
        state, reason = _wait(store, args.gateway, identity, args.wait)
    print(f"{state}: {reason}" if reason else state)
    return 0 if state == "done" else 1


def _wait(store: Store, gateway: str, identity: str, limit_s: float) -> tuple[str, str]:
    """State of a command when it is settled, or at the end of the time."""
    until = time.monotonic() + limit_s
    while True:
        with store.transaction():
            state, reason = store.command(gateway, identity)
        if state in ("done", "refused", "expired") or time.monotonic() >= until:
            return state, printable(reason or "", 200)
        time.sleep(_POLL_S)


def _commands(args: argparse.Namespace) -> int:
    with contextlib.closing(databases.open_store(args.db, make=False)) as store, store.transaction():
        found = store.commands(args.gateway, _SHOWN)
    for gateway, identity, created, state, reason, body in found:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created / 1000))
        print(printable(f"{when} {gateway} {identity} {state}{f' ({reason})' if reason else ''} {body}", 500))
    return 0


def _export(args: argparse.Namespace) -> int:
    since = None if args.since is None else export.moment(args.since)
    with contextlib.closing(databases.open_store(args.db, make=False)) as store:
        try:
            export.write(store, export.Wanted(args.gateway, since, args.kind), args.csv, sys.stdout)
        except BrokenPipeError:  # `| head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _broker(args: argparse.Namespace) -> int:
    setup = broker.write(args.dir, args.port, args.bind, args.server)
    if args.write_only:
        print(setup.conf)
    elif args.embedded:
        from tools.relay import embedded
        embedded.run(args.dir, args.port, args.server)
    else:
        broker.run(setup)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Exit status 0, 1 with one line on stderr, 2 for a wrong command line."""
    args = options.parse(sys.argv[1:] if argv is None else argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    work = {"run": _run, "send": _send, "commands": _commands, "export": _export, "broker": _broker}[args.what]
    try:
        return work(args)
    except (RelayError, Unavailable, Unacceptable) as error:
        print(f"relay: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

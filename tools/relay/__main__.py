"""`python -m tools.relay`: run the relay, send a command, see commands, export records, run a broker for a lab."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

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
_AGAIN_S = 2.0  # a database that is away at the start


def _run(args: argparse.Namespace) -> int:
    place = options.broker_of(args)
    shown = show.choose(args.follow, not args.no_view, f"relay {place.name} at {place.host}:{place.port}")
    inbox = Inbox()
    link = Link(place, inbox, lambda text: shown.notice(Notice("", "relay", text)))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopping.set())
    if not is_relay(place.name):
        text = f"the certificate is {place.name}'s: most brokers let only {RELAY} or {RELAY}-... hear gateways"
        shown.notice(Notice("", "relay", text))
    store = _opened(args.db, shown, stopping)
    if store is None:
        return 0
    relay = Relay(store, link, inbox, shown, place.name, stopping)
    link.start()
    try:
        relay.run()
    finally:
        link.stop()
        store.close()
    if relay.replaced:
        raise RelayError(f"another relay connected as {place.name}: each needs a certificate of its own, docs/relay.md")
    return 0


def _opened(url: str, shown: show.Show, stopping: threading.Event) -> Store | None:
    """The database, waited for; None: stopped meanwhile. Raises RelayError: it will never be this relay's."""
    said = False
    while not stopping.is_set():
        try:
            store = databases.open_store(url)
            if said:
                shown.notice(Notice("", "relay", "the database answers"))
            return store
        except Unavailable as error:
            if not said:
                shown.notice(Notice("", "relay", f"the database does not answer: {error}"))
            said = True
        stopping.wait(_AGAIN_S)
    return None


@contextlib.contextmanager
def _to_stdout() -> Iterator[None]:
    """What is printed here has arrived, or RelayError is raised; `| head` may have seen enough."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes the rest at the end
        if not isinstance(error, BrokenPipeError):
            raise RelayError(f"cannot write to stdout: {error.strerror}") from None


def _send(args: argparse.Namespace) -> int:
    with contextlib.closing(databases.open_store(args.db, make=False)) as store, _to_stdout():
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
    with _to_stdout():
        for gateway, identity, created, state, reason, body in found:
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(created / 1000))
            print(printable(f"{when} {gateway} {identity} {state}{f' ({reason})' if reason else ''} {body}", 500))
    return 0


def _export(args: argparse.Namespace) -> int:
    since = None if args.since is None else export.moment(args.since)
    with contextlib.closing(databases.open_store(args.db, make=False)) as store, _to_stdout():
        export.write(store, export.Wanted(args.gateway, since, args.kind), args.csv, sys.stdout)
    return 0


def _broker(args: argparse.Namespace) -> int:
    setup = broker.write(args.dir, args.port, args.bind, args.server)
    if args.write_only:
        print(setup.conf)
    elif args.embedded:
        from tools.relay import embedded
        embedded.run(args.dir, args.port, args.server)
    else:
        broker.run(setup, args.dir)
    return 0


def main(argv: list[str] | None = None) -> int:
    """Exit status 0, 1 with one line on stderr, 2 for a wrong command line."""
    args = options.parse(sys.argv[1:] if argv is None else argv)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    work = {"run": _run, "send": _send, "commands": _commands, "export": _export, "broker": _broker}[args.what]
    try:
        return work(args)
    except Unavailable as error:
        print(f"relay: the database does not answer: {error}", file=sys.stderr)
        return 1
    except (RelayError, Unacceptable) as error:
        print(f"relay: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tools.fleet`: many simulated gateways against a broker and a relay, and what these held.

Exit status 0: everything arrived, once and in order; 1: it did not, or something failed; 2: a wrong command line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import pathlib
import signal
import sys
from collections.abc import Iterator

from tools import owner
from tools.fleet import FleetError
from tools.fleet.gateway import Place
from tools.fleet.options import parse
from tools.fleet.run import Fleet, Result, make_room, numbers, summary
from tools.fleet.show import Progress, report
from tools.fleet.stand import HOST, Stand, certificates


@contextlib.contextmanager
def _broker(options: argparse.Namespace) -> Iterator[tuple[Place, list[pathlib.Path], Stand | None, str | None]]:
    """Where the broker is, the gateways' certificates, the stand if there is one, and the database."""
    wanted = numbers(options.gateways)
    if options.host is not None:
        certs = certificates(options.certs, wanted, made_here=False)
        yield Place(options.host, options.port, options.every), certs, None, options.db
        return
    with owner.folder("fleet-") as work:
        folder = options.certs or work / "certs"
        certs = certificates(folder, wanted, made_here=True)
        stand = Stand(folder, work, options.relays)
        try:
            stand.start()
            yield Place(HOST, stand.port, options.every), certs, stand, stand.database
        finally:
            stand.stop()


def _run(options: argparse.Namespace) -> Result:
    make_room(options.gateways)
    with _broker(options) as (place, certs, stand, database):
        progress = Progress(sys.stderr)
        try:
            fleet = Fleet(options, place, certs, stand, progress)
            result = asyncio.run(fleet.run())
        finally:
            progress.end()
        if stand is not None:
            stand.stop()  # what it has is committed
        return fleet.judge(result, database)


def main(argv: list[str] | None = None) -> int:
    """See the module."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)  # so that what was started here is ended
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
    except FleetError as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 2
    try:
        result = _run(options)
    except (FleetError, OSError) as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("fleet: interrupted", file=sys.stderr)
        return 1
    found = summary(result, options)
    print(json.dumps(found, indent=1) if options.json else "\n".join(report(found, result.tally)))
    return 0 if found["good"] else 1


if __name__ == "__main__":
    sys.exit(main())

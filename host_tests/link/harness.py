"""A gateway's process on a line to mosquitto, behind which the relay commits to a database: all of it as in a home."""

import json
import signal

from lanes import check_order, identity
from relay.lab import Lab, wait_for

from tools import link_lab
from tools.line import Line

GATEWAY = "GW-1"
LONG_S = 90  # for what takes the gateway several attempts to connect, on a busy machine
LATER = ("at", "clock", "from", "from_up")  # what late dating may change


class Rig:
    """job: of tools/bench_link_port.py. The relay is started with the broker, the gateway by `start`."""

    def __init__(self, folder, job=None, relay=True, program=("-m", "tools.relay"), env=None):
        self.folder = folder
        self.lab = Lab(folder, [GATEWAY])
        self.line = Line(self.lab.port)
        self.relay = self.lab.relay(program=program, env=env) if relay else None
        self.gateway = None
        link_lab.furnish(folder / "home", self.lab.certs.gateway(GATEWAY), job or {})

    def start(self, up=True, settings=None, **scenario):
        """The gateway's process; up: wait for its link."""
        said = link_lab.settings(GATEWAY, self.line.port, **(settings or {}))
        self.gateway = link_lab.Process(self.folder / "home", {"seed": 1, "settings": said, **scenario})
        if up:
            self.wait_up()
        return self.gateway

    def end(self):
        if self.gateway is not None:
            self.gateway.close()
        self.lab.end()
        self.line.close()

    # ------------------------------------------------------------------ what happens
    def step(self, do, **fields):
        self.gateway.step({"do": do, **fields})

    def door(self, is_open=True):
        """Somebody opens the door: an event."""
        self.step("door", sensor="현관", open=is_open)

    def network(self, attached):
        """The data network; a connection that was there is half-open afterwards."""
        self.step("modem", data=attached)

    def kill_broker(self):
        self.lab.broker.signal(signal.SIGKILL)
        self.lab.broker.ended()

    def wait_up(self, limit_s=LONG_S):
        """The link is up from now on, says the gateway."""
        since = len(self.gateway.lines)
        self.gateway.told("pulse", since, up=True, limit_s=limit_s)

    def wait_down(self, limit_s=LONG_S):
        since = len(self.gateway.lines)
        self.gateway.told("pulse", since, up=False, limit_s=limit_s)

    # ------------------------------------------------------------------ what arrived
    def rows(self):
        """(received, record), in the order in which they were committed."""
        return [(received, json.loads(text)) for received, text in
                self.lab.rows("SELECT received, record FROM records ORDER BY rowid")]

    def records(self, event=None):
        return [record for _, record in self.rows() if event is None or record.get("event") == event]

    def arrived(self, event, count=1, limit_s=LONG_S, **fields):
        """The events of this name that say this, once so many are committed."""
        def found():
            records = [one for one in self.records(event) if all(one.get(name) == fields[name] for name in fields)]
            return records if len(records) >= count else None

        return wait_for(found, f"{count} times {event} {fields}", limit_s)

    def identities(self):
        return self.lab.rows("SELECT boot, seq FROM records ORDER BY rowid")

    def judge(self, limit_s=LONG_S):
        """No more is made, everything arrives, and the invariants hold in the database; how many there are."""
        self.gateway.quiet()
        self.gateway.told("quiet")
        return self.hold(limit_s)

    def hold(self, limit_s=LONG_S):
        """Nothing lost, nothing twice, nothing invented, bytes as they were, each lane in order: I5, I6, I7."""
        made = set(self.gateway.made())
        wait_for(lambda: made <= set(self.identities()), "all records: some are lost, or late", limit_s)
        rows = [record for _, record in self.rows()]
        begun = self.gateway.begun()
        got = {identity(record): record for record in rows}
        assert len(got) == len(rows)  # the database sees to that
        assert set(got) <= set(begun), "invented"
        for which, record in got.items():
            assert plain(record) == plain(begun[which])
        check_order(rows)
        assert self.lab.rows("SELECT * FROM conflicts") == [] and self.lab.rows("SELECT * FROM refused") == []
        return len(got)

    def bounded(self):
        """I10: what may not grow did not."""
        pulses = self.gateway.all("pulse")
        assert pulses and max(pulse["sockets"] for pulse in pulses) <= 1
        assert max(pulse["under_way"] for pulse in pulses) <= 16 and max(pulse["batches"] for pulse in pulses) <= 64


def plain(record):
    """What may not change on the way."""
    return {name: record[name] for name in record if name not in LATER}

"""The relay of docs/relay-protocol.md: commits batches, answers for them, tells the time, commands, notices silence.

Owns what it knows of each gateway. It is told nothing but what the broker carries. What is not as it should be is
refused with a line and does nothing.
"""

import json

from hal_sim.relay.commands import Commands
from hal_sim.relay.gateway import Gateway

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from hal_sim.sched import Scheduler

_COMMIT_MS = 40  # the database
_MOST_BYTES = 4608
_MOST_RECORDS = 10
_OFF_MS = 10000  # a clock of a gateway that is so far off is set right
_MOST = 1 << 32  # of a boot, of a sequence number
_GATEWAYS = 16
_STRANGE = 1000000  # a batch that no gateway sent


class Relay:
    """publish(topic, payload): at the broker; true_ms(): ms since 1970, whatever the gateway's clock says."""

    def __init__(
        self, sched: "Scheduler", emit: "Callable[..., None]", publish: "Callable[[str, bytes], Any]",
        true_ms: "Callable[[], int]",
    ) -> None:
        self._sched = sched
        self._emit = emit
        self._publish = publish
        self._true_ms = true_ms
        self._gateways: dict = {}
        self.deaf = False  # fault: it takes nothing and answers nothing
        self.late_ms = 0  # fault: acknowledgements come so late
        self.doubled = False  # fault: acknowledgements come twice, and some for what nobody sent
        self.refused = 0

    def gateway(self, name: str) -> Gateway:
        """What is known of it."""
        if name not in self._gateways:
            if len(self._gateways) >= _GATEWAYS:
                del self._gateways[list(self._gateways)[0]]
            commands = Commands(lambda command: self._say(name, "command", command), self._true_ms)
            self._gateways[name] = Gateway(self._sched, lambda what: self._tell(what, name), commands)
        return self._gateways[name]

    def _tell(self, what: str, name: str) -> None:
        if not self.deaf:
            self._emit(what, gateway=name)

    def command(self, name: str, command: dict) -> None:
        """Have a gateway do something; one that is away gets it when it is back."""
        gateway = self.gateway(name)
        gateway.commands.ask(command, gateway.is_up and not self.deaf)

    def cut_off(self) -> None:
        """The broker is gone: no gateway is up."""
        for gateway in self._gateways.values():
            gateway.is_up = False

    def _say(self, name: str, what: str, message: dict) -> None:
        self._publish("gw/%s/down/%s" % (name, what), json.dumps(message).encode())

    # ------------------------------------------------------------------ from the gateways
    def heard(self, user: "str | None", topic: str, payload: bytes) -> None:
        """A publication. user: who said it, None: whoever may."""
        levels = topic.split("/")
        if self.deaf or len(levels) != 4 or levels[0] != "gw" or levels[2] != "up":
            return
        why = self._take(levels[1], levels[3], _object(payload))
        if why:
            self.refused += 1
            self._emit("refused", gateway=levels[1], topic=levels[3], why=why)

    def _take(self, name: str, kind: str, message: "dict | None") -> str:
        """Empty, or why not."""
        if message is None:
            return "no JSON object of at most %d bytes" % _MOST_BYTES
        gateway = self.gateway(name)
        if message.get("link") != "lost":  # that is what the broker says
            gateway.heard()
        if kind in ("event", "data"):
            why = _check_batch(kind, message)
            if not why:
                self._sched.after(_COMMIT_MS, self._commit, name, message)
            return why
        if kind == "beat":
            gateway.beat(message.get("every"))
            at = message.get("at")
            if not isinstance(at, int) or abs(at - self._true_ms()) > _OFF_MS:
                gateway.commands.tell_time()
            return ""
        return self._link(name, gateway, message) if kind == "link" else "no such topic"

    def _link(self, name: str, gateway: Gateway, message: dict) -> str:
        state = message.get("link")
        if state not in ("up", "down", "lost"):
            return "no such link"
        gateway.is_up = state == "up"
        self._emit("link", gateway=name, link=state)
        if state == "up":
            gateway.commands.back(message.get("counter"))
        return ""

    def _commit(self, name: str, message: dict) -> None:
        if self.deaf:
            return
        gateway = self.gateway(name)
        for record in message["records"]:
            is_new = gateway.committed.add(record["boot"], record["seq"])
            self._emit("relay" if is_new else "repeat", record=record)
            if record.get("event") in ("command.done", "command.refused"):
                gateway.commands.answered(record.get("id"))
        ack = {"boot": message["boot"], "batch": message["batch"]}
        self._sched.after(self.late_ms, self._acknowledge, name, ack)

    def _acknowledge(self, name: str, ack: dict) -> None:
        if self.deaf:
            return
        self._say(name, "ack", ack)
        if self.doubled:
            self._say(name, "ack", ack)
            self._say(name, "ack", {"boot": ack["boot"], "batch": ack["batch"] + _STRANGE})
            self._say(name, "ack", {"boot": ack["boot"] + 1, "batch": ack["batch"]})


def _object(payload: bytes) -> "dict | None":
    try:
        value = json.loads(payload.decode()) if len(payload) <= _MOST_BYTES else None
    except (ValueError, RuntimeError):  # RuntimeError: nested too deeply
        return None
    return value if isinstance(value, dict) else None


def _check_batch(kind: str, message: dict) -> str:
    """Empty, or what is wrong with it."""
    records = message.get("records")
    if not _is_number(message.get("boot")) or not _is_number(message.get("batch")) or not message["batch"]:
        return "a batch without boot and number"
    if not isinstance(records, list) or not 1 <= len(records) <= _MOST_RECORDS:
        return "a batch has 1 to %d records" % _MOST_RECORDS
    for record in records:
        if not isinstance(record, dict) or not _is_number(record.get("boot")) or not _is_number(record.get("seq")):
            return "a record without boot and seq"
        if (record.get("kind") == "event") != (kind == "event"):
            return "a record of this kind has another topic"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST

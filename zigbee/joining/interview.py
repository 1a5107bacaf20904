"""The interview: the steps that make a device which has joined a working sensor, each kept when it is behind it.

Owns the order of the steps and how they are done for one device. What it learns is in `facts`, which the product keeps:
a sensor that goes to sleep in the middle, or a gateway that restarts, goes on after the last step in facts["done"].
Must never wait without a limit, never end an interview for what the job does not need, and never keep an alarm back:
the device becomes one of the home as soon as its kind is known, and everything after that is done while it works.
"""

from micropython import const

from zigbee import kinds
from zigbee.devices import STRANGER, Device
from zigbee.frames import ZDO_ACTIVE_EP_REQ
from zigbee.joining import describing, working, zdo
from zigbee.joining.asker import Asker
from zigbee.joining.outcome import Away, Refusal

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

IDLE = const(0)  # waits for a sign of life
WAITING = const(1)  # in line
RUNNING = const(2)
NAMES = ("node", "endpoints", "clusters", "model", "zone", "kind", "enrol", "bind", "report", "poll", "state")
AGAIN = ("enrol", "bind", "report", "poll", "state")  # what a device forgets when it is reset
REPORTING = ("report", "poll")
LACKS_LIMIT = const(12)


async def _kind(interview: "Interview") -> None:
    """What it is, and with that one of the home: from here on its alarms count."""
    facts = interview.facts
    kind, traits, reason = kinds.classify(facts)
    if not kind:
        raise Refusal("unknown_kind" if reason == kinds.UNKNOWN_KIND else "failed", reason)
    facts["kind"] = kind
    facts["traits"] = traits
    facts["rhythm_s"] = kinds.rhythm_s(facts)
    interview.keep()
    if interview.device.index == STRANGER:
        raise Refusal("full", "there is no place for it")


_STEPS = (
    describing.node, describing.endpoints, describing.clusters, describing.model, describing.zone, _kind,
    working.enrol, working.bind, working.report, working.poll, working.state,
)  # fmt: skip


class Interview:
    """One device's. on_step(ieee, done, of, name) and on_facts(ieee, facts) -> Device or None are those of Pairing.

    period_s: how often it shall report. cie(): the coordinator's own address as it travels.
    """

    def __init__(
        self, device: Device, facts: dict, asker: Asker, cie: "Callable[[], bytes]", period_s: int, now_ms: int
    ) -> None:
        self.device = device
        self.facts = facts
        self.asker = asker
        self.cie = cie
        self.period_s = period_s
        self.since_ms = now_ms
        self.start_ms = now_ms  # not before: it has just got the key
        self.heard = False  # it said something on the network: it has the key
        self.woken_ms = now_ms  # its last sign of life
        self.state = IDLE
        self.redone = 0
        self.dropped = False  # nobody wants to know any more
        self.warned = "failed" in facts
        self.step = ""
        self.on_step: Callable[[str, int, int, str], Any] | None = None
        self.on_facts: Callable[[str, dict], Device | None] | None = None
        facts["done"] = [name for name in NAMES if name in facts["done"]] if _sound(facts) else []

    @property
    def admitted(self) -> bool:
        """It is one of the home's sensors already."""
        return self.device.index != STRANGER

    @property
    def calm(self) -> bool:
        """It waits for a sign of life, and people know what there is to know: time changes nothing."""
        return self.state == IDLE and self.admitted and (self.warned or bool(self.facts.get("ready")))

    async def run(self) -> None:
        """Do what is left. Away: it does not answer; Refusal: it is not to stay, or cannot do its job."""
        while True:
            place = self._first()
            if place < 0 or self.dropped:
                break
            name = self.step = NAMES[place]
            redone = self.redone
            self._tell(place)
            await _STEPS[place](self)
            if redone == self.redone:
                self.facts["done"].append(name)
            self.keep()
        self.step = ""

    def _first(self) -> int:
        """The first step that is left, -1: none."""
        for place, name in enumerate(NAMES):
            if name not in self.facts["done"]:
                return place
        return -1

    def redo(self, names: tuple) -> None:
        """These steps have to be done again, even if one of them is being done."""
        self.redone += 1
        self.facts.pop("cie", None)
        self.facts["done"] = [name for name in self.facts["done"] if name not in names]

    def keep(self) -> None:
        """Have the product keep what is known; it may have a place in the home for it."""
        if self.on_facts is None or self.dropped:
            return
        device = self.on_facts(self.device.ieee, self.facts)
        if device is not None:
            self.device = device
            device.take_facts(self.facts)

    def lacks(self, what: str) -> None:
        """Note what it refused without being useless for it."""
        some = self.facts.setdefault("lacks", [])
        if what not in some and len(some) < LACKS_LIMIT:
            some.append(what)

    async def profile(self, command: int, payload: bytes) -> bytes:
        """Ask the device profile. Away when there is no answer; b"" when it answers others but not this."""
        answer = await self.asker.zdo(self.device, command, payload)
        if answer is None and command != ZDO_ACTIVE_EP_REQ:
            await self._alive()
        elif answer is None:
            raise Away(self.step)
        return answer or b""

    async def described(self, command: int, payload: bytes, parse: "Callable[[bytes], Any]") -> "Any":
        """Ask the device profile and parse the answer; None: refused, broken, which is counted, or not answered."""
        answer = await self.profile(command, payload)
        found = parse(answer)
        if found is None and len(answer) > 2 and answer[2] == zdo.OK:
            self.asker.broken += 1
        return found

    async def ask(
        self, cluster: int, command: int, payload: bytes, wanted: int, own: bool = False, endpoint: int = 0,
        maker: int = 0,
    ) -> tuple:  # fmt: skip
        """Ask a cluster: (command, payload) of the answer. Away: no answer; (-1, b""): not to this, but to others."""
        at = endpoint or self.endpoint_of(cluster)
        answer = await self.asker.zcl(self.device, at, cluster, command, payload, wanted, own, maker)
        if answer is None:
            await self._alive()
            return -1, b""
        return answer

    def post(self, cluster: int, command: int, payload: bytes, general: bool = False) -> None:
        """Send a command whose answer nobody waits for."""
        self.asker.post(self.device, self.endpoint_of(cluster), cluster, command, payload, general)

    def endpoint_of(self, cluster: int) -> int:
        """Where the device has this cluster."""
        for one, endpoint in self.facts.get("elsewhere", ()):
            if one == cluster:
                return endpoint
        return self.facts.get("endpoint", 1)

    async def _alive(self) -> None:
        """Every device must answer this (Zigbee specification 2.4.4.2.6): who does not is asleep or gone."""
        if await self.asker.zdo(self.device, ZDO_ACTIVE_EP_REQ, zdo.of_interest(self.device.short)) is None:
            raise Away(self.step)

    def _tell(self, place: int) -> None:
        if self.on_step is not None:
            self.on_step(self.device.ieee, place, len(NAMES), NAMES[place])


def _sound(facts: dict) -> bool:
    """Whether what is kept of an interview can be gone on from; else it begins anew."""
    if not isinstance(facts.get("done"), list) or "clusters" in facts["done"] and not _lists(facts):
        return False
    return "kind" not in facts["done"] or isinstance(facts.get("kind"), str) and isinstance(facts.get("traits"), int)


def _lists(facts: dict) -> bool:
    for name in ("servers", "clients"):
        if not isinstance(facts.get(name), list):
            return False
    return isinstance(facts.get("maker", ""), str) and isinstance(facts.get("model", ""), str)

"""A gateway without hardware for the parts around the registry: doubles of the pairing and of what is told."""

from flashed import Log

from firmware.commands import Commands
from firmware.sensing.registration import Registration
from firmware.sensing.registry import Registry
from firmware.settings import Settings


class Shelf:
    """A store in memory."""

    works = True
    lost = ()
    unwritten = False

    def __init__(self):
        self.data = {}

    def written(self, name):
        return not self.unwritten

    def load(self, name):
        return self.data.get(name)

    def save(self, name, data):
        self.data[name] = data if isinstance(data, bytes) else data()
        return True


class Clock:
    def __init__(self):
        self.now = 1000

    def ms(self):
        return self.now


class Device:
    def __init__(self, ieee):
        self.ieee = ieee


class Pairing:
    """The window as the coprocessor confirms it; what it was asked is kept in `asked`."""

    def __init__(self, clock):
        self._clock = clock
        self.until = 0
        self.asked = []
        self.period_s = 0

    def open(self, for_s, code_required):
        self.until = self._clock.now + for_s * 1000
        self.asked.append(("open", for_s, code_required))

    def close(self):
        self.until = 0
        self.asked.append(("close",))

    @property
    def left_ms(self):
        return max(0, self.until - self._clock.now)

    @property
    def opened(self):
        return self.left_ms > 0

    def code(self, ieee, code):
        if len(code) % 4:
            raise ValueError("install code: its length is wrong")
        self.asked.append(("code", ieee, code))

    def remove(self, device):
        self.asked.append(("remove", device.ieee))

    def remember_removed(self, ieee):
        self.asked.append(("removed before", ieee))

    def reconfigure(self, device, period_s):
        self.asked.append(("reconfigure", device.ieee, period_s))


class Sensor:
    def __init__(self, entry):
        self.entry, self.kind, self.device = entry, entry["kind"], Device(entry["ieee"])


class Sensors:
    def __init__(self, registry):
        self._registry = registry
        self.all = [None] * 32
        self.silenced = []
        for index, entry in enumerate(registry.entries):
            if entry:
                self.add(index)

    def add(self, index):
        entry = self._registry.entries[index]
        self.all[index] = Sensor(entry) if entry else None

    def remove(self, index):
        self.all[index] = None

    def silence(self, name):
        self.silenced.append(name)
        return name == "kitchen"

    def silence_all(self):
        self.silenced.append("all")
        return 0

    def summary(self, index):
        return {"heard_s": 120}


class Machine:
    def __init__(self):
        self.emergency = False

    def open(self):
        return self.emergency


class Part:
    """Takes any call and keeps it."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def call(*args, **fields):
            self.calls.append((name, args, fields))
            return True

        return call


class Gateway:
    def __init__(self, sensors=()):
        self.clock, self.log, self.machine, self.store = Clock(), Log(), Machine(), Shelf()
        self.registry = Registry(self.store, list(sensors), self.log)
        self.sensors = Sensors(self.registry)
        self.settings = Settings({}, self.log, self.store)
        self.coordinator = Part()
        self.coordinator.ready = True
        self.coordinator.pairing = self.pairing = Pairing(self.clock)
        self.coordinator.network = self.network = Part()
        self.network.known_firmware = True
        self.boots = Part()
        self.boots.safe = False
        self.records, self.spoken = [], []
        self.recorder = Part()
        self.recorder.event = lambda name, **fields: self.records.append((name, fields))
        self.screen, self.test_mode, self.testing, self.emergency = Part(), Part(), Part(), Part()
        self.emergency.inbox = Part()
        self.announce = self.spoken.append
        self.registration = Registration(self)
        self.commands = Commands(self)

    def changed(self):
        pass

    def cancel_pressed(self):
        self.records.append(("cancel", {}))

    def look(self, after_ms=0):
        self.clock.now += after_ms
        self.registration._look()
        return self.registration.panel()

    def named(self, name):
        return [fields for record, fields in self.records if record == name]

    def names(self):
        return [entry["name"] for entry in self.registry.entries if entry]

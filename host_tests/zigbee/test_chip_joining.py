"""The simulated coprocessor lets devices in and out as Z-Stack does: window, keys, codes, counters, leaving, loss."""

import pytest

from hal_sim.sched import Scheduler
from hal_sim.zigbee import codes, keys, network, tables
from hal_sim.zigbee.chip import FAULTS, NcpChip
from hal_sim.zigbee.dice import Dice
from hal_sim.zigbee.ieee import ieee_of, wire_of
from hal_sim.zigbee.mt import Parser, frame, le16, le32, put16

CODE = "83FED3407A939723A5C639B26916D505C3B5"
PERMIT, PERMIT_BY_ROUTERS = 0x0000, 0xFFFC
TC_DEVICE, ANNOUNCE, LEFT, WINDOW = 0x45CA, 0x45C1, 0x45C9, 0x45CB
HOME = [{"name": "smoke", "kind": "smoke"}, {"name": "front", "kind": "door"}]


class Host:
    """The other end of the chip's line: `said`, (ms, command, payload) of everything it sent."""

    def __init__(self, home: "list | None" = (), seed: int = 1):
        self.sched = Scheduler()
        self.told, self.said = [], []
        self.chip = NcpChip(self.sched, lambda what, **fields: self.told.append((what, fields["sensor"])), seed)
        if home is not None:
            self.chip.load_home(list(home))
        parser = Parser(lambda command, payload: self.said.append((self.sched.now_ms, command, payload)))
        self.chip.send = parser.feed
        self.chip.power_on()
        self.run(500)
        self.start()

    def start(self):
        self.ask(0x2400, bytes((1, 4, 1, 0, 4, 0, 0, 0, 0)))
        self.ask(0x2F05, b"\x04")
        return self.run(2000)

    def run(self, ms: int):
        self.sched.run_until(self.sched.now_ms + ms)
        return self

    def ask(self, command: int, payload: bytes = b"") -> bytes:
        """The SRSP's payload."""
        seen = len(self.said)
        self.chip.feed(frame(command, payload))
        self.run(10)
        found = [one[2] for one in self.said[seen:] if one[1] in (command | 0x4000, 0x6000)]
        assert len(found) == 1, hex(command)
        return found[0]

    def permit(self, seconds: int, to: int = PERMIT) -> None:
        mode = 2 if to == PERMIT else 15
        assert self.ask(0x2536, bytes((mode,)) + put16(to) + bytes((seconds, 0))) == b"\x00"

    def heard(self, command: int) -> list:
        return [payload for _, one, payload in self.said if one == command]

    def when(self, command: int) -> list:
        return [ms for ms, one, _ in self.said if one == command]

    def members(self) -> list:
        return sorted(name for name, device in self.chip.air.devices.items() if self.chip.air.fits(device))

    def code(self, name: str, code: str = CODE, kind: int = 1) -> bytes:
        data = bytes.fromhex(code)
        return self.ask(0x2F04, bytes((kind,)) + wire_of(ieee_of(name)) + (data if kind == 1 else codes.hashed(data)))


def test_the_arithmetic_of_codes_is_that_of_the_standards():
    block = codes.encrypt(bytes(range(16)), bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert block.hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"  # FIPS-197, C.1
    assert codes.key_of_code(CODE).hex() == "66b6900981e1ee3ca4206b6b861c02bb"  # Base Device Behavior 10.1
    for bad in (CODE[:-1], CODE[:-4], CODE[:-4] + "C3B4", "", "xy"):
        with pytest.raises(ValueError, match="install code"):
            codes.key_of_code(bad)


def test_the_window_opens_is_told_and_closes_by_itself():
    host = Host()
    host.permit(5)
    assert host.heard(0x45B6) == [b"\x00\x00\x00"]
    host.run(2000).permit(5)
    assert 3 <= host.chip.zdo.permit_s <= 5
    host.run(6000)
    assert host.heard(WINDOW) == [b"\x05", b"\x05", b"\x00"]
    assert host.when(WINDOW)[2] - host.when(WINDOW)[1] == 5000
    host.permit(30, PERMIT_BY_ROUTERS)
    assert host.chip.zdo.permit_s > 28
    host.permit(0)
    host.permit(0)
    assert host.heard(WINDOW)[3:] == [b"\x1e", b"\x00"]
    host.permit(255)
    assert host.chip.zdo.permit_s == 254


@pytest.mark.req("SEC-03")
def test_nobody_gets_in_while_it_is_closed_nor_after_a_reset():
    host = Host()
    host.chip.pair("door", "front")
    host.run(60_000)
    assert not host.members() and not host.heard(TC_DEVICE)
    host.permit(200)
    host.chip.set_fault("reset")
    host.run(1000).start()
    host.run(20_000)
    assert not host.members()
    host.permit(60)
    host.run(20_000)
    assert host.members() == ["front"]


def test_who_joins_is_told_in_order_and_remembered():
    host = Host()
    host.permit(60)
    host.chip.pair("door", "front")
    host.run(10_000)
    device = host.chip.air.devices["front"]
    (joined,), (announced,) = host.heard(TC_DEVICE), host.heard(ANNOUNCE)
    assert joined == put16(device.short) + device.wire + put16(0)
    assert announced == put16(device.short) * 2 + device.wire + b"\x80"
    assert host.when(TC_DEVICE) < host.when(ANNOUNCE)
    items = host.chip.nv.items
    assert tables.children(items) == [(device.short, device.wire)]
    assert tables.link_key(items, device.wire) == device.member.link_key != keys.WELL_KNOWN
    assert host.told == [("joined", "front")]
    host.chip.door("front", True)
    host.run(1000)
    assert len(host.heard(0x4481)) == 0  # nobody enrolled it, so it tells nobody


def test_it_gives_up_after_five_minutes():
    host = Host()
    host.chip.pair("door", "front")
    host.run(310_000)
    assert host.told == [("not_joined", "front")]
    host.permit(60)
    host.run(60_000)
    assert not host.members()


@pytest.mark.parametrize("kind", [1, 2])
def test_a_device_with_a_code_needs_that_its_code_is_known(kind):
    host = Host()
    host.permit(250)
    host.chip.pair("door", "front", install_code=CODE)
    host.run(60_000)
    assert not host.members() and len(host.heard(TC_DEVICE)) > 3 and not host.heard(ANNOUNCE)
    assert host.code("front", kind=kind) == b"\x00"
    host.run(20_000)
    assert host.members() == ["front"]
    assert tables.code_key(host.chip.nv.items, wire_of(ieee_of("front"))) is None  # used up


def test_a_code_with_a_wrong_checksum_is_refused():
    host = Host()
    assert host.code("front", CODE[:-2] + "00") == b"\x02"
    assert host.ask(0x2F04, bytes(25)) == b"\x02"


@pytest.mark.req("SEC-03")
def test_where_codes_are_required_the_well_known_key_is_turned_away_without_a_word():
    host = Host()
    assert host.ask(0x2F06, b"\x01") == b"\x00"
    host.code("coded")
    host.permit(250)
    host.chip.pair("door", "plain")
    host.chip.pair("door", "coded", install_code=CODE)
    host.run(30_000)
    assert host.members() == ["coded"] and len(host.heard(TC_DEVICE)) == 1
    host.ask(0x2F06, b"\x00")
    host.run(20_000)
    assert host.members() == ["coded", "plain"]


def test_who_takes_no_key_of_its_own_is_thrown_out_where_one_is_required():
    host = Host()
    host.permit(250)
    host.chip.pair("door", "old")
    host.chip.air.devices["old"].exchanges_key = False
    host.run(30_000)
    assert not host.members() and len(host.heard(LEFT)) == 1
    assert host.ask(0x2F09, b"\x00") == b"\x00"
    host.chip.pair("door", "old")
    host.run(30_000)
    assert host.members() == ["old"]


def test_forty_children_and_no_more():
    host = Host()
    host.permit(250)
    for number in range(42):
        host.chip.pair("door", "door %d" % number)
    host.run(30_000)
    assert len(host.members()) == len(tables.children(host.chip.nv.items)) == tables.TABLE_SIZE
    host.chip.leave("door 0") if "door 0" in host.members() else host.chip.leave(host.members()[0])
    host.run(20_000)
    assert len(host.members()) == tables.TABLE_SIZE


def test_told_to_leave_it_answers_and_goes_and_its_entries_are_free():
    host = Host(HOME)
    device = host.chip.air.devices["front"]
    assert host.ask(0x2534, put16(device.short) + bytes(8) + b"\x00") == b"\x00"
    host.run(8000)
    assert host.heard(0x45B4) == [put16(device.short) + b"\x00"]
    assert host.heard(LEFT) == [put16(device.short) + device.wire + bytes(3)]
    assert host.members() == ["smoke"] and len(tables.children(host.chip.nv.items)) == 1
    assert tables.link_place(host.chip.nv.items, device.wire) is None
    assert host.told == [("left", "front")]
    host.chip.leave("smoke")
    assert len(host.heard(LEFT)) == 2 and not host.members()


def test_asked_to_rejoin_it_comes_back_without_a_window():
    host = Host(HOME)
    device = host.chip.air.devices["front"]
    host.ask(0x2534, put16(device.short) + bytes(8) + b"\x01")
    host.run(12_000)
    assert host.members() == ["front", "smoke"]
    assert host.heard(LEFT)[0][-1] == 1 and host.heard(ANNOUNCE)[0][:2] == put16(device.short)


@pytest.mark.fault(42)
def test_intruders_clones_and_conflicting_addresses():
    host = Host(HOME)
    smoke = host.chip.air.devices["smoke"]
    host.chip.intrude("smoke", "theirs")
    host.chip.intrude("door", "clone", ieee=ieee_of("front"))
    host.chip.intrude("door", "conflict", short=smoke.short)
    host.run(3000)
    assert host.members() == ["clone", "conflict", "front", "smoke", "theirs"]
    assert host.chip.air.devices["clone"].wire == host.chip.air.devices["front"].wire
    assert host.chip.air.devices["conflict"].short == smoke.short
    assert len(host.heard(TC_DEVICE)) == 3
    with pytest.raises(ValueError, match="there already"):
        host.chip.intrude("door", "front")


def test_the_same_device_reset_begins_again_with_another_key():
    host = Host()
    host.permit(250)
    host.chip.pair("door", "front")
    host.run(20_000)
    first = host.chip.air.devices["front"].member.link_key
    host.chip.pair("door", "front")
    host.run(20_000)
    assert host.members() == ["front"] and host.chip.air.devices["front"].member.link_key != first
    assert len(tables.children(host.chip.nv.items)) == 1
    with pytest.raises(ValueError, match="something else"):
        host.chip.pair("smoke", "front")


# ---------------------------------------------------------------------- who is on which network


def saved(host: Host) -> int:
    return network.counter(host.chip.nv.items, network.identity(host.chip.nv.items)[2])


def test_the_frame_counter_is_saved_in_steps_and_jumps_ahead_at_a_start():
    host = Host(HOME)
    running = host.chip.air.running
    assert running.counter == saved(host) == 11_250
    running.sent()
    assert saved(host) == 11_250
    for _ in range(999):
        running.sent()
    assert saved(host) == 12_250 == running.counter
    running.sent()
    host.chip.set_fault("reset")
    host.run(1000).start()
    assert host.chip.air.running.counter == saved(host) == 13_500
    host.run(86_400_000)  # its own link status frames count too
    assert 5000 <= saved(host) - 13_500 <= 6000
    assert host.ask(0x2FFF, bytes((0, 0, 1, 0))) == b"\x00" and saved(host) == 65_536


@pytest.mark.fault(29)
@pytest.mark.parametrize("what", ["key", "number", "pan", "extended", "channel", "counter"])
def test_whatever_does_not_fit_is_deaf_both_ways(what):
    host = Host(HOME)
    device = host.chip.air.devices["smoke"]
    host.run(20_000)
    items = host.chip.nv.items
    base, key = bytearray(items[network.NIB]), bytearray(items[network.ACTIVE_KEY])
    key[5 if what == "key" else 0] ^= what in ("key", "number")
    base[{"pan": 36, "extended": 57, "channel": 24}.get(what, 115)] ^= 1
    items[network.NIB], items[network.ACTIVE_KEY] = bytes(base), bytes(key)
    if what == "counter":
        device.member.heard = 20_000
    if what == "extended":
        network.save_counter(items, bytes(base[57:65]), 50_000)
    host.chip.set_fault("reset")
    host.run(1000).start()
    host.said.clear()
    host.chip.smoke("smoke", True)
    host.ask(0x2401, put16(device.short) + bytes((1, 1)) + put16(0) + bytes((7, 0, 30, 3, 0, 1, 0)))
    host.run(9000)
    assert not host.heard(0x4481)
    assert host.heard(0x4480) == [bytes((0xF0, 1, 7))]  # expired: a child that does not ask
    if what == "counter":
        host.ask(0x2FFF, bytes((0x21, 0x4E, 0, 0)))  # 20,001
        host.run(20_000)
        assert host.heard(0x4481)


def test_a_member_that_the_chip_forgot_is_told_to_come_back():
    host = Host(HOME)
    device = host.chip.air.devices["smoke"]
    tables.forget(host.chip.nv.items, device.wire)
    host.chip.set_fault("reset")
    host.run(1000).start()
    host.run(12_000)
    assert (device.short, device.wire) in tables.children(host.chip.nv.items)
    assert host.heard(ANNOUNCE) == [put16(device.short) * 2 + device.wire + b"\x80"]


def test_the_network_moves_and_its_sleepers_follow():
    host = Host(HOME)
    mask = bytes((0, 0, 0, 2))  # channel 25
    host.ask(0x2537, put16(0) + bytes((2,)) + mask + bytes((0xFE, 0)) + put16(0))
    host.run(1000)
    assert not host.members()
    assert network.identity(host.chip.nv.items)[0] == 25 and host.chip.nv.items[network.NIB][114] == 1
    host.run(60_000)
    assert host.members() == ["front", "smoke"]


# ---------------------------------------------------------------------- luck and faults


def pairings(count: int, loss: int) -> list:
    """How long each took, ms; None: not in a minute."""
    took = []
    for seed in range(count):
        host = Host(seed=seed + 1)
        host.chip.radio(loss=loss)
        host.permit(60)
        begin = host.sched.now_ms
        host.chip.pair("door", "front")
        host.run(60_000)
        announced = host.when(ANNOUNCE)
        took.append(announced[0] - begin if announced and host.members() else None)
    return took


def test_with_a_tenth_of_all_frames_lost_devices_still_join():
    took = pairings(200, 10)
    assert None not in took
    assert max(took) <= 20_000 and sorted(took)[100] < 5000
    assert len(set(took)) > 1  # luck has a hand in it
    assert took[:20] == pairings(20, 10)  # but the same luck every time


def test_with_almost_all_lost_they_do_not():
    assert pairings(5, 97).count(None) >= 4


@pytest.mark.fault(37)
def test_a_jammer_lets_nothing_pass_and_shows_in_the_energy():
    host = Host(HOME)
    quiet = [host.chip.air.energy(channel) for channel in range(11, 27)]
    host.chip.radio(jam=True)
    host.chip.smoke("smoke", True)
    host.run(5000)
    assert not host.heard(0x4481)
    assert min(host.chip.air.energy(channel) for channel in range(11, 27)) > 200 > max(quiet)
    host.chip.radio(jam=False)
    host.run(30_000)
    assert host.heard(0x4481)


def test_scans_tell_energy_and_neighbours():
    host = Host(None)
    host.chip.air.neighbours = [(15, 0x1A2B, bytes(range(8)), 180, True), (20, 0x0001, bytes(8), 60, False)]
    host.said.clear()
    assert host.chip.nv.items[network.ON_A_NETWORK] == b"\x01"  # start() formed one: nothing preset, so by chance
    host.ask(0x2537, put16(0) + bytes((2, 0, 0x88, 0, 0, 2, 2)) + put16(0))  # channels 11 and 15, twice
    host.run(500)
    ((begin, end), (first, second)) = host.when(0x45B8), host.heard(0x45B8)
    assert end - begin == 153 and first == second
    assert first[:12] == bytes((0, 0, 0, 0, 0x88, 0, 0, 0, 0, 0, 0, 2)) and first[13] == 90  # half of its link quality
    host.chip.set_fault("nv_lost")
    host.run(1000)
    assert host.ask(0x2526, bytes((0, 0xF8, 0xFF, 0x07, 2))) == b"\x00"
    host.run(3000)
    (found,) = host.heard(0x45C5)
    assert found[0] == 2 and len(found) == 1 + 2 * 21
    assert found[1:22] == bytes((0, 0, 0x2B, 0x1A, 15, 1, 1, 1, 2, 2, 180, 0, 0)) + bytes(range(8))
    assert host.heard(0x45C7) == [b"\x00"]


def test_presets_decide_what_is_formed():
    host = Host(None, seed=9)
    host.chip.set_fault("nv_lost")
    host.run(500)
    for key, value in ((0x0083, put16(0x1357)), (0x002D, bytes(range(1, 9))), (0x0062, bytes(range(16)))):
        assert host.ask(0x2109, put16(key) + bytes((0, len(value))) + value) == b"\x00"
    assert host.ask(0x2F08, bytes((1, 0, 0, 0, 1))) == b"\x00"  # channel 24
    host.start()
    assert network.identity(host.chip.nv.items) == (24, 0x1357, bytes(range(1, 9)), bytes(range(16)), 0)
    assert host.heard(0x4F80)[-1] == bytes((0, 4, 0)) and host.heard(0x45C0)[-2:] == [b"\x08", b"\x09"]
    host.ask(0x2109, put16(3) + bytes((0, 1, 3)))
    host.chip.set_fault("reset")
    host.run(500)
    assert network.identity(host.chip.nv.items) is None and host.chip.nv.items[3] == b"\x00"


def test_a_taken_pan_and_a_loud_band_form_nothing():
    for spoil in ("pan", "loud"):
        host = Host(None)
        host.chip.set_fault("nv_lost")
        host.run(500)
        if spoil == "pan":
            host.chip.air.neighbours = [(20, 0x1357, bytes(8), 100, False)]
            host.ask(0x2109, put16(0x0083) + bytes((0, 2)) + put16(0x1357))
        else:
            host.chip.radio(jam=True)
        host.start()
        assert host.heard(0x4F80)[-1] == bytes((8, 4, 0)) and not host.chip.formed


@pytest.mark.fault(28)
def test_without_buffers_requests_are_refused_and_alarms_still_come():
    host = Host(HOME)
    host.chip.set_fault("full")
    device = host.chip.air.devices["smoke"]
    request = put16(device.short) + bytes((1, 1)) + put16(0) + bytes((7, 0, 30, 3, 0, 1, 0))
    assert host.ask(0x2401, request) == b"\x11"
    host.chip.smoke("smoke", True)
    host.run(100)
    assert host.heard(0x4481)
    host.chip.set_fault("none")
    assert host.ask(0x2401, request) == b"\x00"


def test_unplugged_is_silent_until_it_is_plugged_in_again():
    host = Host(HOME)
    host.chip.set_fault("unplugged")
    seen = len(host.said)
    host.chip.set_reset(True)
    host.chip.set_reset(False)
    host.chip.feed(frame(0x2101, b""))
    host.run(5000)
    assert len(host.said) == seen
    host.chip.set_fault("none")
    host.run(500)
    assert [command for _, command, _ in host.said[seen:]] == [0x4180]


@pytest.mark.fault(30)
def test_a_firmware_nobody_knows():
    host = Host(HOME)
    known = host.ask(0x2102)
    host.chip.set_fault("version")
    assert host.ask(0x2102)[:5] != known[:5]
    host.chip.set_fault("none")
    assert host.ask(0x2102) == known


def test_replaced_it_has_another_address_and_lost_it_has_the_same():
    host = Host(HOME)
    first = host.chip.wire
    host.chip.set_fault("nv_lost")
    assert host.chip.wire == first and not host.chip.formed
    host.chip.set_fault("replace")
    second = host.chip.wire
    host.chip.set_fault("replace")
    assert len({first, second, host.chip.wire}) == 3
    with pytest.raises(ValueError, match="sulk"):
        host.chip.set_fault("sulk")
    assert "sulk" not in FAULTS


# ---------------------------------------------------------------------- device profile


def test_questions_go_through_to_a_sleeper_and_are_answered_when_it_polls():
    host = Host(HOME)
    short = put16(host.chip.air.devices["smoke"].short)
    host.ask(0x253E, b"\xff\xff")
    for command, body in ((0x2502, short), (0x2505, short), (0x2504, short + b"\x01"), (0x2531, b"\x00")):
        assert host.ask(command, short + body) == b"\x00"
        host.run(8000)
        answers = host.heard(0x4500 | command & 0x7F | 0x80)
        assert len(answers) == 1 and answers[0][:2] == short, hex(command)
    assert host.heard(0x45B1)[0][2] == 0x84  # a sleeper keeps no list of neighbours
    assert len(host.heard(0x45FF)) == 4
    assert host.ask(0x2502, put16(0x4444) * 2) == b"\x00"  # nobody there: silence
    host.run(9000)
    assert len(host.heard(0x4582)) == 1


def test_what_the_coordinator_says_of_itself():
    host = Host(HOME)
    host.ask(0x2531, bytes(3))
    host.ask(0x2505, bytes(4))
    host.ask(0x2506, bytes(4) + put16(0x0104) + bytes((0, 0)))
    host.run(100)
    (table,) = host.heard(0x45B1)
    assert table[2:6] == bytes((0, 2, 0, 2)) and len(table) == 6 + 2 * 22
    assert host.heard(0x4585) == [bytes((0, 0, 0, 0, 0, 1, 1))]
    assert host.heard(0x4586) == [bytes((0, 0, 0, 0, 0, 0))]
    assert le16(host.ask(0x2748, bytes(2)), 0) == 2
    assert le32(host.ask(0x2102), 5) > 20_200_000


def test_a_frame_is_kept_for_a_sleeper_that_comes_back_in_time_and_expires_otherwise():
    host = Host(HOME)
    device = host.chip.air.devices["smoke"]
    request = put16(device.short) + bytes((1, 1)) + put16(0) + bytes((7, 0, 30, 3, 0, 1, 0))
    device.radio = False
    host.ask(0x2401, request)
    host.run(3000)
    device.radio = True
    host.run(5000)
    assert host.heard(0x4480) == [bytes((0, 1, 7))]
    device.radio = False
    begin = host.sched.now_ms
    host.ask(0x2401, request)
    host.run(9000)
    assert host.heard(0x4480)[1] == bytes((0xF0, 1, 7)) and host.when(0x4480)[1] - begin == 7680
    assert host.ask(0x2401, put16(0x7777) + request[2:]) == b"\x00"
    host.run(1000)
    assert host.heard(0x4480)[2] == bytes((0xCD, 1, 7))  # no route


@pytest.mark.parametrize("home", [HOME, None])
def test_no_command_with_any_payload_breaks_it(home):
    """Whatever a host writes, right or wrong: an answer to each, and the chip still works."""
    dice = Dice(11)
    host = Host(home)
    commands = sorted(host.chip._commands)
    for _ in range(4000):
        command = commands[dice.below(len(commands))]
        payload = dice.octets(dice.below(40)) if dice.below(3) else bytes(dice.below(40))
        if command not in (0x2F08, 0x2109, 0x211D, 0x2134, 0x2135, 0x2112, 0x2131):
            host.ask(command, payload)
    host.said.clear()
    for command in commands:
        for length in range(30):
            host.ask(command, dice.octets(length))
    host.run(20_000)
    assert len(host.said) > 30 * len(commands)
    assert host.ask(0x2101) == bytes((0x59, 0x06))

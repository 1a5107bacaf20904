"""Which network it is, in virtual time: adopted, restored, formed, cut off at every step, and never another one."""

import json
import os
import random
import textwrap

import pytest

SOAK = bool(os.environ.get("SOAK"))
PRELUDE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from net_scene import *
"""


@pytest.fixture
def play(micropython):
    def run(program, heap="1M"):
        text = PRELUDE + textwrap.dedent(program)
        lines = [json.loads(line) for line in micropython(["-c", text], heap, 1800).splitlines()]
        assert lines[-1][1] == "end"
        return lines

    return run


def of(lines, what):
    return [line[2:] for line in lines if line[1] == what]


def at(lines, what):
    return [line[0] for line in lines if line[1] == what]


@pytest.mark.req("ZB-16")
def test_a_network_without_a_backup_is_taken_over_and_backed_up(play):
    lines = play("""
        async def main():
            bench = Bench()
            before = bench.place()
            await bench.live(bench.settled, 60000)
            tell("network", bench.place() == before, bench.networks == [before], bench.fit(), bench.chip.zdo.permit_s)
            tell("backup", bench.kept)
        play(main())
    """)
    assert of(lines, "network") == [[True, True, True, 0]]
    (backup,) = of(lines, "backup")[0]
    assert (backup["channel"], backup["pan_id"], len(backup["devices"])) == (20, "3c91", 4)
    assert all(device["is_child"] and "link_key" in device for device in backup["devices"])


@pytest.mark.req("ZB-16")
@pytest.mark.fault(29)
@pytest.mark.parametrize("loss", ["replace", "nv_lost"])
def test_a_blank_chip_becomes_the_old_one_and_the_sensors_are_heard_without_pairing(play, loss):
    """The whole outage is told; the counter is ahead; what a sensor says afterwards arrives."""
    lines = play(f"""
        async def main():
            bench = Bench()
            await bench.live(bench.settled, 60000)
            first, network, wire = bench.kept, bench.identity(), bench.chip.wire
            bench.chip.set_fault("{loss}")
            broken = sched.now_ms
            one = bench.controller(bench.kept)
            task = asyncio.create_task(one.run())
            while not bench.settled():
                await asyncio.sleep_ms(100)
            tell("back", sched.now_ms - broken, bench.identity() == network, bench.chip.wire == wire, bench.fit())
            tell("counter", bench.chip.air.running.counter - first["network_key"]["frame_counter"])
            bench.chip.smoke("smoke", True)
            bench.chip.call_button("pendant", "call")
            await asyncio.sleep_ms(2000)
            tell("heard", len([one for one in bench.heard if one[0] > sched.now_ms - 2000 and one[2] == 1]))
            tell("restored", one.network.restored, bench.networks, bench.log.lines)
            task.cancel()
        play(main())
    """)
    ((took, same, wire, fit),) = of(lines, "back")
    assert same and wire and fit
    assert took < 20_000
    ((ahead,),) = of(lines, "counter")
    assert ahead >= 20_000_000
    assert of(lines, "heard")[0][0] >= 2
    ((times, networks, log),) = of(lines, "restored")
    assert times == 1 and len(networks) == 1
    assert any("must not run any more" in line for line in log)


def test_a_second_restoration_from_an_old_store_does_not_use_the_same_numbers_again(play):
    """The advanced counter is kept before the restored network sends its first frame."""
    lines = play("""
        async def main():
            bench = Bench()
            await bench.live(bench.settled, 60000)
            numbers = []
            for _ in range(3):
                bench.chip.set_fault("nv_lost")
                restored = lambda: bench.coordinator.network.restored > 0
                await bench.live(restored, 60000, bench.kept)  # cut before the network is even started
                numbers.append(bench.kept["network_key"]["frame_counter"])
            await bench.live(bench.settled, 60000, bench.kept)
            tell("counters", numbers, bench.fit())
        play(main())
    """)
    ((numbers, fit),) = of(lines, "counters")
    assert fit
    assert min(later - earlier for earlier, later in zip(numbers, numbers[1:], strict=False)) >= 20_000_000


@pytest.mark.req("ZB-16")
def test_a_chip_with_a_foreign_network_gets_the_homes_own(play):
    """A new chip that served elsewhere, put into this gateway while it is in service there."""
    lines = play("""
        async def main():
            bench = Bench()
            await bench.live(bench.settled, 60000)
            kept, mine = bench.kept, bench.place()
            other = NcpChip(sched, lambda what, **fields: None)
            other.name = "strange"
            other.nv.items = memory.formed_items("strange", [])
            bench.chip.nv.items = other.nv.items
            bench.chip.set_fault("reset")
            tell("before", bench.place() != mine)
            await bench.live(bench.settled, 60000, kept)
            tell("after", bench.place() == mine, bench.fit(), bench.log.lines)
        play(main())
    """)
    assert of(lines, "before") == [[True]]
    ((mine, fit, log),) = of(lines, "after")
    assert mine and fit
    assert any("another network" in line for line in log)


@pytest.mark.req("ZB-17")
def test_without_a_backup_and_with_sensors_there_is_never_a_new_network(play):
    lines = play("""
        async def main():
            bench = Bench()
            bench.chip.set_fault("nv_lost")
            await bench.live(lambda: False, 300000)
            tell("state", bench.place(), bench.coordinator.ready, bench.coordinator.network.trouble, bench.told)
            wrong = {"metadata": {"version": 1, "format": "zigpy/open-coordinator-backup"}}
            await bench.live(lambda: False, 60000, wrong)
            tell("wrong", bench.place(), bench.coordinator.network.trouble, bench.log.lines[-3:])
            await bench.live(lambda: False, 60000, wrong, True)
            tell("even so", bench.place(), bench.coordinator.network.trouble)
        play(main())
    """)
    assert of(lines, "state") == [[None, False, "no_backup", ["no_backup"]]]
    assert of(lines, "wrong")[0][:2] == [None, "bad_backup"]
    assert any("refused" in line for line in of(lines, "wrong")[0][2])
    assert of(lines, "even so") == [[None, "bad_backup"]]


@pytest.mark.req("ZB-04")
def test_a_new_home_gets_a_network_of_its_own(play):
    """Noise and neighbours keep it from channels; nothing of it is a neighbour's or a default."""
    lines = play("""
        async def main():
            for seed in range(6):
                bench = Bench(None)
                air = bench.chip.air
                air.noise = {channel: 90 for channel in range(11, 27)}
                air.noise.update({20: 40, 22: 10, 26: 0})
                neighbour = (20 if seed < 3 else 25, 0x1234, bytes(range(1, 9)), 180, False)
                air.neighbours = [neighbour]
                if seed == 5:
                    air.noise[17] = 0
                    air.noise[20] = 200
                ok = await bench.live(bench.settled, 60000, None, True)
                tell("formed", ok, bench.identity()[0], list(bench.place()), bench.identity()[1])
                tell("kept", bench.kept, len(bench.networks), bench.chip.nv.items[0x60] == b"U")
        play(main())
    """)
    formed = of(lines, "formed")
    assert all(one[0] for one in formed)
    # 20 with its neighbour: 90 + 30; 22: 10 + 48
    assert [one[1] for one in formed] == [22, 22, 22, 20, 20, 17]
    assert len({one[2][0] for one in formed}) == len({one[2][1] for one in formed}) == len(formed)
    assert all(one[3] not in (0x1234, 0, 0xFFFF, 0xFFFE, 0x1A62) for one in formed)
    for (backup, networks, finished), one in zip(of(lines, "kept"), formed, strict=True):
        assert networks == 1 and finished
        assert backup["network_key"]["key"] == one[2][1] and backup["devices"] == []


def test_a_neighbour_that_answers_counts_even_when_it_is_silent(play):
    lines = play("""
        async def main():
            bench = Bench(None)
            bench.chip.air.noise = {channel: 50 for channel in range(11, 27)}
            bench.chip.air.neighbours = [(11, 0x1234, bytes(range(1, 9)), 2, False)]
            await bench.live(bench.settled, 60000, None, True)
            tell("channel", bench.identity()[0])
        play(main())
    """)
    assert of(lines, "channel") == [[15]]


CUTS = """
async def main():
    original = None
    template = None
    for step in {steps}:
        bench = Bench(None if "{what}" == "form" else HOME)
        if "{what}" == "restore":
            if template is None:
                await bench.live(bench.settled, 60000)
                template = bench.kept
            original = bench.place()
            bench.kept = template
            bench.chip.set_fault("nv_lost")
        ended = []
        def cut():
            ended.append(bench.place())
            bench.chip.restart(0)
        bench.cable.count, bench.cable.at, bench.cable.cut = 0, step, cut
        saved = [] if bench.kept is None else [bench.kept]
        if "{how}" == "chip":  # the chip alone starts anew
            good = await bench.live(bench.settled, 120000, bench.kept, bench.kept is None)
        else:  # the supply of both; the store has kept what it was given, or has not
            early = await bench.live(lambda: ended or bench.settled(), 120000, bench.kept, bench.kept is None)
            if "{how}" == "forgotten" and ended:
                bench.kept = saved[0] if saved else None
                bench.networks = []
            good = await bench.live(bench.settled, 120000, bench.kept, bench.kept is None)
        kept = (bench.kept["extended_pan_id"], bench.kept["network_key"]["key"])
        tell("cut", step, len(ended), good, bench.place() == kept, len(bench.networks), bench.fit(),
             original is None or bench.place() == original, bench.whole())
play(main())
"""


@pytest.mark.req("ZB-16")
@pytest.mark.fault(29)
@pytest.mark.parametrize("how", ["chip", "both", "forgotten"])
@pytest.mark.parametrize("what", ["form", "restore"])
def test_a_cut_at_any_step_leaves_nothing_or_what_the_next_start_finishes(play, what, how):
    """SOAK=1 cuts at every command; otherwise at the first fifty and at random ones of the rest."""
    steps = range(1, 560) if SOAK else sorted({*range(1, 50, 2), *random.Random(what + how).sample(range(50, 540), 20)})
    lines = play(CUTS.format(what=what, how=how, steps=list(steps)), heap="512M" if SOAK else "32M")  # a chip for each
    cuts = of(lines, "cut")
    assert len(cuts) == len(steps)
    for step, _, good, kept, networks, fit, original, whole in cuts:
        assert good and kept and fit and original and whole, (step, good, kept, fit, original, whole)
        assert networks == 1, step  # never two networks, whatever was cut
    assert sum(cut[1] for cut in cuts) >= 40


FUZZ = """
import random
async def main():
    bench = Bench()
    await bench.live(bench.settled, 60000)
    original, devices = bench.place(), len(bench.kept["devices"])
    random.seed({seed})
    wrong = []
    faults = ("hang", "reset", "garbage", "unplugged", "nv_lost", "replace", "pin", "power", "controller")
    for _ in range({faults}):
        what = random.choice(faults)
        if what == "pin":
            bench.chip.set_reset(True)
            sched.after(random.getrandbits(8), bench.chip.set_reset, False)
        elif what == "power":
            bench.chip.power_off()
            sched.after(random.getrandbits(13), bench.chip.power_on)
        elif what == "unplugged":
            bench.chip.set_fault(what)
            sched.after(random.getrandbits(14), bench.chip.set_fault, "none")
        elif what != "controller":
            bench.chip.set_fault(what)
        end = sched.now_ms + random.getrandbits(random.choice((6, 9, 12, 14)))
        def step():
            running = bench.chip.air.running
            if bench.coordinator.ready and bench.chip.in_service and running is not None:
                place = "".join("%02x" % byte for byte in bytes(reversed(running.identity[2])))
                if place != original[0]:
                    wrong.append(place)
            return sched.now_ms >= end
        await bench.live(step, 60000, bench.kept)
    bench.chip.set_fault("none")
    good = await bench.live(bench.settled, 180000, bench.kept)
    tell("fuzz", {seed}, good, bench.place() == original, bench.fit(), bench.networks == [original], wrong,
         len(bench.kept["devices"]) == devices, bench.kept["network_key"]["frame_counter"])
play(main())
"""


@pytest.mark.req("ZB-16")
@pytest.mark.req("ZB-17")
@pytest.mark.fault(29)
def test_random_faults_at_random_moments_never_change_the_network(play):
    """Faults of the chip and restarts of the controller, most while it starts or restores; then it serves as before."""
    for seed in range(int(os.environ.get("FUZZ_COUNT", "5"))):
        lines = play(FUZZ.format(seed=seed, faults=40))
        assert of(lines, "fuzz")[0][1:7] == [True, True, True, True, [], True], seed


def test_who_moved_on_is_followed_and_backed_up(play):
    """The network went to another channel by the standard's way: the sensors followed, and the backup does."""
    lines = play("""
        async def main():
            bench = Bench()
            await bench.live(bench.settled, 60000)
            before = bench.kept
            bench.chip.change_channel(15)  # while this controller is away
            await bench.live(bench.settled, 20000, before)
            tell("moved", before["channel"], bench.kept["channel"], bench.coordinator.network.restored)
        play(main())
    """)
    assert of(lines, "moved") == [[20, 15, 0]]


@pytest.mark.fault(30)
def test_an_unknown_firmware_serves_alarms_and_says_that_it_is_unknown(play):
    lines = play("""
        async def main():
            bench = Bench()
            bench.chip.set_fault("version")
            sched.at(20000, bench.chip.smoke, "smoke", True)
            await bench.live(lambda: sched.now_ms > 30000, 60000)
            tell("known", bench.coordinator.network.known_firmware, bench.coordinator.ready, bench.log.lines)
            tell("heard", [one[0] for one in bench.heard if one[2] == 1 and one[3] & 1][:1])
            bench.chip.set_fault("none")
            bench.chip.set_fault("reset")
            await bench.live(lambda: bench.coordinator.ready, 60000)
            tell("again", bench.coordinator.network.known_firmware)
        play(main())
    """)
    ((known, ready, log),) = of(lines, "known")
    assert not known and ready
    assert any("pairing is not" in line for line in log)
    assert of(lines, "heard") == [[[20015]]]
    assert of(lines, "again") == [[True]]


@pytest.mark.req("ZB-16")
def test_backups_follow_changes_soon_and_time_daily(play):
    """A burst of changes is one backup; what changed nothing is not stored again."""
    lines = play("""
        async def main():
            bench = Bench()
            one = bench.controller()
            saved = []
            one.network.on_backup = lambda backup: saved.append((sched.now_ms, len(backup["devices"])))
            task = asyncio.create_task(one.run())
            await asyncio.sleep_ms(120000)
            first = list(saved)
            items = bench.chip.nv.items
            pendant = bench.chip.air.devices["pendant"]
            def move(short):
                pendant.short = short
                memory.keep_address(items, memory.place_of(items, pendant.wire), short, pendant.wire)
                one.network.touch()
            for short in range(0x5000, 0x5008):
                move(short)
                await asyncio.sleep_ms(300)
            await asyncio.sleep_ms(120000)
            changed = saved[len(first):]
            count = len(saved)
            for _ in range(20):
                one.network.touch()
                await asyncio.sleep_ms(100000)
            tell("saved", first, changed, len(saved) - count)
            count = len(saved)
            await asyncio.sleep_ms(2 * 86400000 + 60000)
            tell("daily", len(saved) - count, one.network.backups)
            task.cancel()
        play(main())
    """)
    ((first, changed, idle),) = of(lines, "saved")
    assert len(first) == 1 and first[0][0] < 5000
    assert len(changed) == 1 and changed[0][0] < 120_000 + 8 * 300 + 8000
    assert idle == 0
    assert of(lines, "daily")[0][0] == 2


@pytest.mark.req("ZB-16")
def test_a_sensor_that_the_chip_forgot_stays_in_the_backup_and_a_removed_one_does_not(play):
    lines = play("""
        async def main():
            bench = Bench()
            await bench.live(bench.settled, 60000)
            items = bench.chip.nv.items
            for name in ("smoke", "door"):
                memory.forget(items, bench.chip.air.devices[name].wire)
            bench.names.remove("door")
            kept = bench.kept
            await bench.live(lambda: bench.settled() and sched.now_ms > 200000, 300000, kept)
            tell("devices", [one["ieee_address"] for one in bench.kept["devices"]],
                 [ieee_of(name) for name in ("smoke", "pendant", "movement")])
        play(main())
    """)
    ((devices, expected),) = of(lines, "devices")
    assert devices == sorted(expected)


@pytest.mark.fault(37)
def test_the_energy_of_the_air_can_be_asked(play):
    lines = play("""
        async def main():
            bench = Bench()
            one = bench.controller()
            async def ask():
                try:
                    return await one.network.energy()
                except Exception as error:
                    return type(error).__name__
            tell("early", await ask())
            task = asyncio.create_task(one.run())
            await asyncio.sleep_ms(5000)
            bench.chip.air.noise = {11: 1, 26: 77}
            start = sched.now_ms
            tell("quiet", await ask(), sched.now_ms - start)
            bench.chip.air.jammed = True
            tell("jammed", await ask())
            bench.chip.set_fault("hang")
            tell("hung", await ask())
            task.cancel()
        play(main())
    """)
    assert of(lines, "early") == [["LinkError"]]
    ((levels, took),) = of(lines, "quiet")
    assert len(levels) == 16 and levels[0] == 1 and levels[15] == 77 and took < 1000
    assert min(of(lines, "jammed")[0][0]) > 200
    assert of(lines, "hung") == [["LinkError"]]

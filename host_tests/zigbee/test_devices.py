"""Who is who: known at run time, forgotten, strangers, and one address in two places."""

import json
import textwrap

import pytest

from zigbee import tsn
from zigbee.bucket import BURST
from zigbee.devices import NO_SHORT, STRANGER, Devices, is_twice

IEEE = "00124b0012345678"
WIRE = bytes.fromhex("7856341200 4b1200")


@pytest.mark.req("ZB-03")
def test_32_sensors_and_strangers_are_told_apart():
    devices = Devices()
    for index in range(32):
        device = devices.know("00124b00000000%02x" % index, index, True)
        assert devices.learn(0x1000 + index, device.wire) is device
    for number in range(100):
        assert devices.learn(0x2000 + number, bytes((number, 9, 9, 9, 9, 9, 9, 9))).index == STRANGER
    assert [devices.find(0x1000 + index).index for index in range(32)] == list(range(32))
    flows = {id(device.flow) for device in devices.known}
    assert len(flows) == 32 and id(devices.strange) not in flows
    assert len(devices._by_short) <= 48


def test_a_stranger_becomes_a_sensor_and_the_other_way_round():
    devices = Devices()
    stranger = devices.learn(0x1111, WIRE)
    assert stranger.flow is devices.strange
    facts = {"endpoint": 3, "traits": 0x10, "servers": [0, 1]}
    sensor = devices.know(IEEE, 7, True, facts)
    assert sensor is stranger and devices.find(0x1111) is sensor
    assert (sensor.index, sensor.zone, sensor.endpoint, sensor.traits) == (7, False, 3, 0x10)
    assert sensor.flow is not devices.strange and sensor.flow.gate[tsn.LEFT] == BURST
    again = devices.know(IEEE, 9, True)
    assert again is sensor and again.index == 9 and again.zone and len(devices.known) == 1
    devices.forget(sensor)
    assert (sensor.index, devices.known, devices.find(0x1111)) == (STRANGER, [], sensor)
    assert sensor.flow is devices.strange
    devices.forget(sensor)  # once is enough
    assert devices.by_ieee(IEEE) is sensor


def test_facts_of_a_bad_form_are_passed_over():
    devices = Devices()
    for facts in (None, [], {"endpoint": "x", "traits": None, "servers": 5}, {"endpoint": 0}, {"endpoint": 241}):
        device = devices.know(IEEE, 0, True, facts)
        assert (device.endpoint, device.traits, device.zone) == (1, 0, True)


def move(devices, short, now_ms):
    device = devices.by_ieee(IEEE)
    twice = is_twice(device, short, now_ms)
    devices.learn(short, WIRE)
    return twice


@pytest.mark.req("ZB-04")
def test_an_address_in_two_places_is_found_out_once():
    devices = Devices()
    devices.know(IEEE, 0, True)
    told = [move(devices, 0x1000 + number % 2, number * 1000) for number in range(20)]
    assert told.count(True) == 1
    assert 3 < told.index(True) < 6


def test_a_device_that_moves_about_is_one():
    devices = Devices()
    device = devices.know(IEEE, 0, True)
    assert not any(move(devices, 0x1000 + number, number * 1000) for number in range(200))
    assert device.short == 0x1000 + 199
    assert not any(move(devices, 0x1000 + number % 2, number * 700_000) for number in range(20))  # years in between
    assert not any(move(devices, 0x1000, number) for number in range(20))
    assert device.before != NO_SHORT


SCENE = """
import sys
sys.path.insert(0, "host_tests/zigbee")
from scene import *
home = Scene()
home.coordinator.on_duplicate = lambda device: tell("duplicate", device.index)
wire = home.devices["smoke"].wire
def announce(short):
    head = bytes((short & 255, short >> 8)) * 2
    from zigbee.frames import encode
    home.uart.deliver(bytes(encode(0x45C1, head + wire + b"\\x80")))
for number in range(12):
    home.at(20000 + number * 2000, announce, 0x5000 + number % 2)
home.run(60000)
"""


@pytest.mark.req("ZB-04")
def test_two_devices_with_one_address_in_the_scene(micropython):
    lines = [json.loads(line) for line in micropython(["-c", textwrap.dedent(SCENE)]).splitlines()]
    assert [line[2] for line in lines if line[1] == "duplicate"] == [0]
    assert lines[-1][1:] == ["alive", True]

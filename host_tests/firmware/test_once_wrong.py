"""What was once found wrong in the product's part of registering, keeping and taking over."""

import json

import pytest
from flashed import Chip, Log, live, patch, saved

from firmware.sensing.registry import Registry

OLD = [{"name": "kitchen", "kind": "smoke", "place": "부엌", "ieee": "00124b0000000001"}]


@pytest.mark.fault(20)
def test_an_old_list_does_not_take_the_place_of_one_that_is_lost(monkeypatch):
    """The installer's file serves for this time, and the loss is said at each start."""
    chip = Chip()
    patch(monkeypatch, chip.clock)
    saved(chip, sensors=json.dumps({"format": 1, "sensors": []}).encode())
    for sector in (2, 7):
        chip.partition().writeblocks(sector, bytes(8), 256)
    for _ in (1, 2):
        store = chip.boot()
        registry = Registry(store, OLD, Log())
        live(store)
        assert registry.count() == 1 and not registry.whole and store.lost == ["sensors"]

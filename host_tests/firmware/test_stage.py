"""Records in memory: what makes room for what, what is counted, and that order stays."""

import random

import pytest

from firmware.flashlog.layout import EMERGENCY, EVENT, PERIODIC, STREAMS
from firmware.stage import MAX_BYTES, MAX_RECORDS, Stage


def whole(stage):
    found = []
    while len(stage):
        found.append(tuple(stage.pop()))
    assert stage._bytes == 0 and stage.first() is None
    return found


@pytest.mark.req("TEL-03")
@pytest.mark.fault(11)
@pytest.mark.parametrize("seed", range(5))
def test_against_a_plain_model(seed):
    dice, stage, model, lost = random.Random(seed), Stage(), [], {stream: [] for stream in range(STREAMS)}
    for ident in range(1, 3000):
        stream = dice.choice((PERIODIC, PERIODIC, EVENT, EMERGENCY))
        item = (ident, b"x" * dice.choice((10, 300, 2000)), stream)
        stage.put(*item)
        model.append(item)
        while len(model) > MAX_RECORDS or sum(len(each[1]) for each in model) > MAX_BYTES:
            victim = min(model, key=lambda each: (each[2], each[0]))
            model.remove(victim)
            lost[victim[2]].append(victim[0])
        if dice.random() < 0.02:
            upto, which = dice.randrange(ident), dice.randrange(STREAMS)
            stage.forget(which, upto)
            model = [each for each in model if each[2] != which or each[0] > upto]
        if dice.random() < 0.02 and model:
            item = stage.pop()
            assert tuple(item) == model[0]
            if dice.random() < 0.5:
                stage.put_back(item)
            else:
                model.pop(0)
        assert len(stage) == len(model) and stage.dropped == sum(map(len, lost.values()))
    for which in range(STREAMS):
        after = dice.randrange(3000)
        expected = next((each for each in model if each[2] == which and each[0] > after), None)
        assert stage.after(which, after) == (None if expected is None else list(expected))
        assert stage.has(which) == any(each[2] == which for each in model)
        told = stage.take_lost(which)
        assert told == ([len(lost[which]), lost[which][0], lost[which][-1]] if lost[which] else None)
        assert stage.take_lost(which) is None
    assert whole(stage) == model


def test_what_somebody_else_lost_is_told_with_the_rest():
    stage = Stage()
    stage.lose(EVENT, 3, 5, 9)
    for ident in range(10, 10 + MAX_RECORDS + 2):
        stage.put(ident, b"", EVENT)
    assert stage.take_lost(EVENT) == [5, 5, 11] and stage.dropped == 5

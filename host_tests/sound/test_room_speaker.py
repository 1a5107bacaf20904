"""What the simulated room makes of samples, against files whose content the test knows."""

import random

import pytest
from sound.sounds import noise, write_folder

from hal_sim.bus.i2s import I2S
from hal_sim.room_speaker import RoomSpeaker
from hal_sim.sched import Scheduler
from tools import sound_pcm

LENGTHS = {"one": 700, "two": 500, "three": 300}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return folder, write_folder(folder, LENGTHS)


class Room:
    def __init__(self, folder):
        self.folder, index = folder
        self.sched = Scheduler()
        self.lines = []
        self.speaker = RoomSpeaker(self.sched, self.emit, index)
        self.i2s = I2S(self.sched, self.speaker)
        self.i2s.ioctl(3, 4)
        self.speaker.set_amp(1)

    def emit(self, what, **fields):
        flags = [flag for flag in ("cut", "damaged", "unknown") if fields.get(flag)]
        assert fields["to"] == "room"
        self.lines.append((self.sched.now_ms, what, fields["text"].replace("text of ", ""), fields["play"], *flags))

    def pcm(self, name):
        return (self.folder / f"{name}.wav").read_bytes()[44:]

    def send(self, data, pieces=(1024,)):
        """Keep the buffer full, as a good driver does."""
        at = turn = 0
        while at < len(data):
            took = self.i2s.write(data[at:at + pieces[turn % len(pieces)]])
            turn += 1
            at += took
            if not took:
                self.run(1)
        self.run_out()

    def run(self, ms):
        self.sched.run_until(self.sched.now_ms + ms)

    def run_out(self):
        while self.i2s.buffered():
            self.run(1)


@pytest.fixture
def room(folder):
    return Room(folder)


ONE = [(15, "prompt", "one", 1), (700, "prompt_end", "one", 1)]
HEAD_MS = 2  # a beginning cut in two by the writes is known when its second part comes


def early(lines):
    """The lines, with a beginning that is late by no more than a head put where it belongs."""
    true = {late: at for at in (15, 315) for late in range(at, at + HEAD_MS + 1)}
    return [(true.get(line[0], line[0]), *line[1:]) for line in lines]


def test_a_text_is_heard_from_its_first_sound_to_its_last_byte(room):
    room.send(room.pcm("one"))
    assert room.lines == ONE


@pytest.mark.parametrize("pieces", [(2,), (62, 4), (64,), (1024, 2, 30), (478, 6, 58), (480,), (2048,)])
def test_the_pieces_it_comes_in_do_not_matter(room, pieces):
    room.send(room.pcm("one"), pieces)
    assert early(room.lines) == ONE and room.speaker.gaps == 0


def test_every_split_of_a_beginning(folder):
    for split in range(470, 560, 2):
        room = Room(folder)
        data = room.pcm("one")
        room.send(data[:split] + data[split:], (split, 1024))
        assert early(room.lines) == ONE, split


def test_plays_are_counted(room):
    for name, pause in (("one", 300), ("one", 4500), ("one", 5100), ("one", 10), ("two", 0), ("one", 0)):
        room.send(room.pcm(name))
        room.run(pause)
    assert [line[2:4] for line in room.lines if line[1] == "prompt"] == [
        ("one", 1), ("one", 2), ("one", 3), ("one", 1), ("two", 1), ("one", 1),
    ]


def test_another_text_cuts_in_without_a_pause(room):
    room.send(room.pcm("one")[:9600] + room.pcm("two"))
    assert early(room.lines) == [
        (15, "prompt", "one", 1), (315, "prompt_end", "one", 1, "cut"),
        (315, "prompt", "two", 1), (800, "prompt_end", "two", 1),
    ]


def test_the_same_text_from_the_start_in_its_middle(room):
    room.send(room.pcm("one")[:9600] + room.pcm("one"))
    assert [line[1:] for line in room.lines] == [
        ("prompt", "one", 1), ("prompt_end", "one", 1, "cut"), ("prompt", "one", 2), ("prompt_end", "one", 2),
    ]


def test_amplifier_off_cuts_at_once_and_off_from_the_start_is_silence(room):
    room.sched.at(333, room.speaker.set_amp, 0)
    room.send(room.pcm("one"))
    assert room.lines == [(15, "prompt", "one", 1), (333, "prompt_end", "one", 1, "cut")]
    room.send(room.pcm("two"))
    assert len(room.lines) == 2
    room.speaker.set_amp(1)
    room.send(room.pcm("three"))
    assert [line[2] for line in room.lines[2:]] == ["three", "three"]


def test_switched_off_before_the_first_sound_nothing_was_heard(room):
    room.i2s.write(room.pcm("one")[:2048])
    room.run(10)
    room.speaker.set_amp(0)
    room.run(100)
    assert room.lines == []


def test_wrong_samples_are_told(room):
    data = bytearray(room.pcm("one"))
    data[9000] ^= 1
    room.send(bytes(data))
    assert room.lines[-1] == (700, "prompt_end", "one", 1, "damaged")


def test_a_sound_nobody_knows(room):
    room.send(sound_pcm.to_bytes(noise(400, seed=99)) + bytes(32 * 300) + room.pcm("two"))
    assert [line[1:] for line in room.lines] == [
        ("prompt", "", 1, "unknown"), ("prompt_end", "", 1, "unknown"), ("prompt", "two", 1), ("prompt_end", "two", 1),
    ]
    assert room.lines[0][0] == 15 and 380 <= room.lines[1][0] <= 700


def test_without_an_index_all_is_unknown(room):
    room.speaker = RoomSpeaker(room.sched, room.emit, None)
    room.i2s.ear = room.speaker
    room.speaker.set_amp(1)
    room.send(room.pcm("one"))
    assert room.lines[0] == (15, "prompt", "", 1, "unknown")


def test_silence_is_nothing(room):
    room.send(bytes(32 * 2000))
    room.run(3000)
    assert room.lines == []


def test_samples_that_run_out(room):
    """A stutter is counted; a text that never goes on is over after a second."""
    data = room.pcm("one")
    room.send(data[:6400])
    room.run(50)
    room.send(data[6400:12800])
    assert room.speaker.gaps == 1
    room.run(2000)
    assert room.lines == [(15, "prompt", "one", 1), (200 + 50 + 200 + 1000, "prompt_end", "one", 1, "cut")]
    room.send(room.pcm("two"))
    assert room.lines[-1][1:] == ("prompt_end", "two", 1)


def test_restart_of_the_controller_loses_what_was_buffered(room):
    room.i2s.write(room.pcm("one")[:2048])
    room.run(5)
    room.i2s.deinit()
    room.run(200)
    assert room.lines == [] and room.i2s.buffered() == 0
    room.send(room.pcm("two"))
    assert [line[2] for line in room.lines] == ["two", "two"]


def test_i2s_takes_what_fits_and_drains_in_time(room):
    assert room.i2s.write(bytes(3000)) == 2048
    assert room.i2s.write(b"\1\2") == 0 and room.i2s.ioctl(3, 4) == 0
    room.run(1)
    assert room.i2s.ioctl(3, 4) == 4 and room.i2s.write(bytes(100)) == 32
    room.run(64)
    assert room.i2s.buffered() == 0


def test_i2s_blocks_until_polled_and_its_faults(folder):
    i2s = I2S(Scheduler())
    assert i2s.write(bytes(5000)) == 5000 and i2s.blocking_writes == 1
    i2s.ioctl(3, 4)
    i2s.fault = "stuck"
    assert i2s.write(bytes(10)) == 0 and i2s.ioctl(3, 4) == 0
    i2s.fault = "raise"
    with pytest.raises(OSError):
        i2s.write(bytes(10))


def test_any_mix_of_texts_is_heard_as_it_was_sent(folder):
    for seed in range(20):
        draw = random.Random(seed)
        room = Room(folder)
        expected, data = [], b""
        for _ in range(8):
            name = draw.choice(list(LENGTHS))
            whole = room.pcm(name)
            part = whole if draw.random() < 0.5 else whole[:draw.randrange(700, len(whole) - 1400, 2)]
            expected.append((name, len(part) == len(whole)))
            data += part + bytes(2 * draw.choice([0, 1, 15, 160, 3200]))
        room.send(data + bytes(4096), tuple(draw.choice([2, 64, 500, 1024]) for _ in range(7)))
        starts = [line[2] for line in room.lines if line[1] == "prompt"]
        whole = [len(line) == 4 for line in room.lines if line[1] == "prompt_end"]
        assert starts == [name for name, _ in expected], seed
        assert whole == [ended for _, ended in expected][:len(whole)], seed


def test_a_closed_output_acts_on_nothing(room):
    room.i2s.write(room.pcm("one")[:2048])
    room.i2s.write(room.pcm("one")[2048:2080])
    room.speaker.set_amp(0)
    room.i2s.close()
    room.i2s = I2S(room.sched, room.speaker)
    room.i2s.ioctl(3, 4)
    room.speaker.set_amp(1)
    room.send(room.pcm("two"))
    assert [line[2] for line in room.lines] == ["two", "two"]

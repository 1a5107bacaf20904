"""The line that the other tests hang on: what goes in comes out, later; and its faults are faults."""

import socket
import time

import pytest

from tools.line import Line

LIMIT_S = 20


@pytest.fixture
def ends():
    """(line, near, far): a connection over a line of 60 ms round trip."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT_S)
        line = Line(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", line.port), LIMIT_S) as near:
            far = server.accept()[0]
            with far:
                far.settimeout(LIMIT_S)
                yield line, near, far
        line.close()


def read(end, count):
    """So many bytes."""
    got = b""
    while len(got) < count:
        got += end.recv(count - len(got)) or pytest.fail("it ended")
    return got


def test_what_goes_in_comes_out_in_order_and_later(ends):
    line, near, far = ends
    begun = time.monotonic()
    near.sendall(b"there")
    assert read(far, 5) == b"there"
    far.sendall(b"and back")
    assert read(near, 8) == b"and back"
    assert time.monotonic() - begun >= 0.06
    sent = bytes(range(256)) * 4000
    near.sendall(sent)
    assert read(far, len(sent)) == sent
    passage = line.passages[0]
    assert (passage.up_bytes, passage.down_bytes) == (5 + len(sent), 8) == (line.up_bytes, line.down_bytes)
    assert passage.up_start.startswith(b"there\x00\x01") and passage.down_start == b"and back"


def test_an_end_is_passed_on(ends):
    line, near, far = ends
    near.sendall(b"last")
    near.close()
    assert far.recv(10) == b"last" and far.recv(10) == b""
    far.close()
    end = time.monotonic() + LIMIT_S
    while line.open_now() and time.monotonic() < end:
        time.sleep(0.01)
    assert line.open_now() == 0


def test_a_cut_resets_both_ends(ends):
    line, near, far = ends
    line.cut()
    for end in (near, far):
        try:
            assert end.recv(10) == b""
        except ConnectionResetError:
            pass
    assert line.open_now() == 0


def test_a_stalled_line_holds_everything_and_loses_nothing(ends):
    line, near, far = ends
    line.stall()
    near.sendall(b"held")
    far.settimeout(0.3)
    with pytest.raises(TimeoutError):
        far.recv(4)
    with socket.create_connection(("127.0.0.1", line.port), LIMIT_S) as second:
        second.settimeout(0.3)
        with pytest.raises(TimeoutError):
            second.recv(1)
    far.settimeout(LIMIT_S)
    line.flow()
    assert far.recv(4) == b"held"


def test_who_connects_where_nobody_is_gets_an_end(ends):
    line, _, _ = ends
    with socket.create_server(("127.0.0.1", 0)) as free:
        line.target = free.getsockname()[1]
    with socket.create_connection(("127.0.0.1", line.port), LIMIT_S) as second:
        second.settimeout(LIMIT_S)
        try:
            assert second.recv(1) == b""
        except ConnectionResetError:
            pass

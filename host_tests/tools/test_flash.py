"""Flashing with the real mpremote onto a served board: verified, interruptible, never half a firmware that boots."""

import hashlib
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
import tty

import pytest
from served import ROOT, ServedBoard

from tools import flash, image

MARK = b"with open('/booted', 'a') as f:\n    f.write('x')\n"


@pytest.fixture
def board(tmp_path):
    served = ServedBoard(tmp_path)
    served.start()
    yield served
    served.power_off()


def make_image(folder: pathlib.Path, files: dict, arch: str = "") -> pathlib.Path:
    """A small image with a manifest of its own."""
    manifest = {"format": 1, "mpy": image.MPY_VERSION, "arch": arch, "files": []}
    for path, data in sorted(files.items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        manifest["files"].append({
            "path": path, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "keep": path in image.KEEP,
        })
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def small(tmp_path):
    files = {f"firmware/part{number:02}.py": b"x = %d\n" % number * (50 + number) for number in range(8)}
    files |= {"main.py": MARK, "boot.py": b"# nothing\n", "settings.json": b"{}\n", "sensors.json": b"[]\n"}
    files["sound/long.wav"] = os.urandom(100_000)
    return make_image(tmp_path / "image", files)


def command(board, folder: pathlib.Path | None = None) -> list[str]:
    extra = ["--image", str(folder)] if folder else []
    return [sys.executable, "-m", "tools.flash", str(board.link), *extra]


def run_flash(board, folder: pathlib.Path | None = None, status: int = 0):
    done = subprocess.run(command(board, folder), cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-2000:]
    assert done.stderr.count("\n") == (1 if status else 0)
    return done.stdout if not status else done.stderr


def assert_complete(board, folder: pathlib.Path) -> None:
    wanted = json.loads((folder / "manifest.json").read_text())["files"]
    for file in wanted:
        if not file["keep"]:
            assert (board.files / file["path"]).read_bytes() == (folder / file["path"]).read_bytes()
    assert not list(board.files.rglob("*.new"))


def refused(arguments: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tools.flash", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done
    return done.stderr


@pytest.fixture(scope="module", autouse=True)
def silent_port(tmp_path_factory):
    """A flashing of a port where nobody answers: mpremote waits 10 s for it, so it runs beside the other tests."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    link = tmp_path_factory.mktemp("silent") / "port"
    link.symlink_to(os.ttyname(slave))  # by this name mpremote takes it for a real port
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.flash", str(link)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    yield process
    process.kill()
    process.communicate()
    os.close(master)
    os.close(slave)


def test_no_port_says_what_to_do():
    assert "PORT=" in refused([]) and "PORT=" in refused([""])


def test_no_such_device_says_what_to_do(tmp_path):
    assert "no device" in refused([str(tmp_path / "ttyACM0")])


def test_what_is_no_serial_port_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    refused([str(tmp_path / "file")])


def test_a_whole_image_arrives_and_boots(board, small):
    output = run_flash(board, small)
    assert "all 13 files verified" in output
    assert_complete(board, small)
    board.wait_for("booted", "x")
    assert (board.files / "settings.json").read_text() == "{}\n"


def test_a_second_time_copies_nothing(board, small):
    run_flash(board, small)
    times = {path: path.stat().st_mtime_ns for path in board.files.rglob("*.py")}
    assert "to copy" not in run_flash(board, small)
    assert {path: path.stat().st_mtime_ns for path in board.files.rglob("*.py")} == times


def test_the_units_own_files_are_never_touched(board, small):
    (board.files / "settings.json").write_text('{"number": "01012345678"}')
    (board.files / "sensors.json").write_text('[{"name": "kitchen"}]')
    (board.files / "lib").mkdir()
    (board.files / "lib" / "usb.mpy").write_text("installed by hand")
    (board.files / "notes.txt").write_text("mine")
    run_flash(board, small)
    assert (board.files / "settings.json").read_text() == '{"number": "01012345678"}'
    assert (board.files / "sensors.json").read_text() == '[{"name": "kitchen"}]'
    assert (board.files / "lib" / "usb.mpy").exists() and (board.files / "notes.txt").exists()


def test_what_an_older_image_left_goes(board, small):
    old = ("firmware/old.mpy", "firmware/gone/deep/a.mpy", "sound/old.wav", "main.py.new", "firmware/part01.py.new")
    for path in old:
        (board.files / path).parent.mkdir(parents=True, exist_ok=True)
        (board.files / path).write_text("old")
    run_flash(board, small)
    assert_complete(board, small)
    assert not (board.files / "firmware" / "gone").exists() and not (board.files / "sound" / "old.wav").exists()


def test_a_file_that_rotted_on_the_board_is_found_and_replaced(board, small):
    run_flash(board, small)
    rotten = board.files / "firmware" / "part07.py"
    data = bytearray(rotten.read_bytes())
    data[10] ^= 1
    rotten.write_bytes(data)
    output = run_flash(board, small)
    assert "2 files to copy, 0 to remove" in output and "firmware/part07.py" in output
    assert_complete(board, small)


def test_a_file_that_arrives_damaged_stops_the_flashing(board, small):
    (small / "firmware" / "part05.py").write_bytes(b"not what the manifest says\n")
    error = run_flash(board, small, status=2)
    assert "part05.py arrives damaged" in error
    assert not (board.files / "main.py").exists() and not (board.files / "firmware" / "part05.py").exists()


KILLS = int(os.environ.get("FLASH_KILLS", "3"))  # more of them for a closer look


@pytest.mark.parametrize("delay_s", [0.1 + 0.8 * number / KILLS for number in range(KILLS)])
def test_interrupted_at_any_place_it_can_be_run_again(board, small, delay_s):
    """Killed with mpremote, as when the cable is pulled: no half firmware boots; the next run completes it."""
    board.exec("pass")
    (board.files / "main.py").write_bytes(MARK)  # an older firmware is on the board, and has booted
    board.mpremote("reset")
    board.wait_for("booted", "x")
    (board.files / "booted").unlink()
    process = subprocess.Popen(
        command(board, small), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if "files to copy" in line:
            break
    time.sleep(delay_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    if (board.files / "main.py").exists() and (board.files / "firmware").exists():
        assert_complete(board, small)  # half a firmware would boot
    run_flash(board, small)
    assert_complete(board, small)
    board.wait_for("booted", "x")


def test_interrupted_by_power_it_can_be_run_again(board, small):
    process = subprocess.Popen(
        command(board, small), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if "  1/" in line:
            break
    board.power_off()
    process.communicate(timeout=200)
    assert process.returncode == 2
    board.start()
    assert not (board.files / "main.py").exists()
    run_flash(board, small)
    assert_complete(board, small)


def fake_system(board, name: str, version: str, mpy: int) -> None:
    """The board says that it is another interpreter."""
    (board.files / "boot.py").write_text(
        f"import sys\nclass I:\n    name = {name!r}\n    version = {version}\n    _mpy = {mpy}\n"
        "class S:\n    implementation = I\n    platform = 'esp32'\nsys.modules['sys'] = S\nopen('up', 'w').close()\n"
    )
    board.power_off()
    board.start()
    board.wait_for("up")


@pytest.mark.parametrize(
    "name, version, mpy, words",
    [("micropython", "(1, 19, 1)", 0x2805, "cannot load .mpy 6.3"),
     ("micropython", "(1, 20, 0)", 0x2A06, "1.20.0 cannot"),
     ("circuitpython", "(9, 0, 0)", 0x2B06, "no MicroPython")],
)
def test_a_board_that_cannot_load_the_modules_is_refused(board, small, name, version, mpy, words):
    fake_system(board, name, version, mpy)
    assert words in run_flash(board, small, status=2)
    assert {path.name for path in board.files.iterdir()} == {"boot.py", "up"}


def test_an_image_for_another_processor_is_refused(board, tmp_path):
    folder = make_image(tmp_path / "image", {"main.py": MARK}, "xtensawin")
    assert "is for xtensawin, the board is x64" in run_flash(board, folder, status=2)


def test_no_image_is_one_line(board, tmp_path):
    assert "make image" in run_flash(board, tmp_path / "nothing", status=2)


def test_batches_keep_order_and_leave_main_alone():
    files = [{"path": f"f{number}", "bytes": 100_000} for number in range(7)] + [{"path": "main.py", "bytes": 10}]
    result = flash.batches(files)
    assert [file for batch in result for file in batch] == files
    assert [len(batch) for batch in result] == [2, 2, 2, 1, 1]


def test_the_real_firmware_is_flashed_and_boots(board):
    """The whole product: compiled, copied, and started on the real board file in the simulated home."""
    image.build(board.state.parent / "image", "x64")
    shutil.copytree(board.state.parent / "image" / "sound", board.files / "sound")  # 2 MB that need not be copied again
    output = run_flash(board)
    assert "verified on the board" in output
    said = listen(board, b"info zigbee: coordinator")
    assert b"warning board: no monitor" in said and b"Traceback" not in said


def listen(board, text: bytes, limit_s: float = 20) -> bytes:
    """What the board says until it says this."""
    port = os.open(board.link, os.O_RDWR | os.O_NOCTTY)
    said = b""
    deadline = time.monotonic() + limit_s
    while text not in said:
        assert time.monotonic() < deadline, said
        if select.select([port], [], [], 0.1)[0]:
            said += os.read(port, 4096)
    os.close(port)
    return said


def test_a_silent_port_says_what_to_do(silent_port):
    output, error = silent_port.communicate(timeout=60)
    assert silent_port.returncode == 2 and output == "" and error.count("\n") == 1 and "no answer" in error

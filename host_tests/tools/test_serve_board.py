"""A served board behaves as a board does, judged by the real mpremote."""

import subprocess
import sys
import time

import pytest
import serial
from served import ROOT, ServedBoard


@pytest.fixture
def board(tmp_path):
    served = ServedBoard(tmp_path)
    served.start()
    yield served
    served.power_off()


def test_files_go_both_ways(board, tmp_path):
    local = tmp_path / "a.txt"
    local.write_bytes(bytes(range(256)) * 20)
    board.mpremote("fs", "cp", str(local), ":/a.txt")
    assert (board.files / "a.txt").read_bytes() == local.read_bytes()
    assert "a.txt" in board.mpremote("fs", "ls", ":/")
    board.mpremote("fs", "cp", ":/a.txt", str(tmp_path / "b.txt"))
    assert (tmp_path / "b.txt").read_bytes() == local.read_bytes()
    board.mpremote("fs", "mkdir", ":/d", "+", "fs", "cp", str(local), ":/d/c")
    board.mpremote("fs", "rm", ":/a.txt", "+", "fs", "rm", ":/d/c", "+", "fs", "rmdir", ":/d")
    assert list(board.files.iterdir()) == []


def test_cat_run_and_eval(board, tmp_path):
    (board.files / "hello").write_text("안녕\n")
    assert board.mpremote("fs", "cat", ":hello") == "안녕\n"
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(sum(range(10)), sys.platform)\n")
    assert board.mpremote("run", str(script)).split()[0] == "45"
    assert board.mpremote("resume", "eval", "6 * 7").strip() == "42"


def test_the_hosts_files_are_out_of_reach(board):
    program = (
        "import os, sys\nprint(os.listdir('/'), os.getcwd(), sys.path)\n"
        "for name in ('/etc/passwd', 'tools/flash.py'):\n"
        " try:\n  open(name); print('open', name)\n except OSError: pass\n"
        "try:\n import hal_sim.run\n print('imported')\nexcept ImportError: pass"
    )
    assert board.exec(program).strip() == "[] / ['', '.frozen', '/lib']"


def test_soft_reset_from_the_raw_repl_runs_boot_but_not_main(board):
    (board.files / "boot.py").write_text("boot = 1\n")
    (board.files / "main.py").write_text("main = 1\n")
    assert board.mpremote("exec", "print('boot' in globals(), 'main' in globals())").strip() == "True False"
    board.exec("kept = 1")
    assert board.mpremote("resume", "exec", "print('kept' in globals())").strip() == "True"
    assert board.mpremote("soft-reset", "exec", "print('kept' in globals())").strip() == "False"


def test_control_d_runs_main_and_control_c_stops_it(board):
    (board.files / "main.py").write_text("import time\nprint('main runs')\nwhile True:\n    time.sleep(0.05)\n")
    with serial.Serial(str(board.link), 115200, timeout=5) as port:
        port.write(b"\x03\x04")
        assert port.read_until(b"MPY: soft reboot\r\n").endswith(b"MPY: soft reboot\r\n")
        assert port.read_until(b"main runs\n").endswith(b"main runs\n")
        port.write(b"\x03")
        text = port.read_until(b">>> ")
    assert b"KeyboardInterrupt" in text and text.endswith(b">>> ")
    assert board.exec("print('alive')").strip() == "alive"


def test_system_exit_from_main_is_a_soft_reset(board):
    board.power_off()  # before main.py is there: a board that is still starting would run it
    (board.files / "main.py").write_text(
        "import machine\nwith open('causes', 'a') as f:\n    f.write('%d ' % machine.reset_cause())\n"
        "if machine.reset_cause() == 1:\n    raise SystemExit\n"
    )
    board.start()
    assert board.wait_for("causes", "5").split() == ["1", "5"]


def test_rtc_memory_survives_a_reset_and_no_power_cut(board):
    (board.files / "main.py").write_text(
        "import machine\nwith open('boots', 'a') as f:\n"
        "    f.write('%d %s\\n' % (machine.reset_cause(), machine.RTC().memory()))\n"
    )
    board.exec("import machine; machine.RTC().memory(b'call')")
    board.mpremote("reset")
    board.wait_for("boots", "2 b'call'")
    board.mpremote("soft-reset", "resume", "exec", "import machine; print(machine.RTC().memory())")
    board.power_off()
    board.start()
    board.wait_for("boots", "1 b''")


@pytest.mark.parametrize(("label", "sector"), [("journal", 3), ("queue", 1023)])
def test_a_partition_survives_a_power_cut_as_flash_does(board, label, sector):
    find = (f"import esp32; p = esp32.Partition.find(esp32.Partition.TYPE_DATA, label='{label}')[0]; b = bytearray(2); "
            f"s = {sector}; ")
    board.exec(find + "p.ioctl(6, s); p.writeblocks(s, b'\\xf0\\x0f', 8); p.writeblocks(s, b'\\x3c\\x3c', 8)")
    board.power_off()
    board.start()
    assert board.exec(find + "p.readblocks(s, b, 8); print(b, p.info()[4])").strip() == rf"bytearray(b'0\x0c') {label}"
    assert board.exec(find + "p.readblocks(s, b, 10); print(b)").strip() == r"bytearray(b'\xff\xff')"
    assert board.exec("import esp32; print(esp32.Partition.find(1, label='nothing'))").strip() == "[]"


@pytest.mark.fault(86)
def test_a_watchdog_that_is_not_fed_restarts_the_board(board):
    (board.files / "main.py").write_text(
        "import machine, time\nif machine.reset_cause() == 3:\n    open('bitten', 'w').close()\n"
        "else:\n    machine.WDT(timeout=1000)\n    while True:\n        time.sleep_ms(50)\n"
    )
    start = time.monotonic()
    board.mpremote("reset")
    board.wait_for("bitten")
    assert 0.9 < time.monotonic() - start < 10


def test_a_longer_watchdog_replaces_the_running_one(board):
    program = "import machine, time; machine.WDT(timeout=500); machine.WDT(timeout=60000); time.sleep(1); print('ok')"
    assert board.exec(program).strip() == "ok"


@pytest.mark.parametrize("arguments", [[], ["port"]])
def test_what_is_missing_is_one_line(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "tools.serve_board", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "LINK=" in done.stderr


def test_a_file_is_never_replaced_by_the_link(tmp_path):
    (tmp_path / "port").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "tools.serve_board", str(tmp_path / "port"), str(tmp_path / "board")],
        cwd=ROOT, capture_output=True, text=True, timeout=30,
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert (tmp_path / "port").read_text() == "mine"


def test_no_interpreter_is_one_line(tmp_path):
    served = ServedBoard(tmp_path, {"MICROPYTHON": str(tmp_path / "nothing")})
    done = subprocess.run(
        [sys.executable, "-m", "tools.serve_board", str(served.link), str(served.files)],
        cwd=ROOT, capture_output=True, text=True, timeout=30, env={"MICROPYTHON": str(tmp_path / "nothing")},
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "MICROPYTHON" in done.stderr

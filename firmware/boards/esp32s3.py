"""The real board: an ESP32-S3-WROOM-1-N16R8 (16 MB flash, 8 MB octal PSRAM) with MicroPython 1.29.

Owns the choice of pins and how each peripheral is opened; the one file of the product that touches `machine` and
`esp32`. Must never contain product logic, never wait for a part, and never fail because an optional part does.
Wiring, levels and why these pins: docs/hardware.md. GPIO 26 to 37 belong to flash and PSRAM, 19 and 20 to USB.
"""

import json

import esp32
import machine
from machine import I2C, I2S, RTC, UART, WDT, Pin
from micropython import const

from firmware.boards.board import Board
from firmware.boards.console import Console
from firmware.boards.net import Net
from firmware.calendar import civil_from_days

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from firmware.boards.board import Stream

_CPU_HZ = const(240_000_000)  # the default is 160 MHz; the timings of the emergency path are planned at 240

_NCP_RESET = const(16)
_NCP_TX = const(17)
_NCP_RX = const(18)

_MODEM_TX = const(4)
_MODEM_RX = const(5)
_MODEM_RTS = const(6)
_MODEM_CTS = const(7)
_MODEM_PWRKEY = const(15)
_MODEM_RESET = const(21)
_MODEM_VBAT = const(2)

_BUTTON_119 = const(10)
_BUTTON_CENTRE = const(11)
_BUTTON_CALL = const(12)
_BUTTON_CANCEL = const(13)
_LAMP_119 = const(14)
_LAMP_CENTRE = const(3)  # strapping pins, see docs/hardware.md: their lamp drivers have pull-downs
_LAMP_CALL = const(46)
_LAMP_CANCEL = const(45)

_BEACON = const(47)
_SIREN = const(48)
_AMP_ENABLE = const(38)
_I2S_SCK = const(40)
_I2S_WS = const(41)
_I2S_SD = const(42)
_MAINS = const(1)
_I2C_SDA = const(8)
_I2C_SCL = const(9)

_UART_BAUD = const(115200)
_UART_RXBUF = const(10240)  # twice what arrives at 115200 during the worst flash erase (400 ms: 4.6 KB)
_UART_TXBUF = const(1024)
_SPEAKER_HZ = const(16000)
_SPEAKER_IBUF = const(2048)  # 64 ms of sound: silent well within 100 ms
_I2C_HZ = const(100_000)
_MONITOR_BUF = const(2048)
_WIFI_BYTES = const(512)
_JOURNAL_LABEL = "journal"  # boards/partitions-16MB.csv
_STORE_LABEL = "store"
_QUEUE_LABEL = "queue"
_WIFI_FILE = "/wifi.json"


def open_board() -> Board:
    """Open every bus. Raises only when a part fails without which there is no gateway (pins, UARTs)."""
    board = Board()
    machine.freq(_CPU_HZ)
    board.console = Console()
    board.reset_cause = _reset_cause()
    board.reset = machine.reset
    board.start_wdt = lambda timeout_ms: _start_wdt(board, timeout_ms)
    board.rtc = RTC()
    _open_emergency_pins(board)
    _open_lamps(board)
    _open_uarts(board)
    board.journal = _optional(board, "journal", lambda: _open_partition(_JOURNAL_LABEL))
    board.store = _optional(board, "store", lambda: _open_partition(_STORE_LABEL))
    board.speaker = _optional(board, "speaker", _open_speaker)
    board.i2c = _optional(board, "i2c", _open_i2c)
    board.monitor = _optional(board, "monitor", _open_monitor)
    board.queue = _optional(board, "queue", lambda: _open_partition(_QUEUE_LABEL))
    board.net = _optional(board, "network", _open_net)
    board.set_time = _set_time
    board.root = ""  # "" + "/settings.json"
    return board


def _reset_cause() -> str:
    """Why the controller started. MicroPython 1.29 reports a brown-out as power-on and a panic as a hard reset."""
    causes = {
        machine.PWRON_RESET: "power",
        machine.HARD_RESET: "reset",
        machine.WDT_RESET: "watchdog",
        machine.DEEPSLEEP_RESET: "deepsleep",
        machine.SOFT_RESET: "soft",
    }
    return causes.get(machine.reset_cause(), "unknown")


def _start_wdt(board: Board, timeout_ms: int) -> WDT:
    """From here on the controller restarts unless feed() is called in time; it cannot be stopped."""
    board.wdt = WDT(timeout=timeout_ms)
    return board.wdt


def _optional(board: Board, name: str, opener: "Callable[[], Any]") -> "Any":
    """What opener() returns, or None with a log line: the gateway goes on without the part."""
    try:
        return opener()
    except Exception as error:  # noqa: BLE001 - a part's file may say anything, and 119 must be there all the same
        board.console.write("warning board: no %s: %r\n" % (name, error))
        return None


def _open_emergency_pins(board: Board) -> None:
    """Buttons, mains, and what keeps the modem and the coprocessor as they are: a call may be up across a reset."""
    board.modem_vbat = Pin(_MODEM_VBAT, Pin.OUT, value=1)
    board.modem_reset = Pin(_MODEM_RESET, Pin.OUT, value=0)
    board.modem_pwrkey = Pin(_MODEM_PWRKEY, Pin.OUT, value=0)
    board.ncp_reset = Pin(_NCP_RESET, Pin.OUT, value=1)
    board.button_119 = Pin(_BUTTON_119, Pin.IN, Pin.PULL_UP)
    board.button_centre = Pin(_BUTTON_CENTRE, Pin.IN, Pin.PULL_UP)
    board.button_call = Pin(_BUTTON_CALL, Pin.IN, Pin.PULL_UP)
    board.button_cancel = Pin(_BUTTON_CANCEL, Pin.IN, Pin.PULL_UP)
    board.mains = Pin(_MAINS, Pin.IN)


def _open_lamps(board: Board) -> None:
    board.lamp_119 = Pin(_LAMP_119, Pin.OUT, value=0)
    board.lamp_centre = Pin(_LAMP_CENTRE, Pin.OUT, value=0)
    board.lamp_call = Pin(_LAMP_CALL, Pin.OUT, value=0)
    board.lamp_cancel = Pin(_LAMP_CANCEL, Pin.OUT, value=0)
    board.beacon = Pin(_BEACON, Pin.OUT, value=0)
    board.siren = Pin(_SIREN, Pin.OUT, value=0)
    board.amp_enable = Pin(_AMP_ENABLE, Pin.OUT, value=0)


def _open_uarts(board: Board) -> None:
    """Both links. The modem is throttled by our RTS; its own RTS (our CTS) is wired but not obeyed.

    On esp32 UART.write waits without limit while CTS holds a full transmit ring, and poll() says "writable" all the
    time: a hung modem would stop the whole interpreter, and with it the alarm. AT commands never fill the modem.
    """
    board.ncp_uart = UART(1, _UART_BAUD, tx=_NCP_TX, rx=_NCP_RX, rxbuf=_UART_RXBUF, txbuf=_UART_TXBUF)
    board.modem_uart = UART(
        2, _UART_BAUD, tx=_MODEM_TX, rx=_MODEM_RX, rts=_MODEM_RTS, cts=_MODEM_CTS,
        rxbuf=_UART_RXBUF, txbuf=_UART_TXBUF, flow=UART.RTS,
    )


def _open_partition(label: str) -> "esp32.Partition":
    """A partition of our own. Raises OSError when the partition table has none: docs/flashing.md."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    if not found:
        raise OSError("the partition table has no '%s'" % label)
    return found[0]


def _open_speaker() -> I2S:
    return I2S(
        0, sck=Pin(_I2S_SCK), ws=Pin(_I2S_WS), sd=Pin(_I2S_SD), mode=I2S.TX, bits=16, format=I2S.MONO,
        rate=_SPEAKER_HZ, ibuf=_SPEAKER_IBUF,
    )


def _open_i2c() -> I2C:
    return I2C(0, scl=Pin(_I2C_SCL), sda=Pin(_I2C_SDA), freq=_I2C_HZ)


def _open_net() -> "Net | None":
    """A wireless network, where /wifi.json names one: {"ssid": ..., "key": ...}. For the bench: the modem's PPP is not
    there yet. It is switched on when somebody first asks for it: a supply too weak for it must not end every start.
    """
    with open(_WIFI_FILE) as file:
        wifi = json.loads(file.read(_WIFI_BYTES))
    ssid, key = wifi["ssid"], wifi["key"]
    station: list = []

    def attached() -> bool:
        if not station:
            station.append(_join(ssid, key))
        return bool(station[0].isconnected())

    return Net(attached)


def _join(ssid: str, key: str) -> "Any":
    import network

    station = network.WLAN(network.WLAN.IF_STA)
    station.active(True)
    station.config(reconnects=-1)
    station.connect(ssid, key)
    return station


def _set_time(wall_s: int) -> None:
    """The system's time, s since 1970, UTC: mbedTLS judges certificates by it."""
    year, month, day = civil_from_days(wall_s // 86400)
    rest = wall_s % 86400
    RTC().datetime((year, month, day, 0, rest // 3600, rest // 60 % 60, rest % 60, 0))


def _open_monitor() -> "Stream | None":
    """The second USB serial port, when micropython-lib's usb-device-cdc is installed; otherwise ImportError.

    Opening it makes the host see the whole USB device go and come back.
    """
    import usb.device  # type: ignore[import-not-found]
    from usb.device.cdc import CDCInterface  # type: ignore[import-not-found]

    port = CDCInterface(timeout=0, txbuf=_MONITOR_BUF, rxbuf=_MONITOR_BUF)
    usb.device.get().init(port, builtin_driver=True)
    return port

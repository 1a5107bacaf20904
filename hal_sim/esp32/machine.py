"""The simulated board's `machine`: the constructors of MicroPython's esp32 port, answered with the simulated buses.

Owns the wiring: which GPIO and which pins of a bus lead to which part, as docs/hardware.md has it, on its own account:
a board file that opens other pins finds nothing at their ends. Refuses GPIOs an ESP32-S3-WROOM-1-N16R8 does not have to
give. Must never know the firmware.
"""

import sys

import board_end
from micropython import const

from hal_sim.bus.pin import Pin as _SimPin
from hal_sim.bus.rtc import RTC as _SimRTC
from hal_sim.bus.uart import UART as _SimUART
from hal_sim.bus.wdt import WDT as _SimWDT
from hal_sim.ends import BoardReset

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

    from hal_sim.board import SimBoard

PWRON_RESET = const(1)
HARD_RESET = const(2)
WDT_RESET = const(3)
DEEPSLEEP_RESET = const(4)
SOFT_RESET = const(5)
_CAUSES = {"power": PWRON_RESET, "reset": HARD_RESET, "watchdog": WDT_RESET, "soft": SOFT_RESET}
_FREQUENCIES = (20000000, 40000000, 80000000, 160000000, 240000000)

PINS = {
    1: "mains", 2: "modem_vbat", 15: "modem_pwrkey", 21: "modem_reset", 16: "ncp_reset",
    10: "button_119", 11: "button_centre", 12: "button_call", 13: "button_cancel",
    14: "lamp_119", 3: "lamp_centre", 46: "lamp_call", 45: "lamp_cancel",
    47: "beacon", 48: "siren", 38: "amp_enable",
}
UARTS = {(1, 17, 18): "ncp_uart", (2, 4, 5): "modem_uart"}  # number, tx, rx
MODEM_FLOW = (6, 7)  # rts, cts
SPEAKER = (0, 40, 41, 42)  # number, sck, ws, sd
I2C_BUS = (0, 9, 8)  # number, scl, sda
_NOT_THERE = (22, 23, 24, 25)
_TAKEN = tuple(range(26, 38)) + (19, 20)  # flash and PSRAM, USB

parts: "Any" = None  # the SimBoard whose bus objects are handed out
_state = {"freq": 160000000, "wdt": None}
_numbers: list = []  # (pin object, its GPIO)


def attach(board: "SimBoard | None") -> None:
    """From now on the constructors answer with this SimBoard's parts."""
    global parts
    parts = board


def number_of(pin: "Any") -> int:
    """GPIO of a pin object or a number. Raises ValueError for what the module does not bring out."""
    for known, number in _numbers:
        if known is pin:
            return number
    if not isinstance(pin, int) or not 0 <= pin <= 48 or pin in _NOT_THERE or pin in _TAKEN:
        raise ValueError("invalid pin")
    return pin


class _PinMaker:
    """`Pin(...)`: the pin that is wired to this GPIO, or one with nothing at its end."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_UP, PULL_DOWN = 2, 1
    IRQ_RISING, IRQ_FALLING = _SimPin.IRQ_RISING, _SimPin.IRQ_FALLING

    def __call__(self, gpio: "Any", mode: int = -1, pull: int = -1, value: "int | None" = None) -> _SimPin:
        number = number_of(gpio)
        pin = self._wired(number)
        if value is not None:
            pin.value(value)
        return pin

    def _wired(self, number: int) -> _SimPin:
        for pin, known in _numbers:
            if known == number:
                return pin
        pin = getattr(parts, PINS[number]) if number in PINS else _SimPin(1)
        _numbers.append((pin, number))
        return pin


Pin = _PinMaker()


class _UartMaker:
    RTS, CTS = 1, 2
    INV_TX, INV_RX = 32, 4

    def __call__(
        self, number: int, baudrate: int = 9600, tx: "Any" = -1, rx: "Any" = -1, rts: "Any" = -1, cts: "Any" = -1,
        rxbuf: int = 256, txbuf: int = 256, flow: int = 0,
    ) -> _SimUART:
        if number not in (0, 1, 2):
            raise ValueError("UART(%d) doesn't exist" % number)
        name = UARTS.get((number, number_of(tx), number_of(rx)))
        if name == "modem_uart" and flow and (number_of(rts), number_of(cts)) != MODEM_FLOW:
            name = None
        uart = getattr(parts, name) if name else _SimUART(parts.sched)
        uart.init(baudrate)
        return uart


UART = _UartMaker()


class _I2SMaker:
    TX, RX, MONO, STEREO = 2, 1, 0, 1

    def __call__(
        self, number: int, sck: "Any", ws: "Any", sd: "Any", mode: int, bits: int, format: int, rate: int, ibuf: int
    ) -> "Any":
        if mode != self.TX or bits not in (16, 32) or format not in (self.MONO, self.STEREO):
            raise ValueError("invalid mode, bits or format")
        heard = (number, number_of(sck), number_of(ws), number_of(sd)) == SPEAKER
        if not heard or (bits, format, rate) != (16, self.MONO, 16000):
            raise OSError(19)  # the simulated loudspeaker understands 16 kHz, 16 bit, mono, on its own pins only
        return parts.speaker


I2S = _I2SMaker()


def I2C(number: int, scl: "Any", sda: "Any", freq: int = 400000, timeout: int = 50000) -> "Any":
    """The bus with the clock chip, or OSError when other pins are named."""
    if (number, number_of(scl), number_of(sda)) != I2C_BUS:
        raise OSError(19)
    return parts.i2c


class RTC(_SimRTC):
    """RTC memory survives every reset, kept in a file the moment it is written."""

    _cells_all = [b"" if board_end.CAUSE == "power" else board_end.load("rtc.bin")]

    def __init__(self) -> None:
        super().__init__(RTC._cells_all)

    def memory(self, data: "Any" = None) -> "bytes | None":
        result = super().memory(data)
        if data is not None:
            board_end.keep("rtc.bin", self._cells[0])
        return result


class _Watchdog(_SimWDT):
    """Ends the interpreter when it is not fed, even while the REPL runs something."""

    def _check(self) -> None:
        try:
            super()._check()
        except BoardReset:
            board_end.end("watchdog")


def WDT(id: int = 0, timeout: int = 5000) -> _Watchdog:
    """Starts the watchdog; a running one gets the new timeout, as on esp32."""
    if id != 0 or timeout <= 0:
        raise ValueError("WDT timeout too short")
    if _state["wdt"] is not None:
        _state["wdt"].stop()
    _state["wdt"] = _Watchdog(parts.sched, timeout)
    return _state["wdt"]


def freq(hz: int = 0) -> "int | None":
    """The processor's clock in Hz, or set it."""
    if not hz:
        return _state["freq"]
    if hz not in _FREQUENCIES:
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _state["freq"] = hz
    return None


def reset_cause() -> int:
    return _CAUSES.get(board_end.CAUSE, 0)


def reset() -> None:
    board_end.end("reset")


def soft_reset() -> None:
    sys.exit()


def unique_id() -> bytes:
    return b"\x24\x6f\x28\x00\x00\x01"


def idle() -> None:
    pass

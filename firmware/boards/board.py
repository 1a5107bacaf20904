"""The seam between the product and the hardware: a plain holder of opened bus objects.

Owns nothing but the names. A board file such as `esp32s3.py` fills it; drivers are handed its
attributes one by one. Must never import `machine`, open anything, or decide anything.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from esp32 import Partition
    from machine import I2C, I2S, RTC, UART, WDT, Pin

    class Stream(Protocol):
        """A byte stream: None from readinto or write means that it would have to wait."""

        def readinto(self, buf: bytearray | memoryview) -> int | None: ...
        def write(self, buf: bytes | bytearray | memoryview) -> int | None: ...
        def ioctl(self, request: int, arg: int) -> int: ...

    class Net(Protocol):
        """The data network, and connections over it. Nothing here waits."""

        def ready(self) -> bool:
            """A network is attached."""

        def resolve(self, host: str, port: int, found: Callable[[list], Any]) -> None:
            """found(addresses) is called later, or at once; with [] when the name has none."""

        def open(self, address: Any) -> Any:
            """A socket that begins to connect: a stream that can be waited on, with close(). OSError."""

    class Console(Protocol):
        """Where log lines go."""

        def write(self, text: str) -> Any: ...


class Board:
    """What `open_board()` returns; docs/architecture.md has the table with the meaning of each level.

    `None` means that the part is not there: the firmware goes on without it. `ncp_uart`, `modem_uart` and the
    buttons are always there, because without them there is no gateway.
    """

    ncp_uart: "UART"
    ncp_reset: "Pin"  # out, 0 = the coprocessor is held in reset

    modem_uart: "UART"
    modem_reset: "Pin"  # out, 1 = asserted, through a transistor
    modem_pwrkey: "Pin"  # out, 1 = pressed, through a transistor
    modem_vbat: "Pin"  # out, 1 = the modem has its supply

    button_119: "Pin"  # in, 0 = pressed
    button_centre: "Pin"
    button_call: "Pin"
    button_cancel: "Pin"
    lamp_119: "Pin"  # out, 1 = lit
    lamp_centre: "Pin"
    lamp_call: "Pin"
    lamp_cancel: "Pin"

    beacon: "Pin"  # out, 1 = flashing
    siren: "Pin"  # out, 1 = sounding
    amp_enable: "Pin"  # out, 1 = the amplifier plays
    speaker: "I2S | None"  # mono, 16 bit, 16 kHz
    mains: "Pin"  # in, 1 = mains present

    i2c: "I2C | None"  # PCF8563 at 0x51
    rtc: "RTC"  # memory() survives a reset, not a power cut
    journal: "Partition | None"  # 4 KB sectors; None: the journal lives in RTC memory alone
    store: "Partition | None"  # registry, network backup, settings; 4 KB sectors; None: nothing outlives a reset
    wdt: "WDT | None"  # None until start_wdt(timeout_ms)

    monitor: "Stream | None"  # JSON lines to and from the attached monitor
    queue: "Partition | None"  # records on their way to the relay; 4 KB sectors; None: they are in memory
    net: "Net | None"  # the way into the internet; None: there is none
    set_time: "Callable[[int], Any] | None"  # s since 1970: what the system takes for time, and TLS judges by
    console: "Console"  # log lines, `level text`

    root: str  # folder of settings.json, sensors.json and sound/; root + "/settings.json" is a path
    reset_cause: str  # "power" (a brown-out too), "reset", "watchdog", "deepsleep", "soft" or "unknown"

    start_wdt: "Callable[[int], WDT]"  # timeout in ms; sets wdt; a watchdog cannot be stopped again
    reset: "Callable[[], None]"  # restart the controller; does not return on the board

    def __init__(self) -> None:
        self.speaker = None
        self.i2c = None
        self.journal = None
        self.store = None
        self.wdt = None
        self.monitor = None
        self.queue = None
        self.net = None
        self.set_time = None
        self.root = ""
        self.reset_cause = "unknown"

"""The simulated board: one per boot of the controller, its bus objects wired to the chips of the home.

Owns what a reset makes new: pins, UART buffers, streams, the watchdog. Must never know the firmware.
"""

from hal_sim.bus.i2c import I2C
from hal_sim.bus.i2s import I2S
from hal_sim.bus.partition import Partition
from hal_sim.bus.pin import Pin
from hal_sim.bus.rtc import RTC
from hal_sim.bus.stream import Stream
from hal_sim.bus.uart import UART
from hal_sim.bus.wdt import WDT
from hal_sim.ends import BoardReset
from hal_sim.pcf8563 import ADDRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from hal_sim.home import Home

BUTTONS = ("119", "centre", "call", "cancel")


class Console:
    """Log lines `level text` become timeline lines."""

    def __init__(self, emit: "Callable[..., None]") -> None:
        self._emit = emit
        self._held = ""

    def write(self, text: str) -> None:
        self._held += text
        while "\n" in self._held:
            line, self._held = self._held.split("\n", 1)
            level, _, rest = line.partition(" ")
            self._emit("log", level=level, text=rest)


class SimBoard:
    """The attributes of the firmware's Board, opened on a Home; `cause` is why the controller starts."""

    def __init__(self, home: "Home", cause: str) -> None:
        self._home = home
        self.reset_cause = cause
        self.root = home.root
        self._open_chips(home)
        self._open_front(home)
        self.rtc = RTC(home.rtc_cells)
        self.journal = Partition(home.flash, home.block)
        self.store = Partition(home.store_flash, home.block)
        self.queue = Partition(home.queue_flash, home.block)
        self.i2c = I2C({ADDRESS: home.clock_chip})
        self.mains = Pin(1 if home.mains else 0)
        self.monitor = Stream(home.sched)
        home.monitor.attach(self.monitor)
        self.net = home.net
        self.set_time = None  # the system's time is the computer's
        self.console = Console(home.emit)
        self.wdt: WDT | None = None

    def _open_chips(self, home: "Home") -> None:
        self.ncp_uart = UART(home.sched)
        self.ncp_uart.peer = home.ncp
        home.ncp.send = self.ncp_uart.deliver
        self.ncp_reset = Pin(1, lambda level: home.ncp.set_reset(not level))
        self.modem_uart = UART(home.sched)
        self.modem_uart.peer = home.modem
        home.modem.send = self.modem_uart.deliver
        self.modem_reset = Pin(0, home.modem.set_reset)
        self.modem_pwrkey = Pin(0, home.modem.set_pwrkey)
        self.modem_vbat = Pin(1, home.modem.set_vbat)

    def _open_front(self, home: "Home") -> None:
        for name in BUTTONS:
            setattr(self, "button_" + name, Pin(1))
            setattr(self, "lamp_" + name, Pin(0, home.lamp_watch(name)))
        self.beacon = Pin(0, home.beacon_watch("light"))
        self.siren = Pin(0, home.beacon_watch("sound"))
        self.amp_enable = Pin(0, home.room_speaker.set_amp)
        self.speaker = I2S(home.sched, home.room_speaker)

    def start_wdt(self, timeout_ms: int) -> WDT:
        wdt = self.wdt = WDT(self._home.sched, timeout_ms)
        return wdt

    def reset(self) -> None:
        raise BoardReset("reset")

    def close(self) -> None:
        """The controller stops: nothing of this boot acts on the world any more."""
        if self.wdt is not None:
            self.wdt.stop()
        for uart in (self.ncp_uart, self.modem_uart):
            uart.peer = None
        self.monitor.up = False
        self.monitor.peer = None
        self._home.net.lose()  # nobody says goodbye: the far end finds out by itself
        self.speaker.close()

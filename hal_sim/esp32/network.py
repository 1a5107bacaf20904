"""The simulated board's `network`: a wireless station that is told its network and is not connected to anything.

Owns nothing. The served board reaches no internet.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any


class WLAN:
    """network.WLAN as far as the board file uses it; `last` is the one that was opened."""

    IF_STA = 0
    last: "Any" = None

    def __init__(self, interface: int) -> None:
        self.interface = interface
        self.on = False
        self.options: dict = {}
        self.joined: tuple = ()
        WLAN.last = self

    def active(self, on: bool) -> None:
        self.on = on

    def config(self, **options: "Any") -> None:
        self.options.update(options)

    def connect(self, ssid: str, key: str) -> None:
        self.joined = (ssid, key)

    def isconnected(self) -> bool:
        return False

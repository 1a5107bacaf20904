"""One attempt to reach one number: what is known of it.

Owns the facts of the attempt and what follows from a +CLCC list for them. No I/O, no waiting; one object serves every
attempt, so that nothing is allocated for one.
"""

from micropython import const

from drivers import eg25
from firmware.numbers import significant

ALERT_LIMIT_MS = const(60000)  # fault 54: longer is no answer
_SETUP_LIMIT_MS = const(75000)  # from ATD when the far end was never heard to ring
_GONE_POLLS = const(2)  # empty lists in a row before a call is believed to be over

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any


class Attempt:
    """`active` from begin() to the one CALL_ENDED."""

    def __init__(self) -> None:
        self.active = False
        self.number = ""
        self.may_dial = True
        self.placed = False
        self.dialled_ms = 0
        self.ringing_ms = 0
        self.ringing = False
        self.answered = False
        self.gone = 0
        self.clearing = 0
        self.tries = 0
        self.deaf_ms = 0  # since when the modem has not answered, 0: it does

    def begin(self, number: str, may_dial: bool) -> None:
        self.number = number
        self.may_dial = may_dial
        self.placed = self.ringing = self.answered = False
        self.dialled_ms = self.ringing_ms = 0
        self.gone = self.clearing = self.tries = self.deaf_ms = 0
        self.active = True

    def find(self, calls: list) -> "tuple | None":
        """Our call among those of the modem: the same number, or, once dialled, whatever outgoing call there is."""
        wanted = significant(self.number)
        for call in calls:
            if not call[1] and significant(call[3]) == wanted:
                return call
        if self.placed:
            for call in calls:
                if not call[1]:
                    return call
        return None

    def overdue(self, now_ms: int) -> bool:
        """It rings for too long, or never came so far."""
        if self.answered or not self.placed:
            return False
        if self.ringing:
            return now_ms - self.ringing_ms >= ALERT_LIMIT_MS
        return now_ms - self.dialled_ms >= _SETUP_LIMIT_MS

    def vanished(self) -> bool:
        """Another list without our call. True: it is over."""
        self.gone += 1
        return self.gone >= _GONE_POLLS

    def see(self, state: int, now_ms: int, tell: "Any") -> None:
        """Our call is in `state`; tell(event) what is new by it."""
        self.gone = 0
        if state == eg25.ALERTING and not self.ringing:
            self.ringing = True
            self.ringing_ms = now_ms
            tell(1)
        elif state in (eg25.ACTIVE, eg25.HELD) and not self.answered:
            self.answered = True
            tell(2)

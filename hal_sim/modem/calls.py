"""The calls of the simulated modem and the people at the other end of the line.

Owns the call list as +CLCC shows it and what the far end does. Must never write to the UART but through the chip.
Sources: 3GPP TS 27.007 7.18 (+CLCC), TS 24.008 10.5.4.11 (causes), AT Commands Manual 7.16, 7.21.
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from hal_sim.modem.chip import ModemChip

ACTIVE = const(0)
HELD = const(1)
DIALING = const(2)
ALERTING = const(3)
INCOMING = const(4)
WAITING = const(5)

_ALERT_AFTER_MS = const(400)
_ANSWER_AFTER_MS = const(3000)
_NO_SERVICE_MS = const(500)
_NETWORK_GIVES_UP_MS = const(120000)  # longer than any limit of the firmware
_RING_EVERY_MS = const(4000)
_CALLER_GIVES_UP_MS = const(40000)
_EMERGENCY = ("119", "112", "110", "118", "911", "999", "000", "08", "00")
_DSCI = {"ringing": 7, "answered": 3, "ended": 6, "failed": 6}  # states of ^DSCI (manual 7.23)
_REPLIES = ("answer", "busy", "no_answer", "drop")


class _Call:
    def __init__(self, ident: int, incoming: bool, state: int, number: str) -> None:
        self.ident = ident
        self.incoming = incoming
        self.state = state
        self.number = number
        self.answered = False


class Calls:
    """`dial`, `answer`, `release` are the module's side; `set_line`, `call_in`, `far_end_hung_up` the network's."""

    def __init__(self, chip: "ModemChip") -> None:
        self._chip = chip
        self.list: list = []
        self.cause = 0  # of the last release, TS 24.008
        self.waiting_on = True  # call waiting, a setting of the subscription
        self._reply = "answer"
        self._after_ms: int | None = None

    def set_line(self, reply: str, after_ms: "int | None" = None) -> None:
        """Stays until changed. An answer also takes the call that rings already: a person picks up."""
        if reply not in _REPLIES:
            raise ValueError("unknown line reply: " + str(reply))
        self._reply = reply
        self._after_ms = after_ms
        if reply != "answer":
            return
        for call in self.list:
            if call.state in (DIALING, ALERTING):
                self._chip.later(_ANSWER_AFTER_MS if after_ms is None else after_ms, self._answered, call)

    # --- outgoing ----------------------------------------------------------------------------------------------

    def may_dial(self, number: str) -> bool:
        return (self._chip.sim and not self._chip.locked) or number in _EMERGENCY

    def dial(self, number: str) -> None:
        """ATD was accepted."""
        chip = self._chip
        chip.emit("dial", number=number)
        for other in self.list:
            if other.state == ACTIVE:
                other.state = HELD
        call = _Call(self._free_ident(), False, DIALING, number)
        self.list.append(call)
        if not chip.voice:
            chip.later(_NO_SERVICE_MS, self._end, call, "NO CARRIER", "network", 0)
            return
        chip.later(_ALERT_AFTER_MS, self._alert, call)
        after = self._after_ms
        if self._reply == "answer":
            chip.later(_ANSWER_AFTER_MS if after is None else after, self._answered, call)
        elif self._reply == "busy":
            chip.later(2000 if after is None else after, self._end, call, "BUSY", "busy", 17)
        elif self._reply == "no_answer":
            chip.later(_NETWORK_GIVES_UP_MS, self._end, call, "NO ANSWER", "no_answer", 19)
        else:
            chip.later(_ANSWER_AFTER_MS, self._answered, call)
            chip.later(_ANSWER_AFTER_MS + (3000 if after is None else after), self._end, call, "NO CARRIER", "drop", 41)

    def _alert(self, call: _Call) -> None:
        if call.state == DIALING and call in self.list:
            call.state = ALERTING
            self._tell(call, "ringing", None)

    def _answered(self, call: _Call) -> None:
        if call in self.list and call.state in (DIALING, ALERTING):
            call.state = ACTIVE
            call.answered = True
            self._tell(call, "answered", None)

    # --- incoming ----------------------------------------------------------------------------------------------

    def call_in(self, number: str) -> None:
        chip = self._chip
        call = _Call(self._free_ident(), True, INCOMING, number)
        if not (chip.on and chip.sim and chip.voice) or (self.list and not self.waiting_on):
            self._tell(call, "failed", "busy" if self.list else "network")
            return
        call.state = WAITING if self.list else INCOMING
        self.list.append(call)
        self._tell(call, "ringing", None)
        self._ring(call)
        chip.later(_CALLER_GIVES_UP_MS, self._caller_gives_up, call)

    def _ring(self, call: _Call) -> None:
        if call not in self.list or call.state not in (INCOMING, WAITING):
            return
        self._chip.at.ring(call.number, call.state == WAITING)
        if call.state == INCOMING:
            self._chip.later(_RING_EVERY_MS, self._ring, call)

    def _caller_gives_up(self, call: _Call) -> None:
        if call in self.list and not call.answered:
            self._end(call, "NO CARRIER", "no_answer", 16)

    def answer(self) -> bool:
        """ATA. False: nothing rings."""
        for call in self.list:
            if call.state == INCOMING:
                call.state = ACTIVE
                call.answered = True
                self._tell(call, "answered", None)
                return True
        return False

    # --- endings -----------------------------------------------------------------------------------------------

    def release(self, states: "tuple | None" = None, ident: int = 0) -> bool:
        """The module ends calls in `states` (None: any), or the one with `ident`. False: there was none."""
        picked = [c for c in self.list if (states is None or c.state in states) and ident in (0, c.ident)]
        for call in picked:
            self._end(call, None, "hung_up", 16)
        return bool(picked)

    def far_end_hung_up(self) -> None:
        for call in list(self.list):
            self._end(call, "NO CARRIER", "far_end", 16)

    def network_lost(self) -> None:
        for call in list(self.list):
            self._end(call, "NO CARRIER", "network", 38)

    def lost(self, cause: str) -> None:
        """The module went down under its calls."""
        for call in list(self.list):
            self._end(call, None, cause, 0)

    def _end(self, call: _Call, result: "str | None", cause: str, code: int) -> None:
        if call not in self.list:
            return
        self.list.remove(call)
        self.cause = code
        if len(self.list) == 1 and self.list[0].state == WAITING:
            self.list[0].state = INCOMING
            self._chip.later(_RING_EVERY_MS, self._ring, self.list[0])
        self._chip.files.call_ended(bool(self.active()))
        self._tell(call, "ended" if call.answered else "failed", cause)
        if result is not None:
            self._chip.at.unsolicited_result(result)

    # --- helpers -----------------------------------------------------------------------------------------------

    def active(self) -> "_Call | None":
        for call in self.list:
            if call.state == ACTIVE:
                return call
        return None

    def _free_ident(self) -> int:
        ident = 2 if self._chip.session else 1  # the packet session is listed first
        while any(c.ident == ident for c in self.list):
            ident += 1
        return ident

    def _tell(self, call: _Call, state: str, cause: "str | None") -> None:
        fields = {"state": state, "number": call.number}
        if cause is not None:
            fields["cause"] = cause
        if call.incoming:
            fields["dir"] = "in"
        self._chip.emit("call", **fields)
        self._chip.at.call_changed(call.ident, call.incoming, _DSCI[state], call.number)

    def lines(self) -> list:
        """+CLCC; a packet session shows up as a data call on LTE (manual 7.16, example)."""
        out = ['+CLCC: 1,0,0,1,0,"",128'] if self._chip.session else []
        for call in self.list:
            kind = 145 if call.number.startswith("+") else 129
            out.append('+CLCC: %d,%d,%d,0,0,"%s",%d' % (
                call.ident, 1 if call.incoming else 0, call.state, call.number, kind))
        return out

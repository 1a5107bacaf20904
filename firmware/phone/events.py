"""What the phone tells its sink, as small integers, and why calls end.

Owns the numbers only. Sources and triggers have theirs in `firmware.emergency.events`.
"""

from micropython import const

CALL_PLACED = const(16)  # ATD was accepted, or the call was found after a reset
CALL_RINGING = const(17)
CALL_ANSWERED = const(18)
CALL_ENDED = const(19)  # arg: a cause below; exactly one an attempt
REPORT_DONE = const(20)  # arg: 0 played to its end, 1 not
CALL_ALIVE = const(21)  # a look at +CLCC just now showed the answered call

BUSY = const(1)
NO_ANSWER = const(2)
NO_CARRIER = const(3)  # released by the far end or the network; also when nobody said why
NETWORK = const(4)  # no voice network to place it in
MODEM_RESET = const(5)  # the modem restarted under the call
HUNG_UP = const(6)  # by hang_up() or another call(): never the far end's doing
FAILED = const(7)  # the modem refused to dial
REFUSED = const(8)  # the dialler refused the number

_TEXTS = ("", "busy", "no_answer", "no_carrier", "network", "modem_reset", "hung_up", "failed", "refused")


def cause_text(cause: int) -> str:
    """The cause as records name it; "unknown" for any other number."""
    return _TEXTS[cause] if 0 < cause < len(_TEXTS) else "unknown"

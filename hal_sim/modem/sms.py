"""Sending short messages from the simulated modem: the prompt of +CMGS, text and PDU.

Owns the message being entered. Must never write to the UART but through the chip.
Sources: 3GPP TS 27.005 3.5.1, TS 23.040 9.2.2.2 (SMS-SUBMIT), TS 23.038 6.2.1 (7 bit default alphabet).
"""

from micropython import const

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from hal_sim.modem.chip import ModemChip

_CTRL_Z = const(0x1A)
_ESC = const(0x1B)
_LIMIT_BYTES = const(2048)
_GSM = (
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5\u0394_\u03a6\u0393\u039b\u03a9\u03a0"
    "\u03a8\u03a3\u0398\u039e\x1b\u00c6\u00e6\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?\u00a1"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7\u00bfabcdefghijklmnopqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
)


def _digits(data: bytes, count: int) -> str:
    out = ""
    for byte in data:
        out += "%x%x" % (byte & 15, byte >> 4)
    return out[:count]


def _septets(data: bytes, count: int, fill: int) -> str:
    """7-bit characters, packed little end first, after `fill` bits."""
    text = ""
    for index in range(count):
        bit = fill + index * 7
        pair = data[bit // 8] | (data[bit // 8 + 1] << 8 if bit // 8 + 1 < len(data) else 0)
        text += _GSM[(pair >> (bit % 8)) & 0x7F]
    return text


def _utf16(data: bytes) -> str:
    out = ""
    index = 0
    while index + 1 < len(data):
        unit = (data[index] << 8) | data[index + 1]
        index += 2
        if 0xD800 <= unit < 0xDC00 and index + 1 < len(data):
            unit = 0x10000 + ((unit & 0x3FF) << 10) + (((data[index] << 8) | data[index + 1]) & 0x3FF)
            index += 2
        out += chr(unit)
    return out


def decode_submit(pdu: bytes) -> tuple:
    """(number, text) of an SMS-SUBMIT with its service centre prefix. ValueError or IndexError: it is not one."""
    at = 1 + pdu[0]
    first = pdu[at]
    if first & 3 != 1:
        raise ValueError("not an SMS-SUBMIT")
    length = pdu[at + 2]
    kind = pdu[at + 3]
    at += 4
    number = _digits(pdu[at:at + (length + 1) // 2], length)
    if kind & 0x70 == 0x10:
        number = "+" + number
    at += (length + 1) // 2
    coding = pdu[at + 1]
    at += 2 + (0, 7, 1, 7)[(first >> 3) & 3]
    count = pdu[at]
    body = pdu[at + 1:]
    header = body[0] + 1 if first & 0x40 else 0
    if coding & 0x0C == 8:
        return number, _utf16(body[header:count])
    skip = (header * 8 + 6) // 7  # the header takes whole septets
    return number, _septets(body, count - skip, skip * 7)


class Sms:
    """begin() after AT+CMGS; take() every byte until Ctrl-Z or ESC."""

    def __init__(self, chip: "ModemChip") -> None:
        self._chip = chip
        self._text = bytearray()
        self._number: str | None = None  # None: PDU mode
        self._reference = 0

    def begin(self, number: "str | None") -> None:
        self._number = number
        self._text = bytearray()

    def take(self, byte: int) -> None:
        chip = self._chip
        if byte == _ESC:
            chip.enter(0)
            chip.at.answer_later([], "OK")
        elif byte == _CTRL_Z:
            chip.enter(0)
            self._submit()
        elif len(self._text) < _LIMIT_BYTES:
            self._text.append(byte)

    def _submit(self) -> None:
        chip = self._chip
        try:
            if self._number is None:
                text = bytes(self._text).decode().strip()
                number, said = decode_submit(bytes([int(text[i:i + 2], 16) for i in range(0, len(text), 2)]))
            else:
                number, said = self._number, bytes(self._text).decode().strip()
        except (ValueError, IndexError):
            chip.at.message_error(304)
            return
        if not chip.sim or not chip.voice:
            chip.at.message_error(310 if not chip.sim else 331)
            return
        self._reference = (self._reference + 1) & 255
        chip.emit("sms", to=number, text=said)
        chip.at.answer_later(["+CMGS: %d" % self._reference], "OK", delay_ms=1500)

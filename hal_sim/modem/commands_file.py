"""AT commands of the simulated modem: the file store and playing into a call.

Owns the table only; see commands_general for the form.
Sources: EC2x&EG25-G FILE AT Commands Manual V1.0 chapter 2; AT Commands Manual V2.0 12.18 (QPSND).
"""

from micropython import const

from hal_sim.modem.commands_general import split

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from hal_sim.modem.chip import ModemChip

UPLOAD = 3
_BLOCK_BYTES = 10240  # largest of QFWRITE and QFREAD, and what they take when no length is given


def _name(text: str) -> str:
    return text[4:] if text.upper().startswith("UFS:") else text


def _qflst(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return [] if operation == "=?" else chip.files.listing(_name(split(arguments)[0]) if arguments else "")


def _qflds(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    return [] if operation == "=?" else ["+QFLDS: " + chip.files.space()]


def _qfdel(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=":
        chip.files.delete(_name(split(arguments)[0]))
    return []


def _qfupl(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation != "=":
        return []
    parts = split(arguments)
    count = int(parts[1]) if len(parts) > 1 else _BLOCK_BYTES
    chip.files.begin_upload(_name(parts[0]), count, int(parts[2]) if len(parts) > 2 else 5)
    chip.at.connect_later(UPLOAD)
    return None


def _qfopen(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "?":
        return chip.files.opened()
    if operation != "=":
        return []
    parts = split(arguments)
    return ["+QFOPEN: %d" % chip.files.open(_name(parts[0]), int(parts[1]) if len(parts) > 1 else 0)]


def _qfclose(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=":
        chip.files.close(int(arguments))
    return []


def _qfseek(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=":
        parts = split(arguments)
        chip.files.seek(int(parts[0]), int(parts[1]))
    return []


def _qfwrite(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation != "=":
        return []
    parts = split(arguments)
    count = int(parts[1]) if len(parts) > 1 else _BLOCK_BYTES
    chip.files.begin_write(int(parts[0]), count, int(parts[2]) if len(parts) > 2 else 5)
    chip.at.connect_later(UPLOAD)
    return None


def _qfread(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation != "=":
        return []
    parts = split(arguments)
    data = chip.files.read(int(parts[0]), min(int(parts[1]) if len(parts) > 1 else _BLOCK_BYTES, _BLOCK_BYTES))
    chip.later(chip.latency_ms, chip.write, b"\r\nCONNECT %d\r\n" % len(data) + data)
    chip.at.answer_later([], "OK")
    return None


def _qpsnd(chip: "ModemChip", operation: str, arguments: str) -> "list | str | None":
    if operation == "=?":
        return ['+QPSND: (0,1),"filename",(0,1),(0,1),(0,1)']
    if operation == "?":
        return ["+QPSND: %d" % chip.files.playing]
    parts = split(arguments)
    if parts[0] == "0":
        chip.files.stop()
        return []
    chip.files.play(_name(parts[1]), len(parts) > 3 and parts[3] == "1")
    return []


TABLE: dict = {
    "+QFLST": _qflst, "+QFLDS": _qflds, "+QFDEL": _qfdel, "+QFUPL": _qfupl, "+QFOPEN": _qfopen, "+QFCLOSE": _qfclose,
    "+QFSEEK": _qfseek, "+QFWRITE": _qfwrite, "+QFREAD": _qfread, "+QPSND": _qpsnd,
}

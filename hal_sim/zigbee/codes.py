"""Install codes: a link key from the code that is printed on a device.

Owns a small AES-128 of its own (FIPS-197, encryption only), so that the simulator needs no library under either Python
and judges the product's arithmetic with another. Loaded only when somebody has a code. Must never be taken for the
product's: it is slow.
"""

_BLOCK = 16
_ROUNDS = 10
_CODE_BYTES = (6, 8, 12, 16)  # without the checksum
_box = bytearray()


def _double(value: int) -> int:
    value <<= 1
    return value ^ 0x11B if value & 0x100 else value


def _make_box() -> None:
    """The S-box, walking through the field with generator 3 and its inverse 0xF6 (FIPS-197, 5.1.1)."""
    _box.extend(bytes(256))
    power = inverse = 1
    while True:
        power ^= _double(power)
        for shift in (1, 2, 4):
            inverse = (inverse ^ inverse << shift) & 0xFF
        if inverse & 0x80:
            inverse ^= 0x09
        turned = inverse | inverse << 8
        _box[power] = (inverse ^ turned >> 4 ^ turned >> 5 ^ turned >> 6 ^ turned >> 7) & 0xFF ^ 0x63
        if power == 1:
            break
    _box[0] = 0x63


def _mixed(state: bytearray) -> bytearray:
    for at in range(0, _BLOCK, 4):
        a, b, c, d = state[at], state[at + 1], state[at + 2], state[at + 3]
        every = a ^ b ^ c ^ d
        state[at] = a ^ every ^ _double(a ^ b)
        state[at + 1] = b ^ every ^ _double(b ^ c)
        state[at + 2] = c ^ every ^ _double(c ^ d)
        state[at + 3] = d ^ every ^ _double(d ^ a)
    return state


def encrypt(key: bytes, block: bytes) -> bytes:
    """One block of 16 bytes under a key of 16 (FIPS-197, 5.1)."""
    if not _box:
        _make_box()
    round_key = bytearray(key)
    state = bytearray(a ^ b for a, b in zip(block, round_key))  # noqa: B905
    constant = 1
    for number in range(1, _ROUNDS + 1):
        for at in range(_BLOCK):
            before = _box[round_key[12 + (at + 1) % 4]] if at < 4 else round_key[at - 4]
            round_key[at] ^= before ^ (constant if at == 0 else 0)
        constant = _double(constant)
        state = bytearray(_box[state[(at + 4 * (at % 4)) % _BLOCK]] for at in range(_BLOCK))
        if number < _ROUNDS:
            state = _mixed(state)
        for at in range(_BLOCK):
            state[at] ^= round_key[at]
    return bytes(state)


def hashed(data: bytes) -> bytes:
    """Matyas-Meyer-Oseas with AES-128, for less than 8 KB (Zigbee specification B.6)."""
    padded = data + b"\x80"
    padded += bytes((14 - len(padded)) % _BLOCK) + bytes((len(data) * 8 >> 8, len(data) * 8 & 0xFF))
    digest = bytes(_BLOCK)
    for at in range(0, len(padded), _BLOCK):
        block = padded[at:at + _BLOCK]
        digest = bytes(a ^ b for a, b in zip(encrypt(digest, block), block))  # noqa: B905
    return digest


def code_check(code: bytes) -> int:
    """CRC-16/X-25 (Base Device Behavior 10.1), as printed at the end of an install code, low byte first."""
    crc = 0xFFFF
    for byte in code:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc ^ 0xFFFF


def code_is_good(code: bytes) -> bool:
    """Of a length that exists, and its checksum fits."""
    return len(code) - 2 in _CODE_BYTES and code_check(code[:-2]) == code[-2] | code[-1] << 8


def key_of_code(text: str) -> bytes:
    """The link key of an install code as printed, checksum included. ValueError: it is none."""
    try:
        digits = text.replace("-", "").replace(" ", "").replace(":", "")
        code = bytes(int(digits[at:at + 2], 16) for at in range(0, len(digits), 2))
    except ValueError:
        code = b""
    if not code_is_good(code):
        raise ValueError("not an install code (6, 8, 12 or 16 bytes and a checksum, in hexadecimal): " + text)
    return hashed(code)

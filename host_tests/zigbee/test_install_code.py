"""Install codes: the standard's check vector, what people type, and what is refused."""

import random
from binascii import crc_hqx, hexlify

import pytest

from zigbee.joining import install_code

CODE = "83FED3407A939723A5C639B26916D505"
KEY = "66b6900981e1ee3ca4206b6b861c02bb"


def with_crc(code: bytes) -> str:
    crc = install_code.crc16(code)
    return hexlify(code + bytes((crc & 0xFF, crc >> 8))).decode()


@pytest.mark.req("ZB-05")
def test_the_check_vector():
    assert install_code.crc16(bytes.fromhex(CODE)) == 0xB5C3
    assert hexlify(install_code.key_of(CODE + "C3B5")).decode() == KEY


@pytest.mark.req("ZB-05")
def test_the_check_vector_on_micropython(micropython):
    program = "import binascii; from zigbee.joining.install_code import key_of; print(binascii.hexlify(key_of('%s')))"
    assert KEY in micropython(["-c", program % (CODE + "C3B5")])


@pytest.mark.parametrize("printed", [
    "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5",
    "83fe-d340-7a93-9723-a5c6-39b2-6916-d505-c3b5",
    "  83:fe:d3:40:7A:93:97:23:a5:c6:39:b2:69:16:d5:05:c3:b5\r\n",
])  # fmt: skip
def test_as_people_type_it(printed):
    assert hexlify(install_code.key_of(printed)).decode() == KEY


@pytest.mark.parametrize("size", [6, 8, 12, 16])
def test_every_size(size):
    code = bytes(random.Random(size).randbytes(size))
    assert install_code.parse(with_crc(code))[:-2] == code
    assert len(install_code.key_of(with_crc(code))) == 16


@pytest.mark.parametrize(("printed", "why"), [
    ("", "digits"),
    ("83FED3", "digits"),
    (CODE, "digits"),
    (CODE + "C3B5" + "00", "digits"),
    (CODE + "C3B4", "check digits"),
    (CODE + "B5C3", "check digits"),
    ("O" + CODE[1:] + "C3B5", "hexadecimal"),
    ("가나다", "hexadecimal"),
    ("8" * 500, "too long"),
])  # fmt: skip
def test_what_is_refused(printed, why):
    with pytest.raises(ValueError, match=why):
        install_code.parse(printed)


def test_every_single_wrong_digit_is_found():
    good = CODE + "C3B5"
    for at in range(len(good)):
        for digit in "0123456789ABCDEF":
            if digit != good[at]:
                with pytest.raises(ValueError, match="check digits"):
                    install_code.parse(good[:at] + digit + good[at + 1:])


def _mirrored(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


def test_crc_against_the_standard_library():
    """X-25 is CCITT with every bit mirrored, which CPython has."""
    pick = random.Random(7)
    for _ in range(200):
        data = pick.randbytes(pick.randrange(40))
        other = _mirrored(crc_hqx(bytes(_mirrored(byte, 8) for byte in data), 0xFFFF), 16) ^ 0xFFFF
        assert install_code.crc16(data) == other


def test_hash_against_zigpy():
    pytest.importorskip("zigpy")
    import zigpy.util

    for size in (6, 8, 12, 16):
        printed = with_crc(random.Random(size).randbytes(size))
        key = zigpy.util.convert_install_code(bytes.fromhex(printed))
        assert key is not None
        assert install_code.key_of(printed) == key.serialize()

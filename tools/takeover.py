"""`make takeover`: fetch a gateway's takeover file, put it on another gateway, or look into it with its code.

Owns nothing on the board but `takeover.bin` and `takeover.code` (docs/registration.md). Must never write a code or what
is in the file to disk on this computer, nor print a key.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import importlib
import json
import os
import pathlib
import sys
import tempfile
from typing import Any

from tools.flash import FlashError, Mpremote, probe

_BOARD_FILE = ":/takeover.bin"
_SHIMS = pathlib.Path(__file__).resolve().parent.parent / "host_tests" / "shims"


class TakeoverError(Exception):
    """One line that says what to do."""


def _firmware(name: str) -> Any:
    """A module of the firmware: what it imports of MicroPython's stands in the shims."""
    if str(_SHIMS) not in sys.path:
        sys.path.append(str(_SHIMS))
    return importlib.import_module(name)


def _blocks(data: bytes, code: str) -> dict[str, bytes]:
    """What is in the file. Raises TakeoverError: the code or the file is no good."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    class Aes:
        def __init__(self, key: bytes, iv: bytes) -> None:
            self._cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(iv)))

        def decrypt(self, data: bytes) -> bytes:
            return self._cipher.decryptor().update(bytes(data))

    sealed = _firmware("firmware.sealed")
    try:
        return sealed.unseal(data, sealed.code_of(code), Aes)
    except sealed.Refused as error:
        raise TakeoverError(str(error)) from None


def check(data: bytes, code: str) -> list[str]:
    """Lines that say what a gateway would take over. Raises TakeoverError when it would take nothing."""
    blocks = _blocks(data, code)
    wrong = _firmware("firmware.handover").check_blocks(blocks)
    if wrong:
        raise TakeoverError(f"no gateway would take this: {wrong}")
    network, settings = json.loads(blocks["network"]), json.loads(blocks["settings"])
    sensors = [entry for entry in json.loads(blocks["sensors"])["sensors"] if entry]
    return [
        f"gateway {settings.get('gateway', 'without a number of its own')}, "
        f"{len(settings)} settings, {json.loads(blocks['gateway'])['boot']} starts",
        f"network {network['extended_pan_id']}, channel {network['channel']}, {len(network['devices'])} devices",
        f"{len(sensors)} sensors",
        *(f"  {entry['name']} ({entry['kind']}, {entry['place'] or '-'}, {entry['ieee']})" for entry in sensors),
    ]


def fetch(port: str, path: pathlib.Path) -> None:
    """Copy the file from the board at port. Raises FlashError, TakeoverError."""
    remote = Mpremote(port)
    probe(remote)
    lines = remote.exec("import os\nprint('takeover.bin' in os.listdir('/'))")
    if "True" not in lines:
        remote.run("reset")
        raise TakeoverError("the gateway has no takeover file: touch takeover.make on its monitor first")
    with tempfile.TemporaryDirectory(prefix="takeover-") as scratch:
        copy = pathlib.Path(scratch) / "takeover.bin"
        remote.run("fs", "cp", _BOARD_FILE, str(copy))
        _same(remote, copy.read_bytes())
        path.write_bytes(copy.read_bytes())
    remote.run("reset")


def put(port: str, path: pathlib.Path, code: str) -> None:
    """Copy the file to the board at port, with the code when there is one, and start it anew."""
    data = path.read_bytes()
    if code:
        check(data, code)
    elif data[:4] != b"GWTK":
        raise TakeoverError(f"{path} is no takeover file")
    remote = Mpremote(port)
    probe(remote)
    remote.run("fs", "cp", str(path), _BOARD_FILE)
    _same(remote, data)
    if code:
        remote.exec(f"f = open('/takeover.code', 'w')\nf.write({code!r})\nf.close()")
    remote.run("reset")


def _same(remote: Mpremote, data: bytes) -> None:
    lines = remote.exec("import hashlib, binascii\nh = hashlib.sha256(open('/takeover.bin', 'rb').read())\n"
                        "print(binascii.hexlify(h.digest()).decode())")
    if hashlib.sha256(data).hexdigest() not in lines:
        raise TakeoverError("the file arrives damaged: check the cable and try again")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make takeover", description=__doc__.split("\n")[0])
    parser.add_argument("--port", default="", help="serial port of the gateway")
    parser.add_argument("--code", default=os.environ.get("TAKEOVER_CODE", ""), help="the code; asked for when missing")
    what = parser.add_mutually_exclusive_group(required=True)
    for name in ("get", "put", "check"):
        what.add_argument(f"--{name}", type=pathlib.Path, metavar="FILE")
    options = parser.parse_args(argv)
    try:
        if options.check:
            code = options.code or getpass.getpass("code: ")
            print("\n".join(check(options.check.read_bytes(), code)))
            return 0
        if not options.port:
            raise TakeoverError("no PORT: connect the gateway by USB, then PORT=/dev/ttyACM0")
        if options.get:
            fetch(options.port, options.get)
            print(f"{options.get}: {options.get.stat().st_size} bytes; the gateway starts again")
        else:
            put(options.port, options.put, options.code)
            print("the gateway starts again" + ("" if options.code else "; enter the code on its monitor"))
    except (TakeoverError, FlashError, OSError) as error:
        print(f"takeover: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

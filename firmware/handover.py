"""The work of taking over: writing everything into a sealed file, and taking it out of one (ZB-19).

Owns what is in the file. Loaded when it is needed, for `firmware.takeover`. Must never change anything because of a
file that is damaged, of another version, not of this code, or not whole.
"""

import asyncio
import json
import os

from micropython import const

from firmware import sealed
from firmware.sealed import Refused
from firmware.sensing.registry import check_list
from firmware.settings import check_setting
from zigbee.net import backup as ocb

_TYPE_CHECKING = const(0)
if _TYPE_CHECKING:
    from typing import Any

_CBC = const(2)
_ADOPT_MS = const(60_000)
_BOOTS_AHEAD = const(1000)  # the old gateway may have started again since: no record's identity is used twice
BLOCKS = ("network", "sensors", "settings")


def _aes(key: bytes, iv: bytes) -> "Any":
    import cryptolib  # nobody else needs it

    return cryptolib.aes(key, _CBC, iv)


def check_blocks(blocks: dict) -> str:
    """Whether this is a whole gateway: empty, or what is wrong."""
    for name in BLOCKS + ("gateway",):
        if name not in blocks:
            return "there is no %s in it" % name
    try:
        wrong = check_list(json.loads(blocks["sensors"])) or ocb.check(json.loads(blocks["network"]))
        settings = json.loads(blocks["settings"])
        for name in sorted(settings):
            wrong = wrong or check_setting(name, settings[name])
        boot = json.loads(blocks["gateway"])["boot"]
        return wrong or ("" if isinstance(boot, int) and boot >= 0 else "its number of boots is wrong")
    except Exception as error:  # noqa: BLE001 - it is authentic, but of a firmware that wrote something else
        return "it cannot be read: %r" % error


async def make(parts: "Any", path: str) -> str:
    """Write the file; returns its code as printed. OSError: the file system did not take it."""
    blocks = {name: parts.store.load(name) for name in ("network", "sensors")}
    blocks["settings"] = json.dumps(parts.settings.all()).encode()
    blocks["gateway"] = json.dumps({"boot": parts.recorder.boot}).encode()
    random = os.urandom(sealed.CODE_BYTES + 32)
    code = random[: sealed.CODE_BYTES]
    with open(path + ".new", "wb") as file:
        for piece in sealed.seal(blocks, code, random[16:32], random[32:], _aes):
            file.write(piece)
            await asyncio.sleep_ms(5)
    os.rename(path + ".new", path)
    return sealed.code_text(code)


async def take(parts: "Any", path: str, text: str) -> bool:
    """Adopt everything, all or nothing. Refused: nothing was changed. False: the flash did not take it.

    The identities of records go on behind those of the old gateway, whether the rest succeeds or not.
    """
    blocks = sealed.unseal(read(path, sealed.MAX_BYTES), sealed.code_of(text), _aes)
    wrong = check_blocks(blocks)
    if wrong:
        raise Refused(wrong)
    if parts.registry.count():
        raise Refused("there are sensors here already")
    journal = parts.journal
    journal.boot = max(journal.boot, json.loads(blocks["gateway"])["boot"] + _BOOTS_AHEAD)
    journal.save(parts.machine, 0, 0)
    kept = {name: blocks[name] for name in BLOCKS}
    kept["link"] = parts.store.load("link") or b""  # it keeps its own certificate, so its commands count on
    return await parts.store.adopt(kept, _ADOPT_MS)


def read(path: str, limit: int) -> bytes:
    """The whole file. Refused: it is longer than limit bytes. OSError: it cannot be read."""
    if os.stat(path)[6] > limit:
        raise Refused("the file is too long")
    with open(path, "rb") as file:
        return file.read()

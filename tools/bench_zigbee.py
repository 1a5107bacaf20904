"""ZNP + ZCL decoding against zigpy-znp, in the same run: frames per CPU second, the ratio, bytes allocated a frame.

Ours is the product's code on MicroPython in a small heap: bytes -> reader -> AF_INCOMING_MSG -> ZCL -> IAS zone status.
Theirs is zigpy-znp's own uart, frames and commands and zigpy's ZCL cluster on CPython, without logging, application or
devices.
"""

import json
import logging
import os
import pathlib
import shutil
import subprocess
import sys
import time
from typing import Any
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAP = "128K"
WANTED_RATIO = 50
_ROUNDS = 10
_FRAMES = 500  # in a round
# group, cluster 0x0500, source, endpoints, broadcast, LQI, security, time stamp, sequence; then the ZCL frame
_HEAD = "0000" "0005" "3412" "01" "01" "00" "c8" "00" "01000000" "00"
_TAIL = "3412" "1d"
_ZCL = {
    "notification, alarm": "190000010000ff0000",
    "notification, restored": "190000000000ff0000",
    "notification, supervision": "190000180000050000",
    "report of ZoneStatus": "18000a0200190100",
}
_NUMBERS = 256  # the sender counts its frames, as senders do


def frames() -> list[bytes]:
    """The frames both sides decode, over and over."""
    sorts = [bytes.fromhex(zcl) for zcl in _ZCL.values()]
    found = []
    for number in range(_NUMBERS):
        data = bytearray(sorts[number % len(sorts)])
        data[1] = number
        payload = bytes.fromhex(_HEAD) + bytes([len(data)]) + bytes(data) + bytes.fromhex(_TAIL)
        body = bytes([len(payload), 0x44, 0x81]) + payload
        check = 0
        for byte in body:
            check ^= byte
        found.append(b"\xfe" + body + bytes([check]))
    return found


def ours(micropython: str | None = None, heap: str = HEAP) -> dict[str, float]:
    """frames_per_s and bytes_per_frame of the product's code on MicroPython."""
    program = micropython or os.environ.get("MICROPYTHON") or shutil.which("micropython") or _beside("micropython")
    sorts = [one.hex() for one in frames()[:len(_ZCL)]]
    command = [program, "-X", f"heapsize={heap}", "-m", "tools.bench_zigbee_port", *sorts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"micropython ended with {done.returncode}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


# What a sensor of each kind sends in a day: sort of frame in bench_zigbee_home_port -> how many
DAYS = {
    "activity sensor": {"activity mask": 1440, "batteries of both parts": 6, "check-in, answered": 24},
    "smoke detector": {
        "zone status reported": 6, "batteries of both parts": 6, "temperature": 6, "check-in, answered": 24,
    },
}  # fmt: skip


def home(heap: str = "1M") -> dict[str, Any]:
    """What 32 sensors cost: listed_bytes and sensor_bytes of heap each, sorts: name -> [CPU us, bytes] of a frame."""
    program = os.environ.get("MICROPYTHON") or shutil.which("micropython") or _beside("micropython")
    command = [program, "-X", f"heapsize={heap}", "-m", "tools.bench_zigbee_home_port"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise RuntimeError(f"micropython ended with {done.returncode}: {done.stderr[-500:]}")
    return json.loads(done.stdout)


def theirs() -> float:
    """Frames per CPU second of zigpy-znp."""
    import zigpy_znp.commands as commands  # type: ignore[import-untyped]
    from zigpy.zcl.clusters.security import IasZone
    from zigpy_znp.uart import ZnpMtProtocol  # type: ignore[import-untyped]

    logging.getLogger("zigpy_znp").setLevel(logging.CRITICAL)
    cluster = IasZone(mock.Mock())

    class Api:
        seen = 0

        def frame_received(self, frame: Any) -> None:
            message = commands.COMMANDS_BY_ID[frame.header].from_frame(frame, align=True)
            cluster.deserialize(bytes(message.Data))
            self.seen += 1

    api = Api()
    protocol = ZnpMtProtocol(api)
    chunks = frames()
    best = 0.0
    for _ in range(_ROUNDS):
        start = time.process_time()
        for number in range(_FRAMES):
            protocol.data_received(chunks[number % len(chunks)])
        best = max(best, _FRAMES / (time.process_time() - start))
    if api.seen != _ROUNDS * _FRAMES:
        raise RuntimeError(f"zigpy-znp decoded {api.seen} of {_ROUNDS * _FRAMES} frames")
    return best


def _beside(name: str) -> str:
    return str(pathlib.Path(sys.executable).parent / name)


def measure() -> dict[str, float]:
    """ours_per_s, theirs_per_s, ratio, bytes_per_frame."""
    mine = ours()
    peer = theirs()
    return {
        "ours_per_s": mine["frames_per_s"], "theirs_per_s": peer, "ratio": mine["frames_per_s"] / peer,
        "bytes_per_frame": mine["bytes_per_frame"],
    }  # fmt: skip


def main() -> int:
    result = measure()
    print(f"ZNP+ZCL frames decoded per CPU second, {HEAP} heap: {result['ours_per_s']:,.0f}")
    print(f"zigpy-znp on CPython {sys.version.split()[0]}: {result['theirs_per_s']:,.0f}")
    print(f"ratio: {result['ratio']:.0f} (wanted: {WANTED_RATIO})")
    print(f"bytes allocated a frame: {result['bytes_per_frame']:.1f}")
    return 0 if result["ratio"] >= WANTED_RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())

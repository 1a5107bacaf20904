"""What else is on the air: the energy on each channel, and the networks that answer a beacon request.

Owns the two scans and what they told. Must never wait without a limit, and keeps a bounded number of neighbours.
While it scans, the radio is deaf on its own channel for about a second; sensors repeat what was not acknowledged.
Source: TI "Z-Stack Monitor and Test API", ZDO_MGMT_NWK_UPDATE_REQ, ZDO_NETWORK_DISCOVERY_REQ; IEEE 802.15.4 (energy
detection: 0 to 255 over at least 40 dB; scan of (2^n + 1) * 15.36 ms a channel).
"""

import asyncio

from micropython import const

from zigbee import frames
from zigbee.guard import wait_limited
from zigbee.link import Link, LinkError
from zigbee.net.nvram import get16, get32, put32

CHANNELS = range(11, 27)
ALL_CHANNELS = const(0x07FFF800)
_UNKNOWN = const(255)  # the level of a channel that was not measured: as bad as can be
_SCAN = const(1)  # 46 ms a channel: 0.74 s for all
_ENERGY_MS = const(5000)
_BEACON_SCAN = const(2)
_BEACONS_MS = const(5000)
_BEACON = const(21)  # bytes of a beacon in the indication
_NEIGHBOURS = const(32)


class Survey:
    """energy() and discover() one at a time; heard() gets their indications."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = asyncio.Lock()
        self._told = asyncio.Event()
        self._levels: list | None = None
        self._neighbours: list = []

    def heard(self, command: int, buf: bytearray, at: int, size: int) -> None:
        """One of the three indications that answer a scan."""
        if command == frames.ZDO_BEACON_NOTIFY_IND:
            for beacon in range(at + 1, at + size, _BEACON):
                if len(self._neighbours) < _NEIGHBOURS:
                    head = bytes(buf[beacon:beacon + _BEACON])
                    place = (get16(head, 2), head[4], head[13:])
                    if place not in self._neighbours:
                        self._neighbours.append(place)
            return
        if command == frames.ZDO_MGMT_NWK_UPDATE_NOTIFY:
            if buf[at + 2] != 0:
                return
            self._levels = _by_channel(get32(bytes(buf[at + 3:at + 7]), 0), buf, at + 12, buf[at + 11])
        self._told.set()

    async def energy(self) -> list:
        """The energy on channels 11 to 26, 0 (quiet) to 255. LinkError: it could not be measured."""
        await self._lock.acquire()
        try:
            self._told.clear()
            self._levels = None
            request = bytes((0, 0, 2)) + put32(ALL_CHANNELS) + bytes((_SCAN, 1, 0, 0))  # of the coordinator itself
            status = (await self._link.request(frames.ZDO_MGMT_NWK_UPDATE_REQ, request))[0]
            if status == 0:
                await wait_limited(self._told, _ENERGY_MS)
            if self._levels is None:
                raise LinkError("the energy could not be measured")
            return self._levels
        finally:
            self._lock.release()

    async def discover(self) -> list:
        """Networks that answer: (PAN, channel, extended PAN as it travels). Only while no network is up."""
        await self._lock.acquire()
        try:
            self._told.clear()
            self._neighbours = []
            status = (await self._link.request(
                frames.ZDO_NETWORK_DISCOVERY_REQ, put32(ALL_CHANNELS) + bytes((_BEACON_SCAN,))
            ))[0]  # fmt: skip
            if status == 0:
                await wait_limited(self._told, _BEACONS_MS)
            return self._neighbours
        finally:
            self._lock.release()


def _by_channel(scanned: int, buf: bytearray, at: int, count: int) -> list:
    levels = []
    for channel in CHANNELS:
        known = scanned >> channel & 1 and count > 0
        levels.append(buf[at] if known else _UNKNOWN)
        if known:
            at += 1
            count -= 1
    return levels

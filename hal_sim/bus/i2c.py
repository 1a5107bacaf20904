"""A simulated I2C bus: machine.I2C in front of register-level chips."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class I2C:
    """machine.I2C with chips by address; a missing one answers with ENODEV, as on the board."""

    def __init__(self, chips: dict) -> None:
        self._chips = chips

    def scan(self) -> list:
        return sorted(self._chips)

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
        return self._chip(addr).read(memaddr, nbytes)

    def readfrom_mem_into(self, addr: int, memaddr: int, buf: "Any") -> None:
        buf[:] = self._chip(addr).read(memaddr, len(buf))

    def writeto_mem(self, addr: int, memaddr: int, buf: "Any") -> None:
        self._chip(addr).write(memaddr, bytes(buf))

    def _chip(self, addr: int) -> "Any":
        if addr not in self._chips:
            raise OSError(19)
        return self._chips[addr]

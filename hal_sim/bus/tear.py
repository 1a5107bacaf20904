"""What a power cut leaves of a program or an erase that was under way.

Owns no state: it changes the cells of a hal_sim.bus.flash.Flash. Chance comes from the flash's own generator.

    none    nothing was done yet           bits    some bits are done, anywhere
    early   a program has moved its cells  shaky   likewise, and of the others some are shaky
            so little that they mostly     late    all is done as it seems: some bits are shaky,
            read as before; an erase has           and mostly read as done
            cleared bits first, as chips   done    all of it was done
            do, and set none yet
    prefix  the bytes up to one, which has some of its bits
"""

from hal_sim.bus.flash import SECTOR

_TYPE_CHECKING = False
if _TYPE_CHECKING:
    from hal_sim.bus.flash import Flash

TEARS = ("none", "early", "prefix", "bits", "shaky", "late", "done")
_MOSTLY = 4  # of 32 reads of such a bit one is wrong


def program(flash: "Flash", start: int, data: bytes) -> None:
    """Half a program, within one page."""
    number, inside = divmod(start, SECTOR)
    if flash.ignores(number, "no_program"):
        return
    size = len(data)
    old = int.from_bytes(flash.get(start, size), "little")
    wanted = int.from_bytes(data, "little")
    mask, _ = flash.shaky.get(number, (0, 0))
    todo = (old | (mask >> 8 * inside) & ((1 << 8 * size) - 1) | wanted) ^ wanted
    done, shaky, lean = _how_far(flash, todo, size, -_MOSTLY)
    flash.put(start, ((old | done) ^ done).to_bytes(size, "little"))
    _shake(flash, number, (mask | done << 8 * inside) ^ done << 8 * inside, shaky << 8 * inside, lean)


def erase(flash: "Flash", number: int) -> None:
    """Half an erase of a sector."""
    if flash.ignores(number, "no_erase"):
        return
    start = number * SECTOR
    old = int.from_bytes(flash.get(start, SECTOR), "little")
    mask, _ = flash.shaky.get(number, (0, 0))
    mode = _mode(flash)
    if mode == "early":
        old &= flash.leaning(SECTOR, 1)
        flash.put(start, old.to_bytes(SECTOR, "little"))
        return
    todo = (1 << 8 * SECTOR) - 1 ^ old | mask
    done, shaky, lean = _how_far(flash, todo, SECTOR, _MOSTLY, mode)
    flash.put(start, (old | done).to_bytes(SECTOR, "little"))
    _shake(flash, number, 0 if mode == "done" else mask, shaky, lean)


def _mode(flash: "Flash") -> str:
    return TEARS[flash.noise() % len(TEARS)] if flash.tear == "any" else flash.tear


def _how_far(flash: "Flash", todo: int, size: int, as_done: int, mode: str = "") -> tuple:
    """(bits that are done, bits that are shaky, lean of these) of the bits to do; as_done: lean of what looks done."""
    mode = mode or _mode(flash)
    if mode == "none":
        return 0, 0, 0
    if mode == "early":
        return 0, todo & flash.leaning(size, flash.noise() % 4 - 2), -as_done
    if mode == "prefix":
        whole = (flash.noise() << 8 | flash.noise()) % (size + 1)
        return todo & ((1 << 8 * whole) - 1 | flash.noise() << 8 * whole), 0, 0
    if mode == "late":
        return todo, todo & flash.leaning(size, -1 - flash.noise() % 5), as_done
    if mode == "done":
        return todo, 0, 0
    done = todo & flash.leaning(size, flash.noise() % 5 - 2)
    if mode == "bits":
        return done, 0, 0
    return done, (todo ^ done) & flash.leaning(size, flash.noise() % 3 - 1), flash.noise() % 9 - 4


def _shake(flash: "Flash", number: int, before: int, more: int, lean: int) -> None:
    """before: bits that were shaky and still are."""
    if before | more:
        flash.shaky[number] = (before | more, lean if more else flash.shaky[number][1])
    else:
        flash.shaky.pop(number, None)

"""Where a dossier stands in the year's register: a volume for each machine and epoch, gapless inside.

Machines of a commune take in without seeing each other, so they cannot share one row of numbers. Each writes
a *volume* (quyển) of its own, numbered 1, 2, 3 … in the transaction that accepts: what was not accepted took
no number. A machine that was restored from a backup does not know its last numbers any more; it opens another
volume, so that no place in the register is ever given twice.

A volume's name is the first serial of the machine's block, which no two machines of a unit share, and a hash
of machine and epoch, for the case that a block is given to another machine later: ``0001-7C3A9``.

Source: TT 01/2018/TT-VPCP, Article 10.2 (one register a year, continuous numbers from 01). That a machine's
volume begins anew with 01, and does not go on from another one's, is inferred: they are kept side by side,
not one after the other.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

__all__ = ["FIELD", "Place", "place_of", "slip_number", "volume_name"]

FIELD: Final = "so_theo_doi"
"""Register of a dossier that holds its place: ``{nam, quyen, so}``."""
_HASH_DIGITS: Final = 5


class Place(NamedTuple):
    """A place in the register.

    Attributes:
        year: Year of the register, in Vietnam's date of the acceptance.
        volume: See `volume_name`.
        number: From 1, gapless inside the volume of the year.
    """

    year: int
    volume: str
    number: int

    def to_plain(self) -> dict[str, Any]:
        """Returns it as the dossier holds it."""
        return {"nam": self.year, "quyen": self.volume, "so": self.number}


def place_of(value: object) -> Place | None:
    """Reads a dossier's field; ``None`` when it holds no place, as before there were registers."""
    match value:
        case {"nam": int(year), "quyen": str(volume), "so": int(number)} if number > 0:
            return Place(year, volume, number)
    return None


def volume_name(first_serial: int, machine: bytes, restores: int) -> str:
    """Returns the name of the volume that a machine writes in now.

    Args:
        first_serial: First of the block that it issues codes from; 0 for a machine that takes nothing in.
        machine: Its public key.
        restores: How often it was restored from a backup.
    """
    digest = hashlib.sha256(b"onestop register volume" + machine + b"%d" % restores).hexdigest()
    return f"{first_serial:04d}-{digest[:_HASH_DIGITS].upper()}"


def slip_number(number: int, volume: str, suffix: str) -> str:
    """Returns the number of a slip (forms 02 to 04): ``07.0001-7C3A9/HDHS``.

    Args:
        number: From 1 in each year, for the suffix and the volume.
        volume: See `volume_name`.
        suffix: What the form's number ends with, see `profiles.Form`.
    """
    return f"{number:02d}.{volume}/{suffix}"

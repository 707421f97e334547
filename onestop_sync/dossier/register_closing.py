"""The closing of a year's register: a document of one event, signed by the head, that nobody changes.

It names, for each volume that was here, the last number, how many stand in it, and a hash of which code
stands at which number. What arrives later (from a machine that had not synchronised) stands above the last
number, and shows: the head closes again, by another document, and the first one stays.

Source: TT 01/2018/TT-VPCP, Article 10.2a.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from onestop_sync.codec import nfc
from onestop_sync.dossier.roles import HEAD
from onestop_sync.schema import DocumentType, Field, Summary
from onestop_sync.state import State

__all__ = ["CLOSING", "REGISTER_CLOSING", "ClosedVolume", "closing_value", "volumes_closed", "year_closed"]

CLOSING: Final = "khoa_so"
"""The one field: ``{nam, ly_do, quyen: [[name, last, count, sha256], …]}``."""


class ClosedVolume(NamedTuple):
    """What a closing says of one volume.

    Attributes:
        name: Of the volume.
        last: Last number.
        dossiers: How many stand up to it.
        digest: See `forms.register.volume_digest`.
    """

    name: str
    last: int
    dossiers: int
    digest: bytes


def closing_value(year: int, reason: str, volumes: list[ClosedVolume]) -> dict[str, Any]:
    """Returns the field of a closing; the reason is that of missing or doubled numbers, mostly empty."""
    return {"nam": year, "ly_do": nfc(reason), "quyen": [list(volume) for volume in volumes]}


def year_closed(state: State) -> int | None:
    """Returns the year that a closing is of; ``None`` of one that cannot be read."""
    value = state.value(CLOSING)
    year = value.get("nam") if isinstance(value, dict) else None
    return year if type(year) is int else None


def volumes_closed(state: State) -> list[ClosedVolume]:
    """Returns what a closing says of each volume; what is none is left out."""
    value = state.value(CLOSING)
    rows = value.get("quyen") if isinstance(value, dict) else None
    found: list[ClosedVolume] = []
    for row in rows if isinstance(rows, list) else []:
        match row:
            case [str(name), int(last), int(count), bytes(digest)]:
                found.append(ClosedVolume(name, last, count, digest))
    return found


def _summarise(state: State) -> Summary:
    year = year_closed(state)
    return Summary(label="" if year is None else f"{year:04d}", title="Khóa sổ theo dõi hồ sơ")


REGISTER_CLOSING: Final = DocumentType(
    "register_closing",
    fields=(Field(CLOSING),),
    creators=frozenset({HEAD}),
    is_final=True,
    summarise=_summarise,
)

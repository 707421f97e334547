"""What a desk says of an attachment: plain values, see `facts`."""

from __future__ import annotations

from typing import Final, NamedTuple

from onestop_sync.dossier.labels import one_line
from onestop_sync.shelf import Attached

__all__ = ["PAPER", "AttachDone", "Attachment", "facts_of"]

PAPER: Final = "giay_to"
"""What a manifest says besides: the paper of the checklist that it shows."""


class Attachment(NamedTuple):
    """An attachment of a dossier.

    Attributes:
        name: Its name in the dossier.
        paper: The paper of the checklist that it shows; empty for none.
        size_bytes: Size of the file.
        media_type: ``image/jpeg``, for instance.
        chunks: Parts of 64 KiB that it has.
        here: Those that are on this machine.
        sent: Those of which a parent said, while it was sent, that it has them.
        is_here: Whether all of it is on this machine.
        is_wanted: Whether it was asked for, and has not all come.
        is_damaged: What is here is not what the dossier says.
        level: Where all of it is, at the highest: ``here``, ``hub``, ``district`` or ``province``; empty when
            it is neither here nor confirmed by anybody.
    """

    name: str
    paper: str
    size_bytes: int
    media_type: str
    chunks: int
    here: int
    sent: int
    is_here: bool
    is_wanted: bool
    is_damaged: bool
    level: str


class AttachDone(NamedTuple):
    """What was attached.

    Attributes:
        name: Its name in the dossier.
        original_bytes: Size of the file that was given.
        size_bytes: What was attached of it: less, where it was made smaller.
    """

    doc: bytes
    code: str
    event: bytes
    name: str
    original_bytes: int
    size_bytes: int


def facts_of(held: Attached) -> Attachment:
    """Returns an attachment as it is shown."""
    manifest, here = held.manifest, held.held
    is_confirmed = held.is_confirmed or held.delivery.level != "here"
    return Attachment(
        name=one_line(held.key.partition("/")[2]),
        paper=one_line(str(dict(manifest.extra).get(PAPER, ""))),
        size_bytes=manifest.size_bytes,
        media_type=manifest.media_type,
        chunks=manifest.chunks,
        here=here.here if here else 0,
        sent=here.sent if here else 0,
        is_here=held.is_here,
        is_wanted=bool(here and here.is_wanted),
        is_damaged=held.is_damaged,
        level=held.delivery.level if is_confirmed or held.is_here else "",
    )

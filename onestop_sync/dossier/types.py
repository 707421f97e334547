"""The document types of the one-stop domain: what every store of it is opened with."""

from __future__ import annotations

from typing import Final

from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.difficulty import DIFFICULTY
from onestop_sync.dossier.inspection import INSPECTION
from onestop_sync.dossier.old_entry import OLD_ENTRY
from onestop_sync.dossier.register_closing import REGISTER_CLOSING
from onestop_sync.dossier.report.frozen import REPORT
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.schema import DocumentType

__all__ = ["TYPES"]

TYPES: Final[tuple[DocumentType, ...]] = (
    DOSSIER, REGISTER_CLOSING, OLD_ENTRY, COMPLAINT, REPORT, DIFFICULTY, INSPECTION,
)  # fmt: skip

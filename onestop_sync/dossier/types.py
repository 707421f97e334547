"""The document types of the one-stop domain: what every store of it is opened with."""

from __future__ import annotations

from typing import Final

from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.old_entry import OLD_ENTRY
from onestop_sync.dossier.schema import DOSSIER

__all__ = ["TYPES"]

TYPES: Final = (DOSSIER, OLD_ENTRY, COMPLAINT)

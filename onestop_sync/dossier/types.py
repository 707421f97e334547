"""The document types that every machine and server of the one-stop mechanism knows."""

from __future__ import annotations

from typing import Final

from onestop_sync.dossier.register_closing import REGISTER_CLOSING
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.schema import DocumentType

__all__ = ["TYPES"]

TYPES: Final[tuple[DocumentType, ...]] = (DOSSIER, REGISTER_CLOSING)

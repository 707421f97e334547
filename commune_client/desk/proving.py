"""Who signed what under which certificate, proven from the root up: of a dossier, the store, or a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from commune_client.desk.base import Base
from onestop_sync import doctor
from onestop_sync.document_evidence import MAX_BYTES, Evidence
from onestop_sync.dossier.personal import masked_ops
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import FormatError
from onestop_sync.keyring import write_durably
from onestop_sync.keys import fingerprint
from onestop_sync.proof import check
from onestop_sync.report import Report
from onestop_sync.tombstone import Tombstone
from onestop_sync.verification import Progress, StoreReport, collect, verify_document, verify_store

__all__ = ["EvidenceFacts", "Proving", "anchor_of_file", "check_file"]


class EvidenceFacts(NamedTuple):
    """An evidence file that was written.

    Attributes:
        path: Where.
        size_bytes: How large.
        root: Fingerprint of the province's anchor, to be given to the auditor by another way.
    """

    path: Path
    size_bytes: int
    root: str


class Proving(Base):
    """Proofs."""

    def verify(self, doc: bytes) -> Report:
        """Proves a dossier from the root up, and compares what this machine shows.

        Who sees citizens masked sees by whom and how it is proven, and what was written masked as elsewhere.

        Raises:
            NotFound: It is not here.
        """
        report = verify_document(self.store, doc)
        if self.is_masked:
            report.state = None
            report.events = [replace(each, ops=masked_ops(each.ops)) for each in report.events]
        return report

    def check_health(self, tell: doctor.Tell) -> doctor.Health:
        """Compares what the store shows with its events, and these with their hashes; changes nothing.

        Raises:
            StoreError: The database could not be read.
        """
        return doctor.check(self.store, tell)

    def rebuild(self, tell: doctor.Tell) -> int:
        """Makes states, lists and search again from the events; returns of how many documents.

        Raises:
            StoreError: The disk refused; what is done stays done.
        """
        return doctor.rebuild(self.store, tell)

    def verify_all(self, progress: Progress) -> StoreReport:
        """Proves every log and every dossier of this store."""
        return verify_store(self.store, progress)

    def erased(self, doc: bytes) -> Tombstone | None:
        """Returns what stays of a dossier that was erased by law; ``None`` of any other."""
        return self.store.tombstone(doc)

    def erased_ids(self) -> frozenset[str]:
        """Returns the ids, in hex, of all dossiers that the province has erased, here or elsewhere."""
        return frozenset(doc.hex() for doc in self.store.tombstones)

    @property
    def root(self) -> str:
        """Fingerprint of the province's anchor."""
        return fingerprint(self.store.root)

    def write_evidence(self, doc: bytes, path: Path) -> EvidenceFacts:
        """Writes everything that proves a dossier into one file, readable by its owner only.

        Raises:
            NotFound: It is not here.
            NotAllowed: The officer sees citizens masked.
            OSError: The file cannot be written.
        """
        self._check_sight()
        data = collect(self.store, doc).to_bytes()
        write_durably(path, data)
        return EvidenceFacts(path, len(data), self.root)


def _read(path: Path) -> Evidence:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FormatError("The file is larger than any evidence file.")
    return Evidence.parse(data)


def anchor_of_file(path: Path) -> str:
    """Returns the fingerprint of the anchor that an evidence file names, to be compared by a person.

    Raises:
        FormatError: It is no evidence file.
        OSError: It cannot be read.
    """
    return fingerprint(_read(path).anchor)


def check_file(path: Path) -> Report:
    """Proves an evidence file from the anchor that it names; needs no store.

    Raises:
        FormatError: It is no evidence file.
        OSError: It cannot be read.
    """
    evidence = _read(path)
    return check(evidence, evidence.anchor, TYPES)

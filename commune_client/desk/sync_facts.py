"""What a desk says of the line, the stick and the clock: plain values, see `facts`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

NEVER: Final = 2**53 - 1
"""A time that never comes, milliseconds."""

__all__ = [
    "BackupFacts",
    "BundleFacts",
    "CheckedProof",
    "ClockFacts",
    "ParentFacts",
    "ProofFacts",
    "SyncFacts",
    "SyncResult",
]


class ClockFacts(NamedTuple):
    """The machine's clock against what the store has seen.

    Attributes:
        latest_ms: What the store had seen before the clock was doubted; 0 for nothing.
        is_suspect: Whether an official must confirm the date before a code is issued.
        is_confirmed: Whether that was done today.
    """

    now_ms: int
    latest_ms: int
    today: date
    is_suspect: bool
    is_confirmed: bool


class BackupFacts(NamedTuple):
    """How it stands with the machine's backups.

    Attributes:
        folder: Where one goes every day; empty when none was chosen.
        ok_ms: When the store was as the last whole backup has it; 0 for never.
        error: Reason why the last try failed; empty after a success.
        is_old: Whether that is too long ago.
    """

    folder: str
    ok_ms: int
    error: str
    is_old: bool


NO_BACKUP: Final = BackupFacts("", 0, "", is_old=False)
"""Of a machine for which no folder was chosen."""


@dataclass(frozen=True, slots=True)
class ParentFacts:
    """How things stand with one parent.

    Attributes:
        error: Code of the last error; empty after a success.
    """

    name: str
    unit: str
    unit_name: str
    level: str
    ok_ms: int
    tried_ms: int
    error: str


@dataclass(frozen=True, slots=True)
class SyncFacts:
    """What the line of state shows.

    Attributes:
        is_online: Whether a parent answered last time; ``None`` before the first try.
        unsent: Events that no parent has acknowledged.
        oldest_unsent_ms: When the oldest of them was written, or ``None``.
        last_sync_ms: When an exchange last succeeded, or ``None``.
        conflicts: Dossiers with something to settle.
        waiting: Dossiers with events that wait for something.
        notices: Changes that nobody has seen yet.
        forks: Logs that were written on two machines at once.
        published_until_ms: Until when what the province has published is current.
        findings: What was found out about somebody above and not told yet.
        stated_ms: When the province made its newest statement of our unit, or ``None``.
        silent_ms: For how long there was contact without another, when that is longer than the setting; else
            ``None``.
        backup: How it stands with the backups.
        unsent_files: Attachments that no parent has confirmed: how many, and their bytes together.
    """

    is_online: bool | None
    unsent: int
    oldest_unsent_ms: int | None
    last_sync_ms: int | None
    conflicts: int
    waiting: int
    notices: int
    forks: int
    parents: tuple[ParentFacts, ...]
    clock: ClockFacts
    published_until_ms: int = NEVER
    findings: int = 0
    stated_ms: int | None = None
    silent_ms: int | None = None
    backup: BackupFacts = NO_BACKUP
    unsent_files: tuple[int, int] = (0, 0)

    @property
    def is_published_old(self) -> bool:
        """Whether what the province has published has expired."""
        return self.published_until_ms < self.clock.now_ms


class SyncResult(NamedTuple):
    """What a synchronisation came to.

    Attributes:
        parent: Address that answered.
        bytes_up: Bytes that were sent, with HTTP's own, without TLS's and TCP's.
        bytes_down: Bytes that came, the same.
        is_complete: False when the time was up before both sides had everything; synchronise again.
        refused: The parent's word on events of ours that take no effect there: event, code, explanation.
        rejected: What the parent sent that was not stored here.
        chunks_up: Parts of attachments that were sent.
        chunks_down: Parts of attachments that came.
    """

    parent: str
    sent: int
    acked: int
    received: int
    round_trips: int
    bytes_up: int
    bytes_down: int
    is_complete: bool
    was_rolled_back: bool
    refused: tuple[tuple[bytes, str, str], ...]
    rejected: tuple[tuple[bytes, str, str], ...]
    chunks_up: int = 0
    chunks_down: int = 0


class BundleFacts(NamedTuple):
    """What making or taking a bundle came to.

    Attributes:
        sender: Log of the machine that made it: whom to answer.
        recipients: Names of the machines that can open it; when it was made.
        events: Events in it.
        stored: Events that were new here; when it was taken.
        acks: Acks in it that were for us.
        has_more: It did not hold everything; once this one is answered, make the next.
        refused: What became of events that take no effect: event, code, explanation.
        rejected: What was not stored here.
        chunks: Parts of attachments in it; when it was taken, those that were new here.
        left_out: Parts that belong to nothing that is here: take the file before this one first.
        parts: The files, where there are several.
    """

    path: str
    size_bytes: int
    number: int
    sender: bytes
    recipients: tuple[str, ...]
    events: int
    stored: int
    acks: int
    has_more: bool
    was_rolled_back: bool
    refused: tuple[tuple[bytes, str, str], ...]
    rejected: tuple[tuple[bytes, str, str], ...]
    chunks: int = 0
    left_out: int = 0
    parts: tuple[str, ...] = ()


class ProofFacts(NamedTuple):
    """What was written into a proof.

    Attributes:
        findings: Kind of each finding, see `onestop_sync.storage.findings.Finding`.
    """

    path: str
    findings: tuple[str, ...]


class CheckedProof(NamedTuple):
    """What a proof comes to.

    Attributes:
        root: Fingerprint of the root from which it is proven.
        cases: Kind, who signed it, that machine's unit, and whether the papers alone prove it.
    """

    root: str
    cases: tuple[tuple[str, str, str, bool], ...]

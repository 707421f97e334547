"""What a desk returns: plain values for screens, commands and JSON.

Ids are bytes, times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from commune_client.desk.attachment_facts import AttachDone, Attachment
from commune_client.desk.dispute_facts import Dispute, DisputeSide, NoticeFacts
from commune_client.desk.sync_facts import (
    BackupFacts,
    BundleFacts,
    CheckedProof,
    ClockFacts,
    ParentFacts,
    ProofFacts,
    SyncFacts,
    SyncResult,
)
from commune_client.messages import LEVEL_LABELS
from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.dossier.charges import Balance
from onestop_sync.dossier.checks import Paper, Problem
from onestop_sync.dossier.deadlines import DueState
from onestop_sync.dossier.procedure_steps import Moved, StepState
from onestop_sync.dossier.timeline import Line
from onestop_sync.dossier.view import Choice, DossierView

LEVELS: Final = tuple(LEVEL_LABELS)
"""How far an event can have got, in order."""
DECISIONS: Final = frozenset({"approve", "reject", "stop"})
"""Actions by which somebody decides; on a screen each needs the passphrase anew."""

__all__ = [
    "DECISIONS",
    "LEVELS",
    "Accepted",
    "AttachDone",
    "Attachment",
    "AuditLine",
    "BackupFacts",
    "BundleFacts",
    "CheckedProof",
    "ClockFacts",
    "Dispute",
    "DisputeSide",
    "Done",
    "Dossier",
    "Draft",
    "DueFacts",
    "ListRow",
    "NoticeFacts",
    "Officer",
    "Page",
    "ParentFacts",
    "ProofFacts",
    "SyncFacts",
    "SyncResult",
    "TimelineItem",
    "UnitFacts",
]


class Officer(NamedTuple):
    """Who is signed in.

    Attributes:
        name: Name on this machine.
        unit: Unit of the certificate; the machine's while there is none.
        roles: Roles, sorted; empty while nobody has certified the key.
    """

    name: str
    unit: str
    unit_name: str
    roles: tuple[str, ...]
    is_certified: bool


class UnitFacts(NamedTuple):
    """A unit of the province."""

    id: str
    name: str
    level: str
    code: str


class Draft(NamedTuple):
    """A dossier that is not accepted yet.

    Attributes:
        values: Register key → what was typed, as stored.
        papers: Document's name → how much of it is here.
        problems: What is wrong or missing for acceptance, in the order of the form.
        step: ``draft`` or ``incomplete``.
    """

    doc: bytes
    procedure: Procedure
    values: dict[str, Any]
    papers: dict[str, Paper]
    problems: tuple[Problem, ...]
    step: str

    @property
    def is_ready(self) -> bool:
        """Whether it can be accepted."""
        return not any(problem.is_blocking for problem in self.problems)


class DueFacts(NamedTuple):
    """When a dossier is due.

    Attributes:
        due_ms: The date, or ``None`` where the catalogue knows no limit: an official gives the date.
        problems: Days off on the way that were not announced, say; none of them stops an intake.
    """

    due_ms: int | None
    problems: tuple[Problem, ...]


class Accepted(NamedTuple):
    """A dossier that was just accepted.

    Attributes:
        problems: What the official should know; nothing that blocked.
    """

    doc: bytes
    code: str
    event: bytes
    received_ms: int
    due_ms: int | None
    problems: tuple[Problem, ...]


class Done(NamedTuple):
    """What an action came to.

    Attributes:
        event: The signed event that was stored; empty when nothing had to be written.
        step: Step afterwards, without marks.
        problems: What the official should know.
    """

    doc: bytes
    code: str
    event: bytes
    step: str
    step_label: str
    problems: tuple[Problem, ...] = ()


class ListRow(NamedTuple):
    """One line of the working list.

    Attributes:
        code: Dossier's code; empty before acceptance.
        title: Applicant and procedure.
        due: How it stands; ``None`` while no deadline runs.
        conflicts: How many things a person must settle.
        waiting: How many of its events wait for something.
    """

    doc: bytes
    code: str
    title: str
    step: str
    step_label: str
    unit: str
    due_ms: int | None
    due: DueState | None
    updated_ms: int
    conflicts: int
    waiting: int


class Page(NamedTuple):
    """Lines of a list.

    Attributes:
        after: Give it to get the next page; ``None`` at the end.
    """

    rows: list[ListRow]
    after: tuple[int, int] | None


class TimelineItem(NamedTuple):
    """One signed event of a dossier.

    Attributes:
        who: Name on the certificate; empty while that is not here.
        at_ms: When, as its author's clock said.
        lines: What it wrote or did.
        standing: ``stands``, ``superseded``, ``conflict``, ``late``, ``overruled``, ``refused``, ``waiting``.
        reason: Code of why it is refused, or for what it waits.
        level: How far it has got: ``here``, ``hub``, ``district`` or ``province``.
        is_mine: Whether the officer who is signed in wrote it.
    """

    event: bytes
    who: str
    unit: str
    unit_name: str
    roles: tuple[str, ...]
    at_ms: int
    lines: tuple[Line, ...]
    standing: str
    standing_label: str
    reason: str
    level: str
    level_label: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Dossier:
    """A dossier to look at.

    Attributes:
        view: Where it stands, see `onestop_sync.dossier.view`.
        timeline: Its signed events, oldest first.
        choices: What the signed-in officer may do here and now.
        values: Register key → value, those in conflict with their first.
        notes: Notes that only grow: field → (claimed time, text).
        level: How far all of it has got: the level of the event that has got least far.
        attachments: Its scans and photos, and where each is.
        moves: Transitions of the main task that count, oldest first.
        steps: The procedure's internal steps: who acts, until when, which is late.
        handover_by_ms: By when it is handed on to the appraiser, while it has not been.
        balance: What is due, paid and waived; ``None`` while nothing was noted.
        stated_ms: When the province signed what is shown, milliseconds since 1970 UTC, while the events are
            not here: nothing is written on that. ``None`` of a dossier with its events.
    """

    doc: bytes
    view: DossierView
    timeline: tuple[TimelineItem, ...]
    choices: tuple[Choice, ...]
    values: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    level: str = "here"
    attachments: tuple[Attachment, ...] = ()
    moves: tuple[Moved, ...] = ()
    steps: tuple[StepState, ...] = ()
    handover_by_ms: int | None = None
    balance: Balance | None = None
    stated_ms: int | None = None

    @property
    def code(self) -> str:
        """Dossier's code; empty before acceptance."""
        return self.view.code


class AuditLine(NamedTuple):
    """One entry of the audit trail.

    Attributes:
        what: See `onestop_sync.trail.KINDS`.
        who: The officer; empty when nobody is known.
        is_machine: Whether the machine's key signed, not the officer's.
        doc: Id of the dossier; empty where there is none.
        dossier: Its code; empty while there is none, or when the dossier is not here.
        times: How often.
        lines: Lines that were shown or written at most.
        code: Command, form, or action and reason of a refusal.
        event: The signed event that holds it.
    """

    at_ms: int
    what: str
    who: str
    unit: str
    unit_name: str
    is_machine: bool
    doc: bytes
    dossier: str
    times: int
    lines: int
    code: str
    event: bytes

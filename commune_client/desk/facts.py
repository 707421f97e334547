"""What a desk returns: plain values for screens, commands and JSON.

Ids are bytes, times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from commune_client.messages import LEVEL_LABELS
from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.dossier.checks import Paper, Problem
from onestop_sync.dossier.deadlines import DueState
from onestop_sync.dossier.timeline import Line
from onestop_sync.dossier.view import Choice, DossierView

LEVELS: Final = tuple(LEVEL_LABELS)
"""How far an event can have got, in order."""

__all__ = [
    "LEVELS",
    "Accepted",
    "BundleFacts",
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
    """

    doc: bytes
    view: DossierView
    timeline: tuple[TimelineItem, ...]
    choices: tuple[Choice, ...]
    values: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    level: str = "here"

    @property
    def code(self) -> str:
        """Dossier's code; empty before acceptance."""
        return self.view.code


class DisputeSide(NamedTuple):
    """One side of something that a person must settle.

    Attributes:
        event: Event that wrote it; of a branch, the first.
        value: What it wrote; of a branch the action's Vietnamese name.
        text: The value as one line.
        kind: ``live``, ``late``, ``branch`` or ``against`` (an edit that did not know of the void).
        node: Of a branch, what a settlement names it by.
    """

    event: bytes
    value: Any
    text: str
    kind: str
    node: bytes
    who: str
    unit: str
    unit_name: str
    at_ms: int
    level: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Dispute:
    """Something that a person must settle.

    Attributes:
        key: Register key, ``task:<name>`` or ``_void``.
        kind: ``conflict`` (different values), ``late`` (a write that waits to be adopted or declined),
            ``task`` (different actions) or ``void``.
        base: What every side had seen; of a task, the name of the last common step.
        base_text: The same as one line; empty for nothing.
        now: What stands at present, ``None`` for nothing; of a late write, the owner's value.
        is_legal: A form prints it, so printing waits.
        why_not: Reason code why the signed-in officer cannot settle it; empty when they can.
    """

    doc: bytes
    code: str
    key: str
    label: str
    kind: str
    base: Any
    base_text: str
    now: Any
    now_text: str
    sides: tuple[DisputeSide, ...]
    is_legal: bool
    why_not: str


class NoticeFacts(NamedTuple):
    """Something that changed after it had been shown.

    Attributes:
        n: Number to mark it as seen.
        before: Standing before, as a code.
        after: Standing after.
        lines: What the event wrote.
    """

    n: int
    doc: bytes
    code: str
    title: str
    event: bytes
    who: str
    lines: tuple[Line, ...]
    before: str
    after: str
    at_ms: int


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


class SyncResult(NamedTuple):
    """What a synchronisation came to.

    Attributes:
        parent: Address that answered.
        bytes_up: Bytes that were sent, with HTTP's own, without TLS's and TCP's.
        bytes_down: Bytes that came, the same.
        is_complete: False when the time was up before both sides had everything; synchronise again.
        refused: The parent's word on events of ours that take no effect there: event, code, explanation.
        rejected: What the parent sent that was not stored here.
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

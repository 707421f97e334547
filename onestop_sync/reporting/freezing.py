"""Freezing a report, and what late events change of it.

doc = freeze(store, writer, report)                      # a signed document, sent up like any other
changes = changes_of(store, read(store, doc), field_of)  # what arrived since, and bears on the period
if changes:
    freeze(store, writer, make(store, …), supplements=doc, changes=changes)

A frozen report keeps how far every log was here, and what was here of logs with gaps: of the officers of
another unit, a commune gets what they do with its dossiers. What is not in that and claims a time in the
period is late; each dossier that it belongs to is folded as it was then and as it is now, and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.dossier.complaint import COMPLAINT, handling_of
from onestop_sync.dossier.inspection import INSPECTION, inspection_of
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.report.count import Place, holder_at, place, under
from onestop_sync.dossier.report.course import course_of
from onestop_sync.dossier.report.frozen import REPORT, content_of, sign_op, split
from onestop_sync.dossier.report.periods import Period, named
from onestop_sync.dossier.report.rules import ReportRules
from onestop_sync.dossier.report.shares import MARK_OF
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.entries import ready
from onestop_sync.errors import FormatError, InvalidInput, NotFound
from onestop_sync.event import Event, parse_header
from onestop_sync.fold import fold
from onestop_sync.reporting.listing import documents
from onestop_sync.reporting.making import Report, facts_of
from onestop_sync.reporting.words import moment
from onestop_sync.schema import MAIN, DocumentType
from onestop_sync.state import State
from onestop_sync.storage import tables as t
from onestop_sync.storage import tallies
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.rows import select_in, stored_event
from onestop_sync.store import Document, Store, Writer
from onestop_sync.trust import Authority

__all__ = ["Change", "Frozen", "changes_of", "freeze", "frozen", "frozen_lines", "read"]


_COUNTED: Final[tuple[tuple[DocumentType, str, Callable[[State], object]], ...]] = (
    (COMPLAINT, "Phản ánh, kiến nghị", handling_of),
    (INSPECTION, "Kiểm tra niêm yết", inspection_of),
)
"""What is counted beside dossiers: what it is called, and what of it is counted."""


class _Late(NamedTuple):
    """A late event: its log, the time that it claims, and when it came here."""

    log: bytes
    time_ms: int
    came_ms: int


class _Known(NamedTuple):
    """What was here when a report was frozen.

    Attributes:
        heads: Log → the last sequence of its unbroken part.
        loose: Log → first and last sequence of each part behind a gap.
    """

    heads: Mapping[bytes, int]
    loose: Mapping[bytes, Sequence[tuple[int, int]]]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Known:
        """Reads it out of a frozen report; one of an older version says nothing of what lay behind gaps."""
        loose = {bytes(log): [(int(a), int(b)) for a, b in parts] for log, parts in facts.get("loose", [])}
        return cls({bytes(log): int(seq) for log, seq in facts["logs"]}, loose)

    def has(self, log: bytes, seq: int) -> bool:
        """Tells whether an event was here."""
        is_behind_gap = any(first <= seq <= last for first, last in self.loose.get(log, ()))
        return seq <= self.heads.get(log, 0) or is_behind_gap


class Frozen(NamedTuple):
    """A frozen report.

    Attributes:
        doc: Its document.
        label: What it is called: form, unit, period and version.
        content: `facts_of` of the report, with ``version``, ``supplements``, ``changes`` and ``logs``.
    """

    doc: bytes
    label: str
    content: dict[str, Any]


class Change(NamedTuple):
    """A dossier that late events moved or rated anew, or a complaint or inspection that they changed.

    Attributes:
        label: Its code; what it is, for a complaint.
        doc: Its document.
        before: ``(received, stands)`` columns as frozen; ``None``: it was not counted, as a complaint is not.
        after: The same now.
        late: The late events: ``(who, unit, claimed time, time of arrival here)``.
    """

    label: str
    doc: bytes
    before: tuple[int, int] | None
    after: tuple[int, int] | None
    late: tuple[tuple[str, str, int, int], ...]


def freeze(
    store: Store,
    writer: Writer,
    report: Report,
    *,
    supplements: Frozen | None = None,
    changes: Sequence[Change] = (),
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """Writes a report as a signed document; returns its id.

    Args:
        store: Where; the report was made of it.
        writer: Whoever may sign it: the head of the unit, or an administrator.
        report: The report; its period must be over.
        supplements: The report of the same period that it supplements.
        changes: What changed since that one.
        extra: What else it should say, as plain data.

    Raises:
        InvalidInput: The period is not over, or nothing changed.
        NotAllowed: The writer may not sign it; nothing was written.
    """
    if not report.period.is_over:
        raise InvalidInput(
            "The period is not over yet.", todo="Freeze the report after its last day.", reason="running"
        )
    is_same = supplements is not None and supplements.content["total"] == list(report.table.total)
    if is_same and not changes:
        raise InvalidInput(
            "Nothing that came in late changes the report.", todo="Nothing was written.", reason="unchanged"
        )
    version = supplements.content["version"] + 1 if supplements else 1
    content = facts_of(report) | dict(extra or {}) | {
        "version": version,
        "supplements": supplements.doc if supplements else b"",
        "changes": [_plain(change) for change in changes],
        "logs": [[log, seq] for log, seq in sorted(report.logs.items()) if seq > 0],
        "loose": _loose(store, report.made_ms),
    }  # fmt: skip
    parts = split(content)
    label = f"{'II.06b' if report.is_tier else 'II.06a'} {report.name} {report.period.name} v{version}"

    def work() -> bytes:
        with store.writing():
            doc = writer.create(REPORT.name, {"ten": label})
            for key, part in parts.items():
                writer.edit(doc, {key: part})
            writer.write(doc, [sign_op(parts)])
            return doc

    return store.retrying(work)


def _loose(store: Store, made_ms: int) -> list[list[Any]]:
    """Returns what lay behind gaps when a report was made: log → ``[first, last]`` of each unbroken part."""
    behind = (
        sa.select(t.log.c.id, t.event.c.seq)
        .join(t.event, t.event.c.log_n == t.log.c.n)
        .where(t.event.c.seq > t.log.c.seq, t.event.c.at_ms < made_ms)
        .order_by(t.log.c.id, t.event.c.seq)
    )
    found: dict[bytes, list[list[int]]] = {}
    with store.reading() as connection:
        for log, seq in connection.execute(behind):
            parts = found.setdefault(bytes(log), [])
            if parts and parts[-1][1] == seq - 1:
                parts[-1][1] = seq
            else:
                parts.append([seq, seq])
    return [[log, parts] for log, parts in found.items()]


def _plain(change: Change) -> list[Any]:
    columns = [list(change.before) if change.before else [], list(change.after) if change.after else []]
    return [change.label, change.doc, *columns, [list(late) for late in change.late]]


def read(store: Store, doc: bytes) -> Frozen:
    """Returns a frozen report.

    Raises:
        NotFound: It is not here, or is none.
        FormatError: It is not whole.
    """
    document = store.document(doc)
    if document.kind.name != REPORT.name:
        raise NotFound("There is no such report in this store.")
    return _read(document)


def _read(document: Document) -> Frozen:
    return Frozen(document.id, str(document.value("ten")), content_of(document.state))


def frozen(
    store: Store, unit: str = "", period: str = "", *, is_tier: bool | None = None
) -> Iterator[Frozen]:  # fmt: skip
    """Yields the signed reports that are here, the newest first; of one unit, period, form where named."""
    for document in documents(store, REPORT.name, period):
        with suppress(FormatError):  # not signed yet, or of a stranger's making
            each = _read(document)
            facts = each.content
            is_wanted = unit in {"", facts["unit"]} and period in {"", facts["period"]}
            if is_wanted and is_tier in {None, facts["is_tier"]}:
                yield each


def changes_of(store: Store, old: Frozen, rules: Sequence[ReportRules]) -> list[Change]:
    """Returns the dossiers that late events moved since a report was frozen, by code.

    Args:
        store: The store in which it was frozen, or one that holds the same units.
        old: The frozen report.
        rules: All that are known: they say when the period begins and ends.
    """
    facts = old.content
    period = named(str(facts["period"]), rules)
    known = _Known.of(facts)
    touched = _touched(store, known, period, DOSSIER.name)
    tree = store.trust.document.tree
    last_ms = period.end_ms - 1
    unit = str(facts["unit"])
    units = under(tree, unit, last_ms) if facts["is_tier"] else frozenset({unit})
    found: list[Change] = []
    for n, late in touched.items():
        with store.reading() as connection:
            row = connection.execute(sa.select(t.document).where(t.document.c.n == n)).one()
            events = _events(connection, n)
        before = _placed(_state_then(store, events, known), period, tree_units=units, store=store, doc=row.id)
        now = unpack(row.state) if row.state else None
        after = _placed(now, period, tree_units=units, store=store, doc=row.id)
        if before != after:
            with store.reading() as connection:
                label = tallies.names(connection, [n]).get(n)
            said = tuple(_said(store, each) for each in sorted(late, key=lambda each: each.time_ms))
            columns = [(at.came, at.stands) if at else None for at, _ in (before, after)]
            found.append(Change(label.label if label else "", bytes(row.id), columns[0], columns[1], said))
    found += _others(store, known, period, units)
    return sorted(found, key=lambda change: (change.label, change.doc))


def _others(store: Store, known: _Known, period: Period, units: frozenset[str]) -> Iterator[Change]:
    """Yields the documents beside dossiers of which late events change what indicators 6, 7 and 8 count."""
    tree, last_ms = store.trust.document.tree, period.end_ms - 1
    for kind, name, read_of in _COUNTED:
        for n, late in _touched(store, known, period, kind.name).items():
            with store.reading() as connection:
                row = connection.execute(sa.select(t.document).where(t.document.c.n == n)).one()
                events = _events(connection, n)
            now = unpack(row.state) if row.state else None
            if now is None:
                continue
            task = now.tasks.get(MAIN)
            if holder_at(tree, task.unit if task else now.unit, bytes(row.id), last_ms) not in units:
                continue
            then = _state_then(store, events, known, kind)
            if then is None or read_of(then) != read_of(now):
                said = tuple(_said(store, each) for each in sorted(late, key=lambda each: each.time_ms))
                yield Change(f"{name} {bytes(row.id).hex()[:12]}", bytes(row.id), None, None, said)


def _touched(store: Store, known: _Known, period: Period, kind: str) -> dict[int, list[_Late]]:
    """Returns the documents of a kind that have late events: number → the events."""
    columns = sa.select(t.event.c.doc_n, t.event.c.seq, t.event.c.header, t.event.c.at_ms)
    of_kind = sa.select(t.document.c.n).where(t.document.c.kind == kind)
    found: dict[int, list[_Late]] = {}
    with store.reading() as connection:
        for log in connection.execute(sa.select(t.log.c.n, t.log.c.id)).all():
            beyond = columns.where(t.event.c.log_n == log.n, t.event.c.seq > known.heads.get(log.id, 0))
            for row in connection.execute(beyond.where(t.event.c.doc_n.in_(of_kind))):
                time_ms = parse_header(row.header).time_ms
                if time_ms < period.end_ms and not known.has(log.id, row.seq):
                    found.setdefault(row.doc_n, []).append(_Late(log.id, time_ms, row.at_ms))
    return found


def _events(connection: sa.Connection, n: int) -> list[Event]:
    rows = select_in(connection, sa.select(t.event), t.event.c.doc_n, [n])
    return [stored_event(row) for row in rows]


def _state_then(store: Store, events: Sequence[Event], known: _Known, kind: DocumentType = DOSSIER) -> Any:
    """Returns a document as it was when no more than that was here; ``None`` when nothing of it was."""
    then = [event for event in events if known.has(event.log, event.header.seq)]
    entries, _ = ready(kind, store.trust, then)
    return fold(kind, entries) if entries else None


def _placed(
    state: Any, period: Period, *, tree_units: frozenset[str], store: Store, doc: bytes
) -> tuple[Place | None, int | None]:
    """Returns where a dossier stands, and its rating where that is counted: of one that was resolved."""
    course = course_of(state) if state else None
    if (
        course is None
        or holder_at(store.trust.document.tree, course.unit, doc, period.end_ms - 1) not in tree_units
    ):
        return None, None
    at = place(course, period)
    is_rated = at is not None and at.stands in MARK_OF
    return at, course.score_at(period.end_ms - 1) if is_rated else None


def _said(store: Store, late: _Late) -> tuple[str, str, int, int]:
    authority = store.trust.authority(late.log)
    if not isinstance(authority, Authority):
        return "", "", late.time_ms, late.came_ms
    certificate = authority.certificate
    return certificate.name, certificate.unit, late.time_ms, late.came_ms


def frozen_lines(each: Frozen) -> Iterator[str]:
    """Yields a frozen report in Vietnamese: its name, its figures, and what changed and why."""
    facts = each.content
    yield f"{one_line(each.label)}: chốt lúc {moment(facts['made_ms'])}, mã số liệu {facts['heads'][:16]}"
    yield "  " + "  ".join(f"({n}) {value}" for n, value in enumerate(facts["total"], 3))
    for label, doc, before, after, late in facts["changes"]:
        if before == after:
            moved = "đổi đánh giá của người nộp (chỉ số 7)" if before else "đổi chỉ số đánh giá"
        else:
            moved = f"{_columns(before)} → {_columns(after)}"
        yield f"  {one_line(label) or doc.hex()}: {moved}, vì thao tác đến muộn:"
        for who, unit, at_ms, came_ms in late:
            author = f"{one_line(who)} ({one_line(unit)})"
            yield f"    {author} làm lúc {moment(at_ms)}, đến lúc {moment(came_ms)}"


def _columns(found: Sequence[int]) -> str:
    return f"cột ({found[0]}) và ({found[1]})" if found else "chưa tính"

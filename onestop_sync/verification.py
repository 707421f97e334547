"""Evidence out of a store, and the proof of a whole store.

`collect` gathers what proves one document (`evidence`); `verify_store` proves every log and every document
that is here, from the root up, and compares what the store shows with what the events fold to.

A whole store is read as a stream: one log or some documents at a time, and of all events only the ids of
those that do not check are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec, keys
from onestop_sync import event as ev
from onestop_sync.acks import Acks
from onestop_sync.document_evidence import Claim, Evidence
from onestop_sync.entries import OF_TRUST
from onestop_sync.errors import FormatError, NotAllowed, NotFound, SignatureInvalid
from onestop_sync.event import EVENT_KIND, Event
from onestop_sync.proof import Foundation, HeaderChain, check, examine, lay, verify_frames
from onestop_sync.report import Problem, Report
from onestop_sync.storage import bases, summaries
from onestop_sync.storage import evidence_rows as rows_of
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import pack
from onestop_sync.storage.rows import stored_event
from onestop_sync.store import Store
from onestop_sync.tombstone import is_tombstones, read
from onestop_sync.trail import TRAIL

__all__ = ["LogReport", "StoreReport", "collect", "verify_document", "verify_store"]

_DOCUMENTS: Final = 500
"""Documents that are read at a time."""
_EVENTS: Final = 2_000
"""Events of a log that are verified at a time."""

Progress = Callable[[str, int, int], None]
"""Called with what is being proven (``events`` or ``documents``), how many are done, and of how many."""


def collect(store: Store, doc: bytes) -> Evidence:
    """Gathers everything that proves one document.

    A store that serves others adds its own signed word that it has the events; every enrolled machine signs
    which events it has.

    Raises:
        NotFound: No event of such a document is here.
        NotAllowed: The province's snapshot alone says what it is (``details["reason"]`` is ``history``).
    """
    store.refresh_trust()
    trust = store.trust
    with store.reading() as connection:
        row = connection.execute(
            sa.select(t.document.c.n, t.document.c.kind).where(t.document.c.id == doc)
        ).first()
        kind = row.kind if row is not None else None
        if row is not None:
            summaries.check_history(connection, row.n)
        events = rows_of.document_events(connection, doc)
        if kind is None or not events:
            raise NotFound("There is no such document in this store.")
        units = {g.unit for e in events if (g := trust.genesis(e.log)) is not None}
        acks, spans = rows_of.acks_for(connection, events, units)
    own = _own_acks(store, events)
    claim = _claim(store, doc, events)
    nodes = {statement.node for statement in acks.values()} | ({_machine(store)} if own or claim else set())
    with store.reading() as connection:
        proofs = rows_of.proofs_of(connection, trust, events, nodes)
        for log, wanted in rows_of.spans_of_cuts(trust, [*events, *proofs]).items():
            spans.setdefault(log, []).extend(wanted)
        headers = rows_of.headers_between(connection, spans)
    frames = {event.id: event for event in [*proofs, *events]}
    known = {event.header_bytes for event in frames.values()}
    return Evidence(
        kind,
        doc,
        store.publication.part(_tombstone_files(store, doc)),
        [event.to_frame() for event in frames.values()],
        [header for header in headers if header not in known],
        [*acks, *own],
        claim,
    )


def _tombstone_files(store: Store, doc: bytes) -> list[str]:
    """Returns the names of the published files that hold a document's tombstone."""
    files = store.publication.targets
    return [n for n, data in files.items() if is_tombstones(n) and any(x.doc == doc for x in read(data))]


def _machine(store: Store) -> bytes:
    """Returns the log of the machine; empty when nobody has certified it."""
    try:
        return store.machine_log
    except NotAllowed:
        return b""


def _claim(store: Store, doc: bytes, events: Sequence[Event]) -> bytes:
    log = _machine(store)
    if not log:
        return b""
    claim = Claim(log, doc, store.clock(), tuple(sorted(event.id for event in events)))
    return claim.sign(store.machine)


def _own_acks(store: Store, events: Sequence[Event]) -> list[bytes]:
    """Returns a server's own word on events of the units below it: today's, since it keeps none."""
    log = _machine(store) if store.serves else b""
    if not log:
        return []
    by_unit: dict[str, list[bytes]] = {}
    for event in events:
        genesis = store.trust.genesis(event.log)
        if genesis is not None and store.trust.document.is_over(store.unit, genesis.unit):
            by_unit.setdefault(genesis.unit, []).append(event.id)
    now = store.clock()
    return [
        Acks(log, unit, store.epoch, now, 0, (), tuple(sorted(ids))).sign(store.machine)
        for unit, ids in sorted(by_unit.items())
    ]


def verify_document(store: Store, doc: bytes) -> Report:
    """Proves one document of a store as an auditor would, and compares what the store shows of it.

    Raises:
        NotFound: No event of such a document is here.
    """
    report = check(collect(store, doc), store.root, store.types.values())
    with store.reading() as connection:
        row = connection.execute(sa.select(t.document).where(t.document.c.id == doc)).one()
    report.problems += _compared(report, row)
    return report


def _compared(report: Report, row: Any) -> list[Problem]:
    """Compares a proven document with the projection that the store shows."""
    if report.tombstone is not None:
        is_same = row.state is None and row.tombstone == report.tombstone.to_bytes()
    else:
        is_same = row.tombstone is None and row.state == (pack(report.state) if report.state else None)
    return [] if is_same else [Problem("projection", report.doc)]


# ------------------------------------------------------------------------------------------- a whole store


class LogReport(NamedTuple):
    """What was found out about one log that is not as it should be.

    Attributes:
        log: Its id.
        name: Whose, as certified; empty when that is not proven.
        unit: For which unit it writes.
        forks: Sequences at which there are several events.
        holes: Sequences at which there is none, though later ones are here: ``(first, last)``; of logs that
            the store should have as a whole.
    """

    log: bytes
    name: str
    unit: str
    forks: tuple[int, ...]
    holes: tuple[tuple[int, int], ...]


@dataclass
class StoreReport:
    """What the proof of a whole store came to.

    Attributes:
        anchor: The province's anchor.
        version: Version of the publication.
        logs: How many logs were followed from end to end.
        events: How many events were verified.
        documents: How many documents were folded anew, the audit trail's aside.
        trail: How many entries of the audit trail were.
        erased: How many of them are erased.
        snapshots: How many documents more are known by the province's snapshots alone: not proven here, and
            no problem while they are what it signed.
        refused: How many events are refused, which is proven like any other verdict.
        waiting: Documents with events that wait, which is proven too.
        problems: What is not proven.
        odd_logs: Logs with forks or holes: kept as they are, and to be known.
    """

    anchor: bytes
    version: int = 0
    logs: int = 0
    events: int = 0
    documents: int = 0
    trail: int = 0
    erased: int = 0
    snapshots: int = 0
    refused: int = 0
    waiting: int = 0
    problems: list[Problem] = field(default_factory=list)
    odd_logs: list[LogReport] = field(default_factory=list)

    @property
    def is_proven(self) -> bool:
        """Whether everything checks."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Returns plain data."""
        return {
            "proven": self.is_proven,
            "anchor": self.anchor.hex(),
            "publication": self.version,
            "logs": self.logs,
            "events": self.events,
            "documents": self.documents,
            "trail": self.trail,
            "erased": self.erased,
            "snapshots": self.snapshots,
            "refused": self.refused,
            "waiting": self.waiting,
            "problems": [
                {"code": p.code, "subject": p.subject.hex(), "detail": p.detail} for p in self.problems
            ],
            "odd_logs": [
                {"log": o.log.hex(), "name": o.name, "unit": o.unit, "forks": list(o.forks),
                 "holes": [list(hole) for hole in o.holes]}
                for o in self.odd_logs
            ],
        }  # fmt: skip


def _quiet(_what: str, _done: int, _all: int) -> None:
    pass


def verify_store(store: Store, progress: Progress = _quiet, *, threads: int = 2) -> StoreReport:
    """Proves every log and every document of a store.

    Acks are not looked at: they say how far an event has got, and `verify_document` proves them one by one.

    Args:
        store: The store.
        progress: See `Progress`.
        threads: Threads that verify signatures.
    """
    report = StoreReport(store.root)
    with store.reading() as connection, ThreadPoolExecutor(threads) as pool:
        foundation = _foundation(store, connection, report)
        if foundation is None:
            return report
        report.version = foundation.publication.version
        bad = _Logs(connection, store.unit, foundation, report, pool, progress).run()
        _documents(store, connection, foundation, report, bad, progress)
        report.snapshots, damaged = summaries.damaged(connection, store.types)
        report.problems += [Problem("summary", doc) for _, doc in damaged]
    return report


def _foundation(store: Store, connection: sa.Connection, report: StoreReport) -> Foundation | None:
    query = sa.select(t.event).join(t.document, t.document.c.n == t.event.c.doc_n)
    rows = connection.execute(query.where(t.document.c.kind.in_(sorted(OF_TRUST))).order_by(t.event.c.n))
    verified = verify_frames([row.header, row.signature, row.body] for row in rows)
    report.problems += verified.problems
    data = connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == "trust")).scalar_one()
    try:
        foundation = lay(data, store.root, verified.events, HeaderChain({}), is_part=False)
    except (FormatError, SignatureInvalid) as error:
        report.problems.append(Problem("publication", b"", error.what))
        return None
    cut = [log for log in foundation.trust.logs() if _cut_of(foundation, log)]
    foundation.trust.chain = HeaderChain(_links(connection, cut))
    foundation.trust.forget()
    return foundation


def _cut_of(foundation: Foundation, log: bytes) -> bool:
    genesis = foundation.trust.genesis(log)
    return genesis is not None and bool(foundation.trust.document.cuts_of(genesis.key, genesis.unit))


def _links(connection: sa.Connection, logs: Iterable[bytes]) -> dict[bytes, tuple[int, bytes]]:
    """Returns the links of all headers of logs, by the hashes of the headers themselves."""
    found: dict[bytes, tuple[int, bytes]] = {}
    for log in logs:
        for data in rows_of.headers_between(connection, {log: [(0, codec.MAX_INT)]}):
            header = ev.parse_header(data)
            found[_id(data)] = (header.seq, header.prev)
    return found


def _id(header: bytes) -> bytes:
    return hashlib.sha256(codec.pae(EVENT_KIND, header)).digest()


class _Logs:
    """Follows every log from its first event on, and checks every signature once."""

    def __init__(
        self,
        connection: sa.Connection,
        unit: str,
        foundation: Foundation,
        report: StoreReport,
        pool: Executor,
        progress: Progress,
    ) -> None:
        self.connection = connection
        self.unit = unit
        self.foundation = foundation
        self.report = report
        self.pool = pool
        self.progress = progress
        self.bad: set[bytes] = set()
        self.total = connection.execute(sa.select(sa.func.count()).select_from(t.event)).scalar_one()

    def run(self) -> set[bytes]:
        """Returns the events that do not check."""
        for log in self.connection.execute(sa.select(t.log).order_by(t.log.c.n)).all():
            self._follow(log)
            self.report.logs += 1
        return self.bad

    def _follow(self, log: Any) -> None:
        genesis = self.foundation.trust.genesis(log.id)
        key = genesis.key if genesis else b""
        ids: dict[int, list[tuple[bytes, bytes]]] = {}
        for part in self._parts(log.n):
            good = self._verified(part, log.id, key)
            for row in part:
                if row.id in good:
                    header = good[row.id]
                    ids.setdefault(header.seq, []).append((row.id, header.prev))
            self.report.events += len(part)
            self.progress("events", self.report.events, self.total)
        self._judge(log, ids)

    def _parts(self, log_n: int) -> Iterator[Sequence[Any]]:
        columns = (
            t.event.c.id,
            t.event.c.seq,
            t.event.c.header,
            t.event.c.signature,
            t.event.c.body,
            t.event.c.n,
        )
        after = (-1, -1)
        while True:
            rows = self.connection.execute(
                sa.select(*columns)
                .where(t.event.c.log_n == log_n, sa.tuple_(t.event.c.seq, t.event.c.n) > sa.tuple_(*after))
                .order_by(t.event.c.seq, t.event.c.n)
                .limit(_EVENTS)
            ).all()
            if not rows:
                return
            yield rows
            after = (rows[-1].seq, rows[-1].n)

    def _verified(self, rows: Sequence[Any], log: bytes, key: bytes) -> dict[bytes, ev.Header]:
        """Returns the headers of those of the rows that check; the others are problems."""
        good: dict[bytes, ev.Header] = {}
        checkable: list[tuple[Any, Event]] = []
        for row in rows:
            try:
                event = ev.parse([row.header, row.signature, row.body])
            except FormatError as error:
                self._bad(row.id, Problem("malformed", row.id, error.what))
                continue
            if event.id != row.id or event.log != log:
                self._bad(row.id, Problem("malformed", row.id, "stored under another id or log"))
            elif not key:
                self._bad(row.id, Problem("no_log", row.id, log.hex()))
            else:
                checkable.append((row, event))
        chunks = [checkable[i : i + 64] for i in range(0, len(checkable), 64)]
        for part, answers in zip(chunks, self.pool.map(lambda c: _are_signed(c, key), chunks), strict=True):
            for (row, event), is_right in zip(part, answers, strict=True):
                if is_right:
                    good[row.id] = event.header
                else:
                    self._bad(row.id, Problem("forged", row.id))
        return good

    def _bad(self, event_id: bytes, problem: Problem) -> None:
        self.bad.add(event_id)
        if problem not in self.report.problems:
            self.report.problems.append(problem)

    def _judge(self, log: Any, ids: dict[int, list[tuple[bytes, bytes]]]) -> None:
        """Names forks and holes, and checks that each event follows one that is here."""
        forks = tuple(seq for seq, here in sorted(ids.items()) if len(here) > 1)
        base = bases.base_of(self.connection, log.n)
        holes = tuple(hole for hole in _holes(sorted(ids)) if base is None or hole[1] > base.seq)
        if not self.foundation.trust.document.tree.is_wholly_over(self.unit, log.unit):
            holes = ()  # of a log from elsewhere only what concerns this unit comes here
        for seq, here in ids.items():
            before = {event_id for event_id, _ in ids.get(seq - 1, ())}
            self.report.problems += [
                Problem("broken", e, log.id.hex()) for e, prev in here if before and prev not in before
            ]
        is_stated = base is not None and (log.seq, log.head) == base
        if (
            log.seq >= 0
            and not is_stated
            and log.head not in {event_id for event_id, _ in ids.get(log.seq, ())}
        ):
            self.report.problems.append(Problem("head", log.id))
        if forks or holes:
            authority = self.foundation.chain_of(log.id)
            name = authority[0].name if authority else ""
            self.report.odd_logs.append(LogReport(log.id, name, log.unit, forks, holes))


def _are_signed(chunk: Sequence[tuple[Any, Event]], key: bytes) -> list[bool]:
    return [
        keys.verify(key, codec.pae(EVENT_KIND, event.header_bytes), event.signature) for _, event in chunk
    ]


def _holes(seqs: Sequence[int]) -> tuple[tuple[int, int], ...]:
    return tuple((a + 1, b - 1) for a, b in zip([-1, *seqs], seqs, strict=False) if b > a + 1)


def _documents(
    store: Store,
    connection: sa.Connection,
    foundation: Foundation,
    report: StoreReport,
    bad: set[bytes],
    progress: Progress,
) -> None:
    """Folds every document anew, and compares what the store shows."""
    kinds = sorted(store.types)
    told = sa.select(t.summary.c.doc_n).where(t.is_summary)
    where = (t.document.c.kind.in_(kinds), t.document.c.n.not_in(told))
    total = connection.execute(sa.select(sa.func.count()).where(*where)).scalar_one()
    after = -1
    query = sa.select(t.document).where(*where).order_by(t.document.c.n)
    while rows := connection.execute(query.where(t.document.c.n > after).limit(_DOCUMENTS)).all():
        after = rows[-1].n
        events: dict[int, list[Event]] = {row.n: [] for row in rows}
        of_docs = sa.select(t.event).where(t.event.c.doc_n.in_(list(events)))
        for row in connection.execute(of_docs.order_by(t.event.c.n)):
            if row.id not in bad:
                events[row.doc_n].append(stored_event(row))
        for row in rows:
            _one(store, foundation, report, row, events[row.n])
        progress("documents", report.documents + report.trail, total)
    others = sa.select(t.document.c.id, t.document.c.kind).where(
        t.document.c.kind.not_in([*kinds, *OF_TRUST])
    )
    report.problems += [Problem("type", row.id, row.kind) for row in connection.execute(others)]


def _one(store: Store, foundation: Foundation, report: StoreReport, row: Any, events: list[Event]) -> None:
    found = examine(foundation, store.types[row.kind], row.id, events)
    found.problems += _compared(found, row)
    is_trail = row.kind == TRAIL.name
    report.trail += is_trail
    report.documents += not is_trail
    report.erased += found.tombstone is not None
    standings = [str(proven.standing) for proven in found.events]
    report.refused += standings.count("refused")
    report.waiting += "waiting" in standings
    report.problems += found.problems

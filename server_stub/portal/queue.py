"""The queue to the portal: which dossiers changed since it was told of them, each brought there by itself.

A dossier's row keeps the fingerprint of the state that was dealt with. Whatever changes the state makes the
dossier due; what the portal took is kept by its digest, so that a state that changes nothing outside sends
nothing. Before anything is sent the code is looked up: an answer that was lost doubles nothing, and a queue
that was restored from a backup, or lost, begins anew without harm. One dossier's trouble delays no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
import tenacity

from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.portal.documents import Export, Held, plan_export
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import NotAllowed, NotFound, StoreError, Unreachable, UpstreamError
from onestop_sync.store import Store
from server_stub.logs import broke, warn
from server_stub.portal import rows, vault
from server_stub.portal.line import Found, Line, PortalBusy
from server_stub.portal.source import source_of

__all__ = ["PACE", "Counts", "Pace", "Queue", "State", "retry", "states"]

_PAUSE: Final = "pause_until"
_CATALOGUE: Final = "catalogue"
_ROW: Final = {
    "code": "", "seen": b"", "sent": b"", "status": "waiting", "reason": "", "tries": 0, "next_ms": 0,
    "lease_ms": 0, "sent_ms": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the queue is.

    Attributes:
        tries: Tries of one dossier in one run, while the line breaks.
        wait_s: Pause before the second of them; it doubles, with chance in it.
        first_s: Pause of a dossier after its first run without success; it doubles.
        most_s: Longest such pause.
        lease_s: How long one program has a dossier in hand; after that it was killed.
        breaks: Dossiers in a row without any answer, after which a run leaves the line alone.
    """

    tries: int = 3
    wait_s: float = 1.0
    first_s: float = 60.0
    most_s: float = 6 * 3600.0
    lease_s: float = 600.0
    breaks: int = 3

    def pause_ms(self, tries: int) -> int:
        """Returns the pause after so many runs without success, milliseconds."""
        return int(min(self.most_s, self.first_s * 2.0 ** min(tries - 1, 20)) * 1000)


PACE: Final = Pace()


class Counts(NamedTuple):
    """What a run came to, in dossiers.

    Attributes:
        sent: The portal took something of them.
        same: Nothing of them is new outside.
        held: They wait for a person.
        failing: They are tried again later.
        left: They are due, and this run did not come to them.
        paused_until_ms: The portal wants to be left alone until then; 0 when it does not.
    """

    sent: int = 0
    same: int = 0
    held: int = 0
    failing: int = 0
    left: int = 0
    paused_until_ms: int = 0


class State(NamedTuple):
    """How a dossier stands at the portal; as `rows.dossier`."""

    doc: bytes
    code: str
    status: str
    reason: str
    tries: int
    next_ms: int
    sent_ms: int


class Queue:
    """Brings dossiers to the portal.

    Args:
        store: The server's store; its tables were made (`rows.make_tables`).
        line: To the portal.
        pace: How patient it is.
    """

    def __init__(self, store: Store, line: Line, pace: Pace = PACE) -> None:
        self.store = store
        self.line = line
        self.pace = pace

    def run(self) -> Counts:
        """Brings everything that is due to the portal, once; by the newest catalogue that is here."""
        self.store.refresh_trust()
        catalogue = rules_of(self.store).catalogue
        self.store.retrying(lambda: self._heed(catalogue))
        paused = _paused_until(self.store)
        due = self._due()
        if paused > self.store.clock():
            return Counts(left=len(due), paused_until_ms=paused)
        found = {"sent": 0, "same": 0, "held": 0, "failing": 0, "none": 0}
        breaks = done = 0
        for doc, fingerprint in due:
            try:
                became = self._one(doc, fingerprint, catalogue)
            except Unreachable as error:
                became, breaks = "failing", breaks + 1
                self._fail(doc, error)
                paused = self._pause(error)
            else:
                breaks = 0
            done += 1
            if became:
                found[became] += 1
            if paused > self.store.clock() or breaks >= self.pace.breaks:
                break
        del found["none"]
        until = paused if paused > self.store.clock() else 0
        return Counts(**found, left=len(due) - done, paused_until_ms=until)

    # ---- what is due

    def _heed(self, catalogue: Catalogue) -> None:
        """Makes due what is held, once another catalogue is published: it may have what was lacking."""
        mark = b"%d" % catalogue.version
        with self.store.writing() as transaction:
            if vault.load(transaction.connection, _CATALOGUE) != mark:
                vault.save(transaction.connection, _CATALOGUE, mark)
                _make_due(transaction.connection, rows.dossier.c.status == "held")

    def _due(self) -> list[tuple[bytes, bytes]]:
        """Returns the dossiers that are due and their fingerprints; those that waited longest first."""
        now = self.store.clock()
        here = self.store.fingerprints(DOSSIER.name)
        with self.store.reading() as connection:
            known = {bytes(row.doc): row for row in connection.execute(sa.select(rows.dossier))}
        fresh = self.store.retrying(lambda: self._enter(set(here) - set(known)))
        old = [
            row for doc, row in known.items()
            if doc in here and row.next_ms <= now and row.lease_ms <= now
            and (bytes(row.seen) != here[doc] or row.status == "failing")
        ]  # fmt: skip
        old.sort(key=lambda row: (row.next_ms, bytes(row.doc)))
        return [
            *((bytes(row.doc), here[bytes(row.doc)]) for row in old),
            *((doc, here[doc]) for doc in fresh),
        ]

    def _enter(self, docs: set[bytes]) -> list[bytes]:
        """Makes rows of dossiers that have none; returns them."""
        if not docs:
            return []
        with self.store.writing() as transaction:
            held = set(transaction.connection.execute(sa.select(rows.dossier.c.doc)).scalars())
            fresh = sorted(docs - held)
            if fresh:
                transaction.connection.execute(sa.insert(rows.dossier), [{"doc": d, **_ROW} for d in fresh])
        return fresh

    def _claim(self, doc: bytes) -> Any:
        """Returns a dossier's row, which is this program's for a while; ``None`` when another has it."""
        now = self.store.clock()
        at = rows.dossier.c
        with self.store.writing() as transaction:
            claimed = transaction.connection.execute(
                sa.update(rows.dossier)
                .where(at.doc == doc, at.lease_ms <= now)
                .values(lease_ms=now + int(self.pace.lease_s * 1000))
            )
            if not claimed.rowcount:
                return None
            return transaction.connection.execute(sa.select(rows.dossier).where(at.doc == doc)).one()

    # ---- one dossier

    def _one(self, doc: bytes, fingerprint: bytes, catalogue: Catalogue) -> str:
        """Deals with one dossier; returns what became of it, empty when another program has it.

        Raises:
            Unreachable: The portal did not answer.
        """
        row = self._claim(doc)
        if row is None:
            return ""
        try:
            plan = plan_export(source_of(self.store, doc, catalogue), self.line.settings)
        except (NotFound, NotAllowed):  # erased by law: the portal's own rules are not ours
            return self._note(doc, "none", seen=fingerprint)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - whatever one dossier holds, the others go out; it is logged and told
            broke("portal export broke")
            return self._note(doc, "held", seen=fingerprint, reason="broken")
        if isinstance(plan, Held):
            status = "none" if plan.reason == "not_yet" else "held"
            reason = f"{plan.reason} {plan.detail}".strip()
            return self._note(doc, status, seen=fingerprint, reason="" if status == "none" else reason)
        try:
            is_new = self._deliver(doc, bytes(row.sent), plan)
        except Unreachable:
            raise
        except UpstreamError as error:
            self._fail(doc, error)
            return "failing"
        self._note(doc, "sent", seen=fingerprint, code=plan.code, tries=0, next_ms=0)
        return "sent" if is_new else "same"

    def _deliver(self, doc: bytes, sent: bytes, plan: Export) -> bool:
        """Brings an export to the portal; tried again from the look-up on while the line breaks."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.pace.tries),
            wait=tenacity.wait_random_exponential(multiplier=self.pace.wait_s, max=30),
            retry=tenacity.retry_if_exception(
                lambda e: isinstance(e, Unreachable) and not isinstance(e, PortalBusy)
            ),
            reraise=True,
        )
        return bool(retrying(self._try, doc, sent, plan))

    def _try(self, doc: bytes, sent: bytes, plan: Export) -> bool:
        lacking = [each for each in plan.progress if _digest(each) not in self._steps(doc)]
        digest = _digest(plan.dossier)
        if digest == sent and not lacking:
            return False
        found = self.line.look_up(plan.unit, plan.code)
        if digest != sent or found is None:
            self.line.send("dossier", plan.unit, plan.dossier, is_updating=found is not None)
            self._note(doc, "waiting", code=plan.code, sent=digest, sent_ms=self.store.clock())
        for each in lacking if found is not None else plan.progress:
            if not _has(found, each):
                self.line.send("progress", plan.unit, each, is_updating=True)
            self._note_step(doc, _digest(each))
        return True

    # ---- what is kept

    def _steps(self, doc: bytes) -> set[bytes]:
        query = sa.select(rows.step.c.digest).where(rows.step.c.doc == doc)
        with self.store.reading() as connection:
            return {bytes(digest) for digest in connection.execute(query).scalars()}

    def _note_step(self, doc: bytes, digest: bytes) -> None:
        at = rows.step.c
        with self.store.writing() as transaction:
            known = sa.select(at.doc).where(at.doc == doc, at.digest == digest)
            if transaction.connection.execute(known).first() is None:
                transaction.connection.execute(sa.insert(rows.step).values(doc=doc, digest=digest))

    def _note(self, doc: bytes, status: str, reason: str = "", **values: object) -> str:
        lease = {} if status == "waiting" else {"lease_ms": 0}
        with self.store.writing() as transaction:
            transaction.connection.execute(
                sa.update(rows.dossier)
                .where(rows.dossier.c.doc == doc)
                .values(status=status, reason=reason, **lease, **values)
            )
        return status

    def _fail(self, doc: bytes, error: UpstreamError) -> None:
        now = self.store.clock()
        code = str(error.details.get("code", ""))
        reason = f"{error.code} {code}".strip()
        with self.store.writing() as transaction:
            tries = transaction.connection.execute(
                sa.select(rows.dossier.c.tries).where(rows.dossier.c.doc == doc)
            ).scalar_one()
        pause_ms = self.pace.pause_ms(tries + 1)
        self._note(doc, "failing", reason, tries=tries + 1, next_ms=now + pause_ms)
        warn("portal failed", code=error.code, tries=tries + 1)

    def _pause(self, error: Unreachable) -> int:
        """Leaves the whole portal alone for as long as it asked; returns until when, 0 when it did not."""
        if not isinstance(error, PortalBusy) or error.wait_s is None:
            return 0
        until = self.store.clock() + int(error.wait_s * 1000)
        with self.store.writing() as transaction:
            vault.save(transaction.connection, _PAUSE, b"%d" % until)
        return until


def _paused_until(store: Store) -> int:
    with store.reading() as connection:
        return int(vault.load(connection, _PAUSE) or b"0")


def _digest(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _has(found: Found | None, step: Mapping[str, Any]) -> bool:
    """Tells whether the portal has a step already; ``False`` where its answers do not say."""
    if found is None or found.progress is None:
        return False
    return any(all(each.get(key) == value for key, value in step.items()) for each in found.progress)


# ---------------------------------------------------------------------------------------------- looking


def states(store: Store, statuses: Iterable[str] = ()) -> list[State]:
    """Returns how dossiers stand, those that failed most often first."""
    at = rows.dossier.c
    query = sa.select(at.doc, at.code, at.status, at.reason, at.tries, at.next_ms, at.sent_ms)
    wanted = list(statuses)
    if wanted:
        query = query.where(at.status.in_(wanted))
    with store.reading() as connection:
        found = connection.execute(query.order_by(at.tries.desc(), at.doc)).all()
    return [State(bytes(row.doc), *row[1:]) for row in found]


def retry(store: Store, doc: bytes = b"") -> int:
    """Makes dossiers due at once: one, or all that are held or failing; ends a pause of the portal too.

    Returns:
        How many.
    """
    at = rows.dossier.c
    which = at.doc == doc if doc else at.status.in_(["held", "failing"])
    with store.writing() as transaction:
        vault.save(transaction.connection, _PAUSE, b"0")
        return _make_due(transaction.connection, which)


def _make_due(connection: sa.Connection, which: sa.ColumnElement[bool]) -> int:
    """Makes dossiers due, in the caller's transaction; returns how many."""
    changed = connection.execute(
        sa.update(rows.dossier).where(which).values(seen=b"", next_ms=0, status="waiting")
    )
    return int(changed.rowcount)

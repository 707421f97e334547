"""What a person must settle: what everyone had seen, what each wrote, who and when; and the settlement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from commune_client.desk.base import Base
from commune_client.desk.facts import Dispute, DisputeSide, Done
from onestop_sync.dossier.labels import one_line, step_label
from onestop_sync.dossier.personal import masked_state
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import show_value
from onestop_sync.dossier.view import DossierView, OpenIssue, Side
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.fold import fold
from onestop_sync.schema import VOID
from onestop_sync.state import Author, Entry, Reason, State
from onestop_sync.storage.queries import Record

__all__ = ["Disputes"]

_TASK: Final = "task:"
_NOBODY: Final = Author("", frozenset(), frozenset())


class Disputes(Base):
    """Conflicts, late writes, disputed steps, and edits against a void."""

    def conflicts(self, doc: bytes) -> list[Dispute]:
        """Returns everything that is open on a dossier.

        Raises:
            NotFound: It is not here.
        """
        view, history = self._view(self._document(doc).state), self._history(doc)
        return [self._dispute(doc, view, issue, history) for issue in view.issues]

    def conflict(self, doc: bytes, key: str) -> Dispute:
        """Returns one thing that is open.

        Raises:
            NotFound: Nothing is open there (any more).
        """
        view = self._view(self._document(doc).state)
        for issue in view.issues:
            if issue.key == key:
                return self._dispute(doc, view, issue, self._history(doc))
        raise NotFound(f"Nothing is open on {key!r}.", todo="Reload the dossier.", key=key)

    def resolve(self, doc: bytes, key: str, value: Any, reason: str) -> Done:
        """Settles a field with a value, chosen or typed, and a reason.

        Raises:
            NotFound: Nothing is open there (any more).
            NotAllowed: The officer may not, or gave no reason.
        """
        self.conflict(doc, key)
        return self._settled(doc, self.writer.resolve(doc, key, value, reason.strip()).id)

    def choose(self, doc: bytes, key: str, event: bytes, reason: str) -> Done:
        """Settles with what one side wrote, whatever is open: a conflict, a late write, a disputed step.

        Args:
            doc: The dossier.
            key: See `Dispute.key`.
            event: `DisputeSide.event`.
            reason: Why.
        """
        dispute = self.conflict(doc, key)
        side = next((side for side in dispute.sides if side.event == event), None)
        if side is None:
            raise NotFound("That side is not open any more.", todo="Reload the dossier.", key=key)
        if dispute.kind == "task":
            return self.settle(doc, key, side.node, reason)
        if side.kind == "against":
            raise InvalidInput("An edit against a void is no value.", todo="Keep the void, or lift it.")
        return self.resolve(doc, key, side.value, reason)

    def decline_late(self, doc: bytes, key: str, reason: str) -> Done:
        """Leaves what stands, and closes late writes (or edits against a void) with a reason."""
        return self.resolve(doc, key, self.conflict(doc, key).now, reason)

    def settle(self, doc: bytes, key: str, node: bytes, reason: str) -> Done:
        """Settles a disputed step in favour of one branch (`DisputeSide.node`)."""
        return self._settled(doc, self.writer.settle(doc, key.removeprefix(_TASK), node, reason.strip()).id)

    def lift_void(self, doc: bytes, reason: str) -> Done:
        """Takes a void back, which somebody edited against."""
        return self.resolve(doc, VOID, None, reason)

    def _settled(self, doc: bytes, event: bytes) -> Done:
        view = self._view(self._document(doc).state)
        return Done(doc, view.code, event, view.step, view.step_label)

    # ---- showing

    def _history(self, doc: bytes) -> dict[bytes, Record]:
        return {record.event.id: record for record in self.store.history(doc)}

    def _dispute(
        self, doc: bytes, view: DossierView, issue: OpenIssue, history: Mapping[bytes, Record]
    ) -> Dispute:
        is_task = issue.key.startswith(_TASK)
        task = view.state.tasks[issue.key.removeprefix(_TASK)] if is_task else None
        base = task.step if task else self._seen_by_all(issue, history).value(issue.key)
        now = None if task else _standing_value(view.state, issue)
        return Dispute(
            doc=doc,
            code=view.code,
            key=issue.key,
            label=issue.label,
            kind=_kind(issue),
            base=base,
            base_text=step_label(task.step) if task else show_value(issue.key, base),
            now=now,
            now_text=show_value(issue.key, now),
            sides=tuple(self._side(issue.key, side, history) for side in issue.sides),
            is_legal=issue.is_legal,
            why_not=str(self._why_not(view, issue) or ""),
        )

    def _seen_by_all(self, issue: OpenIssue, history: Mapping[bytes, Record]) -> State:
        state = seen_by_all(issue, history)
        return masked_state(state) if self.is_masked else state

    def _side(self, key: str, side: Side, history: Mapping[bytes, Record]) -> DisputeSide:
        record = history.get(side.event)
        certificate = record.author.certificate if record and record.author else None
        unit = certificate.unit if certificate else ""
        return DisputeSide(
            event=side.event,
            value=side.value,
            text=show_value(key, side.value),
            kind=side.kind,
            node=side.node,
            who=one_line(certificate.name) if certificate else "",
            unit=unit,
            unit_name=self.unit_name(unit),
            at_ms=record.event.header.time_ms if record else 0,
            level=record.delivery.level if record else "here",
            is_mine=bool(certificate and self._signer and certificate.key == self._signer.public),
        )

    def _why_not(self, view: DossierView, issue: OpenIssue) -> Reason | None:
        author = self.author
        if author is None:
            return Reason.AUTHORITY
        events = sorted({side.event for side in issue.sides})
        if not issue.key.startswith(_TASK):
            return view.why_not(author, ["resolve", issue.key, view.state.value(issue.key), "x", events])
        name = issue.key.removeprefix(_TASK)
        nodes = sorted(side.node for side in issue.sides)
        return view.why_not(author, ["settle", name, view.state.tasks[name].node, nodes[0], "x", nodes[1:]])


def seen_by_all(issue: OpenIssue, history: Mapping[bytes, Record]) -> State:
    """Folds what the authors of every side had seen: the common past of the events that disagree."""
    pasts = [past_of(side.event, history) for side in issue.sides]
    common = set.intersection(*pasts) if pasts else set()
    return fold(DOSSIER, [_entry(history[event]) for event in sorted(common)])


def past_of(event: bytes, history: Mapping[bytes, Record]) -> set[bytes]:
    """Returns the events that an event's author had seen, without the event itself."""
    found: set[bytes] = set()
    open_: list[bytes] = list(_parents(event, history))
    while open_:
        at = open_.pop()
        if at not in found and at in history:
            found.add(at)
            open_ += _parents(at, history)
    return found


def _parents(event: bytes, history: Mapping[bytes, Record]) -> Iterable[bytes]:
    record = history.get(event)
    return record.event.header.parents if record else ()


def _entry(record: Record) -> Entry:
    author = record.author.author if record.author else _NOBODY
    refusal = None if record.author else Reason.AUTHORITY
    header = record.event.header
    return Entry(record.event.id, header.parents, record.ops, author, header.time_ms, refusal)


def _kind(issue: OpenIssue) -> str:
    if issue.key.startswith(_TASK):
        return "task"
    if issue.key == VOID:
        return "void"
    live = sum(side.kind == "live" for side in issue.sides)
    return "conflict" if live > 1 else "late"


def _standing_value(state: State, issue: OpenIssue) -> Any:
    """Returns what stands at present; nothing while several values claim to."""
    register = state.registers.get(issue.key)
    return register.live[0][1] if register and len(register.values()) == 1 else None

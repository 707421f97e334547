"""The hand of one officer in a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onestop_sync import codec
from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.event import Event, Op
from onestop_sync.fold import Author
from onestop_sync.keys import Signer
from onestop_sync.schema import MAIN, VOID
from onestop_sync.trust import Certificate, Countersignature

if TYPE_CHECKING:
    from onestop_sync.store import Store

__all__ = ["Writer"]


class Writer:
    """The hand of one officer in one store: every method is one signed event, durable when it returns.

    Each raises `NotAllowed` before anything is written when the edit would take no effect, with the reason
    code in ``details["reason"]``; `InvalidInput` for what cannot be stored; `StoreError` when the disk
    refuses.
    """

    def __init__(self, store: Store, signer: Signer) -> None:
        self.store = store
        self.signer = signer

    @property
    def author(self) -> Author:
        """By which authority this writer writes; what `fold.judge` asks for."""
        _, certificate = self.store.find_authority(self.signer.public)
        return self.store.trust.author(certificate)

    def author_of(self, doc: bytes) -> Author:
        """The same for one document: of a unit that was split, each successor goes on with its part."""
        _, certificate = self.store.find_authority(self.signer.public)
        return self.store.trust.author(certificate, doc)

    def create(self, kind: str, values: Mapping[str, Any] | None = None, ops: Sequence[Op] = ()) -> bytes:
        """Creates a document.

        Args:
            kind: Document type.
            values: Register key → value.
            ops: Further operations of the same event, see `onestop_sync.event.Op`.

        Returns:
            The document's id, 16 bytes.

        Raises:
            NotFound: The program knows no such type.
        """
        event = self._do(kind, None, [*_sets(values or {}), *ops])
        return event.header.doc_id

    def write(self, doc: bytes, ops: Sequence[Op]) -> Event:
        """Writes any operations as one event: the general form of all others.

        Args:
            doc: Document id.
            ops: See `onestop_sync.event.Op`.

        Raises:
            NotFound: There is no such document.
        """
        return self._do("", doc, ops)

    def edit(self, doc: bytes, values: Mapping[str, Any]) -> Event:
        """Writes registers: ``{"name": value, "papers/form": {...}}``."""
        return self.write(doc, _sets(values))

    def note(self, doc: bytes, field: str, value: Any) -> Event:
        """Appends to a list that only grows."""
        return self.write(doc, [["note", field, value]])

    def act(
        self,
        doc: bytes,
        action: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        task: str = MAIN,
        values: Mapping[str, Any] | None = None,
    ) -> Event:
        """Takes a transition of a task.

        Args:
            doc: Document id.
            action: Name of the transition.
            arguments: What the transition needs: a reason, a date, the unit ``to`` that it moves to.
            task: ``main``, or another by its full name (``agency:h01``).
            values: Register key → value; edits of the same event, judged at the step before the transition.
        """
        return self.write(doc, [*_sets(values or {}), ["act", task, action, dict(arguments or {})]])

    def resolve(self, doc: bytes, key: str, value: Any, reason: str) -> Event:
        """Settles everything that is open on a register, naming each write, with a reason.

        Args:
            doc: Document id.
            key: Register key, or `VOID`.
            value: What stands from now on: one of the values, or another; ``None`` clears.
            reason: Why; not empty.

        Raises:
            NotFound: Nothing is open there.
        """
        state = self.store.document(doc).state
        register = state.registers.get(key)
        ids = {w[0] for w in (*register.live, *register.late)} if register else set()
        if key == VOID:
            ids.update(state.void_against)
        if not ids:
            raise NotFound(f"Nothing is open on {key!r}.", todo="Reload the document.")
        return self.write(doc, [["resolve", key, value, reason, sorted(ids)]])

    def settle(self, doc: bytes, task: str, node: bytes, reason: str) -> Event:
        """Settles a disputed task in favour of the branch ``node``.

        Args:
            doc: Document id.
            task: Its full name.
            node: The branch that goes on, as `TaskState.branches` names it; the others end.
            reason: Why; not empty.

        Raises:
            NotFound: The task is not disputed, or has no such branch.
        """
        found = self.store.document(doc).state.tasks.get(task)
        nodes = [branch.node for branch in found.branches] if found else []
        if found is None or node not in nodes:
            raise NotFound(f"The task {task!r} has no such branch.", todo="Reload the document.")
        others = sorted(n for n in nodes if n != node)
        return self.write(doc, [["settle", task, found.node, node, reason, others]])

    def void(self, doc: bytes, reason: str) -> Event:
        """Declares a document void; nothing is deleted."""
        return self.write(doc, [["set", VOID, reason]])

    def certify(self, certificate: Certificate) -> Event:
        """Certifies a machine or officer, as an administrator.

        Raises:
            NotAllowed: The writer is no administrator above that unit, or it is the writer's own key.
            InvalidInput: The key is no valid key (`keys.is_valid_key`).
        """
        store = self.store

        def work() -> Event:
            with store.writing() as transaction:
                return transaction.certify(self.signer, certificate)

        return store.retrying(work)

    def countersign(self, events: Sequence[bytes], why: str) -> Event:
        """Vouches, as head of a unit, for events that lie beyond a cut, so that they count after all.

        Args:
            events: Their ids.
            why: The reason; not empty.

        Raises:
            NotAllowed: The writer heads no unit.
        """
        store = self.store

        def work() -> Event:
            with store.writing() as transaction:
                return transaction.countersign(self.signer, Countersignature(tuple(events), why))

        return store.retrying(work)

    def _do(self, kind: str, doc: bytes | None, ops: Sequence[Op]) -> Event:
        store = self.store

        def work() -> Event:
            with store.writing() as transaction:
                return transaction.write(self.signer, kind, doc, ops)

        try:
            return store.retrying(work)
        except NotAllowed as error:
            if doc is not None and error.details.get("reason") == "history":
                store.want_history(doc)
            raise


def _sets(values: Mapping[str, Any]) -> list[Op]:
    return [["set", key, _normal(value)] for key, value in values.items()]


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return codec.nfc(value)
    if isinstance(value, Mapping):
        return {codec.nfc(key): _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    return value

"""Logs written past the store: by thieves, by careless programs, and by officers not yet certified."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onestop_sync.event import LOG, Event, Genesis, Op, build, document_id, typed_id
from onestop_sync.keys import SigningKey
from onestop_sync.schema import DocumentType
from onestop_sync.testing.dice import Dice


class RawLog:
    """A log that asks no store whether it may write.

    Args:
        key: What signs it.
        cert: Id of the certificate that it claims; any bytes.
        unit: Unit that it claims.
        dice: For salts, and for the clock, which says anything.
    """

    def __init__(self, key: SigningKey, cert: bytes, unit: str, dice: Dice) -> None:
        self.key = key
        self.dice = dice
        genesis = Genesis(key.public, cert, unit, 0)
        self.genesis = self._build(
            b"", 0, b"", LOG, typed_id(LOG, dice.randbytes(16)), (), [genesis.to_op()], 1
        )
        self.events: list[Event] = [self.genesis]

    @property
    def id(self) -> bytes:
        """The log's id."""
        return self.genesis.id

    def new_document(self, kind: DocumentType) -> bytes:
        """Returns the id that a document has when the next event creates it."""
        return document_id(self.id, len(self.events), kind.name)

    def write(
        self, kind: DocumentType, doc: bytes, parents: Iterable[bytes], ops: Sequence[Op], *, schema: int = 0
    ) -> Event:
        """Adds an event at the end of the log."""
        event = self._next(kind, doc, parents, ops, schema)
        self.events.append(event)
        return event

    def fork(self, kind: DocumentType, doc: bytes, parents: Iterable[bytes], ops: Sequence[Op]) -> Event:
        """Makes another event with the sequence of the log's last one."""
        kept = self.events.pop()
        event = self._next(kind, doc, parents, ops, 0)
        self.events.append(kept)
        return event

    def _next(
        self, kind: DocumentType, doc: bytes, parents: Iterable[bytes], ops: Sequence[Op], schema: int
    ) -> Event:
        last = self.events[-1]
        return self._build(
            self.id, last.header.seq + 1, last.id, kind.name, doc, parents, ops, schema or kind.version
        )

    def _build(
        self,
        log: bytes,
        seq: int,
        prev: bytes,
        doc_type: str,
        doc: bytes,
        parents: Iterable[bytes],
        ops: Sequence[Op],
        schema: int,
    ) -> Event:
        return build(
            self.key, log=log, seq=seq, prev=prev, doc_type=doc_type, doc_id=doc, parents=parents,
            time_ms=self.dice.randrange(4_000_000_000_000), schema=schema, ops=ops,
            salt=self.dice.randbytes(16),
        )  # fmt: skip

"""A log written by a program that does not ask whether it may: the keys are real, the manners are not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence

from onestop_sync.event import LOG, Event, Genesis, Op, build, typed_id
from onestop_sync.keys import Signer
from onestop_sync.schema import DocumentType

__all__ = ["LooseLog"]


class LooseLog:
    """A log beside the store's own, with no judge before it.

    Args:
        key: What signs it.
        certificate: Id of the certificate event that it claims.
        unit: Unit that it claims.
        clock: Returns milliseconds since 1970 UTC.
    """

    def __init__(self, key: Signer, certificate: bytes, unit: str, clock: Callable[[], int]) -> None:
        self._key = key
        self._clock = clock
        claim = Genesis(key.public, certificate, unit, 0).to_op()
        self.genesis = build(
            key, log=b"", seq=0, prev=b"", doc_type=LOG, doc_id=typed_id(LOG, os.urandom(16)), parents=(),
            time_ms=clock(), schema=0, ops=[claim], salt=os.urandom(16),
        )  # fmt: skip
        self._last = self.genesis

    def write(self, kind: DocumentType, doc: bytes, parents: Iterable[bytes], ops: Sequence[Op]) -> Event:
        """Signs an event that nobody has judged."""
        self._last = build(
            self._key, log=self.genesis.id, seq=self._last.header.seq + 1, prev=self._last.id,
            doc_type=kind.name, doc_id=doc, parents=parents, time_ms=self._clock(), schema=kind.version,
            ops=ops, salt=os.urandom(16),
        )  # fmt: skip
        return self._last

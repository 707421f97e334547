"""Mistakes in what machines tell each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import sqlalchemy as sa

from onestop_sync import exchange
from onestop_sync.storage import arrive, feed, outbox
from onestop_sync.storage import tables as t
from onestop_sync.storage.feed import Feed
from onestop_sync.store import Store


@contextmanager
def skipping_cursor() -> Iterator[None]:
    """A page of a feed that is full leaves the reader behind the item that did not fit."""
    true = feed.read

    def read(connection: sa.Connection, unit: str, after: int, **options: Any) -> Any:
        items, cursor, has_more = true(connection, unit, after, **options)
        if not has_more or cursor is None:
            return items, cursor, has_more
        query = sa.select(t.feed.c.n, t.feed.c.digest).where(
            t.feed.c.unit == unit, t.feed.c.n == cursor[0] + 1
        )
        row = connection.execute(query).first()
        return items, (row.n, row.digest) if row else cursor, has_more

    with mock.patch.object(feed, "read", read):
        yield


def no_backfill() -> AbstractContextManager[Any]:
    """A unit that is given a document is sent what is written from now on, not what was before."""
    return mock.patch.object(Feed, "backfill", return_value=None)


def no_inheritance() -> AbstractContextManager[Any]:
    """A unit that succeeds another is sent what is written from now on, not what the other had."""
    return mock.patch.object(Feed, "inherit", return_value=None)


def cursor_before_events() -> AbstractContextManager[Any]:
    """A machine notes where its feed goes on before what the feed brought is stored."""
    true = exchange.take

    def take(
        store: Store, state: exchange.ParentState, answer: exchange.Answer, shown: Sequence[bytes] = ()
    ) -> Any:
        at = answer.cursor
        with store.writing() as transaction:
            values = {"epoch": at.epoch, "n": at.n, "digest": at.digest}
            which = t.parent.c.name == state.name
            transaction.connection.execute(sa.update(t.parent).where(which).values(**values))
        return true(store, state, answer, shown)

    return mock.patch.object(exchange, "take", take)


def nonce_unchecked() -> AbstractContextManager[Any]:
    """A server takes a request as often as it comes."""
    true = exchange.rotate_nonce

    def rotate(
        store: Store, machine: bytes, given: bytes | None, taken: bytes = b"", *, is_first: bool = False
    ) -> Any:
        found = true(store, machine, given, taken, is_first=is_first)
        return true(store, machine, None) if found is None else found

    return mock.patch.object(exchange, "rotate_nonce", rotate)


def unverified() -> AbstractContextManager[Any]:
    """Events are taken from whoever brings them without a look at their signatures."""
    return mock.patch.object(arrive, "_verify", lambda chunk: [event for event, _ in chunk])


def feed_for_everybody() -> AbstractContextManager[Any]:
    """A server sends every document to all units below it."""
    true = Feed.scopes

    def scopes(self: Feed, units: Any, doc: bytes = b"") -> list[str]:
        tree = self.trust.document.tree
        return sorted({*true(self, units, doc), *(u for u in tree.units if tree.is_over(self.unit, u))})

    return mock.patch.object(Feed, "scopes", scopes)


def no_proofs() -> AbstractContextManager[Any]:
    """A feed brings events without the certificates by which their authors write."""
    return mock.patch.object(Feed, "_introduce", return_value=True)


@contextmanager
def any_head_acked() -> Iterator[None]:
    """An ack counts for a log up to its sequence, whichever branch of the log it names."""
    true = outbox.note_ack

    def note_ack(
        connection: sa.Connection, node: bytes, log_n: int, entry: tuple[int, bytes], said: Any
    ) -> Any:
        at = sa.select(t.event.c.id).where(
            t.event.c.log_n == log_n, t.event.c.seq == entry[0], t.event.c.chained == 1
        )
        ours = connection.execute(at).scalar()
        return true(connection, node, log_n, (entry[0], ours or entry[1]), said)

    with mock.patch.object(outbox, "note_ack", note_ack):
        yield

"""A damaged store says where, is not changed by being looked at, and is made again from its events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onestop_sync import doctor
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.province import Province


@pytest.fixture
def store(tmp_path: Path, database_url: str) -> Iterator[Store]:
    """Give a store with some dossiers, on either database."""
    province = Province(tmp_path, types=[DOSSIER])
    made = province.machine("pc", "c1", {"An": ["tiep_nhan"]}, database=database_url)
    an = made.writer("An")
    for n in range(4):
        doc = an.create(DOSSIER.name, {"nguoi_nop": f"Nguyễn Văn {n}", "so_bo": 1})
        an.act(doc, "accept", values={"tiep_nhan_luc": store_now(made.store)})
    yield made.store
    made.store.close()


def store_now(store: Store) -> int:
    """Returns what the store's clock says."""
    return store.clock()


def spoil(store: Store, statement: Any) -> None:
    """Changes the database behind the store's back."""
    with store.engine.begin() as connection:
        connection.execute(statement)


def test_a_sound_store_is_sound_and_looking_changes_nothing(store: Store) -> None:
    """Every document, event and line is as it has to be, before and after."""
    before, notices = store.digest(), len(store.notices(unseen=False))
    for _ in range(2):
        found = doctor.check(store)
        assert found.faults == ()
        assert (found.documents >= 4, found.events >= 5) == (True, True)
    assert (store.digest(), len(store.notices(unseen=False))) == (before, notices)


@pytest.mark.parametrize(
    ("kind", "statement"),
    [
        ("state", sa.update(t.document).where(t.document.c.kind == "dossier").values(state=b"\x80")),
        ("list", sa.update(t.listing).values(title="Ai khác")),
        ("list", sa.delete(t.listing)),
        ("search", sa.update(t.search).values(text="khong tim thay")),
        ("report", sa.delete(t.tally)),
        ("waiting", sa.insert(t.needs).values(event_n=1, doc_n=2, needs=bytes(32))),
    ],
)
def test_what_is_derived_is_found_wrong_and_made_again(store: Store, kind: str, statement: Any) -> None:
    """The kind of damage and its documents are named; after a rebuild the store is as it was."""
    rows, digest = store.page("dossier"), store.digest()
    with store.reading() as connection:
        assert len(connection.execute(sa.select(t.tally)).all()) == 4
        numbered = connection.execute(
            sa.select(t.document.c.n).where(t.document.c.kind == "dossier")
        ).scalar()
    if kind == "waiting":
        statement = statement.values(doc_n=numbered)
    spoil(store, statement)
    found = doctor.check(store).faults
    assert {fault.kind for fault in found} >= {kind}
    assert all(fault.is_derived and fault.doc for fault in found)
    assert doctor.rebuild(store) >= 4
    assert doctor.check(store).faults == ()
    assert store.digest() == digest
    assert [row.title for row in store.page("dossier")] == [row.title for row in rows]
    assert len(store.page("dossier", search="nguyen van 3")) == 1


def test_a_damaged_event_is_told_and_never_made_up(store: Store) -> None:
    """What somebody wrote cannot be made again: it is named, and a rebuild leaves it as it is."""
    with store.reading() as connection:
        row = connection.execute(sa.select(t.event).order_by(t.event.c.n.desc())).first()
    assert row is not None
    spoil(store, sa.update(t.event).where(t.event.c.n == row.n).values(body=row.body[:-1] + b"\xff"))
    (fault, *_) = doctor.check(store).faults
    assert (fault.kind, fault.is_derived) == ("event", False)
    assert row.id.hex()[:16] in fault.what


def test_a_damaged_certificate_keeps_nobody_from_the_store(store: Store) -> None:
    """A program that reads the keys again passes over what it cannot read; the doctor names it."""
    query = sa.select(t.event).join(t.document, t.document.c.n == t.event.c.doc_n)
    with store.reading() as connection:
        row = connection.execute(query.where(t.document.c.kind == "certificate")).first()
    assert row is not None
    spoil(store, sa.update(t.event).where(t.event.c.n == row.n).values(header=b"\xff" + row.header[1:]))
    store.trust_mark = b""
    store.refresh_trust()
    assert store.trust.certificate(row.id) is None
    assert row.id.hex()[:16] in next(f for f in doctor.check(store).faults if f.kind == "event").what

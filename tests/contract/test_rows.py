"""Rows go into every database by its quickest way, and come out as they went in."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from onestop_sync.storage import engines
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import insert_all

ROWS = [
    (1, "dossier", "", "Đặng Văn Đạt\t\\N", "accepted", "c1", None, 1_790_000_000_000, 0, 0),
    (2, "dossier", "000.01", "", "", "", -5, 0, 3, 1),
]


@pytest.fixture
def connection(database_url: str, tmp_path: Path) -> Iterator[sa.Connection]:
    """Gives a connection to a store's empty tables."""
    engine = engines.open_engine(database_url, tmp_path, b"")
    engines.create_tables(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_rows_come_back_as_they_went_in(connection: sa.Connection) -> None:
    """Text with tabs and backslashes, nothing at all, negative and large numbers are kept."""
    insert_all(connection, t.listing, ROWS)
    insert_all(connection, t.listing, [])
    found = connection.execute(sa.select(t.listing).order_by(t.listing.c.doc_n)).all()
    assert [tuple(row) for row in found] == ROWS


def test_bytes_come_back_as_they_went_in(connection: sa.Connection) -> None:
    """Every byte, and a missing body, are kept."""
    event = (1, bytes(32), 1, 2**52, 1, 1, 0, -1, 0, bytes(range(256)), b"\\x00", None)
    insert_all(connection, t.event, [event])
    assert tuple(connection.execute(sa.select(t.event)).one()) == event


def test_a_second_row_with_one_key_is_an_integrity_error(connection: sa.Connection) -> None:
    """What another process inserted first is told as SQLAlchemy tells it: the store then tries again."""
    insert_all(connection, t.listing, ROWS)
    with pytest.raises(sa.exc.IntegrityError):
        insert_all(connection, t.listing, ROWS[:1])


def test_indexes_of_few_rows_hold_few_rows(connection: sa.Connection) -> None:
    """Each database was told the condition of every partial index."""
    names = {"event_off_chain", "listing_open", "listing_waiting", "content_wanted", "summary_here"}
    catalogue = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index'",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    }
    made = connection.execute(sa.text(catalogue[connection.dialect.name])).all()
    assert {name for name, sql in made if " WHERE " in (sql or "")} == names


def test_a_commune_does_not_load_what_only_servers_use() -> None:
    """Making the tables known loads no dialect of PostgreSQL: a command on an old PC starts without it."""
    program = "import sys, onestop_sync.storage.tables; print([m for m in sys.modules if 'postgresql' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

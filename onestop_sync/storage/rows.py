"""Small things that every part of a store does with rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.event import Event, parse_header

_VALUES: Final = "values_of_the_list"
LOOKUP: Final = 500
"""Values in one IN list."""


def select_in(
    connection: sa.Connection,
    query: Any,
    column: Any,
    values: Sequence[Any],
    *,
    lock: bool = False,
) -> list[Any]:
    """Runs a query for many values, some hundred at a time, in the order of ``values``.

    A query that a module keeps is put together with its list once; the others are each time.
    """
    if not values:
        return []
    name = connection.dialect.name
    is_locked = lock and name != "sqlite"
    if len(values) == 1:
        return list(connection.execute(_single(query, column, lock=is_locked), {_VALUES: values[0]}))
    found: list[Any] = []
    wanted = _listed(query, column, is_array=name == "postgresql", lock=is_locked)
    for i in range(0, len(values), LOOKUP):
        found.extend(connection.execute(wanted, {_VALUES: list(values[i : i + LOOKUP])}).all())
    return found


@lru_cache(maxsize=256)
def _single(query: Any, column: Any, *, lock: bool) -> Any:
    """Returns a query for the rows of which a column is one value: most ask for one."""
    wanted = query.where(column == sa.bindparam(_VALUES, type_=column.type))
    return wanted.with_for_update() if lock else wanted


@lru_cache(maxsize=256)
def _listed(query: Any, column: Any, *, is_array: bool, lock: bool) -> Any:
    """Returns a query for the rows of which a column is among a list's values.

    PostgreSQL is given one array: with a parameter for each value, its driver rewrites the whole statement
    every time, which takes longer than the look-up.
    """
    if is_array:
        wanted = query.where(column == sa.any_(sa.bindparam(_VALUES, type_=sa.ARRAY(column.type))))
    else:
        wanted = query.where(column.in_(sa.bindparam(_VALUES, expanding=True)))
    return wanted.order_by(column).with_for_update() if lock else wanted


def insert_all(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows, each with a value for every column in the table's order.

    The statement is made once for each kind of database, and the driver gets the rows as they are:
    SQLAlchemy's own way looks at every value again, which takes as long as the insert.
    """
    if not rows:
        return
    dialect = connection.dialect
    if dialect.name == "postgresql":
        _copy(connection, table, rows)
        return
    statement = _INSERTS.get(table.name)
    if statement is None:
        statement = _INSERTS[table.name] = str(sa.insert(table).compile(dialect=dialect))
    connection.exec_driver_sql(statement, list(rows))


_INSERTS: Final[dict[str, str]] = {}


def _copy(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows by PostgreSQL's COPY; what the driver says of it is told as SQLAlchemy tells it."""
    dialect = connection.dialect
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    statement = f'COPY "{table.name}" ({columns}) FROM STDIN (FORMAT BINARY)'
    driver = connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types([column.type.compile(dialect).lower() for column in table.columns])
            for row in rows:
                copy.write_row(row)
    except dialect.loaded_dbapi.Error as error:
        base = dialect.loaded_dbapi.Error
        raise sa.exc.DBAPIError.instance(statement, None, error, base, dialect=dialect) from error


def stored_event(row: Any) -> Event:
    """Returns the event that a row of t.event holds."""
    return Event(row.id, parse_header(row.header), row.header, row.signature, row.body)

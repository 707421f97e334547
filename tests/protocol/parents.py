"""A line of machines whose servers can be made to lie: for tests of what is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import sqlalchemy as sa

from onestop_sync.event import LOG, parse_header
from onestop_sync.protocol import Requester, Responder, SyncReport
from onestop_sync.stating import make_statements
from onestop_sync.storage import feed
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.trust import CERTIFICATE
from tests.province import Machine, Province

Snapshot = dict[str, list[dict[str, Any]]]


class Line:
    """Province, district, hub and machines of one commune, a machine of another, and two below the province.

    Args:
        province: Makes the machines.
        database: Gives the database of a server by its name; the others keep theirs in memory.
    """

    def __init__(self, province: Province, database: Callable[[str], str]) -> None:
        def machine(name: str, unit: str, officers: dict[str, Iterable[str]] | None = None) -> Machine:
            return province.machine(name, unit, officers, database="sqlite://")

        def server(name: str, unit: str, officers: dict[str, Iterable[str]] | None = None) -> Machine:
            return province.machine(name, unit, officers, serves=True, database=database(name))

        self.clock = province
        self.province = server("tinh", "p", {"Phúc": ["judge", "boss", "clerk"]})
        self.district = server("huyen", "d1", {"Dũng": ["judge", "boss", "clerk"]})
        self.hub = server("hub", "c1")
        self.pc1 = machine("pc1", "c1", {"An": ["clerk"]})
        self.pc2 = machine("pc2", "c1", {"Cúc": ["clerk"]})
        self.lone = machine("le", "c2", {"Em": ["clerk", "judge"]})
        self.nine = machine("chin", "c9", {"Giang": ["clerk", "judge"]})
        self.ten = machine("muoi", "c9", {"Hà": ["clerk", "judge"]})
        self.up = [(self.pc1, self.hub), (self.pc2, self.hub), (self.hub, self.district),
                   (self.lone, self.district), (self.district, self.province),
                   (self.nine, self.province), (self.ten, self.province)]  # fmt: skip

    @property
    def machines(self) -> list[Machine]:
        """Everybody."""
        return [self.province, self.district, self.hub, self.pc1, self.pc2, self.lone, self.nine, self.ten]

    def everyone(self) -> None:
        """Syncs until everything has gone up and come down."""
        for _ in range(3):
            for child, parent in [*self.up, *reversed(self.up)]:
                sync(child, parent)

    def state(self) -> int:
        """Lets the province state what is new; tells how many statements it made."""
        return make_statements(self.province.store)

    def shared(self, name: str = "Nguyễn Văn An") -> bytes:
        """Has the province decide on a dossier of commune c2, so that c2 gets events that are not its own."""
        doc: bytes = self.lone.writer("Em").create("case", {"name": name})
        self.lone.writer("Em").act(doc, "hand", {"to": "p"})
        for _ in range(2):
            sync(self.lone, self.district)
            sync(self.district, self.province)
        self.province.writer("Phúc").act(doc, "decide")
        return doc


def sync(child: Machine, parent: Machine, name: str = "") -> SyncReport:
    """Runs one whole exchange."""
    requester = Requester(child.store, name or parent.folder.name, is_brief=True)
    responder = Responder(parent.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    return requester.report


def kinds(machine: Machine) -> list[str]:
    """Returns what a machine has found out, by kind."""
    return sorted(finding.kind for finding in machine.store.findings())


def snapshot(store: Store) -> Snapshot:
    """Copies every row of a store's database."""
    with store.reading() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(sa.select(table))]
            for table in t.metadata.sorted_tables
        }


def rewind(store: Store, rows: Snapshot) -> None:
    """Puts a store's database back, in a way that the store itself does not notice."""
    with store._writes_raw() as connection:
        for table in t.metadata.sorted_tables:
            connection.execute(sa.delete(table))
            if rows[table.name]:
                connection.execute(sa.insert(table), rows[table.name])
    store.introduced.clear()
    store.trust_mark = b"unknown"


@contextmanager
def withholding(store: Store, unit: str, kind: int) -> Iterator[None]:
    """Lets a server leave out of a unit's feed what is not the unit's own (events), or all statements."""
    read = feed.read

    def reading(connection: sa.Connection, of: str, after: int, **options: Any) -> Any:
        items, cursor, has_more = read(connection, of, after, **options)
        if of == unit and store._own_transaction() is None:
            items = [item for item in items if not _is_withheld(store, item, unit, kind)]
        return items, cursor, has_more

    with mock.patch.object(feed, "read", reading):
        yield


def _is_withheld(store: Store, item: feed.Item, unit: str, kind: int) -> bool:
    if item.kind != kind or kind != feed.EVENT:
        return item.kind == kind
    genesis = store.trust.genesis(item.log)
    return genesis is not None and genesis.unit != unit and not _is_proof(item)


def _is_proof(item: feed.Item) -> bool:
    return parse_header(item.payload[0]).doc_type in {LOG, CERTIFICATE}

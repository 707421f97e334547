"""What the contracts of stores share: a small province, hand-made events, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync.errors import (
    OnestopError,
)
from onestop_sync.event import Event, document_id
from onestop_sync.keys import SigningKey
from onestop_sync.storage import tables as t
from onestop_sync.testing.small_province import (
    BOSS,
    CLERK,
    JUDGE,
    MATTER,
    Database,
    Machine,
    SmallProvince,
)


@contextmanager
def refused(kind: type[OnestopError], reason: str = "") -> Iterator[None]:
    """Holds that what is done inside is refused with an error of ``kind``, a reason, and what to do next."""
    found: OnestopError | None = None
    try:
        yield
    except kind as error:
        found = error
    assert found is not None, f"this should have been refused: {kind.__name__}"
    assert found.todo, found
    assert not reason or found.details.get("reason") == reason, found.details


def forge(
    key: SigningKey,
    after: Event,
    ops: Sequence[ev.Op],
    *,
    doc: bytes = b"",
    parents: Sequence[bytes] = (),
    salt: bytes = bytes(16),
    **changes: Any,
) -> Event:
    """Makes an event by hand, without asking any store whether it may be."""
    seq = after.header.seq + 1
    facts: dict[str, Any] = {"time_ms": 1, "schema": 1, "doc_type": MATTER.name, "seq": seq, "prev": after.id}
    facts |= changes
    doc_id = doc or document_id(after.log, facts["seq"], facts["doc_type"])
    return ev.build(key, log=after.log, doc_id=doc_id, parents=parents, ops=ops, salt=salt, **facts)


class Contract:
    """What the contracts share: a province with a machine ``pc`` of two officers."""

    province: SmallProvince
    pc: Machine

    def begin(self, folder: Path, databases: Callable[[str], Database]) -> None:
        """Sets up; call it before each test.

        Args:
            folder: An empty folder.
            databases: Gives the URL of an empty database for a name, ``None`` for an encrypted file.
        """
        self.province = SmallProvince(folder, databases)
        self.pc = self.province.machine("pc", "c1", {"an": CLERK, "binh": JUDGE | BOSS})

    def end(self) -> None:
        """Tears down; call it after each test."""
        self.province.close()

    def machine(self, name: str, officers: dict[str, frozenset[str]], unit: str = "c1") -> Machine:
        """Makes one more machine, whose database is in memory."""
        return self.province.machine(name, unit, officers, in_memory=True)

    def another(self) -> Machine:
        """Makes a second machine of the commune, which knows the first one's officers, and is known to it."""
        made = self.machine("pc2", {"chi": CLERK, "dung": JUDGE | BOSS})
        self.pc.store.receive(self.province.issued)
        return made

    def file(self, name: str = "Nguyễn Văn An", **values: Any) -> bytes:
        """Creates a matter on ``pc``."""
        return self.pc.writer("an").create("matter", {"name": name, **values})

    def genesis(self, officer: str) -> Event:
        """Returns the first event of the log of one of ``pc``'s officers."""
        key = self.pc.officers[officer]
        with self.pc.store.writing() as writing:
            log = writing.own_log(key).id
        return ev.parse(self.pc.store.introduction(log)[-1])

    def signed(self, officer: str, *ops: ev.Op, **changes: Any) -> Event:
        """Makes the first event after the genesis of an officer's log, by hand."""
        return forge(self.pc.officers[officer], self.genesis(officer), ops, **changes)

    def everything(self) -> list[int]:
        """Returns how many rows each table of ``pc`` has."""
        with self.pc.store.reading() as connection:
            tables = t.metadata.sorted_tables
            return [
                connection.execute(sa.select(sa.func.count()).select_from(x)).scalar_one() for x in tables
            ]

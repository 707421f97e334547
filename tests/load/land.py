"""A province of many communes: its server's folder, and machines that keep their stores in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from onestop_sync import enrol
from onestop_sync.client import Lines, Parent, Patience, sync
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keys import FAST_FOR_TESTS, SigningKey
from onestop_sync.store import Store, Writer
from onestop_sync.trust import Unit
from server_stub import province
from tests.e2e.servers import HOLDER, PASSPHRASE
from tests.province import BOSS, CASE, CLERK, JUDGE

__all__ = ["Land", "Machine", "units"]

PATIENT = Patience(tries=8, first_s=0.1, most_s=2.0)
_COMMUNES_OF_A_DISTRICT = 20


def units(communes: int) -> tuple[Unit, ...]:
    """Returns a province, a district for each twenty communes, and the communes."""
    districts = -(-communes // _COMMUNES_OF_A_DISTRICT)
    found = [Unit("p", "Tỉnh", "", "province", ("000.00.00.H99",))]
    found += [Unit(f"d{n}", f"Huyện {n}", "p", "district") for n in range(districts)]
    found += [
        Unit(f"c{n}", f"Xã {n}", f"d{n // _COMMUNES_OF_A_DISTRICT}", "commune") for n in range(communes)
    ]
    return tuple(found)


@dataclass
class Machine:
    """One machine with one officer.

    Attributes:
        unit: Its unit.
        store: Its store, in memory.
        secrets: Its keys.
        docs: Cases that were begun here.
        took_s: How long each of its syncs took.
        lines: Its connections, kept open.
    """

    unit: str
    store: Store
    secrets: Secrets
    docs: list[bytes] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    lines: Lines = field(default_factory=Lines)

    @property
    def hand(self) -> Writer:
        """The officer's."""
        return self.store.writer(self.secrets.officer)

    def sync(self, url: str) -> None:
        """Syncs with one of the server's processes."""
        report = sync(self.store, [Parent(url)], lines=self.lines, patience=PATIENT)
        assert report.is_complete, "a sync ran out of time"

    def close(self) -> None:
        """Closes its connections and its store."""
        self.lines.close()
        self.store.close()


class Land:
    """Founds the province, and enrols machines.

    Args:
        folder: For the server's files.
        database: URL of an empty PostgreSQL database.
        communes: How many.
    """

    def __init__(self, folder: Path, database: str, communes: int) -> None:
        self.folder = folder / "province"
        self.database = database
        self.units = units(communes)
        made = province.found(
            self.folder, self.units, holder=HOLDER, passphrase=PASSPHRASE, root_passphrase=PASSPHRASE,
            machine_name="Máy chủ tỉnh", types=[CASE], database=database, cost=FAST_FOR_TESTS,
        )  # fmt: skip
        made.store.close()
        self.machines: list[Machine] = []

    @contextmanager
    def office(self) -> Iterator[tuple[Store, Secrets]]:
        """Opens the server's own store, as one more program beside its processes."""
        secrets = Keyring(self.folder).unlock(HOLDER, PASSPHRASE)
        store = Store.open(self.folder, secrets, types=[CASE], database=self.database)
        try:
            yield store, secrets
        finally:
            store.close()

    def populate(self) -> None:
        """Makes a machine for each commune and each district."""
        with self.office() as (store, secrets):
            for unit in self.units[1:]:
                roles = CLERK if unit.level == "commune" else JUDGE | BOSS
                self.machines.append(_enrolled(store, secrets.officer, unit.id, roles))

    @property
    def communes(self) -> list[Machine]:
        """The machines of communes."""
        return [machine for machine in self.machines if machine.unit.startswith("c")]

    @property
    def districts(self) -> list[Machine]:
        """The machines of districts."""
        return [machine for machine in self.machines if machine.unit.startswith("d")]

    def hang_up(self) -> None:
        """Closes all connections."""
        for machine in self.machines:
            machine.lines.close()

    def close(self) -> None:
        """Closes all machines."""
        for machine in self.machines:
            machine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _enrolled(store: Store, admin: SigningKey, unit: str, roles: frozenset[str]) -> Machine:
    keys = [SigningKey(os.urandom(32)) for _ in range(2)]
    secrets = Secrets(unit, os.urandom(48), keys[0], os.urandom(32), keys[1])
    asked = enrol.request(
        secrets, unit, f"Máy {unit}", [enrol.Applicant(f"Cán bộ {unit}", keys[1], sorted(roles))]
    )
    with store.writing():
        answer = enrol.approve(store, admin, asked)
    folder = store.folder / "machines" / unit
    own = enrol.accept(folder, secrets, answer, types=[CASE], database="sqlite://", threads=1)
    return Machine(unit, own, secrets)

"""A small province in a folder, for contracts: a root, units, an administrator, machines and officers.

province = SmallProvince(folder)
pc = province.machine("pc", "c1", {"an": CLERK, "binh": JUDGE | BOSS})
doc = pc.writer("an").create("matter", {"name": "Nguyễn Văn An"})
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from onestop_sync import publisher
from onestop_sync.event import Event
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import Requester, Responder, SyncReport
from onestop_sync.schema import MAIN, DocumentType, Field, Summary, Task, Transition
from onestop_sync.search_text import fold_text
from onestop_sync.state import State
from onestop_sync.store import Store
from onestop_sync.trust import Certificate, TrustDocument, Unit
from onestop_sync.writer import Writer

Roles = frozenset[str]
CLERK: Final[Roles] = frozenset({"clerk"})
JUDGE: Final[Roles] = frozenset({"judge"})
BOSS: Final[Roles] = frozenset({"boss"})
_IN, _WORK = frozenset({"in"}), frozenset({"work"})


def _summarise(state: State) -> Summary:
    name = str(state.value("name") or "")
    step = state.tasks[MAIN].step if MAIN in state.tasks else ""
    return Summary(str(state.value("code") or ""), name, step, state.value("due"), fold_text(name))


MATTER: Final = DocumentType(
    "matter",
    fields=(
        Field("code"),
        Field("due"),
        Field("phone"),
        Field("name", task=MAIN, owners={"in": CLERK, "work": JUDGE}, resolvers=BOSS, is_legal=True),
        Field("verdict", task=MAIN, owners={"work": JUDGE}),
        Field("papers", kind="map"),
        Field("tags", kind="set"),
        Field("remarks", kind="notes"),
    ),
    tasks=(
        Task(
            MAIN,
            "in",
            (
                Transition("hand", _IN, "work", CLERK, needs=("to",), moves=True),
                Transition("weigh", _IN, "weighed", CLERK, needs_files=True),
                Transition("reject", _IN, "done", CLERK, needs=("why",)),
                Transition("decide", _WORK, "done", JUDGE, seals=True),
            ),
        ),
    ),
    creators=CLERK,
    arbiters=BOSS,
    voiders=BOSS,
    summarise=_summarise,
)
"""A type with everything that a store has to keep: owners, a handover, a seal, a set, a map and notes; one of
its steps waits for attachments."""

UNITS: Final = (
    Unit("p", "Tỉnh Mẫu", "", "province", ("000.00.00.H99",)),
    Unit("d1", "Huyện Một", "p", "district", ("000.00.01.H99",)),
    Unit("c1", "Xã Một", "d1", "commune", ("000.01.01.H99",)),
    Unit("c2", "Xã Hai", "d1", "commune", ("000.02.01.H99",)),
)
START_MS: Final = 1_790_000_000_000
"""What the clocks say at first, milliseconds since 1970 UTC."""

Database = str | None
"""SQLAlchemy URL of an empty database, or ``None`` for an encrypted file in the store's folder."""


@dataclass
class Machine:
    """A machine of the small province.

    Attributes:
        store: Its store.
        secrets: Its keys.
        database: Where its store is.
        officers: Name → key.
    """

    store: Store
    secrets: Secrets
    database: Database
    officers: dict[str, SigningKey] = field(default_factory=dict)

    def writer(self, name: str) -> Writer:
        """Returns the hand of an officer."""
        return self.store.writer(self.officers[name])


_FOR_EVER: Final = publisher.Lifetimes(36_500, 36_500, 36_500)
"""Whoever tests a store by this contract in years from now finds nothing expired."""


class SmallProvince:
    """Makes machines that are certified and know the certificates made so far.

    Args:
        folder: Where the machines' folders go.
        databases: Gives the database of a store by its name.
        seed: Makes all keys.
    """

    def __init__(
        self, folder: Path, databases: Callable[[str], Database] = lambda _: None, *, seed: int = 1
    ) -> None:
        self.folder = folder
        self.databases = databases
        self.random = random.Random(seed)
        self.clock_ms = START_MS
        self.root = self._key()
        self.admin = self._key()
        units = {unit.id: unit for unit in UNITS}
        self.document = TrustDocument(1, units, {self.admin.public: "p"}, START_MS)
        self.anchor, self.trust = publisher.found(
            [self.root], 1, self.root, self.document, now_ms=START_MS, lifetimes=_FOR_EVER
        )
        self.issued: list[Any] = []
        self._stores: list[Store] = []
        self._office = self.create("office", self._secrets("office"), "p", database="sqlite://")

    def tick(self) -> int:
        """Is the clock of every machine: a millisecond later each time."""
        self.clock_ms += 1
        return self.clock_ms

    def close(self) -> None:
        """Closes every store that was opened through this."""
        while self._stores:
            self._stores.pop().close()

    def _key(self) -> SigningKey:
        return SigningKey(self.random.randbytes(32))

    def _secrets(self, holder: str) -> Secrets:
        return Secrets(holder, self.random.randbytes(48), self._key(), self.random.randbytes(32), self._key())

    def create(
        self, name: str, secrets: Secrets, unit: str, *, database: Database, serves: bool = False
    ) -> Store:
        """Makes a store without any certificate in it."""
        store = Store.create(
            self.folder / name, secrets, types=[MATTER], root=self.anchor, trust=self.trust, unit=unit,
            serves=serves, database=database, clock=self.tick, rng=self.random.randbytes, threads=1,
        )  # fmt: skip
        self._stores.append(store)
        return store

    def open(self, machine: Machine, secrets: Secrets | None = None) -> Store:
        """Opens a machine's store once more, as a second program does."""
        store = Store.open(
            machine.store.folder, secrets or machine.secrets, types=[MATTER], database=machine.database,
            clock=self.tick, rng=self.random.randbytes, threads=1,
        )  # fmt: skip
        self._stores.append(store)
        return store

    def machine(
        self,
        name: str,
        unit: str,
        officers: Mapping[str, Roles] | None = None,
        *,
        serves: bool = False,
        in_memory: bool = False,
    ) -> Machine:
        """Makes a machine with officers (name → roles); it knows all certificates made so far."""
        secrets, database = self._secrets(name), "sqlite://" if in_memory else self.databases(name)
        store = self.create(name, secrets, unit, database=database, serves=serves)
        certificate = Certificate(
            secrets.machine.public, unit, "machine", name, seal=secrets.seal_key, serves=serves
        )
        self.issue(certificate)
        made = Machine(store, secrets, database)
        for officer, roles in (officers or {}).items():
            made.officers[officer] = self._key()
            self.issue(Certificate(made.officers[officer].public, unit, "officer", officer, roles))
        store.receive(self.issued)
        return made

    def issue(self, certificate: Certificate) -> Event:
        """Certifies a key as the province's administrator; `issued` grows by the frame."""
        event = self._office.writer(self.admin).certify(certificate)
        if not self.issued:
            self.issued += self._office.introduction(event.log)
        self.issued.append(event.to_frame())
        return event


def frames(store: Store, docs: Iterable[bytes]) -> list[Any]:
    """Returns the frames of documents, behind the proofs of their authors' authority."""
    events = [record.event for doc in docs for record in store.history(doc)]
    proofs = {log: store.introduction(log) for log in dict.fromkeys(event.log for event in events)}
    found = {frame[0]: frame for proof in proofs.values() for frame in proof}
    found.update((event.header_bytes, event.to_frame()) for event in events)
    return list(found.values())


def share(docs: Iterable[bytes], *machines: Machine) -> None:
    """Gives each machine all that the others have of documents."""
    docs = list(docs)
    for giver in machines:
        given = frames(giver.store, docs)
        for taker in machines:
            if taker is not giver:
                taker.store.receive(given)


def sync(child: Machine, parent: Machine) -> SyncReport:
    """Synchronises two machines, in memory."""
    requester, responder = Requester(child.store, "parent"), Responder(parent.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    return requester.report

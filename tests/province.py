"""A small province for tests: a root, units, an administrator, and machines with officers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from onestop_sync import publisher
from onestop_sync.event import Event
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.publication import Publication
from onestop_sync.publisher import Lifetimes
from onestop_sync.schema import MAIN, DocumentType, Field, Summary, Task, Transition
from onestop_sync.search_text import fold_text
from onestop_sync.store import Store
from onestop_sync.trust import Certificate, TrustDocument, Unit

FOR_EVER = Lifetimes(36_500, 36_500, 36_500)
"""The clocks of these tests stand still, and those of the processes that they start do not."""
CLERK, JUDGE, BOSS = frozenset({"clerk"}), frozenset({"judge"}), frozenset({"boss"})


def summarise(state: Any) -> Summary:
    """A case's line: its code, and its name to search by."""
    name = str(state.value("name") or "")
    step = state.tasks[MAIN].step if MAIN in state.tasks else ""
    return Summary(str(state.value("code") or ""), name, step, state.value("due"), fold_text(name))


CASE = DocumentType(
    "case",
    fields=(
        Field("code"),
        Field("due"),
        Field("phone"),
        Field("name", task=MAIN, owners={"in": CLERK, "work": JUDGE}, resolvers=BOSS, is_legal=True),
        Field("verdict", task=MAIN, owners={"work": JUDGE}),
        Field("members", kind="set"),
        Field("remarks", kind="notes"),
    ),
    tasks=(
        Task(
            MAIN,
            "in",
            (
                Transition("hand", frozenset({"in"}), "work", CLERK, needs=("to",), moves=True),
                Transition("decide", frozenset({"work"}), "done", JUDGE, seals=True),
                Transition("reject", frozenset({"in"}), "done", CLERK, needs=("why",)),
            ),
        ),
    ),
    arbiters=BOSS,
    summarise=summarise,
)
UNITS = (
    Unit("p", "Tỉnh Mẫu", "", "province", ("000.00.00.H99",)),
    Unit("d1", "Huyện Một", "p", "district", ("000.00.01.H99",)),
    Unit("c1", "Xã Một", "d1", "commune", ("000.01.01.H99",)),
    Unit("c2", "Xã Hai", "d1", "commune", ("000.02.01.H99",)),
    Unit("c9", "Xã Chín", "p", "commune", ("000.09.09.H99",)),
)


@dataclass
class Machine:
    """One machine: its store, its secrets, and the keys of its officers by name."""

    store: Store
    secrets: Secrets
    officers: dict[str, SigningKey] = field(default_factory=dict)
    folder: Path = Path()

    def writer(self, name: str) -> Any:
        """Returns the hand of an officer."""
        return self.store.writer(self.officers[name])


class Province:
    """Makes machines that are certified by the province's administrator.

    Args:
        folder: Where the machines' folders go.
        seed: Makes all keys.
        types: Document types.
        units: The tree; its root is ``p``.
    """

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 1,
        types: Iterable[DocumentType] = (CASE,),
        units: Iterable[Unit] = UNITS,
    ) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        self.types = tuple(types)
        self.root = SigningKey(self.rng.randbytes(32))
        self.admin = SigningKey(self.rng.randbytes(32))
        self.clock_ms = 1_790_000_000_000
        self.document = TrustDocument(1, {u.id: u for u in units}, {self.admin.public: "p"}, self.clock_ms)
        self.anchor, self.trust = publisher.found(
            [self.root], 1, self.root, self.document, now_ms=self.clock_ms, lifetimes=FOR_EVER
        )
        self.first = self.trust
        self.office = self._store("office", self._secrets("office"), "p")
        self.hand = self.office.writer(self.admin)
        self.issued: list[Any] = []

    def bare(self, folder: Path, unit: str = "c1") -> Store:
        """Makes an empty store in memory that knows the first publication, and no certificate."""
        secrets = self._secrets("trống")
        return Store.create(
            folder, secrets, types=self.types, root=self.anchor, trust=self.first, unit=unit,
            database="sqlite://", clock=self.tick, rng=self.rng.randbytes, threads=1,
        )  # fmt: skip

    def publish(self, *stores: Store, **changes: Any) -> TrustDocument:
        """Publishes a changed trust document; these stores take it at once."""
        self.document = replace(self.document, version=self.document.version + 1, **changes)
        held = Publication.parse(self.trust)
        self.trust = publisher.publish(
            held, self.root, document=self.document, now_ms=self.clock_ms, lifetimes=FOR_EVER
        )
        for store in (self.office, *stores):
            assert store.replace_trust(self.trust)
        return self.document

    def publish_files(self, *stores: Store, **files: bytes | None) -> None:
        """Publishes files, named with ``__`` for the dot; these stores take them at once."""
        held = Publication.parse(self.trust)
        named = {name.replace("__", "."): data for name, data in files.items()}
        self.trust = publisher.publish(held, self.root, files=named, now_ms=self.clock_ms, lifetimes=FOR_EVER)
        for store in (self.office, *stores):
            assert store.replace_trust(self.trust)

    def tick(self) -> int:
        """The clock of every machine: a millisecond later each time."""
        self.clock_ms += 1
        return self.clock_ms

    def _secrets(self, holder: str) -> Secrets:
        r = self.rng
        keys = [SigningKey(r.randbytes(32)) for _ in range(2)]
        return Secrets(holder, r.randbytes(48), keys[0], r.randbytes(32), keys[1])

    def _store(
        self, name: str, secrets: Secrets, unit: str, *, serves: bool = False, database: Any = None
    ) -> Store:
        return Store.create(
            self.folder / name, secrets, types=self.types, root=self.anchor, trust=self.trust, unit=unit,
            serves=serves, database=database, clock=self.tick, rng=self.rng.randbytes, threads=1,
        )  # fmt: skip

    def machine(
        self,
        name: str,
        unit: str,
        officers: dict[str, Iterable[str]] | None = None,
        *,
        serves: bool = False,
        database: Any = None,
        blocks: Sequence[tuple[int, int]] = ((1, 500), (501, 1000)),
    ) -> Machine:
        """Makes a machine with officers (name → roles), certified and knowing it."""
        secrets = self._secrets(name)
        store = self._store(name, secrets, unit, serves=serves, database=database)
        certificate = Certificate(
            secrets.machine.public,
            unit,
            "machine",
            name,
            seal=secrets.seal_key,
            blocks=tuple(blocks),
            serves=serves,
        )
        self._issue(certificate)
        keys: dict[str, SigningKey] = {}
        for officer, roles in (officers or {}).items():
            keys[officer] = SigningKey(self.rng.randbytes(32))
            self.certify(keys[officer].public, unit, officer, roles)
        outcomes = store.receive(self.issued)
        assert all(o.code == "" for o in outcomes), outcomes
        return Machine(store, secrets, keys, self.folder / name)

    def certify(self, key: bytes, unit: str, name: str, roles: Iterable[str]) -> Any:
        """Certifies an officer's key."""
        return self._issue(Certificate(key, unit, "officer", name, frozenset(roles)))

    def _issue(self, certificate: Certificate) -> Event:
        event: Event = self.hand.certify(certificate)
        if not self.issued:
            self.issued += self.office.introduction(event.log)
        self.issued.append(event.to_frame())
        return event

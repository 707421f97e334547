"""A province with one commune: a server above, a counter with an officer below, keys and certificates."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from onestop_sync import publisher
from onestop_sync.dossier.schema import DOSSIER, OFFICERS
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keys import FAST_FOR_TESTS, SigningKey
from onestop_sync.store import Store, Writer, now_ms
from onestop_sync.trust import Certificate, TrustDocument, Unit

__all__ = ["COMMUNE", "KIND", "Counter", "World", "open_store"]

KIND: Final = DOSSIER.name
COMMUNE: Final = "c1"
_HOLDER: Final = "bench"
_PASSPHRASE: Final = "benchmark only"  # noqa: S105
"""Opens keyrings that are removed after the run."""
_PROVINCE: Final = "p"
_UNITS: Final = (
    Unit(_PROVINCE, "Tỉnh Mẫu", "", "province", ("000.00.00.H99",)),
    Unit(COMMUNE, "Xã Một", _PROVINCE, "commune", ("000.01.01.H99",)),
)


class Counter(NamedTuple):
    """A commune's machine: its store, and the hand of the officer who works there."""

    store: Store
    officer: Writer

    @classmethod
    def open(cls, folder: Path) -> Counter:
        """Opens what `World.counter` made, or a copy of it."""
        secrets = _unlock(folder)
        store = Store.open(folder, secrets, types=[DOSSIER])
        return cls(store, store.writer(secrets.officer))


class World:
    """Makes stores whose machines are certified.

    Args:
        folder: Where everything is kept.
        seed: Makes the keys of the province.
    """

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        rng = Random(seed)
        self._root, admin = SigningKey(rng.randbytes(32)), SigningKey(rng.randbytes(32))
        document = TrustDocument(1, {u.id: u for u in _UNITS}, {admin.public: _PROVINCE}, now_ms())
        self._anchor, self._trust = publisher.found([self._root], 1, self._root, document, now_ms=now_ms())
        self._office = self._create("office", self._keys("office"), _PROVINCE, database="sqlite://")
        self._hand = self._office.writer(admin)
        self._issued: list[Any] = []

    def server(self, name: str, database: str | None = None) -> Path:
        """Makes a server's store, closed again for the process that will serve it; returns its folder.

        Args:
            name: Name of the machine.
            database: SQLAlchemy URL; ``None`` for an encrypted file.
        """
        secrets = self._keys(name)
        store = self._create(name, secrets, _PROVINCE, serves=True, database=database)
        machine = Certificate(
            secrets.machine.public, _PROVINCE, "machine", name, seal=secrets.seal_key, serves=True
        )
        self._enrol(store, [machine])
        store.close()
        return self.folder / name

    def counter(self, name: str) -> Counter:
        """Makes a commune's machine, with an encrypted file."""
        secrets = self._keys(name)
        store = self._create(name, secrets, COMMUNE)
        machine = Certificate(secrets.machine.public, COMMUNE, "machine", name, seal=secrets.seal_key)
        officer = Certificate(secrets.officer.public, COMMUNE, "officer", "Trần Văn Cửa", OFFICERS)
        self._enrol(store, [machine, officer])
        return Counter(store, store.writer(secrets.officer))

    def close(self) -> None:
        """Closes what the world itself opened."""
        self._office.close()

    def _keys(self, name: str) -> Secrets:
        return Keyring(self.folder / name, cost=FAST_FOR_TESTS).create(_HOLDER, _PASSPHRASE)

    def _create(self, name: str, secrets: Secrets, unit: str, **options: Any) -> Store:
        return Store.create(
            self.folder / name, secrets, types=[DOSSIER], root=self._anchor, trust=self._trust,
            unit=unit, **options,
        )  # fmt: skip

    def _enrol(self, store: Store, certificates: Iterable[Certificate]) -> None:
        for certificate in certificates:
            event = self._hand.certify(certificate)
            if not self._issued:
                self._issued += self._office.introduction(event.log)
            self._issued.append(event.to_frame())
        store.receive(self._issued)


def open_store(folder: Path, database: str | None = None) -> Store:
    """Opens a store that a world made, in any process."""
    return Store.open(folder, _unlock(folder), types=[DOSSIER], database=database)


def _unlock(folder: Path) -> Secrets:
    return Keyring(folder, cost=FAST_FOR_TESTS).unlock(_HOLDER, _PASSPHRASE)

"""The province of the year: a district, two communes, who works at which machine, and how it synchronises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from commune_client.desk.desk import Desk
from commune_client.desk.notebook import Notebook
from commune_client.desk.place import Place
from commune_client.desk.unsigned import Unsigned
from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, HEAD, INTAKE, RETURN
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import UpstreamMalformed, UpstreamRefused
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.trust import Certificate, Unit
from tests.province import Machine, Province

MERGED_MS: Final = to_ms(datetime.combine(date(2026, 7, 1), time(), VIETNAM))
"""When the two communes become one."""

COUNTER: Final = frozenset({INTAKE, RETURN})
CHAIR: Final = frozenset({APPROVAL, HEAD})
_NEVER_S: Final = 1e6
"""The audit trail is written when the day is over, not when a timer of the real clock says so."""

UNITS: Final = (
    Unit("p", "Tỉnh Mẫu", "", "province", ("000.00.00.H99",)),
    Unit("d1", "Huyện Một", "p", "district", ("000.00.01.H99",)),
    Unit("c1", "Xã Một", "d1", "commune", ("000.01.01.H99",)),
    Unit("c2", "Xã Hai", "d1", "commune", ("000.02.01.H99",)),
)
_NEW: Final = Unit("n1", "Xã Mới", "d1", "commune", ("H99.01.01",), since_ms=MERGED_MS)

_STAFF: Final[dict[str, tuple[str, dict[str, frozenset[str]]]]] = {
    "quay": ("c1", {"An": COUNTER, "Bình": COUNTER}),
    "chuyen-mon": ("c1", {"Chi": frozenset({APPRAISAL}), "Dũng": frozenset({APPRAISAL})}),
    "lanh-dao": ("c1", {"Em": CHAIR}),
    "thon": ("c1", {"Giang": COUNTER | {APPRAISAL}, "Hà": frozenset({APPROVAL})}),
    "hai": ("c2", {"Khanh": COUNTER, "Lan": frozenset({APPRAISAL}), "Minh": CHAIR}),
    "huyen-phong": ("d1", {"Nam": COUNTER | {APPRAISAL}, "Oanh": CHAIR}),
    "tinh-phong": ("p", {"Phúc": CHAIR}),
}
"""Machine → its unit, and who works there."""

BLOCKS: Final = {"quay": 1, "thon": 3001, "hai": 1, "huyen-phong": 1}
"""Machine → first serial of the day that it may give out; after the merger others, see `_NEW_BLOCKS`."""
_NEW_BLOCKS: Final = {"quay": 1, "thon": 3001, "hai": 6001}
_BLOCK_LENGTH: Final = 1500

PARENTS: Final = {
    "quay": "hub", "chuyen-mon": "hub", "lanh-dao": "hub", "hub": "huyen", "hai": "huyen",
    "huyen-phong": "huyen", "huyen": "tinh", "tinh-phong": "tinh",
}  # fmt: skip
"""Machine → the server that it calls; the village's machine has no line, and its sticks go to the hub."""


@dataclass
class Land:
    """All machines of the province.

    Attributes:
        folder: Where their folders go.
        province: Root, administrator and clock.
        machines: By name, servers among them.
        desks: Officer → the desk at which they sit.
        refusals: How often a server sent a machine away.
        at: Officer → the machine at which they sit.
        news: How often a machine was synchronised or worked at.
    """

    folder: Path
    seed: int
    province: Province = field(init=False)
    machines: dict[str, Machine] = field(init=False, default_factory=dict)
    desks: dict[str, Desk] = field(init=False, default_factory=dict)
    refusals: int = field(init=False, default=0)
    at: dict[str, str] = field(init=False, default_factory=dict)
    news: Counter[str] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self.province = Province(self.folder / "tinh", seed=self.seed, types=TYPES, units=UNITS)
        self.province.clock_ms = to_ms(datetime(2025, 12, 1, 8, tzinfo=VIETNAM))
        for name, unit in (("tinh", "p"), ("huyen", "d1"), ("hub", "c1")):
            self.add(name, unit, serves=True)
        for name, (unit, officers) in _STAFF.items():
            self.add(name, unit, officers, blocks=_blocks(BLOCKS.get(name)))
        for machine in self.machines.values():
            machine.store.receive(self.province.issued)
        for name, (_, officers) in _STAFF.items():
            self.desks |= {officer: self._desk(name, officer) for officer in officers}
            self.at |= dict.fromkeys(officers, name)

    def add(self, name: str, unit: str, officers: Any = None, **more: Any) -> Machine:
        """Makes a machine whose store is in memory."""
        made = self.province.machine(name, unit, officers, database="sqlite://", **more)
        self.machines[name] = made
        return made

    def _desk(self, name: str, officer: str) -> Desk:
        machine = self.machines[name]
        secrets = machine.secrets._replace(holder=officer, officer=machine.officers[officer])
        place = Place(machine.folder, clock=self.province.tick)
        desk = Desk(place, machine.store, secrets)
        desk.notebook = Notebook(machine.store, secrets.machine, Unsigned(place.folder), _NEVER_S)
        desk.notebook.use(secrets.officer, officer)
        return desk

    def close(self) -> None:
        """Closes every store."""
        for desk in self.desks.values():
            desk.notebook.flush()
        for machine in self.machines.values():
            machine.store.close()
        self.province.office.close()

    # ---- lines and sticks

    def line(self, name: str, parent: str = "") -> None:
        """Synchronises a machine with its server; one that sends it away is noted, and the next one asked."""
        parents = [parent] if parent else [PARENTS[name], "huyen", "tinh"]
        for each in dict.fromkeys(parents):
            try:
                exchange(self.machines[name].store, self.machines[each].store, each)
            except (UpstreamRefused, UpstreamMalformed):
                self.refusals += 1
            else:
                self.news[name] += 1
                return

    def stick(self, name: str = "thon", parent: str = "hub") -> None:
        """Carries a stick from a machine to a server and back."""
        folder, machine, server = self.folder / "usb", self.machines[name].store, self.machines[parent].store
        folder.mkdir(exist_ok=True)
        self.news[name] += 1
        sender = _carry(folder, machine, server)
        _carry(folder, server, machine, [sender])
        for officer in _STAFF.get(name, ("", {}))[1]:
            self.desks[officer]._watch.reload()

    def settle(self, most: int = 8) -> int:
        """Synchronises everything until nothing changes; returns how many rounds it took.

        Raises:
            AssertionError: It goes on for ever.
        """
        before = None
        for n in range(most):
            if n % 2 == 0:
                self.stick()
            for name in PARENTS:
                self.line(name)
            now = {name: machine.store.fingerprints("dossier") for name, machine in self.machines.items()}
            if now == before:
                return n
            before = now
        raise AssertionError(f"{most} rounds, and it still changes")

    # ---- the merger

    def merge(self) -> None:
        """Publishes that both communes became one, and certifies their machines and officers for it.

        Nobody but the province's server hears of it at once.
        """
        units = self.province.document.units
        gone = {u: replace(units[u], until_ms=MERGED_MS, successors=("n1",)) for u in ("c1", "c2")}
        self.province.publish(self.machines["tinh"].store, units={**units, **gone, "n1": _NEW})
        for name in ("hub", "quay", "chuyen-mon", "lanh-dao", "thon", "hai"):
            self._certify_anew(name)
        self.machines["tinh"].store.receive(self.province.issued)

    def _certify_anew(self, name: str) -> None:
        secrets = self.machines[name].secrets
        self.province._issue(
            Certificate(
                secrets.machine.public, "n1", "machine", name, seal=secrets.seal_key,
                blocks=_blocks(_NEW_BLOCKS.get(name)), serves=name == "hub",
            )
        )  # fmt: skip
        for officer, key in self.machines[name].officers.items():
            self.province.certify(key.public, "n1", officer, _STAFF[name][1][officer])


def _blocks(first: int | None) -> tuple[tuple[int, int], ...]:
    return ((first, first + _BLOCK_LENGTH - 1),) if first else ()


def exchange(machine: Store, parent: Store, name: str) -> None:
    """Exchanges over a line until nothing is left."""
    requester, responder = Requester(machine, name), Responder(parent)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))


def _carry(folder: Path, giver: Store, taker: Store, to: Any = ()) -> bytes:
    report = export_bundle(giver, folder, to)
    sender = import_bundle(taker, report.path).sender
    report.path.unlink()
    return sender


Act = Callable[[Desk], object]

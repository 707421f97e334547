"""Who is in the simulated province: units, machines, officers, and who certifies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from onestop_sync import publisher
from onestop_sync.keys import SigningKey, seal_public_key
from onestop_sync.publication import Publication
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.kinds import BOSS, CLERK, JUDGE
from onestop_sync.trust import Certificate, TrustDocument, Unit

SERIALS_EACH: Final = 500
SPARE_BLOCKS: Final = 5
_SMALL: Final = 0.35
"""How many of the provinces are small: their runs are short, and less can happen in them."""
EPOCH_MS: Final = 1_700_000_000_000
"""When every run begins, milliseconds since 1970 UTC."""
_DISTRICTS: Final[tuple[tuple[str, list[tuple[str, ...]]], ...]] = (
    ("dist", [(CLERK, JUDGE), (BOSS, JUDGE)]),
    ("dist2", [(BOSS, JUDGE)]),
)


@dataclass(frozen=True)
class Officer:
    """A person with a key on one machine."""

    name: str
    unit: str
    roles: frozenset[str]
    key: SigningKey

    def certificate(self) -> Certificate:
        """Returns what an administrator says of this officer."""
        return Certificate(self.key.public, self.unit, "officer", self.name, self.roles)


@dataclass
class Plan:
    """One machine of the topology.

    Attributes:
        name: Name in traces.
        unit: Its unit.
        parents: Names of the machines that it syncs with, the best first.
        serves: Whether others sync with it.
        by_stick: Whether it has no line, and meets its parents by a file alone.
        machine: The machine's own key.
        seal_seed: What bundles to it are sealed for.
        first_blocks: Unit → number of its first serial block there, for every unit that it was certified for.
        officers: Who works at it.
    """

    name: str
    unit: str
    parents: tuple[str, ...]
    serves: bool
    by_stick: bool
    machine: SigningKey
    seal_seed: bytes
    officers: list[Officer] = field(default_factory=list)
    first_blocks: dict[str, int] = field(default_factory=dict)

    def blocks(self, unit: str) -> tuple[tuple[int, int], ...]:
        """Returns the serial blocks that it was given for a unit."""
        first = range(self.first_blocks[unit], self.first_blocks[unit] + SPARE_BLOCKS)
        return tuple((i * SERIALS_EACH + 1, (i + 1) * SERIALS_EACH) for i in first)

    def certificate(self) -> Certificate:
        """Returns what an administrator says of this machine."""
        blocks = self.blocks(self.unit)
        return Certificate(
            self.machine.public, self.unit, "machine", self.name,
            seal=seal_public_key(self.seal_seed), blocks=blocks, serves=self.serves,
        )  # fmt: skip


class People:
    """The units and keys of one run.

    Attributes:
        root: The province's root key.
        admins: Unit → the key that the root names its administrator.
        document: The trust document.
        anchor: What every machine trusts from the start.
        published: The first publication.
        plans: The machines, from the top down.
        cuts_so_far: The cuts of every publication, in their order.
    """

    def __init__(self, seed: int) -> None:
        self.dice = Dice(seed, "people")
        self.root = self.new_key()
        self.districts = self.dice.weighted({0: 0.25, 1: 0.5, 2: 0.25})
        first, last = ("p", "d1", "d1")[self.districts], ("p", "d1", "d2")[self.districts]
        tree = {"p": "", **{f"d{n + 1}": "p" for n in range(self.districts)}}
        self.tree = tree = {**tree, "c1": first, "c2": last, "c3": last}
        self.admins = {unit: self.new_key() for unit in tree}
        levels = {"p": "province", "d": "district", "c": "commune"}
        units = {u: Unit(u, f"Unit {u}", above, levels[u[0]], (f"H00.{u}",)) for u, above in tree.items()}
        self.document = TrustDocument(1, units, {k.public: u for u, k in self.admins.items()}, EPOCH_MS)
        self.anchor, self.published = publisher.found(
            [self.root], 1, self.root, self.document, now_ms=EPOCH_MS
        )
        self.cuts_so_far = [self.document.cuts]
        self.plans = self._plan()
        # Any mix of lines and sticks ends in the same state: half of the runs never see a line.
        self.ends_by_stick = self.dice.happens(0.5)

    def publish(self, document: TrustDocument, now_ms: int) -> None:
        """Publishes a changed trust document: `document` and `published` are the newest."""
        held = Publication.parse(self.published)
        self.published = publisher.publish(held, self.root, document=document, now_ms=now_ms)
        self.document = document
        if document.cuts != self.cuts_so_far[-1]:
            self.cuts_so_far.append(document.cuts)

    def publish_files(self, files: Mapping[str, bytes | None], now_ms: int) -> None:
        """Publishes files besides the trust document."""
        held = Publication.parse(self.published)
        self.published = publisher.publish(held, self.root, files=files, now_ms=now_ms)

    def rotate(self, now_ms: int) -> None:
        """Gives the root to a new key, which also publishes from now on."""
        held, key = Publication.parse(self.published), self.new_key()
        draft = publisher.draft_root(held, [key.public], 1, key.public, now_ms=now_ms)
        root = publisher.finish_root(publisher.sign_root(publisher.sign_root(draft, self.root), key), held)
        self.published = publisher.rotate(held, root, key, now_ms=now_ms)
        self.root = key

    def move(self, plan: Plan, unit: str) -> None:
        """Plans a machine, and who works there, for another unit, with serial blocks of that unit."""
        plan.unit = unit
        self._give_blocks(plan)
        plan.officers = [replace(officer, unit=unit) for officer in plan.officers]

    def new_key(self) -> SigningKey:
        """Makes a key."""
        return SigningKey(self.dice.randbytes(32))

    def officer(self, name: str, unit: str, *roles: str) -> Officer:
        """Makes an officer; nobody has certified them yet."""
        return Officer(name, unit, frozenset(roles), self.new_key())

    def _plan(self) -> list[Plan]:
        above, beside = (
            (("prov",), ("dist",), ("dist",))[self.districts],
            ("prov", "dist", "dist2")[self.districts],
        )
        plans = [self._machine("prov", "p", (), serves=True, officers=[(JUDGE, BOSS)])]
        for n in range(self.districts):
            name, people = _DISTRICTS[n]
            plans.append(self._machine(name, f"d{n + 1}", ("prov",), serves=True, officers=people))
        plans += self._commune(above)
        plans.append(self._machine("lone", "c2", (beside,), officers=[(CLERK, BOSS), (JUDGE,)]))
        if self.dice.happens(0.6):
            plans.append(
                self._machine("stick", "c3", (beside,), by_stick=True, officers=[(CLERK, JUDGE, BOSS)])
            )
        self.blocks: dict[str, int] = {}
        for plan in plans:
            self._give_blocks(plan)
        return plans

    def _commune(self, above: tuple[str, ...]) -> list[Plan]:
        """Plans the commune's machines: a hub and two PCs, or in a small one a single PC."""
        if self.dice.happens(_SMALL):
            return [self._machine("pc1", "c1", above, officers=[(CLERK, BOSS), (JUDGE,)])]
        return [
            self._machine("hub", "c1", above, serves=True, officers=[(BOSS, CLERK)]),
            self._machine("pc1", "c1", ("hub", *above), officers=[(CLERK,), (JUDGE,)]),
            self._machine("pc2", "c1", ("hub", *above), officers=[(CLERK, BOSS), (JUDGE,)]),
        ]

    def _give_blocks(self, plan: Plan) -> None:
        plan.first_blocks[plan.unit] = self.blocks.get(plan.unit, 0)
        self.blocks[plan.unit] = plan.first_blocks[plan.unit] + SPARE_BLOCKS

    def _machine(
        self,
        name: str,
        unit: str,
        parents: tuple[str, ...],
        *,
        officers: list[tuple[str, ...]],
        serves: bool = False,
        by_stick: bool = False,
    ) -> Plan:
        plan = Plan(name, unit, parents, serves, by_stick, self.new_key(), self.dice.randbytes(32))
        plan.officers = [self.officer(f"{name}.{i}", unit, *roles) for i, roles in enumerate(officers)]
        return plan

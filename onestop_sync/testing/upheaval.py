"""What the province decrees while everything else goes on: mergers, splits, moves, closings, revocations.

Every decree is published at the province's server, and each machine hears of it when it next syncs with
somebody who has: some of them weeks later.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

from onestop_sync.errors import NotAllowed
from onestop_sync.event import Event, build, document_id
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.disk import rows
from onestop_sync.testing.erasing import erase
from onestop_sync.testing.kinds import SURVEY
from onestop_sync.testing.node import Node
from onestop_sync.trust import LEADER, Cut, CutReason, TrustDocument, Unit

if TYPE_CHECKING:
    from onestop_sync.testing.world import World

_WEIGHTS: Final = {
    "merge": 2.0, "split": 1.2, "move": 1.5, "end_tier": 0.4, "close": 0.8,
    "revoke": 2.0, "backdate": 1.5, "correct": 0.7, "vouch": 2.5, "renew": 0.5, "end_branch": 3.0,
    "erase": 6.0,
}  # fmt: skip
_REASONS: Final = tuple(reason for reason in get_args(CutReason) if reason not in {"closed", "forked"})


class Upheaval:
    """Decrees in a world.

    Args:
        world: Whose.
        dice: Chance.
    """

    def __init__(self, world: World, dice: Dice) -> None:
        self.world = world
        self.dice = dice
        self.reach = world.reach
        self.people = world.people

    def decree(self) -> None:
        """Decrees something."""
        if self._orphans() and self.dice.happens(0.5):
            self._adopt()
            return
        getattr(self, f"_{self.dice.weighted(_WEIGHTS)}")()

    @property
    def _units(self) -> dict[str, Unit]:
        return dict(self.people.document.units)

    def _erase(self) -> None:
        erase(self.world, self.dice)

    def _publish(self, what: str, **changes: object) -> None:
        held = self.people.document
        document: TrustDocument = replace(held, version=held.version + 1, **changes)  # type: ignore[arg-type]
        self.people.publish(document, self.world.now())
        self.world.nodes["prov"].store.replace_trust(self.people.published)
        self.world.memory.look(self.world.nodes["prov"])
        self.world.note(f"the province decrees: {what}")

    # ---- units

    def _living(self, level: str = "commune") -> list[Unit]:
        return [u for u in self._units.values() if u.level == level and not u.is_ended]

    def _merge(self) -> None:
        """Two communes become a new one."""
        living = self._living()
        if len(living) < 2:  # noqa: PLR2004 - it takes two
            return
        self.dice.shuffle(living)
        gone, fresh = living[:2], f"m{self.people.document.version}"
        parent = self.dice.pick([gone[0].parent, "p"])
        units = self._units | {u.id: replace(u, until_ms=self.world.now(), successors=(fresh,)) for u in gone}
        units[fresh] = Unit(fresh, f"Unit {fresh}", parent, "commune", since_ms=self.world.now())
        self.reach["mergers"] += 1
        self._publish(f"{gone[0].id} and {gone[1].id} become {fresh}", units=units)

    def _split(self) -> None:
        """A commune becomes two; its dossiers are listed, but for some, which go to the parent."""
        living = self._living()
        if not living:
            return
        gone, version = self.dice.pick(living), self.people.document.version
        fresh = (f"y{version}", f"z{version}")
        units = self._units | {gone.id: replace(gone, until_ms=self.world.now(), successors=fresh)}
        for unit in fresh:
            units[unit] = Unit(unit, f"Unit {unit}", gone.parent, "commune", since_ms=self.world.now())
        listed = {
            doc: self.dice.pick(fresh)
            for doc in self.world.nodes["prov"].documents()
            if self.dice.happens(0.7)
        }
        assignments = {**self.people.document.assignments, gone.id: listed}
        self.reach["splits"] += 1
        self._publish(f"{gone.id} becomes {' and '.join(fresh)}", units=units, assignments=assignments)

    def _move(self) -> None:
        """A commune goes to another parent."""
        above = [u.id for u in self._units.values() if u.level != "commune" and not u.is_ended]
        unit, parent = self.dice.pick(list(self._units.values())), self.dice.pick(above)
        if unit.level == "commune" and unit.parent != parent:
            self.reach["moves"] += 1
            self._publish(
                f"{unit.id} moves to {parent}", units=self._units | {unit.id: self._moved(unit, parent)}
            )

    def _moved(self, unit: Unit, parent: str) -> Unit:
        now = max(self.world.now(), unit.since_ms)
        return replace(unit, parent=parent, since_ms=now, earlier=(*unit.earlier, unit.periods[-1]))

    def _end_tier(self) -> None:
        """The districts are no more: the province goes on with what they held."""
        districts = self._living("district")
        units = self._units
        if not districts:
            return
        for unit in list(units.values()):
            if unit.parent in {d.id for d in districts}:
                units[unit.id] = self._moved(unit, "p")
        for district in districts:
            units[district.id] = replace(district, until_ms=self.world.now(), successors=("p",))
        self.reach["ended tiers"] += 1
        self._publish("the districts end", units=units)

    def _close(self) -> None:
        """A unit that ended counts no further than what the province holds of it."""
        closed = {cut.unit for cut in self.people.document.cuts}
        ended = [u.id for u in self._units.values() if u.is_ended and u.id not in closed]
        if ended:
            unit = self.dice.pick(ended)
            query = "SELECT id, seq, head FROM log WHERE unit = ? AND seq >= 0"
            heads = {row[0]: (row[1], row[2]) for row in rows(self.world.nodes["prov"].disk.url, query, unit)}
            self._cut(Cut("closed", b"", unit, heads), f"{unit} is closed")

    def _adopt(self) -> None:
        """The machines of a unit that ended, and who works there, are certified for a successor."""
        top = self.world.nodes["prov"]
        hand = top.store.writer(self.people.admins["p"])
        node = self.dice.pick(self._orphans())
        heirs = [u for u in self._units[node.plan.unit].successors if not self._units[u].is_ended]
        if heirs:
            self.people.move(node.plan, self.dice.pick(heirs))
            # By a clock that is years off, what is published has expired; then somebody certifies them later.
            with suppress(NotAllowed):
                for certificate in (node.plan.certificate(), *(o.certificate() for o in node.officers)):
                    if not self.people.document.is_cut_off(certificate.key):
                        hand.certify(replace(certificate, valid_from_ms=self.people.document.version))
            self.reach["adoptions"] += 1
            self.world.memory.look(top)
            self.world.note(f"{node.name} is certified for {node.plan.unit}")

    def _orphans(self) -> list[Node]:
        """Returns the machines of communes that ended, which nobody has certified for a successor yet."""
        found = [n for n in self.world.nodes.values() if self._units[n.plan.unit].is_ended and not n.model]
        return [n for n in found if self._units[n.plan.unit].level == "commune"]

    # ---- keys

    def _revoke(self) -> None:
        """An officer's key is cut: at its last event that the province has, or earlier, or altogether."""
        node = self.dice.pick(list(self.world.nodes.values()))
        officer = self.dice.pick(node.officers)
        key = officer.key.public
        if self.people.document.is_cut_off(key):
            return
        why = self.dice.pick(_REASONS)
        self._cut(Cut(why, key, "", self._heads(key)), f"the key of {officer.name} was {why}")

    def _end_branch(self) -> None:
        """One branch of a log that was written on two machines counts; the key goes on in its other logs."""
        top = self.world.nodes["prov"]
        query = "SELECT id, key FROM log WHERE forked = 1 ORDER BY n"
        ended = {log for cut in self.people.document.cuts if cut.is_of_branches for log in cut.heads}
        forked = [row for row in rows(top.disk.url, query) if row[0] not in ended]
        if not forked:
            return
        log, key = self.dice.pick(forked)
        query = "SELECT e.id, e.seq FROM event e JOIN log l ON l.n = e.log_n WHERE l.id = ? ORDER BY e.n"
        head, seq = self.dice.pick(rows(top.disk.url, query, log))
        self.reach["ended branches"] += 1
        self._cut(
            Cut("forked", key, "", {log: (seq, head)}), f"{log.hex()[:8]} counts up to {head.hex()[:8]}"
        )

    def _heads(self, key: bytes) -> dict[bytes, tuple[int, bytes]]:
        top = self.world.nodes["prov"]
        found: dict[bytes, tuple[int, bytes]] = {}
        for log, seq in rows(top.disk.url, "SELECT id, seq FROM log WHERE key = ? AND seq >= 0", key):
            if self.dice.happens(0.85):
                at = seq if self.dice.happens(0.5) else self.dice.randrange(seq + 1)
                query = (
                    "SELECT event.id FROM event JOIN log ON log.n = event.log_n"
                    " WHERE log.id = ? AND event.seq = ? AND chained = 1"
                )
                found[log] = (at, rows(top.disk.url, query, log, at)[0][0])
        return found

    def _cut(self, cut: Cut, what: str) -> None:
        self.reach["cuts"] += 1
        self._publish(what, cuts=(*self.people.document.cuts, cut))

    def _backdate(self) -> None:
        """Whoever has a key that was cut writes a branch into the past, below the cut."""
        known = {o.key.public: o.key for plan in self.people.plans for o in plan.officers}
        places = [
            (known[cut.key], log, seq)
            for cut in self.people.document.cuts
            for log, (last, _) in sorted(cut.heads.items())
            for seq in range(1, last + 1)
            if cut.key in known and len(self.world.memory.places.get((log, seq), ())) == 1
        ]
        if not places:
            return
        key, log, seq = self.dice.pick(places)
        (there,) = self.world.memory.places[log, seq]
        event = build(
            key, log=log, seq=seq, prev=self.world.memory.events[there].header.prev, doc_type=SURVEY.name,
            doc_id=document_id(log, seq, SURVEY.name), parents=(), time_ms=self.world.now(),
            schema=SURVEY.version, ops=[["set", "head", "from the past"]], salt=self.dice.randbytes(16),
        )  # fmt: skip
        self.world.memory.may_fork.add(key.public)
        self.reach["backdated"] += 1
        node = self.dice.pick([n for n in self.world.nodes.values() if log in self._logs_at(n)])
        node.store.receive([event.to_frame()])
        self.world.memory.look(node)
        self.world.note(f"a thief writes into the past of {log.hex()[:8]} at {node.name}")

    def _logs_at(self, node: Node) -> set[bytes]:
        return {row[0] for row in rows(node.disk.url, "SELECT id FROM log WHERE upward = 1")}

    def _correct(self) -> None:
        """A cut was too short, or a mistake."""
        cuts = list(self.people.document.cuts)
        if cuts:
            cut = cuts.pop(self.dice.randrange(len(cuts)))
            if cut.key and not cut.is_of_branches and self.dice.happens(0.6):
                cuts.append(cut._replace(heads=self._heads(cut.key)))
            self.reach["corrected cuts"] += 1
            self._publish("a cut is corrected", cuts=tuple(cuts))

    def _vouch(self) -> None:
        """A head of a unit countersigns what waits, where the program shows it."""
        heads = [(n, o) for n in self.world.nodes.values() for o in n.officers if LEADER in o.roles]
        node, officer = self.dice.pick(heads)
        waiting = [e for e in self._waiting(node) if node.store.trust.genesis(e.log)]
        if not waiting:
            return
        named = sorted({self.dice.pick(waiting).id for _ in range(3)})
        try:
            node.store.writer(officer.key).countersign(named, "known to be good")
        except NotAllowed:
            return
        self.reach["countersignatures"] += 1
        self.world.memory.look(node)
        self.world.note(f"{officer.name} countersigns {len(named)} events at {node.name}")

    def _waiting(self, node: Node) -> list[Event]:
        found = rows(node.disk.url, "SELECT id FROM event WHERE waiting = 1 ORDER BY n")
        return [self.world.memory.events[row[0]] for row in found if row[0] in self.world.memory.events]

    def _renew(self) -> None:
        """The root changes hands: a new key, signed by the old one; nothing else changes."""
        self.people.rotate(self.world.now())
        self.world.nodes["prov"].store.replace_trust(self.people.published)
        self.reach["rotations"] += 1
        self.world.note("the root is rotated")

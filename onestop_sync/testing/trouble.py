"""What goes wrong besides the line: disks, clocks, thieves, certificates that come late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from onestop_sync.errors import LocalError
from onestop_sync.event import Event, Op
from onestop_sync.schema import MAIN
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.hostile import RawLog
from onestop_sync.testing.kinds import CASE, ROLES, SURVEY
from onestop_sync.testing.network import flip_in
from onestop_sync.testing.node import Node
from onestop_sync.testing.people import Officer
from onestop_sync.testing.pieces import deliver_pieces
from onestop_sync.testing.rot import Rot

if TYPE_CHECKING:
    from onestop_sync.testing.world import World

_WEIGHTS: Final = {
    "back_up": 3.0, "restore": 2.5, "clone": 0.8, "cut": 2.0, "jump": 2.0, "power": 1.0, "late": 1.5,
    "uncertified": 1.5, "unfit": 1.5, "fork": 1.0,
    "overtaken": 1.5, "forge": 1.0, "hole": 0.7, "impostor": 0.7, "stick": 2.0,
    "fill": 1.5, "rot": 0.7, "pieces": 1.5,
}  # fmt: skip
_MAX_RESTORES: Final = 4
"""Of one machine: each new epoch takes one of its spare serial blocks."""
_YEARS_MS: Final = 20 * 365 * 86_400_000


class Trouble:
    """Makes trouble for a world.

    Args:
        world: Whose.
        dice: Chance.
    """

    def __init__(self, world: World, dice: Dice) -> None:
        self.world = world
        self.dice = dice
        self.reach = world.reach
        self.restores: dict[str, int] = {}
        self.withheld: list[Any] = []
        self.rot = Rot(dice, world.reach)

    def make(self) -> None:
        """Makes one kind of trouble."""
        node = self.dice.pick(list(self.world.nodes.values()))
        getattr(self, f"_{self.dice.weighted(_WEIGHTS)}")(node)

    def calm(self) -> None:
        """Ends what can be ended: what was withheld is delivered, and clocks stay as wrong as they are."""
        if self.withheld:
            self._inject(self.world.nodes["prov"], self.withheld, "what was withheld")
            self.withheld = []

    # ---- disks

    def _back_up(self, node: Node) -> None:
        node.disk.back_up()
        self.world.issue(node)  # what the backup does not know of
        self.world.note(f"{node.name} is backed up")

    def _rot(self, node: Node) -> None:
        """A bit of a disk turns over; what cannot be made again comes from a backup, and from the others."""
        is_replaceable = self._may_be_restored(node) and self.dice.happens(0.7)
        if self.rot.damage(node, is_replaceable=is_replaceable):
            self.world.note(f"a bit of the disk of {node.name} turned over")
            self._put_back(node)

    def _pieces(self, _node: Node) -> None:
        """Pieces of a scan come in any order, not all of them, and some are not what they claim to be."""
        deliver_pieces(self.dice, list(self.world.nodes.values()), self.reach)

    def _may_be_restored(self, node: Node) -> bool:
        return bool(node.disk.backups) and self.restores.get(node.name, 0) < _MAX_RESTORES

    def _restore(self, _node: Node) -> None:
        saved = [n for n in self.world.nodes.values() if self._may_be_restored(n)]
        if saved:
            self._put_back(self.dice.pick(saved))

    def _put_back(self, node: Node) -> None:
        self.restores[node.name] = self.restores.get(node.name, 0) + 1
        backup = self.dice.pick(node.disk.backups)
        # A new disk has no marker. It cannot know of restores that its backup does not know of.
        keep = self.dice.happens(0.6) or not node.disk.knows_all_restores(backup)
        before = len(self.world.memory.held[node.name])
        node.stop()
        self.world.full_disks.make_room(node)  # a new one, or one that was emptied
        node.disk.restore(backup, keep_marker=keep)
        node.start()
        self.world.memory.forget(node)
        self.world.memory.restored.add(node.name)
        lost = before - len(self.world.memory.held[node.name])
        self.reach["restores"] += 1
        self.reach["server restores"] += node.plan.serves
        self.reach["events lost by restores"] += max(0, lost)
        self.world.issue(node)
        self.world.note(
            f"{node.name} is restored, {'with' if keep else 'without'} its marker, {lost} events older"
        )

    def _clone(self, node: Node) -> None:
        name = f"{node.name}*"
        if node.plan.serves or node.model or name in self.world.nodes:
            return
        world = self.world
        world.full_disks.make_room(node)
        other = node.clone(name, world.folder / f"{node.name}.clone", Dice(world.seed, f"node {name}"))
        world.nodes[name] = other
        world.memory.look(other)
        world.memory.may_fork |= {
            node.plan.machine.public,
            *(officer.key.public for officer in node.officers),
        }
        self.reach["clones"] += 1
        world.note(f"the disk of {node.name} is copied into {name}")

    def _fill(self, node: Node) -> None:
        self.world.full_disks.fill(node)

    def _power(self, node: Node) -> None:
        self.world.crash(node)

    # ---- line and clock

    def _cut(self, node: Node) -> None:
        if node.plan.parents:
            parent = self.dice.pick(node.plan.parents)
            steps = self.dice.randrange(5, 80)
            self.world.network.cut(node.name, parent, self.world.step + steps)
            self.world.note(f"the line {node.name} - {parent} is down for {steps} steps")

    def _jump(self, node: Node) -> None:
        node.skew_ms = self.dice.randrange(-_YEARS_MS, _YEARS_MS) if self.dice.happens(0.7) else 0
        self.reach["clock jumps"] += 1
        self.world.note(f"the clock of {node.name} is wrong by {node.skew_ms // 86_400_000} days")

    def _stick(self, node: Node) -> None:
        carried = [node for node in self.world.nodes.values() if node.plan.by_stick]
        if carried:
            node = self.dice.pick(carried)
            self.world.sticks.trip(node)
            for each in (node, *(self.world.nodes[p] for p in node.plan.parents)):
                self.world.memory.look(each)

    # ---- certificates

    def _late(self, node: Node) -> None:
        """An officer is certified somewhere, and writes elsewhere before anybody there knows."""
        offices = [n for n in self.world.nodes.values() if n.plan.serves and node.plan.unit in self._below(n)]
        if not offices:
            return
        office = self.dice.pick(offices)
        officer = self._newcomer(node, *ROLES)
        admin = self.world.people.admins.get(office.plan.unit)
        if admin is None:
            return
        try:
            certificate = office.store.writer(admin).certify(officer.certificate())
        except LocalError as error:
            self.world.note(f"{office.name} cannot certify: {error.what}")
            return
        self.reach["late certificates"] += 1
        self.world.note(f"{office.name} certifies {officer.name}")
        log = self._log(officer, certificate.id)
        self._edit_some(log, node, [["set", "phone", "late"], ["note", "remarks", "late"]])
        doc = log.new_document(CASE)
        first = log.write(CASE, doc, (), [["set", "name", "from a newcomer"]])
        to = self.dice.pick(sorted(self.world.people.tree))
        log.write(CASE, doc, [first.id], [["act", MAIN, "hand", {"to": to}]])
        self._deliver(node, log.events, "late certificate")
        if self.dice.happens(0.5) and (colleague := self._registered(office, node)) is not None:
            node.plan.officers.append(colleague)

    def _registered(self, office: Node, node: Node) -> Officer | None:
        """Certifies another officer, who works through the program of the machine."""
        officer = self._newcomer(node, self.dice.pick(ROLES))
        try:
            office.store.writer(self.world.people.admins[office.plan.unit]).certify(officer.certificate())
        except LocalError:
            return None
        return officer

    def _uncertified(self, node: Node) -> None:
        """Somebody whom nobody certified writes."""
        log = self._log(self._newcomer(node, *ROLES), self.dice.pick([b"", self.dice.randbytes(32)]))
        self._edit_some(log, node, [["set", "phone", "thief"], ["set", "name", "thief"]])
        self._deliver(node, log.events, "uncertified key")

    def _unfit(self, node: Node) -> None:
        """An officer without the role does what only others may."""
        log = self._certified(node, "tra_ket_qua")
        if log:
            ops: list[Op] = [
                ["act", MAIN, "decide", {}],
                ["set", "verdict", "mine"],
                ["act", MAIN, "hand", {"to": "c1"}],
            ]
            self._edit_some(log, node, ops)
            self._deliver(node, log.events, "officer without the role")

    def _fork(self, node: Node) -> None:
        """A log branches: two events with one sequence, delivered in two places."""
        log = self._certified(node, *ROLES)
        if not log:
            return
        self.world.memory.may_fork.add(log.key.public)
        doc = log.new_document(SURVEY)
        one = log.write(SURVEY, doc, (), [["set", "head", "one"]])
        kind = SURVEY if self.dice.happens(0.7) else CASE
        field = "head" if kind is SURVEY else "phone"
        other = log.fork(
            kind, doc if kind is SURVEY else log.new_document(CASE), (), [["set", field, "other"]]
        )
        last = log.write(SURVEY, doc, [one.id], [["set", "members/An", True]])
        self._deliver(node, [log.genesis, one, last], "fork, one side")
        self._deliver(self._someone(node.plan.unit), [log.genesis, other], "fork, other side")

    def _overtaken(self, node: Node) -> None:
        """A colleague hands a document over, and somebody who has not heard of it goes on writing."""
        here, away = self._certified(node, *ROLES), self._certified(node, *ROLES)
        if not here or not away:
            return
        doc = here.new_document(CASE)
        first = here.write(CASE, doc, (), [["set", "name", "base"]])
        hand = here.write(CASE, doc, [first.id], [["act", MAIN, "hand", {"to": node.plan.unit}]])
        match self.dice.randrange(3):
            case 0:
                away.write(CASE, doc, [first.id], [["set", "name", "late"]])
            case 1:
                here.write(CASE, doc, [hand.id], [["set", "name", "the new owner's"]])
                away.write(CASE, doc, [first.id], [["set", "name", "overruled"]])
            case _:
                away.write(CASE, doc, [first.id], [["act", MAIN, "reject", {"why": "the law"}]])
        self._deliver(node, here.events, "handed over")
        self._deliver(self._someone(node.plan.unit), [*here.events[:2], *away.events], "overtaken")

    # ---- bytes

    def _forge(self, node: Node) -> None:
        """A relay changes a byte of what it forwards."""
        frames = node.frames(self._some_ids(node))
        for frame in frames:
            flip_in(self.dice, frame)
        self._inject(self._someone(node.plan.unit), frames, "forged bytes")
        self.reach["forgeries"] += 1

    def _hole(self, node: Node) -> None:
        """An event arrives long before those that it stands on."""
        log = self._certified(node, *ROLES)
        if log:
            doc = log.new_document(CASE)
            one = log.write(CASE, doc, (), [["set", "name", "first"]])
            log.write(CASE, doc, [one.id], [["set", "name", "second"]])
            if self.dice.happens(0.7):
                self.withheld += [log.genesis.to_frame(), one.to_frame()]
            self._deliver(node, [e for e in log.events if e is not one], "hole")

    def _impostor(self, node: Node) -> None:
        """Somebody claims another's document for a type or a beginning of their own."""
        log = self._certified(node, *ROLES) if self.dice.happens(0.5) else None
        log = log or self._log(self._newcomer(node, *ROLES), b"")
        documents = node.documents()
        if documents:
            doc = self.dice.pick(documents)
            claimed = self.dice.pick([CASE, SURVEY])
            log.write(claimed, doc, (), [["note", claimed.fields[-1].name, "mine"]])
            self._deliver(self._someone(node.plan.unit), log.events, "impostor")

    # ---- helpers

    def _below(self, node: Node) -> set[str]:
        return set(self.world.people.document.below(node.plan.unit))

    def _someone(self, unit: str) -> Node:
        """Picks a machine of a unit or above it: others are not on the way to the province."""
        line = set(self.world.people.document.above(unit))
        return self.dice.pick([n for n in self.world.nodes.values() if n.plan.unit in line])

    def _newcomer(self, node: Node, *roles: str) -> Officer:
        return self.world.people.officer(f"new{self.world.step}", node.plan.unit, *roles)

    def _log(self, officer: Officer, cert: bytes) -> RawLog:
        return RawLog(officer.key, cert, officer.unit, self.dice)

    def _certified(self, node: Node, *roles: str) -> RawLog | None:
        officer = self._newcomer(node, *roles)
        top = self.world.nodes["prov"]
        try:
            certificate = top.store.writer(self.world.people.admins["p"]).certify(officer.certificate())
        except LocalError as error:  # by a clock that is years off, what is published has expired
            self.world.note(f"the province cannot certify: {error.what}")
            return None
        self.world.memory.look(top)
        return self._log(officer, certificate.id)

    def _edit_some(self, log: RawLog, node: Node, ops: list[Op]) -> None:
        """Writes each operation into some document, on top of what the machine has."""
        documents = node.documents()
        for op in ops if documents else []:
            doc = self.dice.pick(documents)
            document = node.store.document(doc)
            if document.kind is CASE:
                log.write(CASE, doc, document.state.heads, [op])

    def _some_ids(self, node: Node) -> list[bytes]:
        ids = sorted(node.event_ids())
        return [self.dice.pick(ids) for _ in range(3)]

    def _deliver(self, node: Node, events: list[Event], what: str) -> None:
        frames = [event.to_frame() for event in events]
        self.dice.shuffle(frames)
        self._inject(node, frames, what)

    def _inject(self, node: Node, frames: list[Any], what: str) -> None:
        outcomes = node.store.receive(frames)
        found = ", ".join(sorted({outcome.code or "taken" for outcome in outcomes}))
        self.world.note(f"{node.name} is given {len(frames)} frames ({what}): {found or 'known'}")
        self.world.memory.look(node)

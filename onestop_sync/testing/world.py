"""A province that lives for some steps, and is then healed and judged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

from onestop_sync import brief
from onestop_sync.errors import OnestopError, StoreFull
from onestop_sync.stating import INTERVAL_MS, make_statements
from onestop_sync.testing import invariants
from onestop_sync.testing.actors import Actor
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.disk import Disk, Fuse, PowerCut
from onestop_sync.testing.full_disks import FullDisks
from onestop_sync.testing.healing import heal
from onestop_sync.testing.network import Message, Network
from onestop_sync.testing.node import Call, Node
from onestop_sync.testing.people import EPOCH_MS, People
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.sticks import Sticks
from onestop_sync.testing.trouble import Trouble
from onestop_sync.testing.upheaval import Upheaval
from onestop_sync.testing.watch import Memory

_WHAT: Final = {
    "work": 50.0, "call": 16.0, "deliver": 25.0, "trouble": 13.0, "decree": 5.0, "state": 4.0, "rest": 2.0,
}  # fmt: skip
"""What the next step is, by weight."""
_PATIENCE: Final = 25
"""Steps after which a machine gives an unanswered call up."""
_BURST: Final = 7
"""One less than this many messages arrive in one step at most."""
_OLD: Final = 0.25
"""How many machines begin with the older version of the program; see `Node.is_old`."""
_UPDATED: Final = 0.3
"""How many of those come back from a crash with the newer one."""
_TWO_PROGRAMS: Final = 0.35
"""How many machines run two programs on one store: servers beside each other, a screen and a command."""


class World:
    """All machines, the lines between them, and what the harness remembers."""

    def __init__(self, seed: int, folder: Path, reach: Reach, trace: Callable[[str], None]) -> None:
        self.reach = reach
        self.trace = trace
        self.step = 0
        self.now_ms = EPOCH_MS
        self.folder = folder
        self.seed = seed
        self.dice = Dice(seed, "world")
        self.people = People(seed)
        self.network = Network(Dice(seed, "network"), reach)
        self.versions = Dice(seed, "versions")
        self.fuse = Fuse()
        self.memory = Memory()
        self.calls = 0
        self.nodes: dict[str, Node] = {}
        self.sticks = Sticks(self, Dice(seed, "sticks"))
        self.full_disks = FullDisks(self, Dice(seed, "full disks"))
        self.trouble = Trouble(self, Dice(seed, "trouble"))
        self.upheaval = Upheaval(self, Dice(seed, "upheaval"))
        self._found()

    # ---- the beginning

    def _found(self) -> None:
        trust = self.people.published
        for plan in self.people.plans:
            disk = Disk.new(self.folder / plan.name)
            node = Node(plan.name, plan, self.people, disk, Dice(self.seed, f"node {plan.name}"), self.now)
            node.is_old = self.versions.happens(_OLD)
            node.programs += self.versions.happens(_TWO_PROGRAMS)
            self.reach["two programs"] += node.programs > 1
            node.create(trust)
            node.start()
            self.nodes[plan.name] = node
        top = self.nodes["prov"]
        writer = top.store.writer(self.people.admins["p"])
        for plan in self.people.plans:
            writer.certify(plan.certificate())
            for officer in plan.officers:
                writer.certify(officer.certificate())
        frames = top.frames(top.event_ids())
        for node in self.nodes.values():
            if node is not top:
                node.store.receive(frames)
            node.restart()
            self.memory.look(node)

    def now(self) -> int:
        """Returns the true time, milliseconds since 1970 UTC."""
        return self.now_ms

    def note(self, text: str) -> None:
        """Adds a line to the trace."""
        self.trace(f"{self.step:>5} {text}")

    # ---- living

    def live(self, steps: int) -> None:
        """Lets ``steps`` things happen.

        Raises:
            Broken: An invariant broke on the way.
        """
        with self.fuse.installed(), self.full_disks.installed():
            for self.step in range(1, steps + 1):
                self.now_ms += self.dice.randrange(1, 600_000)
                self.network.heal(self.step)
                self.full_disks.tick()
                try:
                    self._one_thing()
                except StoreFull:  # of several machines that took part, one had no room for its part
                    self.reach["refused by a full disk"] += 1
                    self.note("somebody's disk is full")

    def _one_thing(self) -> None:
        match self.dice.weighted(_WHAT):
            case "work":
                self._work()
            case "call":
                self._call()
            case "deliver":
                self._deliver()
            case "trouble":
                self.trouble.make()
            case "decree":
                self.upheaval.decree()
            case "state":
                self._state()
            case _:
                self.now_ms += 86_400_000

    def _work(self) -> None:
        node = self.dice.pick(list(self.nodes.values()))
        officer = self.dice.pick(node.officers)
        actor = Actor(node, officer, self.dice, self.reach, sorted(self.people.document.units))

        def work() -> None:
            self.note(f"{node.name}: {actor.work(node.documents())}")

        self.at_risk(node, work, 0.02)
        self.look(node)

    def _call(self) -> None:
        node = self.dice.pick(list(self.nodes.values()))
        if node.call is not None and self.step - node.call.since > _PATIENCE:
            self.note(f"{node.name} gives its call to {node.call.parent} up")
            node.call = None
        if node.call is not None or not node.plan.parents or node.plan.by_stick:
            return
        # The first parent is tried first; a line that is known to be down makes it the next one's turn.
        up = [p for p in node.parents if self.network.is_up(node.name, p)]
        if up:
            parent = up[0] if self.dice.happens(0.8) else up[-1]
            self.calls += 1
            node.call = Call(self.calls, parent, node.requester(parent), self.step)
            self._ask_next(node, node.call)

    def _ask_next(self, node: Node, call: Call) -> None:
        def ask() -> None:
            body = call.requester.next_request()
            if body is None:
                node.call = None
            else:
                self.network.send(Message("request", node.name, call.parent, call.number, body))

        self.at_risk(node, ask, 0.02)

    def _state(self) -> None:
        """The province states what is new; now and then all that an interval asks for."""
        top = self.nodes["prov"]
        interval_ms = INTERVAL_MS if self.dice.happens(0.3) else None

        def state() -> None:
            made = make_statements(top.store, interval_ms=interval_ms)
            self.reach["statements"] += made
            self.note(f"{top.name} makes {made} statements")

        self.at_risk(top, state, 0.1)
        self.look(top)

    def _deliver(self) -> None:
        for _ in range(self.dice.randrange(1, _BURST)):
            self._deliver_one()

    def _deliver_one(self) -> None:
        taken = self.network.take()
        if taken is None:
            return
        message, arrives = taken
        if not arrives:
            self.note(f"lost: {message.kind} {message.source} -> {message.target}")
            self._hang_up(message)
        elif message.kind == "request":
            self._serve(message)
        else:
            self._answer(message)

    def _hang_up(self, message: Message) -> None:
        caller = self.nodes[message.source if message.kind == "request" else message.target]
        call = caller.call
        if call is None or call.number != message.call:
            return
        match self.versions.randrange(10):
            case 0 | 1 | 2 | 3:
                caller.call = None
            case 4 | 5 | 6:
                self.reach["asked again after a cut"] += 1
                call.requester.was_cut()
                self._ask_next(caller, call)
            case _:
                pass  # it waits for nothing until its patience is over

    def _serve(self, message: Message) -> None:
        node = self.nodes[message.target]
        answers: list[Message] = []

        def serve() -> None:
            before = self.full_disks.refusals
            status, body = node.responder().respond(message.body)
            if status == HTTPStatus.OK:
                self.full_disks.check_told(node, before)
            self._note_packets(message.body, status, body)
            self.memory.note_answer(node, message.body, status, body)
            self.note(
                f"{node.name} answers {message.source}: {status}, {len(message.body)} -> {len(body)} bytes"
            )
            answers.append(Message("answer", node.name, message.source, message.call, body, status))

        if self.at_risk(node, serve, 0.06):
            for answer in answers:
                self.network.send(answer)
        self.look(node)

    def _note_packets(self, request: bytes, status: int, answer: bytes) -> None:
        is_brief = request[:1] == brief.MARK
        self.reach["brief requests"] += is_brief
        self.reach["first requests"] += request[:1] == brief.FIRST
        self.reach["first requests taken"] += answer[:1] == brief.FIRST
        self.reach["brief answers"] += answer[:1] in {brief.MARK, brief.SIGNED}
        self.reach["brief challenges"] += answer[:1] == brief.AGAIN
        self.reach["asked to be plain"] += is_brief and status in {400, 409}

    def _answer(self, message: Message) -> None:
        node = self.nodes[message.target]
        call = node.call
        # A late or repeated answer reaches whatever call is open now: the line does not know calls apart.
        if call is None or call.parent != message.source:
            return
        call.since = self.step

        def take() -> None:
            before = self.full_disks.refusals
            try:
                call.requester.take_answer(message.status, message.body)
                self.full_disks.check_told(node, before)
            except OnestopError as error:
                self.reach["refused by a full disk"] += isinstance(error, StoreFull)
                self.reach["answers refused"] += 1
                self.note(f"{node.name} ends its call to {call.parent}: {error.what}")
                node.call = None

        if self.at_risk(node, take, 0.04) and node.call is call:
            self._ask_next(node, call)
        self.look(node)

    def at_risk(self, node: Node, action: Callable[[], None], probability: float) -> bool:
        """Does something on a machine that may lose its power in the middle; tells whether it did not."""
        cut_after = self.dice.randrange(60) if self.dice.happens(probability) else None
        try:
            with self.fuse.armed(cut_after):
                action()
        except PowerCut:
            self.crash(node)
            return False
        except StoreFull:
            self.full_disks.refused(node, "what it was doing")
            return False
        if self.dice.happens(probability / 3):
            self.crash(node)  # after the last commit, before anybody hears of it
            return False
        return True

    def crash(self, node: Node) -> None:
        """Cuts the power of a machine, and starts it again."""
        self.reach["crashes"] += 1
        self.reach["crashes in a transaction"] += self.fuse.blown_in_transaction
        self.fuse.blown_in_transaction = False
        self.note(f"{node.name} crashes")
        node.serials.clear()
        if node.is_old and self.versions.happens(_UPDATED):
            self.reach["updates"] += 1
            node.is_old = False
        try:
            node.restart()
        except StoreFull:
            self.reach["starts refused by a full disk"] += 1
            self.full_disks.make_room(node)
            node.restart()

    def issue(self, node: Node) -> None:
        """Issues a serial at a machine, if that fits on its disk."""
        with suppress(StoreFull):
            self.reach["serials"] += node.issue()
        self.memory.note_serials(node)

    def look(self, node: Node) -> None:
        """Lets the harness read what is new on a machine's disk."""
        self.memory.look(node)
        self.memory.check_count(node)
        self.memory.note_serials(node)

    # ---- the end

    def heal(self) -> None:
        """Mends everything, and lets all machines sync until nobody has anything to say.

        Raises:
            Broken: They never fall silent.
        """
        heal(self)

    def judge(self) -> None:
        """Checks what must hold.

        Raises:
            Broken: It does not.
        """
        invariants.check(self.nodes, self.people, self.memory, self.reach)

    def close(self) -> None:
        """Stops every machine."""
        for node in self.nodes.values():
            node.stop()

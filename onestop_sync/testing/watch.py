"""What the harness remembers of the run itself: what was ever committed, where, and what was promised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus

from onestop_sync import brief
from onestop_sync.errors import SignatureInvalid
from onestop_sync.event import Event, parse, parse_genesis, verify
from onestop_sync.protocol.packets import LIMITS, open_packet
from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import rows
from onestop_sync.testing.node import Node
from onestop_sync.testing.oracle import is_about_trust


@dataclass
class Memory:
    """Everything that was ever on any disk.

    Attributes:
        events: All events, also those that a restore took away from everybody.
        places: ``(log, seq)`` → ids of the events there.
        held: Machine → ids of what its disk holds.
        may_fork: Keys whose logs may branch: of cloned machines, and of those who write past their store.
        serials: ``(unit, serial)`` → machine that issued it.
        certificates: Ids of certificates that were made in the run.
        restored: Machines that were put back.
        answered: Machine → digests of the requests that it has taken.
    """

    events: dict[bytes, Event] = field(default_factory=dict)
    places: dict[tuple[bytes, int], set[bytes]] = field(default_factory=dict)
    held: dict[str, set[bytes]] = field(default_factory=dict)
    may_fork: set[bytes] = field(default_factory=set)
    serials: dict[tuple[str, int], str] = field(default_factory=dict)
    restored: set[str] = field(default_factory=set)
    answered: dict[str, set[bytes]] = field(default_factory=dict)
    _read_to: dict[str, int] = field(default_factory=dict)

    def look(self, node: Node) -> list[Event]:
        """Reads what is new on a machine's disk.

        Raises:
            Broken: Something that was committed is gone.
        """
        read_to = self._read_to.get(node.name, 0)
        held = self.held.setdefault(node.name, set())
        found = rows(
            node.disk.url,
            "SELECT n, waiting, header, signature, body FROM event WHERE n > ? ORDER BY n",
            read_to,
        )
        new = [parse(list(row[2:])) for row in found]
        for event in new:
            if event.id not in self.events:
                self._check_signature(node, event)
            self.events.setdefault(event.id, event)
            self.places.setdefault((event.log, event.header.seq), set()).add(event.id)
            if event.id in held:
                raise Broken("6 doubled", f"{node.name} holds an event twice")
            held.add(event.id)
        for event, row in zip(new, found, strict=True):
            if not row[1]:
                self._check_ground(node, event, held)
        if found:
            self._read_to[node.name] = found[-1][0]
        return new

    def _check_signature(self, node: Node, event: Event) -> None:
        """7: what a store keeps was signed by the key that its log names."""
        genesis = event if event.is_genesis else self.events.get(event.log)
        try:
            if genesis is not None and genesis.body is not None:
                verify(event, parse_genesis(genesis).key)
        except SignatureInvalid:
            raise Broken("7 signature", f"{node.name} keeps an event that nobody signed") from None

    def _check_ground(self, node: Node, event: Event, held: set[bytes]) -> None:
        """4: what takes effect, or is refused, stands on what is here."""
        if is_about_trust(event) or event.header.doc_id in node.store.tombstones:
            return
        genesis = parse_genesis(self.events[event.log])
        needs = [*event.header.parents, event.log, *([genesis.cert] if genesis.cert else [])]
        if not held.issuperset(needs):
            raise Broken(
                "4 ground", f"{event.id.hex()[:8]} takes effect at {node.name} before what it stands on"
            )

    def note_answer(self, node: Node, request: bytes, status: int, answer: bytes) -> None:
        """Takes down that a machine has taken a request; what is published, anybody may ask for again.

        Raises:
            Broken: It had taken that before: a copy of it told somebody something.
        """
        taken = self.answered.setdefault(node.name, set())
        digest = sha256(request).digest()
        if status != HTTPStatus.OK or _is_published(answer):
            return
        if digest in taken:
            raise Broken("5 replay", f"{node.name} takes a request for the second time")
        taken.add(digest)

    def forget(self, node: Node) -> None:
        """Reads a machine's disk from the start: it was replaced by an older one."""
        self.answered.pop(node.name, None)
        self._read_to.pop(node.name, None)
        self.held.pop(node.name, None)
        self.look(node)

    def check_count(self, node: Node) -> None:
        """Checks that nothing that a disk held has gone.

        Raises:
            Broken: It has.
        """
        count = rows(node.disk.url, "SELECT count(*) FROM event")[0][0]
        if count != len(self.held.get(node.name, ())):
            raise Broken("6 lost", f"{node.name} holds {count} events, and held {len(self.held[node.name])}")

    def note_serials(self, node: Node) -> None:
        """Takes down what a machine issued.

        Raises:
            Broken: Two machines, or one that was restored, issued one serial.
        """
        for place in node.serials:
            if place in self.serials and node.plan.machine.public not in self.may_fork:
                raise Broken(
                    "10 serial", f"{node.name} issued {place[1]} again, as {self.serials[place]} had"
                )
            self.serials[place] = node.name
        node.serials.clear()

    def alive(self, nodes: Iterable[Node]) -> set[bytes]:
        """Returns the ids of what at least one disk holds that is on the way up.

        What a parent wrote and lost again, because its disk was restored before anybody above heard of it,
        may still be at a machine below. Nobody had acknowledged it, and it does not travel up from there.
        """
        query = "SELECT event.id FROM event JOIN log ON log.n = event.log_n WHERE log.upward = 1"
        return {row[0] for node in nodes for row in rows(node.disk.url, query)}


def _is_published(answer: bytes) -> bool:
    if answer[:1] in {brief.MARK, brief.SIGNED, brief.FIRST}:
        return False
    match open_packet(answer, LIMITS):
        case [_, "published", *_]:
            return True
    return False

"""The matrix in a province: a client that writes what it likes, a server, and a third machine by stick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec, exchange
from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import NotAllowed
from onestop_sync.event import Event
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import Requester, Responder, open_packet, packets
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.hostile import RawLog
from onestop_sync.trust import Unit
from tests.matrix import HOLDER, OPINION, ROLE_SETS, ROLES, SITUATIONS, UNITS, Cell, Situation, arguments
from tests.province import Machine, Province

TREE = (
    Unit("p", "Tỉnh Mẫu", "", "province"),
    Unit("d1", "Huyện Một", "p", "district"),
    Unit("d2", "Huyện Hai", "p", "district"),
    Unit("c1", "Xã Một", "d1", "commune"),
    Unit("c9", "Xã Chín", "d2", "commune"),
)
_BATCH = 800
"""Events in one request."""

Roles = tuple[str, ...]


class Dossier(NamedTuple):
    """A dossier that stands at a step: its id, and its heads."""

    doc: bytes
    heads: list[bytes]


class Place(NamedTuple):
    """What somebody may do, and the event of a client that does it whether they may or not."""

    cell: Cell
    event: Event


class MatrixWorld:
    """A district's machine whose program asks nobody, its province's server, and another machine there."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder, types=(DOSSIER,), units=TREE)
        self.server = self._machine("server", "p", serves=True)
        self.client = self._machine("client", HOLDER)
        self.third = self._machine("third", HOLDER)
        self.stick = folder
        dice = Dice(2, "matrix")
        self.walker = self._author(dice, HOLDER, ROLES)
        self.other = self._author(dice, "d2", ROLES)
        self.authors = {
            (unit, roles): self._author(dice, unit, roles) for unit in UNITS.values() for roles in ROLE_SETS
        }
        self.base: list[Event] = []
        self.dossiers = {situation: self._walk(situation) for situation in SITUATIONS}
        for machine in (self.server, self.client, self.third):
            machine.store.receive(self.province.issued)
        geneses = [a.genesis for a in (self.walker, self.other, *self.authors.values())]
        self.base = [*geneses, *self.base]
        for machine in (self.server, self.client):
            assert not any(o.code for o in machine.store.receive([e.to_frame() for e in self.base]))

    def _machine(self, name: str, unit: str, *, serves: bool = False) -> Machine:
        return self.province.machine(name, unit, serves=serves, database="sqlite://")

    def _author(self, dice: Dice, unit: str, roles: Roles) -> RawLog:
        key = SigningKey(dice.randbytes(32))
        return RawLog(key, self.province.certify(key.public, unit, "ai", roles).id, unit, dice)

    def _walk(self, situation: Situation) -> Dossier:
        """Brings a dossier to a step."""
        doc = self.walker.new_document(DOSSIER)
        values = [["set", "nguoi_nop", "Nguyễn Văn An"], ["set", "dien_thoai", "0903"]]
        last = self.walker.write(DOSSIER, doc, [], values)
        self.base.append(last)
        for action in situation.path:
            is_theirs = action in {"answer", "pass"}
            task = OPINION if is_theirs or action == "ask" else "main"
            author = self.other if is_theirs else self.walker
            last = author.write(DOSSIER, doc, [last.id], [["act", task, action, arguments(action)]])
            self.base.append(last)
        return Dossier(doc, [last.id])

    def forge(self, cells: Iterable[Cell]) -> list[Place]:
        """Writes every cell as a program would that asks nobody whether it may."""
        found = []
        for cell in cells:
            dossier = self.dossiers[cell.situation]
            author = self.authors[cell.unit, cell.roles]
            found.append(Place(cell, author.write(DOSSIER, dossier.doc, dossier.heads, [cell.op])))
        return found

    def try_here(self, cells: Iterable[Cell]) -> Iterator[tuple[Cell, str]]:
        """Tries every cell by the hand of its author in the client's store; yields the reason for a no.

        Nothing of it stays: what is allowed is undone, so that the next cell finds the dossier as it was.
        """
        store = self.client.store
        with store.writing() as transaction:
            hands = {who: store.writer(author.key) for who, author in self.authors.items()}
            for hand in hands.values():
                transaction.own_log(hand.signer)
            for cell in cells:
                undo = transaction.connection.begin_nested()
                try:
                    hands[cell.unit, cell.roles].write(self.dossiers[cell.situation].doc, [cell.op])
                    yield cell, ""
                except NotAllowed as error:
                    yield cell, str(error.details["reason"])
                finally:
                    undo.rollback()

    def send(self, places: Sequence[Place]) -> dict[bytes, Outcome]:
        """Sends events to the server as the client's machine; returns what its answers say of them."""
        requester, responder = Requester(self.client.store, "line"), Responder(self.server.store)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*responder.respond(request))
        knows = exchange.load_parent(self.client.store, "line")
        nonce = knows.nonce
        found: dict[bytes, Outcome] = {}
        frames = [place.event.to_frame() for place in places]
        for at in range(0, len(frames), _BATCH):
            asked = packets.Request(
                knows.node[:16], nonce, None, echo=False, max_bytes=1,
                published=packets.Published(1, 1, ()),
                frames=frames[at : at + _BATCH], introduction=[],
            )  # fmt: skip
            sent = asked.sign(self.client.secrets.machine, self.client.store.machine_log)
            status, answer = responder.respond(sent)
            assert status == 200
            _, _, head, rest, _ = open_packet(answer)
            nonce = codec.decode(head)[0]
            verdicts: list[Any] = codec.decode(rest)[1]
            found.update((row[0], Outcome(*row)) for row in verdicts)
        return found

    def carry(self) -> dict[bytes, Outcome]:
        """Carries what the server has to the third machine; returns what that one says of it."""
        recipients = [self.third.secrets.machine.public]
        path = export_bundle(self.server.store, self.stick, recipients).path
        report = import_bundle(self.third.store, path)
        assert report.rejected == []
        return {outcome.id: outcome for outcome in report.outcomes}

    @staticmethod
    def reason(found: Mapping[bytes, Outcome], event_id: bytes) -> str:
        """Returns why an event has no effect, in one place's words; empty when it has."""
        outcome = found.get(event_id)
        if outcome is None:
            return ""
        assert outcome.code == "refused", outcome
        return str(outcome.reason)

    @staticmethod
    def stored(machine: Machine) -> set[bytes]:
        """Returns the ids of all events of dossiers that a machine has."""
        query = sa.select(t.event.c.id).join(t.document, t.document.c.n == t.event.c.doc_n)
        with machine.store.reading() as connection:
            return set(connection.execute(query.where(t.document.c.kind == DOSSIER.name)).scalars())

    def close(self) -> None:
        """Closes all stores."""
        for machine in (self.server, self.client, self.third):
            machine.store.close()

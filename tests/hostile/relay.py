"""The relay: a hub that is certified, signs what it passes on, and passes on what it likes.

It stands between a district above it and a machine below it, and speaks to both over the line and by stick.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from onestop_sync import codec, exchange
from onestop_sync.bundle import export_bundle, file, import_bundle
from onestop_sync.bundle.packet import Payload, Section, Signed
from onestop_sync.protocol import Requester, Responder, open_packet, packets
from onestop_sync.storage import feed
from onestop_sync.testing.dice import Dice
from tests.hostile.material import Cast
from tests.province import Machine, Province

WAYS: Final = ("request", "answer", "stick up", "stick down")


class Relay:
    """A district, a hostile hub below it, and a machine below that; what the hub sends is given to it.

    Args:
        folder: For sticks.
        seed: Makes everything.
    """

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.province = Province(folder / "province", seed=seed)
        self.district = self._machine("district", "d1", serves=True)
        self.hub = self._machine("hub", "c1", serves=True)
        self.reader = self.province.machine("reader", "c1", {"bé": ["clerk"]}, database="sqlite://")
        self.cast = Cast(self.province, Dice(seed, "relay"))
        self.stick = folder / "stick"
        self.stick.mkdir()
        for machine in self.machines:
            assert not any(o.code for o in machine.store.receive(self.cast.proofs))
        self._numbers = {"stick up": 0, "stick down": 0}
        self._templates = {
            "stick up": self._template(self.district),
            "stick down": self._template(self.reader),
        }
        self._meet(self.hub, self.district)
        self._meet(self.reader, self.hub)

    def _machine(self, name: str, unit: str, *, serves: bool = False) -> Machine:
        return self.province.machine(name, unit, serves=serves, database="sqlite://")

    @property
    def machines(self) -> list[Machine]:
        """All three."""
        return [self.district, self.hub, self.reader]

    def close(self) -> None:
        """Closes all stores."""
        for machine in self.machines:
            machine.store.close()

    @staticmethod
    def _meet(child: Machine, parent: Machine) -> None:
        requester, responder = Requester(child.store, "line"), Responder(parent.store)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*responder.respond(request))

    def write_below(self) -> bytes:
        """Lets the officer of the machine below create a case; returns its id."""
        doc: bytes = self.reader.writer("bé").create("case", {"phone": "0905"})
        return doc

    def victim(self, way: str) -> Machine:
        """Returns who is spoken to."""
        return self.district if way in {"request", "stick up"} else self.reader

    def deliver(self, way: str, frames: Sequence[Any]) -> None:
        """Sends frames, in a packet that is the hub's own and as it should be."""
        match way:
            case "request":
                status, _ = self.ask(list(frames))
                assert status == 200
            case "answer":
                self.take_answer(*self.answer(frames=frames))
            case _:
                self.import_stick(way, self.payload(way, frames))

    # ---- over the line

    def request(self, frames: list[Any]) -> bytes:
        """Makes a request of the hub to the district."""
        knows = exchange.load_parent(self.hub.store, "line")
        asks = packets.Request(
            knows.node[:16], knows.nonce, knows.cursor, echo=False, max_bytes=1,
            published=packets.Published(1, 1, ()),
            frames=frames, introduction=[],
        )  # fmt: skip
        return asks.sign(self.hub.secrets.machine, self.hub.store.machine_log)

    def ask(self, frames: list[Any]) -> tuple[int, bytes]:
        """Sends a request to the district, and notes the next nonce."""
        status, answer = Responder(self.district.store).respond(self.request(frames))
        if status == 200:
            nonce: bytes = codec.decode(open_packet(answer)[2])[0]
            exchange.meet_parent(self.hub.store, "line", self.district.store.machine_log, nonce)
        return status, answer

    def answer(
        self, *, frames: Sequence[Any] = (), acks: Sequence[Any] = (), statements: Sequence[Any] = ()
    ) -> tuple[Requester, int, bytes]:
        """Lets the machine below ask, and makes the hub's answer: with these frames and acks besides."""
        requester = Requester(self.reader.store, "line")
        request = requester.next_request()
        assert request is not None
        status, true = Responder(self.hub.store).respond(request)
        assert status == 200, open_packet(true)
        body = [part for data in open_packet(true)[2:4] for part in codec.decode(data)]
        body[4] = [*body[4], *acks]
        body[6] = [*([feed.EVENT, frame] for frame in frames), *([feed.ACKS, s] for s in statements)]
        return requester, status, self.signed_answer(request, body)

    def signed_answer(self, request: bytes, body: Any) -> bytes:
        """Signs an answer to a request as the hub."""
        parts = body if isinstance(body, list) else [body]
        log = self.reader.store.machine_log
        return packets.pack_answer(self.hub.secrets.machine, request, log, parts)

    @staticmethod
    def take_answer(requester: Requester, status: int, answer: bytes) -> None:
        """Gives an answer to who asked."""
        requester.take_answer(status, answer)

    # ---- by stick

    def _template(self, reader: Machine) -> Payload:
        path = export_bundle(self.hub.store, self.stick, [reader.secrets.machine.public]).path
        packet = file.open_body(file.parse(path.read_bytes()), reader.secrets.seal_seed)
        path.unlink()
        return Signed.parse(packet).payload

    def payload(self, way: str, frames: Sequence[Any], acks: Sequence[Any] = ()) -> Payload:
        """Makes what a stick of the hub says."""
        self._numbers[way] += 1
        base = self._templates[way]._replace(number=100 + self._numbers[way], frames=[], sections=[])
        if way == "stick up":
            return base._replace(frames=list(frames))
        own = next(s for s in self._templates[way].sections if s.key == self.reader.secrets.machine.public)
        items = [[feed.EVENT, frame] for frame in frames]
        section = Section(own.key, own.mine, own.was_reset, [*own.acks, *acks], items)
        return base._replace(sections=[section])

    def import_stick(self, way: str, payload: Payload) -> None:
        """Signs, seals and imports a stick."""
        self.import_packet(way, payload.sign(self.hub.secrets.machine, self.hub.store.machine_log))

    def import_packet(self, way: str, packet: bytes) -> None:
        """Seals a packet to its reader, who imports it."""
        reader = self.victim(way)
        data, _ = file.seal(
            packet, root=self.province.anchor, sender=self.hub.store.machine_log,
            recipients=[reader.secrets.seal_key], content_key=self.cast.dice.randbytes(32),
        )  # fmt: skip
        path = self.stick / "bundle"
        path.write_bytes(data)
        import_bundle(reader.store, path)

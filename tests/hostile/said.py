"""Kinds of lies about packets: acks that nobody gave, answers to other questions, sticks of other senders.

Each sends one to the machine below the relay, or to the district above it, and holds that it is refused, or
that nothing of it counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync import codec, exchange
from onestop_sync.acks import Acks
from onestop_sync.errors import BundleRejected, UpstreamMalformed, UpstreamRefused
from onestop_sync.keys import Signer, SigningKey
from onestop_sync.protocol import Requester, Responder, open_packet, pack_packet
from onestop_sync.protocol.packets import CHALLENGE_KIND, pack_answer
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.hostile.material import Material
from tests.hostile.relay import Relay

Lie = Callable[[Relay], None]


class Kept:
    """What a store has and believes: compared before and after a lie."""

    def __init__(self, store: Store) -> None:
        self.store = store
        assert store.machine_log  # begins a new epoch now, where a parent has named a fork of the last one
        self.facts = self._facts()

    def _facts(self) -> list[Any]:
        acks = [column for column in t.ack.c if column is not t.ack.c.proven]  # which says what we have shown
        queries = sa.select(*acks), sa.select(t.ack_event), sa.select(t.log)
        with self.store.reading() as connection:
            rows = [sorted(map(repr, connection.execute(query))) for query in queries]
            events = connection.execute(sa.select(sa.func.count()).select_from(t.event)).scalar_one()
        status = self.store.status()
        return [self.store.digest(), rows, events, status.unsent, status.forks]

    def holds(self) -> None:
        """Holds that nothing has changed."""
        assert self._facts() == self.facts


def _asked(relay: Relay) -> tuple[Requester, bytes]:
    """Lets the machine below ask."""
    requester = Requester(relay.reader.store, "line")
    request = requester.next_request()
    assert request is not None
    return requester, request


def _body(relay: Relay, *, acks: Sequence[Any] = (), items: Sequence[Any] = ()) -> list[Any]:
    """Makes what an answer says: nothing but these."""
    knows = exchange.load_parent(relay.reader.store, "line")
    assert knows.cursor is not None
    return [knows.nonce, list(knows.cursor), False, None, list(acks), [], list(items), [1, 1, None]]


def _refused(relay: Relay, requester: Requester, answer: bytes) -> None:
    """Holds that an answer is refused as none of the parent's, and changes nothing."""
    kept = Kept(relay.reader.store)
    refused = False
    try:
        requester.take_answer(200, answer)
    except UpstreamMalformed:
        refused = True
    assert refused
    kept.holds()


# ---- answers


def answer_changed(relay: Relay) -> None:
    """An answer of which a byte was changed, cut off, or added."""
    dice = relay.cast.dice
    requester, request = _asked(relay)
    true = relay.signed_answer(request, _body(relay))
    at = dice.randrange(1, len(true))
    flipped = true[:at] + bytes([true[at] ^ 1 << dice.randrange(8)]) + true[at + 1 :]
    answer = dice.pick([flipped, true[:at], true + b"\0"])
    _refused(relay, requester, answer)


def answer_to_another(relay: Relay) -> None:
    """An answer that the parent gave to another request."""
    _, before = _asked(relay)
    old = relay.signed_answer(before, _body(relay))
    Material.make(relay.cast)
    doc = relay.write_below()
    requester, request = _asked(relay)
    assert request != before
    _refused(relay, requester, old)
    assert relay.reader.store.history(doc)[0].delivery.level == "here"


def answer_by_another(relay: Relay) -> None:
    """An answer that is signed by another machine, certified or not."""
    requester, request = _asked(relay)
    signer: Signer = relay.cast.dice.pick([relay.district.secrets.machine, relay.cast.stranger.key])
    log = relay.reader.store.machine_log
    _refused(relay, requester, pack_answer(signer, request, log, _body(relay)))


def answer_of_wrong_shape(relay: Relay) -> None:
    """An answer that the parent signed, of which one part is of another type."""
    dice = relay.cast.dice
    requester, request = _asked(relay)
    events = Material.make(relay.cast).honest
    body: Any = _body(relay, items=[[0, event.to_frame()] for event in events])
    at = dice.randrange(len(body))
    wrong: list[Any] = [7, "chữ", {}, [[]], [7], -1]
    if at in {4, 5, 6}:
        wrong = [7, "chữ", {}, [7], [[7]], -1]
    body[at] = dice.pick(wrong)
    if dice.happens(0.2):
        body = dice.pick([body[:-1], [*body, 1], {}, 7, None])
    _refused(relay, requester, relay.signed_answer(request, body))


def challenge_forged(relay: Relay) -> None:
    """A challenge that proves nothing, or proves another server, in place of an answer."""
    dice = relay.cast.dice
    reader, hub, district = relay.reader.store, relay.hub, relay.district
    requester, _ = _asked(relay)
    node = dice.pick([hub.store.machine_log, district.store.machine_log])
    key = dice.pick([hub.secrets.machine, relay.cast.stranger.key])
    if (key is hub.secrets.machine) == (node == hub.store.machine_log):
        key = SigningKey(dice.randbytes(32))
    nonce, theirs = dice.randbytes(16), dice.pick([b"", dice.randbytes(16)])
    signed = codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, reader.machine_log]))
    packet = pack_packet([1, "challenge", [node, nonce, theirs, key.sign(signed), []]])
    kept = Kept(reader)
    for _ in range(9):
        try:
            requester.take_answer(401, packet)
        except (UpstreamMalformed, UpstreamRefused):
            break
        asked = requester.next_request() or b""
        # Whoever cannot prove who it is hears who asks, and not a single event.
        assert open_packet(asked)[0] is not None
        assert codec.decode(open_packet(asked)[0])[7] == []
    else:
        raise AssertionError("the machine goes on asking for ever")
    kept.holds()


def error_for_ever(relay: Relay) -> None:
    """A parent that refuses every request ends the exchange, and nothing is lost."""
    dice = relay.cast.dice
    doc = relay.write_below()
    requester, _ = _asked(relay)
    kept = Kept(relay.reader.store)
    code, status = dice.pick(["not_allowed", "malformed", "x"]), dice.pick([400, 403, 503])
    for _ in range(9):
        try:
            requester.take_answer(status, pack_packet([1, "error", [code, "không"]]))
        except UpstreamRefused:
            break
        assert requester.next_request()
    else:
        raise AssertionError("the machine goes on asking for ever")
    kept.holds()
    assert relay.reader.store.history(doc)


# ---- acks


def _lying(relay: Relay, statement: bytes) -> None:
    """Sends a statement that must not count: as an ack, as a forwarded one, and by stick."""
    dice = relay.cast.dice
    doc = relay.write_below()
    reader = relay.reader.store
    kept = Kept(reader)
    way = dice.pick(["ack", "forwarded", "stick"])
    try:
        if way == "stick":
            relay.import_stick("stick down", relay.payload("stick down", [], [statement]))
        else:
            requester, request = _asked(relay)
            body = _body(relay, acks=[statement]) if way == "ack" else _body(relay, items=[[1, statement]])
            requester.take_answer(200, relay.signed_answer(request, body))
    except (UpstreamMalformed, BundleRejected):
        assert way != "forwarded"
    kept.holds()
    assert reader.history(doc)[0].delivery.level == "here"


def _statement(relay: Relay, unit: str, node: bytes) -> Acks:
    """Says that a node has all that the machine below has written."""
    store = relay.reader.store
    with store.reading() as connection:
        logs = connection.execute(sa.select(t.log).where(t.log.c.own == 1)).all()
        ids = connection.execute(sa.select(t.event.c.id)).scalars().all()
    epoch = relay.cast.dice.randbytes(16)
    heads = tuple((bytes(row.id), row.seq, bytes(row.head)) for row in logs if row.seq >= 0)
    return Acks(node, unit, epoch, 1, 0, heads, tuple(map(bytes, ids)))


def ack_forged(relay: Relay) -> None:
    """An ack in the district's name that the relay has signed."""
    relay.write_below()
    said = _statement(relay, "c1", relay.district.store.machine_log)
    _lying(relay, said.sign(relay.hub.secrets.machine))


def ack_of_another_unit(relay: Relay) -> None:
    """An ack by the relay for units that are not below it."""
    unit = relay.cast.dice.pick(["d1", "p", "c2", "c9", "không có", ""])
    _lying(relay, _statement(relay, unit, relay.hub.store.machine_log).sign(relay.hub.secrets.machine))


def ack_by_no_parent(relay: Relay) -> None:
    """An ack by a machine that is certified, and is no parent; or by an officer."""
    signer, log = relay.cast.dice.pick(
        [
            (relay.reader.secrets.machine, relay.reader.store.machine_log),
            (relay.cast.thief.key, relay.cast.thief.id),
        ]
    )
    _lying(relay, _statement(relay, "c1", log).sign(signer))


def ack_changed(relay: Relay) -> None:
    """A true ack of which a bit was changed."""
    dice = relay.cast.dice
    true = bytearray(_statement(relay, "c1", relay.hub.store.machine_log).sign(relay.hub.secrets.machine))
    true[dice.randrange(len(true))] ^= 1 << dice.randrange(8)
    _lying(relay, bytes(true))


def ack_of_nothing(relay: Relay) -> None:
    """A true ack by the parent of events that are in no log, or at other places."""
    dice = relay.cast.dice
    said = _statement(relay, "c1", relay.hub.store.machine_log)
    wrong = tuple(
        dice.pick(
            [
                (log, seq, dice.randbytes(32)),
                (log, seq + 1000, dice.randbytes(32)),
                (dice.randbytes(32), 3, head),
            ]
        )
        for log, seq, head in said.logs
    )
    epoch = relay.hub.store.epoch
    lie = said._replace(epoch=epoch, logs=wrong, events=tuple(dice.randbytes(32) for _ in range(3)))
    relay.write_below()
    doc = relay.write_below()
    requester, request = _asked(relay)
    requester.take_answer(
        200, relay.signed_answer(request, _body(relay, acks=[lie.sign(relay.hub.secrets.machine)]))
    )
    assert relay.reader.store.history(doc)[0].delivery.level == "here"


def ack_of_wrong_shape(relay: Relay) -> None:
    """An ack that the parent signed, of which a part is of another type."""
    dice = relay.cast.dice
    said = _statement(relay, "c1", relay.hub.store.machine_log)
    parts: list[Any] = [1, said.node, said.unit, said.epoch, said.at_ms, [list(e) for e in said.logs], []]
    at = dice.randrange(len(parts))
    parts[at] = dice.pick([None, -7, "chữ", {}, [[7]], [[b"", -1, b"", 1]]])
    if at == 4:
        parts[at] = dice.pick([None, "chữ", True, []])
    if at == 2:
        parts[at] = dice.pick([None, 7, "chữ", b"c1"])
    payload = codec.encode(parts)
    proof = relay.hub.secrets.machine.sign(codec.pae("onestop/ack/1", payload))
    _lying(relay, codec.encode([payload, proof]))


def statement_rolled_back(relay: Relay) -> None:
    """An old true statement, sent again after a newer one, takes nothing back."""
    relay.write_below()
    requester = Requester(relay.reader.store, "line")
    responder = Responder(relay.hub.store)
    old = _statement(relay, "c1", relay.hub.store.machine_log)._replace(epoch=relay.hub.store.epoch)
    old = old._replace(logs=tuple((log, 0, log) for log, _, _ in old.logs), events=())
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    kept = Kept(relay.reader.store)
    data = old.sign(relay.hub.secrets.machine)
    requester, request = _asked(relay)
    requester.take_answer(200, relay.signed_answer(request, _body(relay, acks=[data], items=[[1, data]])))
    relay.import_stick("stick down", relay.payload("stick down", [], [data]))
    kept.holds()


# ---- sticks


def _closed(relay: Relay, way: str, packet: bytes, *reasons: str) -> None:
    """Holds that a stick is refused for one of these reasons, and changes nothing."""
    kept = Kept(relay.victim(way).store)
    reason = ""
    try:
        relay.import_packet(way, packet)
    except BundleRejected as error:
        reason = str(error.details["reason"])
    assert reason in reasons
    kept.holds()


def stick_by_another(relay: Relay) -> None:
    """A stick in the relay's name that another key has signed, or in the name of a log that is none."""
    dice = relay.cast.dice
    way = dice.pick(["stick up", "stick down"])
    payload = relay.payload(way, [e.to_frame() for e in Material.make(relay.cast).honest])
    hub = relay.hub.store.machine_log
    key, log = dice.pick([
        (relay.cast.stranger.key, hub), (relay.district.secrets.machine, hub), (relay.cast.thief.key, hub),
        (relay.cast.thief.key, relay.cast.thief.id), (relay.hub.secrets.machine, dice.randbytes(32)),
        (relay.cast.stranger.key, relay.cast.stranger.id),
    ])  # fmt: skip
    _closed(relay, way, payload.sign(key, log), "stranger")


def stick_again(relay: Relay) -> None:
    """A stick that was taken already, and an older one that brings nothing more."""
    dice = relay.cast.dice
    way = dice.pick(["stick up", "stick down"])
    frames = [e.to_frame() for e in Material.make(relay.cast).honest]
    machine, log = relay.hub.secrets.machine, relay.hub.store.machine_log
    older, newer = (relay.payload(way, frames).sign(machine, log) for _ in range(2))
    relay.import_packet(way, newer)
    _closed(relay, way, newer, "repeated")
    _closed(relay, way, older, "old")


def stick_of_wrong_shape(relay: Relay) -> None:
    """A stick that the relay signed, of which one part is of another type."""
    dice = relay.cast.dice
    way = dice.pick(["stick up", "stick down"])
    machine, log = relay.hub.secrets.machine, relay.hub.store.machine_log
    true = relay.payload(way, [e.to_frame() for e in Material.make(relay.cast).honest]).sign(machine, log)
    parts: list[Any] = codec.decode(open_packet(true)[0])
    at = dice.randrange(len(parts))
    parts[at] = dice.pick([None, "chữ", {}, [7], [[7]], [[b"", None]], b"x"])
    if at in {1, 2, 8}:  # in a list of frames, one that is none is told by itself
        parts[at] = dice.pick([None, "chữ", {}, b"x"])
    payload = codec.encode(parts)
    proof = machine.sign(codec.pae("onestop/bundle/1", payload))
    _closed(relay, way, pack_packet([payload, log, proof]), "damaged", "stranger")


LIES: Final[dict[str, Lie]] = {
    lie.__name__: lie
    for lie in (
        answer_changed, answer_to_another, answer_by_another, answer_of_wrong_shape, challenge_forged,
        error_for_ever, ack_forged, ack_of_another_unit, ack_by_no_parent, ack_changed, ack_of_nothing,
        ack_of_wrong_shape, statement_rolled_back, stick_by_another, stick_again, stick_of_wrong_shape,
    )
}  # fmt: skip
"""Name → kind."""

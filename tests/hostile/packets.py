"""One spoilt packet: sent, judged, sent again whole, and judged again."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync import event as ev
from onestop_sync.errors import NotAllowed
from onestop_sync.fold import State
from onestop_sync.keys import verify
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.trust import Authority
from tests.hostile.material import Material
from tests.hostile.relay import Relay
from tests.hostile.spoil import KINDS, Spoil
from tests.province import Machine

_NEW: Final = frozenset({"genesis_replaced", "certificate_changed", "beginning_dropped"})
"""Kinds that work on a log that is new in the packet."""
_BESIDE: Final = ("instead", "before", "after")


class Packet(NamedTuple):
    """Frames of a packet.

    Attributes:
        frames: What is sent.
        missing: Honest events that do not get in by it.
        marked: Events of others that may be stored without effect.
        where: Where the spoilt event stands.
    """

    frames: list[Any]
    missing: frozenset[bytes] = frozenset()
    marked: frozenset[bytes] = frozenset()
    where: str = "order"


class Trial:
    """A kind of mutation against one relay, a packet at a time."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.forget()

    def forget(self) -> None:
        """Takes what the machines have now as given."""
        self._seen = {id(machine): _last(machine.store) for machine in self.relay.machines}

    def run(self, kind: str, way: str) -> str:
        """Sends one packet; what it lacks comes later. Returns where the spoilt event stood.

        Raises:
            AssertionError: Something was accepted that should not be, or kept out that should not be.
        """
        dice = self.relay.cast.dice
        victim = self.relay.victim(way)
        material = Material.make(self.relay.cast, is_new=kind in _NEW or dice.happens(0.1))
        packet = ORDERS[kind](material) if kind in ORDERS else _spoilt(material, KINDS[kind])
        before = _powers(victim, self.relay)
        self.relay.deliver(way, packet.frames)
        honest = {e.id for e in material.honest}
        self._judge_stored(victim, honest - packet.missing, packet.marked)
        if packet.missing:
            self.relay.deliver(way, [e.to_frame() for e in material.honest])
            self._judge_stored(victim, set(packet.missing), frozenset())
        self._judge_effect(victim, material)
        assert _powers(victim, self.relay) == before
        return packet.where

    def _judge_stored(self, victim: Machine, wanted: set[bytes], marked: frozenset[bytes]) -> None:
        """Holds that just these events came in, each as its author signed it."""
        store = victim.store
        with store.reading() as connection:
            query = sa.select(t.event).where(t.event.c.n > self._seen[id(victim)])
            rows = connection.execute(query).all()
        self._seen[id(victim)] = max([self._seen[id(victim)], *(row.n for row in rows)])
        found = {row.id for row in rows}
        assert wanted <= found, "an honest event was kept out"
        assert found <= wanted | marked, "something else came in"
        for row in rows:
            event = ev.parse([row.header, row.signature, row.body])
            genesis = store.trust.genesis(event.log)
            assert event.id == row.id
            assert event.body is not None
            assert genesis is not None
            assert verify(genesis.key, codec.pae(ev.EVENT_KIND, event.header_bytes), event.signature)

    @staticmethod
    def _judge_effect(victim: Machine, material: Material) -> None:
        """Holds that the cases say what the honest events say, and nothing else."""
        for doc, expected in material.expected().items():
            assert _said(victim.store.document(doc).state) == _said(expected)


def _spoilt(material: Material, spoil: Spoil) -> Packet:
    """Puts what a kind makes of one event into the others, instead of that event or beside it."""
    event, where = material.dice.pick(material.events), material.dice.pick(_BESIDE)
    spoilt = spoil(material, event)
    frames: list[Any] = []
    for each in material.honest:
        true = [each.to_frame()]
        if each.id != event.id:
            frames += true
        else:
            frames += {"instead": spoilt.frames, "before": [*spoilt.frames, *true]}.get(
                where, [*true, *spoilt.frames]
            )
    missing = frozenset() if event.to_frame() in frames else frozenset({event.id})
    return Packet(frames, missing, spoilt.marked, where)


def reordered(material: Material) -> Packet:
    """The log in any order, or backwards."""
    frames = [e.to_frame() for e in material.honest]
    if material.dice.happens(0.5):
        material.dice.shuffle(frames)
    return Packet(frames[::-1])


def dropped(material: Material) -> Packet:
    """Events of the log left out, the others sent."""
    out = material.dice.sample(material.events, 1 + material.dice.randrange(3))
    missing = frozenset(e.id for e in out)
    return Packet([e.to_frame() for e in material.honest if e.id not in missing], missing)


def doubled(material: Material) -> Packet:
    """Events that come several times."""
    frames = [e.to_frame() for e in material.honest for _ in range(1 + material.dice.randrange(3))]
    material.dice.shuffle(frames)
    return Packet(frames)


def beginning_dropped(material: Material) -> Packet:
    """A log without its first event, or without the certificate that it hangs on."""
    out = material.dice.pick(material.proofs)
    missing = {e.id for e in material.honest} if out.is_genesis else {out.id}
    if out.is_genesis:
        missing.remove(material.proofs[0].id)
    return Packet([e.to_frame() for e in material.honest if e.id != out.id], frozenset(missing))


ORDERS: Final = {kind.__name__: kind for kind in (reordered, dropped, doubled, beginning_dropped)}
"""Kinds of mutation of the order: nothing of what comes is changed."""


def _said(state: State) -> tuple[object, ...]:
    return state.registers, state.notes, state.tasks, state.units, state.is_void


def _powers(victim: Machine, relay: Relay) -> tuple[object, ...]:
    """Returns what the relay's accomplices may do: it must not grow."""
    trust = victim.store.trust
    thief, stranger = relay.cast.thief, relay.cast.stranger
    found: list[object] = []
    for log in (thief.id, stranger.id):
        authority = trust.authority(log)
        found.append(authority.author if isinstance(authority, Authority) else None)
    for key in (thief.key.public, stranger.key.public):
        try:
            found.append(victim.store.find_authority(key)[1].roles)
        except NotAllowed:
            found.append(None)
    return tuple(found)


def _last(store: Store) -> int:
    with store.reading() as connection:
        return connection.execute(sa.select(sa.func.max(t.event.c.n))).scalar() or 0

"""Frames that arrived: parsed and verified, before anything is written.

Nothing here writes; several threads verify at a time, because libsodium lets go of the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from onestop_sync import event as ev
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.event import Event
from onestop_sync.trust import Trust

__all__ = ["Outcome", "parse_all", "verify_all"]

_CHUNK = 64
"""Events that one thread verifies at a time."""


class Outcome(NamedTuple):
    """What became of one frame that somebody delivered.

    Attributes:
        id: Event id; empty when the frame is not an event.
        code: ``""`` in effect or harmless; ``waiting``, ``refused``: stored, without effect;
            ``malformed``, ``forged``, ``unknown_log``, ``quota``: not stored.
        reason: Why, in the words of `fold.Reason` or of `trust`.
    """

    id: bytes
    code: str = ""
    reason: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether the event is in the store now."""
        return self.code in {"", "waiting", "refused"}


def parse_all(frames: Sequence[object]) -> tuple[dict[bytes, Event], list[Outcome]]:
    """Parses frames; two frames of one event count once.

    Returns:
        The events by id, in the order of delivery, and an outcome for every frame that is not one.
    """
    events: dict[bytes, Event] = {}
    bad: list[Outcome] = []
    for frame in frames:
        try:
            event = ev.parse(frame)
        except FormatError as error:
            bad.append(Outcome(b"", "malformed", error.what))
        else:
            events.setdefault(event.id, event)
    return events, bad


def verify_all(events: Iterable[Event], trust: Trust, pool: Executor | None) -> dict[bytes, Outcome]:
    """Checks signatures.

    Args:
        events: Events that are not in the store yet.
        trust: Knows the logs that are in the store.
        pool: Threads to verify in; ``None`` verifies in this one.

    Returns:
        Outcomes of the events that must not be stored.
    """
    bad: dict[bytes, Outcome] = {}
    checkable: list[tuple[Event, bytes]] = []
    events = list(events)
    keys = _keys(events, bad)
    for event in events:
        if event.id in bad:
            continue
        genesis = trust.genesis(event.log)
        key = genesis.key if genesis else keys.get(event.log)
        if key is None:
            bad[event.id] = Outcome(event.id, "unknown_log", "The log's first event is not here.")
        else:
            checkable.append((event, key))
    chunks = [checkable[i : i + _CHUNK] for i in range(0, len(checkable), _CHUNK)]
    found = pool.map(_verify, chunks) if pool and len(chunks) > 1 else map(_verify, chunks)
    for forged in found:
        for event_id in forged:
            bad[event_id] = Outcome(event_id, "forged", "The signature is wrong.")
    return bad


def _keys(events: Iterable[Event], bad: dict[bytes, Outcome]) -> Mapping[bytes, bytes]:
    """Returns the keys of logs that begin in this delivery."""
    keys: dict[bytes, bytes] = {}
    for event in events:
        if event.is_genesis:
            try:
                keys[event.id] = ev.parse_genesis(event).key
            except FormatError as error:
                bad[event.id] = Outcome(event.id, "malformed", error.what)
    return keys


def _verify(chunk: list[tuple[Event, bytes]]) -> list[bytes]:
    forged: list[bytes] = []
    for event, key in chunk:
        try:
            ev.verify(event, key)
        except SignatureInvalid:
            forged.append(event.id)
    return forged

"""Frames that arrived: parsed and verified, before anything is written.

Nothing here writes; several threads verify at a time, because libsodium lets go of the interpreter's lock.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from itertools import chain
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
            ``malformed``, ``forged``, ``withheld``, ``unknown_log``, ``quota``: not stored.
        reason: Why, in the words of `fold.Reason` or of `trust`.
    """

    id: bytes
    code: str = ""
    reason: str = ""

    @property
    def is_stored(self) -> bool:
        """Whether the event is in the store now."""
        return self.code in {"", "waiting", "refused"}


def parse_all(frames: Sequence[object]) -> tuple[list[Event], list[Outcome]]:
    """Parses frames; one frame that comes twice counts once.

    Two frames of one event may differ in the signature, which its id does not cover, or in that the body was
    left out: both are returned, or whoever puts a spoilt one before the true one would keep it out.

    Returns:
        The events in the order of delivery, and an outcome for every frame that is not one.
    """
    events: dict[tuple[bytes, bytes, bool], Event] = {}
    bad: list[Outcome] = []
    for frame in frames:
        try:
            event = ev.parse(frame)
        except FormatError as error:
            bad.append(Outcome(b"", "malformed", error.what))
        else:
            events.setdefault((event.id, event.signature, event.body is None), event)
    return list(events.values()), bad


def verify_all(
    events: Sequence[Event],
    trust: Trust,
    pool: Executor | None,
    erased: Container[bytes] = frozenset(),
) -> tuple[list[Event], list[Outcome]]:
    """Checks signatures.

    Args:
        events: Events that are not in the store yet; several of one id may differ in the signature and body.
        trust: Knows the logs that are in the store.
        pool: Threads to verify in; ``None`` verifies in this one.
        erased: Documents that were erased by law.

    Returns:
        One event of each id that may be stored, and outcomes of those that must not be. Without its body an
        event is not stored: it would have no effect for ever, and would be acknowledged as if it had. Of an
        erased document nobody has it any more.
    """
    bad: dict[bytes, Outcome] = {}
    checkable: list[tuple[Event, bytes]] = []
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
    good: dict[bytes, Event] = {}
    for event in chain.from_iterable(found):
        if event.body is None and event.header.doc_id not in erased:
            bad[event.id] = Outcome(event.id, "withheld", "The body of the event was left out.")
        else:
            good.setdefault(event.id, event)
    for event, _ in checkable:
        bad.setdefault(event.id, Outcome(event.id, "forged", "The signature is wrong."))
    for event_id in good:
        del bad[event_id]
    return list(good.values()), list(bad.values())


def _keys(events: Iterable[Event], bad: dict[bytes, Outcome]) -> Mapping[bytes, bytes]:
    """Returns the keys of logs that begin in this delivery."""
    keys: dict[bytes, bytes] = {}
    for event in events:
        if event.is_genesis and event.body is not None:
            try:
                keys[event.id] = ev.parse_genesis(event).key
            except FormatError as error:
                bad[event.id] = Outcome(event.id, "malformed", error.what)
    return keys


def _verify(chunk: list[tuple[Event, bytes]]) -> list[Event]:
    good: list[Event] = []
    for event, key in chunk:
        with suppress(SignatureInvalid):
            ev.verify(event, key)
            good.append(event)
    return good

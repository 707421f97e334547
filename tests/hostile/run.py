"""Many packets of one kind, at relays that are made anew now and then, so that each stays small and quick."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.hostile.packets import ORDERS, Trial
from tests.hostile.relay import WAYS, Relay
from tests.hostile.said import LIES
from tests.hostile.spoil import KINDS

ALL: Final = (*KINDS, *ORDERS, *LIES)
"""Names of all kinds."""
_PACKETS_OF_A_RELAY: Final = 60


class Attack(NamedTuple):
    """What came of the packets of one kind.

    Attributes:
        kind: Its name.
        packets: How many were sent, none of which was accepted as what it is not.
        where: Where the spoilt event stood, and how often.
        seconds: How long it took.
    """

    kind: str
    packets: int
    where: Counter[str]
    seconds: float


def attack(kind: str, packets: int, seed: int = 1) -> Attack:
    """Sends packets of one kind, by each way in turn.

    Raises:
        AssertionError: One was accepted, or kept something honest out; its number is in the notes.
    """
    began, where = time.perf_counter(), Counter[str]()
    for at in range(0, packets, _PACKETS_OF_A_RELAY):
        with tempfile.TemporaryDirectory() as folder:
            relay = Relay(Path(folder), _seed(seed, kind, at))
            trial = Trial(relay)
            for n in range(at, min(at + _PACKETS_OF_A_RELAY, packets)):
                where[_one(relay, trial, kind, n)] += 1
            relay.close()
    return Attack(kind, packets, where, time.perf_counter() - began)


def mixed(kinds: Iterable[str], each: int, seed: int = 1) -> Counter[str]:
    """Sends packets of many kinds at few relays; returns how many of each."""
    sent: Counter[str] = Counter()
    kinds = list(kinds)
    for n in range(each):
        with tempfile.TemporaryDirectory() as folder:
            relay = Relay(Path(folder), _seed(seed, "mixed", n))
            trial = Trial(relay)
            for kind in kinds:
                _one(relay, trial, kind, n)
                sent[kind] += 1
            relay.close()
    return sent


def _one(relay: Relay, trial: Trial, kind: str, n: int) -> str:
    try:
        if kind in LIES:
            LIES[kind](relay)
            trial.forget()
            return "lie"
        return trial.run(kind, WAYS[n % len(WAYS)])
    except Exception as error:
        error.add_note(f"kind {kind}, packet {n}, by {WAYS[n % len(WAYS)]}")
        raise


def _seed(seed: int, kind: str, at: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{kind}/{at}".encode()).digest()[:6], "big")

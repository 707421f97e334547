"""A certified hub that lies: nothing of it counts, and everything honest in the same packet does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from onestop_sync import event, exchange
from onestop_sync.acks import parse_acks
from onestop_sync.storage import arrive
from onestop_sync.storage.findings import Signed
from onestop_sync.trust import Trust
from tests.hostile import packets, said, spoil
from tests.hostile.run import ALL, attack, mixed

EACH = 6
"""Packets of each kind here, by each way in turn; `make hostile` sends 1,000."""


def test_no_lie_is_accepted_and_nothing_honest_is_kept_out() -> None:
    """Of 71 kinds of mutation none counts, over the line or by stick, and honest events get through."""
    sent = mixed(ALL, EACH)
    assert (len(ALL), len(sent), set(sent.values())) == (71, 71, {EACH})
    assert sent.total() == 71 * EACH


def test_every_way_and_place_is_tried() -> None:
    """A kind is sent by all four ways, with the spoilt event instead of the true one, before and after it."""
    found = attack("signature_bit", 24)
    assert found.where.total() == found.packets == 24
    assert found.where.keys() == {"instead", "before", "after"}


@contextmanager
def careless(what: str) -> Iterator[None]:
    """Makes the program careless in one way."""
    match what:
        case "signatures":
            with patch.object(event, "verify"):
                yield
        case "certificates":
            with patch.object(Trust, "why_not", return_value=""):
                yield
        case "twins":
            real = arrive.parse_all

            def first_only(frames: list[object]) -> object:
                events, bad = real(frames)
                return list({e.id: e for e in reversed(events)}.values()), bad

            with patch("onestop_sync.store.store.parse_all", first_only):
                yield
        case _:
            with patch.object(exchange, "acks_of", lambda _, data: [_believed(each) for each in data]):
                yield


def _believed(data: bytes) -> tuple[object, object]:
    return parse_acks(data)[0], Signed("ack", b"", data)


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("signatures", "other_body_hash"),
        ("signatures", "other_time"),
        ("certificates", "certificate_by_colleague"),
        ("twins", "forged_twin"),
        ("acks", "ack_forged"),
        ("acks", "ack_of_another_unit"),
    ],
)
def test_a_careless_program_is_found_out(what: str, kind: str) -> None:
    """The same packets find a program that leaves out one check: so they reach what they claim."""
    with careless(what), pytest.raises(AssertionError):
        attack(kind, 24)
    attack(kind, 4)


def test_the_kinds_are_described() -> None:
    """Each kind says in a sentence what it does."""
    everything = {**spoil.KINDS, **packets.ORDERS, **said.LIES}
    assert all((kind.__doc__ or "").strip().endswith(".") for kind in everything.values())

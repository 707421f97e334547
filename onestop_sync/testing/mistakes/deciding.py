"""Mistakes about who may write what: certificates, cuts, units."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

from onestop_sync.trust import Cut, Trust
from onestop_sync.units import Tree


def cut_forgotten() -> AbstractContextManager[Any]:
    """A new trust document counts for what comes, and nothing that is here is folded again."""
    return mock.patch("onestop_sync.storage.transaction.changed_logs", return_value=[])


def successor_a_stranger() -> AbstractContextManager[Any]:
    """Whoever works for a successor may not go on with what the unit before had begun."""
    return mock.patch.object(Tree, "acts_for", lambda _self, unit, _doc=b"": frozenset({unit}))


def cut_by_number() -> AbstractContextManager[Any]:
    """What lies before a cut is told by its number in the log, whatever branch it is on."""

    def is_beyond(_self: Trust, cut: Cut, log: bytes, seq: int, _event: bytes) -> bool:
        last = cut.heads.get(log)
        return not cut.is_of_branches if last is None else seq > last[0]

    return mock.patch.object(Trust, "_is_beyond", is_beyond)

"""What a new trust document changes: pure comparisons of what was known before and after."""

from __future__ import annotations

from onestop_sync.trust import Trust
from onestop_sync.units import Tree

__all__ = ["are_documents_reassigned", "changed_logs", "heirs"]


def changed_logs(before: Trust, after: Trust) -> list[bytes]:
    """Returns the logs that write by another authority now, or that a cut bears on that has changed."""
    return [log for log in after.logs() if _told(before, log) != _told(after, log)]


def _told(trust: Trust, log: bytes) -> object:
    genesis = trust.genesis(log)
    assert genesis is not None
    # A certificate beyond a cut shows in the authority of the logs that hang on it.
    return trust.authority(log), trust.document.cuts_of(genesis.key, genesis.unit)


def are_documents_reassigned(before: Trust, after: Trust) -> bool:
    """Tells whether it has changed which successor of a split unit goes on with which document."""
    old, new = before.document.tree, after.document.tree
    return (old.has_splits, old.assignments) != (new.has_splits, new.assignments)


def heirs(before: Tree, after: Tree) -> dict[str, set[str]]:
    """Returns, of each unit, the units that see from now on what it sees, and did not before."""
    found: dict[str, set[str]] = {}
    for unit in after.units:
        grown = set(after.over(unit)) - (set(before.over(unit)) if unit in before.units else set())
        if grown - {unit}:
            found[unit] = grown - {unit}
    return found

"""All targets, by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from tests.fuzz.target import Target

__all__ = ["all_targets", "target_named"]

_GROUPS: Final = ("wire", "papers", "doors", "command_lines", "machines")


def _groups() -> Iterator[tuple[Target, ...]]:
    """Imports group after group: here and not above, so that a fuzzer can instrument what they import."""
    for name in _GROUPS:
        yield import_module(f"tests.fuzz.{name}").TARGETS


@cache
def all_targets() -> dict[str, Target]:
    """Returns all targets."""
    found = [target for group in _groups() for target in group]
    assert len({each.name for each in found}) == len(found)
    return {each.name: each for each in found}


def target_named(name: str) -> Target:
    """Returns one target, and imports no more than it takes to find it."""
    return next(target for group in _groups() for target in group if target.name == name)

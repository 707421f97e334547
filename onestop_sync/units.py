"""The tree of units as it was, is and will be: effective-dated data, and what follows from it.

Communes merge, split and move, tiers disappear, and machines that have not heard of it go on under the old
unit for weeks. So no relation that decides anything looks at a date: whoever was once above a unit stays
above what was written for it, and a successor acts for the units that it succeeds, from the moment at which
the change is published. Dates say what to show (`Unit.at`), and when a unit takes in nothing new.

Two relations, kept apart:

- *above*: through parents of any time. Who may certify for a unit.
- *over*: through parents of any time, and successors. Who replicates, carries and acknowledges what a unit
  wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.event import is_name

__all__ = ["Period", "Tree", "Unit"]

FOREVER: Final = codec.MAX_INT
_THE_REST: Final = b"*"

Assignments = Mapping[str, Mapping[bytes, str]]
"""Unit that was split → document → the successor that goes on with it."""


class Period(NamedTuple):
    """What a unit was called, and where it stood, from a moment on.

    Attributes:
        from_ms: Milliseconds since 1970 UTC.
        name: Vietnamese name.
        parent: Unit above; empty at the top.
        level: ``province``, ``district`` or ``commune``, for display.
        codes: Agency codes, the current one first, old ones as aliases for ever.
    """

    from_ms: int
    name: str
    parent: str
    level: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tree; the newest facts, and those before.

    Attributes:
        id: Opaque, never reused.
        name: Vietnamese name.
        parent: Unit above; empty for the top of the tree.
        level: ``province``, ``district`` or ``commune``, for display.
        codes: Agency codes, the current one first, old ones as aliases for ever.
        since_ms: From when these facts hold, milliseconds since 1970 UTC.
        until_ms: From when it takes in nothing new: it was merged, split or dissolved.
        successors: Who goes on with its work: one after a merger, several after a split.
        earlier: The facts before, oldest first.
    """

    id: str
    name: str
    parent: str
    level: str
    codes: tuple[str, ...] = ()
    since_ms: int = 0
    until_ms: int = FOREVER
    successors: tuple[str, ...] = ()
    earlier: tuple[Period, ...] = ()

    @property
    def is_ended(self) -> bool:
        """Whether an end was published, at whatever date."""
        return self.until_ms != FOREVER or bool(self.successors)

    @property
    def periods(self) -> tuple[Period, ...]:
        """All facts, oldest first."""
        return (*self.earlier, Period(self.since_ms, self.name, self.parent, self.level, self.codes))

    @property
    def parents(self) -> tuple[str, ...]:
        """Every unit that was ever the one above, the newest first."""
        found = dict.fromkeys(p.parent for p in reversed(self.periods) if p.parent)
        return tuple(found)

    @property
    def all_codes(self) -> tuple[str, ...]:
        """Every code that it ever had, the newest first: old ones are aliases for ever."""
        return tuple(dict.fromkeys(code for p in reversed(self.periods) for code in p.codes))

    def at(self, ms: int) -> Period:
        """Returns what held at a moment; before its first facts, the first."""
        return next((p for p in reversed(self.periods) if p.from_ms <= ms), self.periods[0])

    def to_row(self) -> codec.Value:
        """Returns the unit as it travels."""
        earlier: list[codec.Value] = [
            [p.from_ms, p.name, p.parent, p.level, list(p.codes)] for p in self.earlier
        ]
        return [
            self.id, self.name, self.parent, self.level, list(self.codes), self.since_ms, self.until_ms,
            list(self.successors), earlier,
        ]  # fmt: skip

    @classmethod
    def from_row(cls, row: object) -> Unit:
        """Reads a unit.

        Raises:
            FormatError: Malformed.
        """
        match row:
            case [
                str(unit), str(name), str(parent), str(level), list(codes), int(since), int(until),
                list(successors), list(earlier),
            ] if _are_texts(codes) and _are_texts(successors):  # fmt: skip
                periods = tuple(map(_period, earlier))
                return cls(
                    unit, name, parent, level, tuple(codes), since, until, tuple(successors), periods
                )  # fmt: skip
        raise FormatError("The trust document names a unit wrongly.")


def _period(row: object) -> Period:
    match row:
        case [int(start), str(name), str(parent), str(level), list(codes)] if _are_texts(codes):
            return Period(start, name, parent, level, tuple(codes))
    raise FormatError("The trust document names a unit wrongly.")


def _are_texts(values: list[object]) -> bool:
    return all(isinstance(value, str) for value in values)


class Tree:
    """The units, and who stands where.

    Args:
        units: By id.
        assignments: Who goes on with which document of a unit that was split; the rest goes to its parent.

    Raises:
        InvalidInput: A unit is named that does not exist, or is its own ancestor or successor.
    """

    def __init__(self, units: Mapping[str, Unit], assignments: Assignments | None = None) -> None:
        self.units = units
        self.assignments: Assignments = assignments or {}
        self._above: dict[str, tuple[str, ...]] = {}
        self._over: dict[tuple[str, bytes], frozenset[str]] = {}
        self._acts: dict[tuple[str, bytes], frozenset[str]] = {}
        for unit in units.values():
            self._check_names(unit)
        for unit_id in units:  # once every name is known to lead somewhere
            if self._runs_in_circles(unit_id):
                raise InvalidInput(f"Unit {unit_id} is its own ancestor or successor.")
        for unit_id, listed in self.assignments.items():
            successors = units[unit_id].successors if unit_id in units else ()
            if not set(listed.values()) <= set(successors):
                raise InvalidInput(f"A document of {unit_id} is given to a unit that does not succeed it.")

    def _check_names(self, unit: Unit) -> None:
        if not is_name(unit.id):
            raise InvalidInput(
                "A unit's id is empty, longer than 64 characters, or holds control characters."
            )
        for other in (*unit.parents, *unit.successors):
            if other not in self.units:
                raise InvalidInput(f"Unit {unit.id} names {other}, which is not in the tree.")

    def _runs_in_circles(self, unit: str) -> bool:
        at: str = unit
        for _ in self.units:
            at = self.units[at].parent
            if not at:
                break
        else:
            return True
        return unit in self._reached(self.units[unit].successors, lambda u: self.units[u].successors)

    # ---- who stands where

    def above(self, unit: str) -> tuple[str, ...]:
        """Returns the unit and every unit that was ever above it, today's line first; none for a stranger."""
        found = self._above.get(unit)
        if found is None:
            found = self._above[unit] = tuple(self._reached([unit], lambda u: self.units[u].parents))
        return found

    def is_above(self, upper: str, lower: str) -> bool:
        """Tells whether ``upper`` is ``lower``, or was ever above it."""
        return upper in self.above(lower)

    def over(self, unit: str, doc: bytes = b"") -> frozenset[str]:
        """Returns every unit that replicates what was written for ``unit``, itself included.

        Args:
            unit: Its id.
            doc: Of a unit that was split, only the successor of this document; all of them when empty.
        """
        key = (unit, self._of(doc))
        found = self._over.get(key)
        if found is None:
            found = frozenset(self._reached([unit], lambda u: (*self.units[u].parents, *self._next(u, doc))))
            self._over[key] = found
        return found

    def is_over(self, upper: str, lower: str) -> bool:
        """Tells whether ``upper`` replicates, carries and acknowledges what was written for ``lower``."""
        return upper in self.over(lower)

    def is_wholly_over(self, upper: str, lower: str) -> bool:
        """Tells whether ``upper`` replicates all that was written for ``lower``, not as a part of a split."""
        whole = self._reached([lower], lambda u: (*self.units[u].parents, *self._only(u)))
        return upper in whole

    def below(self, unit: str) -> frozenset[str]:
        """Returns every unit that ``unit`` is over, itself included."""
        return self._below.get(unit, frozenset())

    @cached_property
    def _below(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for lower in self.units:
            for upper in self.over(lower):
                found.setdefault(upper, set()).add(lower)
        return {upper: frozenset(lowers) for upper, lowers in found.items()}

    def _reached(self, start: Iterable[str], leads: Callable[[str], Iterable[str]]) -> dict[str, None]:
        found: dict[str, None] = {}
        queue = [unit for unit in start if unit in self.units]
        while queue:
            unit = queue.pop(0)
            if unit not in found:
                found[unit] = None
                queue += leads(unit)
        return found

    # ---- who goes on

    def _of(self, doc: bytes) -> bytes:
        """Returns a document as far as it matters: all that are listed nowhere have the same answers."""
        return doc if not doc or doc in self._listed else _THE_REST

    @cached_property
    def _listed(self) -> frozenset[bytes]:
        return frozenset(doc for listed in self.assignments.values() for doc in listed)

    def _next(self, unit: str, doc: bytes) -> tuple[str, ...]:
        """Returns who goes on with a document of a unit; of all documents when ``doc`` is empty."""
        found = self.units[unit]
        if not found.is_ended:
            return ()
        if len(found.successors) <= 1 or not doc:
            return found.successors or ((found.parent,) if found.parent else ())
        listed = self.assignments.get(unit, {}).get(doc)
        return (listed,) if listed else ((found.parent,) if found.parent else ())

    def heirs(self, unit: str, doc: bytes = b"") -> tuple[str, ...]:
        """Returns the unit and, where it has ended, who went on with the document, the last one last."""
        return tuple(self._reached([unit], lambda u: self._next(u, doc)))

    def acts_for(self, unit: str, doc: bytes = b"") -> frozenset[str]:
        """Returns the units for which officers of ``unit`` act on a document: itself, and whom it succeeds.

        Without ``doc``, a unit that was split is succeeded by nobody: its documents are listed one by one.
        """
        key = (unit, self._of(doc))
        found = self._acts.get(key)
        if found is None:
            succeeded = (u for u in self._ended if unit in self._certain_heirs(u, doc))
            found = self._acts[key] = frozenset({unit, *succeeded})
        return found

    def _certain_heirs(self, unit: str, doc: bytes) -> Iterable[str]:
        if doc:
            return self.heirs(unit, doc)
        return self._reached([unit], self._only)

    def _only(self, unit: str) -> tuple[str, ...]:
        """Returns who goes on with all documents of a unit; nobody when it was split, or goes on itself."""
        found = self._next(unit, b"")
        return found if len(found) == 1 else ()

    @cached_property
    def _ended(self) -> tuple[str, ...]:
        return tuple(unit.id for unit in self.units.values() if unit.is_ended)

    @cached_property
    def has_splits(self) -> bool:
        """Whether it depends on the document who goes on with it."""
        return any(len(self.units[u].successors) > 1 for u in self._ended)

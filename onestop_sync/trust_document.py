"""What the root says of the province: its units, its first administrators, and which keys were cut off.

It is one file of the publication (`publication`), which checks by whom it is. Nothing here knows of
signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, get_args

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.event import DOC_BYTES, ID_BYTES
from onestop_sync.units import Assignments, Tree, Unit

__all__ = ["Cut", "CutReason", "TrustDocument"]

CutReason = Literal["stolen", "retired", "transferred", "closed", "forked"]
"""Why a key, a unit, or a branch is cut off. What lies beyond the cut stays without effect when the key was
``stolen``; otherwise it waits until a head of its unit countersigns it. ``forked`` ends the other branches of
logs that were written on two machines at once, and leaves the key and its other logs as they are."""

VERSION: Final = 1
_MAX_HEADS: Final = 100_000
_NONE: Final[frozenset[str]] = frozenset()


class Cut(NamedTuple):
    """A key that counts no further than its last good event; or all keys of a unit that is closed.

    Attributes:
        why: See `CutReason`.
        key: Ed25519 public key; empty for a unit's closing.
        unit: The unit that is closed; empty for a key.
        heads: Log → (sequence, id) of its last good event. A log that is not named is out altogether, unless
            only branches are cut.
    """

    why: CutReason
    key: bytes
    unit: str
    heads: Mapping[bytes, tuple[int, bytes]]

    @property
    def is_of_branches(self) -> bool:
        """Whether only branches end here, and the key goes on."""
        return self.why == "forked"

    def to_row(self) -> codec.Value:
        """Returns the cut as it travels."""
        heads: list[codec.Value] = [[log, seq, head] for log, (seq, head) in sorted(self.heads.items())]
        return [self.why, self.key, self.unit, heads]

    @classmethod
    def from_row(cls, row: object) -> Cut:
        """Reads a cut.

        Raises:
            FormatError: Malformed.
        """
        match row:
            case [str(why), bytes(key), str(unit), list(heads)] if (
                why in get_args(CutReason)
                and len(heads) <= _MAX_HEADS
                and (len(key) == keys.KEY_BYTES) != bool(unit)
                and (why == "closed") == bool(unit)
                and (bool(heads) or why != "forked")
            ):
                return cls(why, key, unit, dict(map(_head, heads)))  # type: ignore[arg-type]
        raise FormatError("The trust document names a cut wrongly.")


def _head(row: object) -> tuple[bytes, tuple[int, bytes]]:
    match row:
        case [bytes(log), int(seq), bytes(head)] if (
            len(log) == len(head) == ID_BYTES and type(seq) is int and seq >= 0
        ):
            return log, (seq, head)
    raise FormatError("The trust document names a cut wrongly.")


@dataclass(frozen=True)
class TrustDocument:
    """The units, the keys that the root names administrators itself, and what was cut off.

    Attributes:
        version: Counts up; a store never goes back.
        units: By id.
        admins: Ed25519 public key → unit.
        issued_ms: When, milliseconds since 1970 UTC.
        cuts: Keys and units that count no further.
        assignments: Unit that was split → document → successor.
        recovery: X25519 public key of the province's recovery key; empty when there is none.
        facts: Whatever else a newer program put there; kept as it is.
    """

    version: int
    units: Mapping[str, Unit]
    admins: Mapping[bytes, str]
    issued_ms: int
    cuts: tuple[Cut, ...] = ()
    assignments: Assignments = field(default_factory=dict)
    recovery: bytes = b""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def apart(self) -> frozenset[str]:
        """Regimes under which one person may not take two steps that the document's type keeps apart."""
        found = self.facts.get("apart", ())
        return (
            frozenset(found) if isinstance(found, list) and all(isinstance(r, str) for r in found) else _NONE
        )

    @cached_property
    def tree(self) -> Tree:
        """Who stands where.

        Raises:
            InvalidInput: The tree has a hole or a cycle.
        """
        return Tree(self.units, self.assignments)

    def to_bytes(self) -> bytes:
        """Encodes the document.

        Raises:
            InvalidInput: The tree has a hole or a cycle, or an administrator's or cut's unit does not exist.
        """
        self._check()
        tree: list[codec.Value] = [u.to_row() for u in sorted(self.units.values(), key=lambda u: u.id)]
        admins: list[codec.Value] = [[key, unit] for key, unit in sorted(self.admins.items())]
        cuts = sorted((c.to_row() for c in self.cuts), key=codec.encode)
        facts: dict[str, codec.Value] = {
            **self.facts,
            "assignments": [
                [unit, [[doc, to] for doc, to in sorted(listed.items())]]
                for unit, listed in sorted(self.assignments.items())
            ],
            "recovery": self.recovery,
        }
        return codec.encode([VERSION, self.version, self.issued_ms, tree, admins, cuts, facts])

    @classmethod
    def from_bytes(cls, data: bytes) -> TrustDocument:
        """Reads a document.

        Raises:
            FormatError: Malformed.
        """
        match codec.decode(data):
            case [1, int(version), int(issued_ms), list(units), list(admins), list(cuts), dict(facts)]:
                known = {"assignments", "recovery"}
                found = cls(
                    version,
                    {unit.id: unit for unit in map(Unit.from_row, units)},
                    dict(map(_admin, admins)),
                    issued_ms,
                    tuple(map(Cut.from_row, cuts)),
                    _assignments(facts.get("assignments", [])),
                    _recovery(facts.get("recovery", b"")),
                    {key: value for key, value in facts.items() if key not in known},
                )
            case _:
                raise FormatError("The trust document is malformed.")
        try:
            found._check()
        except InvalidInput as error:
            raise FormatError(error.what) from error
        return found

    def _check(self) -> None:
        if any(unit not in self.units for unit in self.admins.values()):
            raise InvalidInput("An administrator's unit is not in the tree.")
        if any(cut.unit and cut.unit not in self.units for cut in self.cuts):
            raise InvalidInput("A closed unit is not in the tree.")
        assert self.tree.units is self.units  # made here, so that it is refused here

    # ---- who stands where

    def above(self, unit: str) -> tuple[str, ...]:
        """Returns the unit and every unit that was ever above it, today's line first; see `Tree.above`."""
        return self.tree.above(unit)

    def is_above(self, upper: str, lower: str) -> bool:
        """Tells whether ``upper`` is ``lower``, or was ever above it: whether it may certify there."""
        return self.tree.is_above(upper, lower)

    def is_over(self, upper: str, lower: str) -> bool:
        """Tells whether ``upper`` replicates and acknowledges what was written for ``lower``."""
        return self.tree.is_over(upper, lower)

    def below(self, unit: str) -> frozenset[str]:
        """Returns every unit that ``unit`` is over, itself included."""
        return self.tree.below(unit)

    def cuts_of(self, key: bytes, unit: str) -> tuple[Cut, ...]:
        """Returns the cuts that bear on what a key writes for a unit."""
        if not self.cuts:
            return ()
        by_key, by_unit = self._cuts
        return (*by_key.get(key, ()), *by_unit.get(unit, ()))

    def is_cut_off(self, key: bytes, unit: str = "") -> bool:
        """Tells whether a key, or the unit that it writes for, was cut off; the end of a branch does not."""
        return any(not cut.is_of_branches for cut in self.cuts_of(key, unit))

    @cached_property
    def _cuts(self) -> tuple[dict[bytes, tuple[Cut, ...]], dict[str, tuple[Cut, ...]]]:
        by_key: dict[bytes, tuple[Cut, ...]] = {}
        by_unit: dict[str, tuple[Cut, ...]] = {}
        for cut in self.cuts:
            if cut.key:
                by_key[cut.key] = (*by_key.get(cut.key, ()), cut)
            else:
                by_unit[cut.unit] = (*by_unit.get(cut.unit, ()), cut)
        return by_key, by_unit


def _admin(row: object) -> tuple[bytes, str]:
    match row:
        case [bytes(key), str(unit)] if keys.is_valid_key(key):
            return key, unit
    raise FormatError("The trust document names an administrator wrongly.")


def _assignments(rows: object) -> Assignments:
    match rows:
        case list():
            return dict(map(_assigned, rows))
    raise FormatError("The trust document is malformed.")


def _assigned(row: object) -> tuple[str, dict[bytes, str]]:
    match row:
        case [str(unit), list(listed)] if all(_is_listed(each) for each in listed):
            return unit, dict(listed)
    raise FormatError("The trust document gives a document to a successor wrongly.")


def _is_listed(row: object) -> bool:
    match row:
        case [bytes(doc), str()] if len(doc) == DOC_BYTES:
            return True
    return False


def _recovery(value: object) -> bytes:
    match value:
        case bytes() if len(value) in {0, keys.KEY_BYTES}:
            return value
    raise FormatError("The trust document names a recovery key wrongly.")

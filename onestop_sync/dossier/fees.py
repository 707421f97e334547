"""Fees as a structure: free, free if, so much a unit, set by the province, or unknown.

A portal prints "Miễn phí" beside "the provincial council sets the fee". So nothing here is zero unless a
source says that it is free without a condition: every other case, also what is only remembered as free, has
no total, and an official enters it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onestop_sync.dossier.calendar import Certainty
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.errors import FormatError, InvalidInput

__all__ = ["Fee", "FeeKind", "fee_from_plain"]


class FeeKind(StrEnum):
    """What is known of a fee."""

    FREE = "free"
    FREE_IF = "free_if"
    """Free on a condition; otherwise the province sets it."""
    PER_UNIT = "per_unit"
    PROVINCE = "province"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fee:
    """The fee of a procedure.

    Attributes:
        amount_vnd: Dong for each unit, for `PER_UNIT` only.
        unit_vi: The unit: trang, bản sao, trường hợp.
        reduced_after: Every unit after this one costs `reduced_vnd`; 0 when there is no such step.
        cap_vnd: Most that one copy costs; 0 when there is no cap.
        condition_vi: The condition of `FREE_IF`, or a remark.
    """

    kind: FeeKind
    certainty: Certainty
    amount_vnd: int = 0
    unit_vi: str = ""
    reduced_after: int = 0
    reduced_vnd: int = 0
    cap_vnd: int = 0
    condition_vi: str = ""

    def __post_init__(self) -> None:
        if (self.kind is FeeKind.PER_UNIT) != bool(self.amount_vnd and self.unit_vi):
            raise InvalidInput(
                f"A fee of kind {self.kind} does not go with {self.amount_vnd} đ a {self.unit_vi!r}."
            )

    def total_vnd(self, units: int) -> int | None:
        """Return the fee in dong for one copy of so many units, None when an official has to decide.

        Raises:
            InvalidInput: The number of units is not positive.
        """
        if units < 1:
            raise InvalidInput(f"{units} units cannot be charged.")
        if self.kind is FeeKind.FREE and self.certainty is Certainty.SOURCED:
            return 0
        if self.kind is not FeeKind.PER_UNIT:
            return None
        full = min(units, self.reduced_after) if self.reduced_after else units
        total = full * self.amount_vnd + (units - full) * self.reduced_vnd
        return min(total, self.cap_vnd) if self.cap_vnd else total

    def to_plain(self) -> dict[str, Any]:
        """Return the fee as a map of text and integers, without what is empty."""
        values = {
            "kind": str(self.kind),
            "certainty": str(self.certainty),
            "amount_vnd": self.amount_vnd,
            "unit_vi": self.unit_vi,
            "reduced_after": self.reduced_after,
            "reduced_vnd": self.reduced_vnd,
            "cap_vnd": self.cap_vnd,
            "condition_vi": self.condition_vi,
        }
        return {key: value for key, value in values.items() if value}


def fee_from_plain(value: object) -> Fee:
    """Read a fee from plain data.

    Raises:
        FormatError: It is not a fee, or it contradicts itself.
    """
    plain = PlainMap(value, "fee")
    try:
        return Fee(
            kind=FeeKind(plain.text("kind")),
            certainty=Certainty(plain.text("certainty")),
            amount_vnd=plain.integer("amount_vnd", 0),
            unit_vi=plain.text("unit_vi", ""),
            reduced_after=plain.integer("reduced_after", 0),
            reduced_vnd=plain.integer("reduced_vnd", 0),
            cap_vnd=plain.integer("cap_vnd", 0),
            condition_vi=plain.text("condition_vi", ""),
        )
    except (ValueError, InvalidInput) as error:
        raise FormatError(f"The fee cannot be read: {error}") from None

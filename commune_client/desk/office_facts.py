"""Plain values about the work of an office as a whole: handovers, agencies that are asked, fees, reasons."""

from __future__ import annotations

from typing import NamedTuple

from onestop_sync.dossier.charges import Balance, Charge, Settled
from onestop_sync.dossier.explain import Explanation

__all__ = ["AskedFacts", "DossierFees", "Each", "HandoverRow", "Settlement", "Why"]


class HandoverRow(NamedTuple):
    """A dossier to hand on, or to sign for.

    Attributes:
        by_ms: By when it is handed on, milliseconds since 1970 UTC; ``None`` where no rule says.
        is_late: Whether that has passed.
    """

    doc: bytes
    code: str
    title: str
    step: str
    step_label: str
    by_ms: int | None
    is_late: bool


class Each(NamedTuple):
    """What one action on several dossiers came to: what is wrong with one stops no other.

    Attributes:
        code: Of the dossier.
        step_label: Step afterwards; empty when it was refused.
        error: Why it was refused; ``None`` when it was done.
    """

    doc: bytes
    code: str
    step_label: str
    error: Exception | None


class AskedFacts(NamedTuple):
    """An agency that was asked and has not answered.

    Attributes:
        unit: Which.
        lead_name: Name of the unit that leads and asked.
        is_late: Whether its time has passed.
        is_ours: Whether our unit was asked, and not by us.
    """

    doc: bytes
    code: str
    title: str
    unit: str
    unit_name: str
    lead_name: str
    content: str
    until_ms: int | None
    is_late: bool
    is_ours: bool


class DossierFees(NamedTuple):
    """Fees of one dossier."""

    charges: tuple[Charge, ...]
    balance: Balance


class Settlement(NamedTuple):
    """What came in in a period.

    Attributes:
        first: First day, ISO.
        last: Last day, ISO, included.
        rows: By procedure.
        total: Of all rows.
        open_codes: Dossiers with something still to be paid.
    """

    first: str
    last: str
    rows: tuple[Settled, ...]
    total: Settled
    open_codes: tuple[str, ...]


class Why(NamedTuple):
    """Why a dossier is due when it is.

    Attributes:
        facts: The field ``han_tra``.
        profile_name: Name of its legal profile.
        explanation: Every day on the way.
        cut_off_min: Until which minute of the day a result of the same day is received on it.
        day_hours: Hours of work that count as one day.
    """

    code: str
    facts: dict[str, object]
    profile_name: str
    explanation: Explanation
    cut_off_min: int
    day_hours: int

"""Fees of a dossier: what is due, what was paid by which receipt, what was waived; and a period's settlement.

Each is an entry of the field ``le_phi``, which only grows: a mistake is taken back by an entry of its own.

Shape of an entry:
    ``{loai, so_tien, ten?, so_luong?, so_ban?, bien_lai?, ly_do?, luc_ms}``: due, paid, waived or taken back;
    dong; what for; units; copies of so many units, where several; receipt; reason; milliseconds since 1970
    UTC.

Source: NĐ 61/2018/NĐ-CP, Article 22 (how fees are paid, and that the receipt goes with the dossier).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.checks import Issue, Problem, tidy
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.fees import Fee
from onestop_sync.errors import InvalidInput
from onestop_sync.fold import State

__all__ = [
    "Balance",
    "Charge",
    "ChargeKind",
    "Settled",
    "balance",
    "charges_of",
    "plan_charge",
    "settlement",
    "total_of",
]

FIELD: Final = "le_phi"
_MOST_VND: Final = 10**10
"""More than that is a slip of the keyboard."""
_MOST_UNITS: Final = 100_000
"""Pages, copies or cases of one dossier that somebody could mean."""


class ChargeKind(StrEnum):
    """What an entry says."""

    DUE = "phai_nop"
    PAID = "da_nop"
    WAIVED = "mien"
    """Not to be paid, with the reason: an exemption of the law."""
    TAKEN_BACK = "huy"
    """A payment that was entered by mistake, or paid back."""


class Charge(NamedTuple):
    """One entry.

    Attributes:
        amount_vnd: Dong.
        what: What for.
        receipt: Number of the receipt.
        at_ms: When, milliseconds since 1970 UTC.
    """

    kind: ChargeKind
    amount_vnd: int
    what: str
    receipt: str
    reason: str
    at_ms: int


class Balance(NamedTuple):
    """What all entries of a dossier come to, in dong."""

    due: int
    paid: int
    waived: int

    @property
    def open(self) -> int:
        """What is still to be paid; below zero when too much was."""
        return self.due - self.waived - self.paid


def plan_charge(  # noqa: PLR0913 - what an entry says
    kind: ChargeKind,
    now_ms: int,
    *,
    fee: Fee | None = None,
    units: int = 0,
    copies: int = 1,
    amount_vnd: int | None = None,
    what: str = "",
    receipt: str = "",
    reason: str = "",
) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Plan an entry.

    Args:
        kind: What it says.
        now_ms: Milliseconds since 1970 UTC.
        fee: The procedure's, to count by where no amount is given.
        units: Pages, copies or cases.
        copies: So many times; what a fee says of further pages, and of the most for one copy, holds for each.
        amount_vnd: Dong; counted by the fee when ``None``.
        what: What for.
        receipt: Number of the receipt; a payment needs one.
        reason: Why; what is waived or taken back needs one.

    Returns:
        The entry and what is wrong with it.
    """
    problems = []
    amount = amount_vnd
    if amount is None and fee is not None and 0 < units <= _MOST_UNITS:
        each = fee.total_vnd(units)
        amount = None if each is None else each * copies
    if not 0 <= units <= _MOST_UNITS:
        problems.append(Problem(Issue.COUNT, "so_luong"))
    elif not 1 <= copies <= _MOST_UNITS:
        problems.append(Problem(Issue.COUNT, "so_ban"))
    elif amount is None or not 0 <= amount <= _MOST_VND:
        problems.append(Problem(Issue.COUNT if amount is not None else Issue.MISSING, "so_tien"))
    if kind is ChargeKind.PAID and amount and not receipt.strip():
        problems.append(Problem(Issue.MISSING, "bien_lai"))
    if kind in {ChargeKind.WAIVED, ChargeKind.TAKEN_BACK} and not reason.strip():
        problems.append(Problem(Issue.MISSING, "ly_do"))
    entry = {
        "loai": str(kind),
        "so_tien": amount,
        **tidy({"ten": what, "bien_lai": receipt, "ly_do": reason}),
        **({"so_luong": units} if units else {}),
        **({"so_ban": copies} if copies > 1 else {}),
        "luc_ms": now_ms,
    }
    return entry, tuple(problems)


def charges_of(state: State) -> tuple[Charge, ...]:
    """Return a dossier's entries, oldest first; those that this program does not know are passed over."""
    found = []
    for _, _, value in state.notes.get(FIELD, ()):
        match value:
            case {"loai": str(kind), "so_tien": int(amount), "luc_ms": int(at_ms), **rest} if kind in _KNOWN:
                what, receipt, reason = (str(rest.get(name, "")) for name in ("ten", "bien_lai", "ly_do"))
                found.append(Charge(ChargeKind(kind), amount, what, receipt, reason, at_ms))
    return tuple(found)


_KNOWN: Final = frozenset(map(str, ChargeKind))


def balance(charges: Iterable[Charge]) -> Balance:
    """Return what entries come to."""
    sums = dict.fromkeys(ChargeKind, 0)
    for charge in charges:
        sums[charge.kind] += charge.amount_vnd
    return Balance(
        sums[ChargeKind.DUE], sums[ChargeKind.PAID] - sums[ChargeKind.TAKEN_BACK], sums[ChargeKind.WAIVED]
    )


class Settled(NamedTuple):
    """What came in for one procedure in a period.

    Attributes:
        dossiers: With an entry in the period.
        receipts: How many receipts were given out.
        open_vnd: Of these dossiers, what is still to be paid at the period's end.
    """

    procedure: str
    name: str
    dossiers: int
    receipts: int
    due_vnd: int
    waived_vnd: int
    paid_vnd: int
    open_vnd: int


def settlement(
    dossiers: Iterable[tuple[str, str, tuple[Charge, ...]]], first: date, last: date
) -> tuple[Settled, ...]:
    """Return what came in from one day to another, by procedure.

    Args:
        dossiers: Code and name of the procedure, and the entries, of each dossier.
        first: First day, in Vietnam.
        last: Last day, included.

    Raises:
        InvalidInput: The days are in the wrong order.
    """
    if last < first:
        raise InvalidInput(f"The period from {first} to {last} ends before it begins.")
    found: dict[str, Settled] = {}
    for code, name, charges in dossiers:
        known = [charge for charge in charges if local(charge.at_ms).date() <= last]
        inside = [charge for charge in known if local(charge.at_ms).date() >= first]
        if not inside:
            continue
        now, whole = balance(inside), balance(known)
        receipts = len(
            {charge.receipt for charge in inside if charge.kind is ChargeKind.PAID and charge.receipt}
        )
        before = found.get(code, Settled(code, name, 0, 0, 0, 0, 0, 0))
        found[code] = Settled(
            code, name, before.dossiers + 1, before.receipts + receipts, before.due_vnd + now.due,
            before.waived_vnd + now.waived, before.paid_vnd + now.paid, before.open_vnd + whole.open,
        )  # fmt: skip
    return tuple(found[code] for code in sorted(found))


def total_of(rows: Iterable[Settled]) -> Settled:
    """Return the sum of all rows."""
    columns = zip(*(row[2:] for row in rows), strict=True)
    sums = [sum(column) for column in columns] or [0] * 6
    return Settled("", "", *sums)

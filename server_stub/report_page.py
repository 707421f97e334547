"""The dashboard's page of reports: Biểu II.06b of a period, what hinders units, and what was frozen."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from onestop_sync.dossier.difficulty import KINDS, STEPS
from onestop_sync.dossier.report.periods import Period, before, containing
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.reporting.difficulties import Listed, listed
from onestop_sync.reporting.freezing import frozen
from onestop_sync.reporting.words import HEADS, blocks, notes, subtitle, title
from onestop_sync.store import Store
from server_stub.report_commands import made, portal_of

__all__ = ["facts"]

_QUARTERS: Final = 4
_FROZEN: Final = 20
_MOST_PERIOD: Final = 30


def facts(store: Store, period: str) -> dict[str, Any]:
    """Returns what the page shows.

    Args:
        store: The server's.
        period: As it stands in the address; the quarter that runs when empty.

    Raises:
        InvalidInput: It is no period.
    """
    report = made(store, period[:_MOST_PERIOD])
    return {
        "r": report,
        "title": title(report),
        "subtitle": subtitle(report),
        "blocks": blocks(report),
        "heads": HEADS[2:],
        "notes": [*notes(report), *portal_of(store, report)],
        "periods": [each.name for each in _recent(store)],
        "difficulties": [_line(store, each) for each in listed(store, only_open=True)],
        "frozen": list(islice(frozen(store), _FROZEN)),
    }


def _recent(store: Store) -> list[Period]:
    """Returns the quarter that runs and those before it."""
    rules = rules_of(store).report_rules
    found = [containing(store.clock(), rules)]
    while len(found) < _QUARTERS:
        found.append(before(found[-1], rules))
    return found


def _line(store: Store, each: Listed) -> dict[str, Any]:
    view, units = each.view, store.trust.document.units

    def name(unit: str) -> str:
        return units[unit].name if unit in units else unit

    return {
        "id": each.id,
        "unit": name(view.unit),
        "holder": name(view.holder),
        "title": f"{KINDS.get(view.kind, view.kind)}: {view.title}",
        "step": STEPS.get(view.step, view.step),
        "reported_ms": view.reported_ms,
        "is_late": view.due_ms is not None and view.due_ms < store.clock(),
    }

"""Complaints and inspections as a report counts them: at which unit, and which dossiers they are about.

Indicators 7 and 8 have data at a unit that has taken down as many complaints here as the rules for reports
say (`ReportRules.complaints_min`); of one that never did, it cannot be told whether nobody complained or
whether it is written down elsewhere.

An inspection counts at the unit that was inspected, when that unit itself or one above it wrote it down.

Source: TT 01/2018/TT-VPCP, Articles 13.6 to 13.8 and 15.4b.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from onestop_sync.dossier.complaint import COMPLAINT, Handling, handling_of
from onestop_sync.dossier.inspection import INSPECTION, Inspection, inspection_of
from onestop_sync.dossier.report.count import holder_at
from onestop_sync.dossier.report.periods import Period
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.schema import MAIN
from onestop_sync.state import State
from onestop_sync.storage import tallies
from onestop_sync.store import Store

__all__ = ["Heard", "heard", "inspected"]


class Heard(NamedTuple):
    """What was complained of, up to the end of a period.

    Attributes:
        units: Unit → the complaints that are handled there.
        about: Numbers of the dossiers that are complained of, as `tallies.tallies` gives them.
    """

    units: dict[str, tuple[Handling, ...]]
    about: frozenset[int]


def heard(store: Store, period: Period) -> Heard:
    """Returns the complaints that had come before a period ended, without the erased and the voided."""
    tree, last_ms = store.trust.document.tree, period.end_ms - 1
    units: defaultdict[str, list[Handling]] = defaultdict(list)
    for doc, state in store.each(COMPLAINT.name):
        if not isinstance(state, State) or state.is_void:
            continue
        found = handling_of(state)
        if found.received_ms is None or found.received_ms <= last_ms:
            task = state.tasks.get(MAIN)
            units[holder_at(tree, task.unit if task else state.unit, doc, last_ms)].append(found)
    codes = sorted({each.dossier for lot in units.values() for each in lot if each.counts and each.dossier})
    with store.reading() as connection:
        about = tallies.numbers(connection, DOSSIER.name, codes)
    return Heard({unit: tuple(lot) for unit, lot in units.items()}, frozenset(about))


def inspected(store: Store, period: Period) -> dict[str, Inspection]:
    """Returns the last inspection of each unit that was inspected in a period."""
    tree = store.trust.document.tree
    found: dict[str, Inspection] = {}
    for doc, state in store.each(INSPECTION.name):
        each = inspection_of(state) if isinstance(state, State) else None
        if (
            each is None
            or not period.start_ms <= each.at_ms < period.end_ms
            or not tree.is_above(each.by, each.unit)
        ):
            continue
        unit = holder_at(tree, each.unit, doc, period.end_ms - 1)
        if unit not in found or (found[unit].at_ms, found[unit].text) < (each.at_ms, each.text):
            found[unit] = each
    return found

"""A sound roster put into effect: units published, codes for new machines; a second time changes nothing.

    applied = apply(store, roster, publish_units=…, print_sheets=…)

A machine is known by its unit and name. Where it has a code that can still be used, or has used one, nothing
is made; officers who came into the table since are allowed by that code, or get one of their own for the
machine that is enrolled. A code is in the hands of `print_sheets` before it is in the store: when printing
fails, there is no code, and when the program is killed in between, the sheets that lie there open nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from onestop_sync import codec, enrol_codes
from onestop_sync.enrol_codes import Issued, Made
from onestop_sync.enrol_grant import HOURS, Grant
from onestop_sync.keys import Signer
from onestop_sync.search_text import fold_text
from onestop_sync.store import Store
from onestop_sync.trust import Unit
from server_stub.roster import Roster

__all__ = ["Applied", "PrintSheets", "PublishUnits", "SheetFacts", "apply"]

PublishUnits = Callable[[Sequence[Unit]], None]
"""Makes units known, signed by the root, and leaves them in the store's trust document."""


class SheetFacts(NamedTuple):
    """What one enrolment sheet says.

    Attributes:
        unit: The machine's unit.
        grant: What the code allows.
        made: The code.
        is_addition: Whether the machine is enrolled already, and the code is for further officers.
    """

    unit: Unit
    grant: Grant
    made: Made
    is_addition: bool


PrintSheets = Callable[[Sequence[SheetFacts]], None]
"""Makes sheets durable; whatever it raises undoes the codes."""


class Applied(NamedTuple):
    """What was done.

    Attributes:
        units: Units that are new.
        sheets: Codes that were made.
        widened: Machines whose open code allows further officers since: unit and name.
        expired: Machines whose code ended unused: unit and name; `apply` with ``renew`` makes new ones.
        unchanged: Machines of which nothing had to be done.
    """

    units: tuple[Unit, ...]
    sheets: tuple[SheetFacts, ...]
    widened: tuple[tuple[str, str], ...]
    expired: tuple[tuple[str, str], ...]
    unchanged: int


def apply(
    store: Store,
    signer: Signer,
    roster: Roster,
    *,
    publish_units: PublishUnits,
    print_sheets: PrintSheets,
    hours: float = HOURS,
    renew: bool = False,
) -> Applied:
    """Puts a roster into effect.

    Args:
        store: The administrator's store.
        signer: The administrator's key, which signs what each code allows.
        roster: What `roster_check.check` found sound.
        publish_units: Makes new units known; not called when there are none.
        print_sheets: Makes the sheets; not called when there are none.
        hours: How long the codes are good.
        renew: Whether new codes are made for whoever has not come: a machine whose code nobody used, whose
            old one ends, and officers of an enrolled machine.

    Raises:
        InvalidInput: A time or name that does not do.
        NotAllowed: The key is no administrator's at or above a unit.
        StoreError: The disk or database refused; codes of this call do not exist.
    """
    units = tuple(u for u in roster.units if u.id not in store.trust.document.units)
    if units:
        publish_units(units)
    return store.retrying(lambda: _codes(store, signer, roster, units, print_sheets, hours, renew=renew))


def _codes(
    store: Store,
    signer: Signer,
    roster: Roster,
    units: tuple[Unit, ...],
    print_sheets: PrintSheets,
    hours: float,
    *,
    renew: bool,
) -> Applied:
    with store.writing():
        work = _Work(store, signer, hours, renew=renew)
        for grant in roster.machines:
            work.machine(grant)
        if work.sheets:
            print_sheets(work.sheets)
    return Applied(units, tuple(work.sheets), tuple(work.widened), tuple(work.expired), work.unchanged)


class _Work:
    """One transaction's work on the machines of a roster."""

    def __init__(self, store: Store, signer: Signer, hours: float, *, renew: bool) -> None:
        self.store = store
        self.signer = signer
        self.hours = hours
        self.renew = renew
        self.now = store.clock()
        self.sheets: list[SheetFacts] = []
        self.widened: list[tuple[str, str]] = []
        self.expired: list[tuple[str, str]] = []
        self.unchanged = 0
        self._issued: dict[tuple[str, str], list[Issued]] = {}
        for each in enrol_codes.issued(store):
            self._issued.setdefault(_key(each.grant), []).append(each)
        self._enrolled = {
            (c.unit, fold_text(c.name)): c.key for _, c in store.trust.certificates() if c.kind == "machine"
        }
        self._certified = {(c.unit, c.name) for _, c in store.trust.certificates() if c.kind == "officer"}

    def machine(self, grant: Grant) -> None:
        """Does what one machine needs."""
        codes = self._issued.get(_key(grant), [])
        machine = self._enrolled.get(_key(grant), b"") or next((c.machine for c in codes if c.machine), b"")
        if machine:
            self._further(grant, codes, machine)
        else:
            self._new(grant, codes)

    def _new(self, grant: Grant, codes: Sequence[Issued]) -> None:
        """Sees to a machine that has not come yet."""
        current = next((c for c in codes if c.is_open(self.now)), None)
        if codes and self.renew:
            for code in codes:
                enrol_codes.cancel_code(self.store, code.selector)
            self._make(grant)
        elif current is not None:
            self._widen(grant, current)
        elif codes:
            self.expired.append((grant.unit, grant.machine_name))
        else:
            self._make(grant)

    def _widen(self, grant: Grant, code: Issued) -> None:
        named = {o.name for o in code.grant.officers}
        added = [o for o in grant.officers if codec.nfc(o.name) not in named]
        if added:
            enrol_codes.allow(self.store, self.signer, code.selector, added)
            self.widened.append((grant.unit, grant.machine_name))
        else:
            self.unchanged += 1

    def _further(self, grant: Grant, codes: Sequence[Issued], machine: bytes) -> None:
        """Sees to the officers of a machine that is enrolled: who was never named, or never came."""
        here = {name for unit, name in self._certified if unit == grant.unit}
        named = here if self.renew or not codes else {o.name for c in codes for o in c.grant.officers}
        added = tuple(o for o in grant.officers if codec.nfc(o.name) not in named)
        if added:
            self._make(grant._replace(officers=added), machine)
        else:
            self.unchanged += 1

    def _make(self, grant: Grant, machine: bytes = b"") -> None:
        made = enrol_codes.make_code(self.store, self.signer, grant, hours=self.hours, machine=machine)
        unit = self.store.trust.document.units[grant.unit]
        self.sheets.append(SheetFacts(unit, grant, made, bool(machine)))


def _key(grant: Grant) -> tuple[str, str]:
    return grant.unit, fold_text(grant.machine_name)

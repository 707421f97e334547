"""What is wrong with a filled-in spreadsheet: every bad cell by sheet, row and column. Pure.

Nothing that is said depends on where the rows came from (`roster_files`) or on what is done with them
(`roster_apply`). A table may grow: what is there already is passed over, and what would change is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from onestop_sync.codec import nfc
from onestop_sync.dossier.codes import parse_agency_code
from onestop_sync.dossier.labels import ROLE_LABELS
from onestop_sync.dossier.roles import PORTAL
from onestop_sync.enrol import BLOCK_SERIALS, BLOCKS, MAX_SERIAL
from onestop_sync.enrol_grant import Grant, Named
from onestop_sync.errors import InvalidInput
from onestop_sync.event import is_name
from onestop_sync.search_text import fold_text
from onestop_sync.trust import Unit
from server_stub.roster import MAX_ROWS, SHEETS, Problem, Roster, Row

__all__ = ["LEVELS", "check"]

_MAX_NAME: Final = 200
_CITIZEN: Final = re.compile(r"[0-9]{9}|[0-9]{12}")
_MACHINES_BY_DEFAULT: Final = MAX_SERIAL // (BLOCK_SERIALS * BLOCKS) + 1
LEVELS: Final = {
    "province": "province", "tinh": "province", "district": "district", "huyen": "district",
    "commune": "commune", "xa": "commune", "phuong": "commune",
}  # fmt: skip
_LABELS: Final = {role: label for role, label in ROLE_LABELS.items() if role != PORTAL}
"""What people may be; a portal's key is no officer's."""
_ROLES: Final = {fold_text(label).replace(" ", "_"): role for role, label in _LABELS.items()}
_YES: Final = {
    "": False,
    "khong": False,
    "no": False,
    "0": False,
    "co": True,
    "x": True,
    "yes": True,
    "1": True,
}


def check(rows: Iterable[Row], known: Mapping[str, Unit]) -> tuple[Roster, list[Problem]]:
    """Reads the rows of all tables.

    Args:
        rows: In the order of the file.
        known: The units that are there already, by id.

    Returns:
        The roster, sound only when there are no problems; and all problems, in the order of the file.
    """
    return _Check(list(rows), known).run()


class _Check:
    """One spreadsheet under check."""

    def __init__(self, rows: Sequence[Row], known: Mapping[str, Unit]) -> None:
        self.rows = rows
        self.known = known
        self.problems: list[Problem] = []
        self.units: dict[str, Unit] = {}
        self.machines: dict[tuple[str, str], Grant] = {}
        self.officers: dict[tuple[str, str], list[Named]] = {}
        self.persons: dict[str, str] = {}
        self.codes = {code: unit.id for unit in known.values() for code in unit.all_codes}
        self.at: dict[tuple[str, str], Row] = {}

    def run(self) -> tuple[Roster, list[Problem]]:
        """Checks table by table; see `check`."""
        steps: tuple[tuple[str, Callable[[Row], None]], ...] = (
            ("units", self._unit), ("machines", self._machine), ("officers", self._officer),
        )  # fmt: skip
        for sheet, step in steps:
            found = [row for row in self.rows if row.sheet == sheet]
            if len(found) > MAX_ROWS:
                self._say(found[MAX_ROWS], "", f"A table may have {MAX_ROWS} rows.")
            for row in found[:MAX_ROWS]:
                if self._has_all(row):
                    step(row)
            if sheet == "units":
                self._check_tree()
        self._check_serials()
        self._check_manned()
        order = {sheet.label: n for n, sheet in enumerate(SHEETS)}
        self.problems.sort(key=lambda p: (order[p.sheet], p.row))
        grants = (
            grant._replace(officers=tuple(self.officers.get(key, ()))) for key, grant in self.machines.items()
        )
        return Roster(self._new_units(), tuple(grants)), self.problems

    def _say(self, row: Row, column: str, reason: str) -> None:
        sheet = next(s for s in SHEETS if s.key == row.sheet)
        label = next((c.label for c in sheet.columns if c.key == column), "")
        self.problems.append(Problem(sheet.label, row.number, label, reason))

    def _has_all(self, row: Row) -> bool:
        sheet = next(s for s in SHEETS if s.key == row.sheet)
        missing = [c.key for c in sheet.columns if c.is_needed and not row.cells.get(c.key)]
        for key in missing:
            self._say(row, key, "The cell is empty.")
        return not missing

    def _name(self, row: Row) -> bool:
        name = row.cells["name"]
        if len(name) <= _MAX_NAME and name.isprintable():
            return True
        self._say(row, "name", f"A name has at most {_MAX_NAME} characters, and no control characters.")
        return False

    # ---- units

    def _unit(self, row: Row) -> None:
        cells = row.cells
        unit_id, level = cells["id"], LEVELS.get(fold_text(cells["level"]), "")
        if not is_name(unit_id) or " " in unit_id:
            return self._say(row, "id", "An id has at most 64 characters, and no spaces.")
        if unit_id in self.units:
            return self._say(row, "id", f"Unit {unit_id} stands in the table twice.")
        if not level:
            self._say(row, "level", "The level is none of tỉnh, huyện, xã.")
        codes = tuple(cells.get("codes", "").replace(";", " ").replace(",", " ").split())
        self._agency_codes(row, unit_id, codes)
        unit = Unit(unit_id, cells["name"], cells.get("parent", ""), level, codes)
        self.units[unit_id] = unit
        self.at["units", unit_id] = row
        if self._name(row) and unit_id in self.known and level:
            self._unchanged(row, unit, self.known[unit_id])
        return None

    def _agency_codes(self, row: Row, unit: str, codes: Sequence[str]) -> None:
        for code in codes:
            try:
                parse_agency_code(code)
            except InvalidInput:
                self._say(row, "codes", f"{code[:40]} is no agency code such as 000.17.22.H56 or H56.22.17.")
                continue
            owner = self.codes.setdefault(code, unit)
            if owner != unit:
                self._say(row, "codes", f"{code} is the code of unit {owner}.")

    def _unchanged(self, row: Row, unit: Unit, there: Unit) -> None:
        for column in ("name", "parent", "level", "codes"):
            if getattr(unit, column) != getattr(there, column):
                self._say(
                    row, column, f"Unit {unit.id} is there already, with another value: a roster only adds."
                )

    def _check_tree(self) -> None:
        everything = {**self.units, **self.known}
        for unit_id, unit in self.units.items():
            row = self.at["units", unit_id]
            if unit_id in self.known:
                continue
            if not unit.parent:
                self._say(row, "parent", "Only the unit at the top has none above it, and that one is there.")
            elif unit.parent not in everything:
                self._say(row, "parent", f"There is no unit {unit.parent}.")
            elif self._turns(unit_id, everything):
                self._say(row, "parent", f"Unit {unit_id} would be above itself.")

    def _turns(self, unit_id: str, everything: Mapping[str, Unit]) -> bool:
        seen: set[str] = set()
        while unit_id in everything and unit_id not in self.known:
            if unit_id in seen:
                return True
            seen.add(unit_id)
            unit_id = everything[unit_id].parent
        return False

    def _new_units(self) -> tuple[Unit, ...]:
        """Returns the new units, parents before children; whatever hangs in the air is left out."""
        fresh = {i: u for i, u in self.units.items() if i not in self.known}
        placed: dict[str, Unit] = {}
        while True:
            ready = [
                u
                for i, u in fresh.items()
                if i not in placed and (u.parent in self.known or u.parent in placed)
            ]
            if not ready:
                return tuple(placed.values())
            placed.update((u.id, u) for u in ready)

    def _is_unit(self, row: Row) -> bool:
        unit = row.cells["unit"]
        if unit in self.known and self.known[unit].is_ended:
            self._say(row, "unit", f"Unit {unit} has ended: nothing new begins there.")
            return False
        if unit in self.units or unit in self.known:
            return True
        self._say(row, "unit", f"There is no unit {unit[:64]}.")
        return False

    # ---- machines

    def _machine(self, row: Row) -> None:
        cells = row.cells
        if not (self._is_unit(row) and self._name(row)):
            return
        key = cells["unit"], fold_text(cells["name"])
        if key in self.machines:
            self._say(row, "name", "The unit has two machines of this name.")
            return
        serves = _YES.get(fold_text(cells.get("serves", "")))
        if serves is None:
            self._say(row, "serves", "Write x for a machine that others have as their server, or nothing.")
        blocks = self._blocks(row)
        self.machines[key] = Grant(cells["unit"], cells["name"], (), bool(serves), blocks)
        self.at["machines", "\n".join(key)] = row

    def _blocks(self, row: Row) -> tuple[tuple[int, int], ...] | None:
        text = row.cells.get("blocks", "")
        if not text:
            return None
        if fold_text(text) in {"khong", "none"}:
            return ()
        found: list[tuple[int, int]] = []
        for part in text.replace(";", ",").split(","):
            match = re.fullmatch(r"\s*([0-9]{1,4})\s*[-–]\s*([0-9]{1,4})\s*", part)
            if not match or not 0 < int(match[1]) <= int(match[2]) <= MAX_SERIAL:
                self._say(row, "blocks", f"{part.strip()[:40]!r} is not a block of serials such as 1-500.")
                return None
            found.append((int(match[1]), int(match[2])))
        return tuple(found)

    def _check_serials(self) -> None:
        taken: dict[str, list[tuple[int, int]]] = {}
        automatic: Counter[str] = Counter()
        for key, grant in self.machines.items():
            row = self.at["machines", "\n".join(key)]
            for block in grant.blocks or ():
                others = taken.setdefault(grant.unit, [])
                if any(block[0] <= last and first <= block[1] for first, last in others):
                    self._say(row, "blocks", f"{block[0]}-{block[1]} overlaps a block of the same unit.")
                others.append(block)
            if grant.blocks is None:
                automatic[grant.unit] += 1
                if automatic[grant.unit] > _MACHINES_BY_DEFAULT:
                    self._say(
                        row, "blocks", "The unit's serials are used up: give its machines smaller blocks."
                    )

    # ---- officers

    def _officer(self, row: Row) -> None:
        cells = row.cells
        if not (self._is_unit(row) and self._name(row)):
            return
        roles = self._roles(row)
        person = self._person(row)
        named = Named(cells["name"], roles, person)
        for name in _split(cells["machines"]):
            key = cells["unit"], fold_text(name)
            if key not in self.machines:
                self._say(row, "machines", f"Unit {cells['unit']} has no machine {name[:60]!r} in the table.")
                continue
            there = self.officers.setdefault(key, [])
            if any(fold_text(o.name) == fold_text(named.name) for o in there):
                self._say(
                    row, "name", "Two officers of one machine would have one name: tell them apart in it."
                )
            else:
                there.append(named)

    def _roles(self, row: Row) -> frozenset[str]:
        found: set[str] = set()
        for word in _split(row.cells["roles"]):
            key = fold_text(word.replace("_", " ")).replace(" ", "_")
            if key in _ROLES:
                found.add(_ROLES[key])
            else:
                self._say(row, "roles", f"{word[:40]!r} is none of {'; '.join(_LABELS.values())}.")
        return frozenset(found)

    def _person(self, row: Row) -> str:
        person, name = row.cells.get("person", ""), row.cells["name"]
        if _CITIZEN.fullmatch(person):
            self._say(row, "person", "A citizen's number does not belong here: it goes to every machine.")
        elif len(person) > _MAX_NAME or not person.isprintable():
            self._say(row, "person", "An id of a person is short, and has no control characters.")
        elif person and self.persons.setdefault(person, name) != name:
            self._say(row, "person", f"{person} is {self.persons[person]} in another row.")
        return person

    def _check_manned(self) -> None:
        for key, grant in self.machines.items():
            if not grant.serves and not self.officers.get(key):
                self._say(self.at["machines", "\n".join(key)], "name", "Nobody works on this machine.")


def _split(text: str) -> Iterator[str]:
    for part in text.replace(",", ";").split(";"):
        if part.strip():
            yield nfc(" ".join(part.split()))

"""The year's register: read, checked, printed, and closed by the head when the year is over."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from commune_client.desk.numbering import Numbering
from commune_client.desk.print_facts import PLAIN, ClosingFacts, Manner, Printed, RegisterFacts
from commune_client.desk.printing import Printing
from onestop_sync.dossier.forms.kinds import REGISTER
from onestop_sync.dossier.forms.paper import Sheet
from onestop_sync.dossier.forms.register import (
    Closed,
    Line,
    Volume,
    erased_line,
    line_of,
    register_sheet,
    volume_digest,
    volumes_of,
)
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.profiles import with_forms_of
from onestop_sync.dossier.register_closing import (
    CLOSING,
    REGISTER_CLOSING,
    ClosedVolume,
    closing_value,
    volumes_closed,
    year_closed,
)
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.tombstone import Tombstone

__all__ = ["Registers"]


class Registers(Printing, Numbering):
    """Registers of the unit."""

    def register(self, year: int) -> RegisterFacts:
        """Returns a year's register of this unit and those it succeeded: what is missing, who closed it."""
        volumes = self._volumes(year)
        return RegisterFacts(year, volumes, self._closings(year, volumes), self.volume())

    def close_register(self, year: int, reason: str = "") -> RegisterFacts:
        """Closes the year's register, as the head of the unit: one signed document that nobody changes.

        What arrives later is closed by another one.

        Args:
            year: The year, which must be over.
            reason: Why numbers are missing or doubled; wanted where they are, and signed with the closing.

        Raises:
            InvalidInput: The year is not over (``year_open``), or nothing of it is here (``year_empty``).
            NotAllowed: Something in it is in conflict (``print_conflict``), a number is missing or doubled
                (``register_gaps``), everything is closed already (``year_closed``), or the officer is not the
                head of the unit.
        """
        if self.today().year <= year:
            raise InvalidInput(
                f"The year {year} is not over.",
                todo="Nothing was signed. Close it next year.",
                reason="year_open",
            )
        found = self.register(year)
        _check_closable(found, reason.strip())
        value = closing_value(
            year,
            reason.strip(),
            [ClosedVolume(v.name, v.last, len(v.lines), volume_digest(v, v.last)) for v in found.volumes],
        )
        self.writer.create(REGISTER_CLOSING.name, {CLOSING: value})
        return self.register(year)

    def print_register(self, year: int, place: Path, volume: str = "", manner: Manner = PLAIN) -> Printed:
        """Prints the year's register, one volume or all, on A4.

        Raises:
            NotFound: There is no such volume, or nothing of the year is here.
            StoreError: The audit trail could not be written; nothing was printed.
            OSError: The file is there already, or the disk refused.
        """
        _ = self.signer
        found = self.register(year)
        wanted = [each for each in found.volumes if volume in {"", each.name}]
        if not wanted:
            raise NotFound(f"There is no register of {year} here.", reason="year_empty")
        sheets = [self._sheet(each, found) for each in wanted]
        self.notebook.now("print", lines=sum(len(each.lines) for each in wanted), code=f"{REGISTER}:{year}")
        path, is_sent = self._write(sheets, place, f"{year}-{volume}" if volume else str(year), manner)
        return Printed(path, len(sheets), 0, is_sent)

    # ----

    def _our_units(self) -> frozenset[str]:
        """Returns this unit and those that it succeeded: their volumes of the year are closed here."""
        author = self.author
        return frozenset({self.store.unit}) | (author.units if author else frozenset())

    def _volumes(self, year: int) -> tuple[Volume, ...]:
        self._check_sight()
        units, names = self._our_units(), {unit.id: unit.name for unit in self.units()}
        lines: list[Line] = []
        for _, found in self.store.each(DOSSIER.name):
            if isinstance(found, Tombstone):
                unit, line = found.row.get("don_vi"), erased_line(found.label, found.row)
            else:
                unit, line = found.unit, line_of(found, names)
            if line is not None and unit in units:
                lines.append(line)
        return volumes_of(lines, year)

    def _closings(self, year: int, volumes: tuple[Volume, ...]) -> tuple[ClosingFacts, ...]:
        units, by_name = self._our_units(), {volume.name: volume for volume in volumes}
        found: list[ClosingFacts] = []
        for doc, state in list(self.store.each(REGISTER_CLOSING.name)):
            if isinstance(state, Tombstone) or state.unit not in units or year_closed(state) != year:
                continue
            (record, *_) = self.store.history(doc)
            who = record.author.certificate.name if record.author else ""
            said = {
                closed.name: (closed.last, closed.dossiers, _is_same(by_name.get(closed.name), closed))
                for closed in volumes_closed(state)
            }
            found.append(ClosingFacts(one_line(who), record.event.header.time_ms, said))
        return tuple(sorted(found, key=lambda closing: closing.at_ms))

    def _sheet(self, volume: Volume, found: RegisterFacts) -> Sheet:
        day = min(self.today(), date(found.year, 12, 31))
        profile = with_forms_of(day, self.rules.profile(day), self.rules.known_profiles)
        agency = self.agency(self.store.unit)
        return register_sheet(volume, found.year, profile, agency, _closed(volume, found))


def _is_same(volume: Volume | None, closed: ClosedVolume) -> bool:
    """Tells whether what is here up to the closed number is what was signed."""
    return volume is not None and volume_digest(volume, closed.last) == closed.digest


def _closed(volume: Volume, found: RegisterFacts) -> Closed | None:
    """Returns the last closing of a volume."""
    for closing in reversed(found.closings):
        if volume.name in closing.volumes:
            return Closed(closing.volumes[volume.name][0], closing.who, closing.at_ms)
    return None


def _check_closable(found: RegisterFacts, reason: str) -> None:
    if not found.volumes:
        raise InvalidInput(f"Nothing of {found.year} is here.", reason="year_empty")
    open_fields = {name: line.code for v in found.volumes for line in v.lines for name in line.open_fields}
    if open_fields:
        raise NotAllowed(
            f"The register of {found.year} holds conflicts.",
            todo="Nothing was signed. Settle them first.",
            reason="print_conflict",
            fields=[f"{name} ({code})" for name, code in sorted(open_fields.items())],
        )
    if not reason and any(not volume.is_whole for volume in found.volumes):
        names = [volume.name for volume in found.volumes if not volume.is_whole]
        raise NotAllowed(
            f"Numbers of the register are missing or doubled in {', '.join(names)}.",
            todo="Nothing was signed. Synchronise, so that all dossiers are here, or give the reason.",
            reason="register_gaps",
            volumes=names,
        )
    closed = {name: last for closing in found.closings for name, (last, _, _) in closing.volumes.items()}
    if all(volume.last <= closed.get(volume.name, 0) for volume in found.volumes):
        raise NotAllowed(f"The register of {found.year} is closed already.", reason="year_closed")

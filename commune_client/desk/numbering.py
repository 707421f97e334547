"""Numbers that a machine gives out alone: codes of dossiers, places in the register, numbers of slips.

All of them come from counters of the store, raised in the transaction that uses the number, and all of them
belong to the machine and its epoch: a machine that was restored counts in another block and another volume.
"""

from __future__ import annotations

from typing import Any

from commune_client.desk.base import Base
from onestop_sync.dossier.changes import kept_profile
from onestop_sync.dossier.codes import CodeBlock, DossierCode, grammar
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.forms.kinds import SLIP, form_of_action
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.dossier.register_book import Place, slip_number, volume_name
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.state import State

__all__ = ["Numbering"]


class Numbering(Base):
    """Gives out numbers; call it inside `Store.writing`, with the event that uses them."""

    def _issue_code(self, now_ms: int, profile: LegalProfile) -> str:
        """Returns the next code of the machine's block for the day; call it inside `Store.writing`."""
        agency, block, day = self._agency_code(), self.block(), local(now_ms).date()
        written = grammar(profile.code_grammar)
        while True:
            n = self.store.next_serial(f"code:{block.first}", day.isoformat())
            serial = block.first + n - 1
            if serial not in block:
                raise NotAllowed(
                    f"All of this machine's serials for the day, {block.first} to {block.last}, are used.",
                    todo="Take in on another machine of the commune, or ask for a spare block.",
                    reason="serials_exhausted",
                )
            code = written.format(DossierCode(agency, day, serial))
            if not self._is_issued(code):
                return code

    def _is_issued(self, code: str) -> bool:
        """Tells whether a dossier here bears the code already: a certificate may have moved the block."""
        try:
            self.store.lookup(DOSSIER.name, code)
        except NotFound:
            return False
        return True

    def block(self) -> CodeBlock:
        """Returns the serials that this machine may issue now: after each restore, the next spare block.

        Raises:
            NotAllowed: The machine's certificate gives it none, or all its blocks are used up by restores.
        """
        _, certificate = self.store.find_authority(self._machine)
        epoch = self.store.restores
        if epoch >= len(certificate.blocks):
            raise NotAllowed(
                "The machine's certificate holds no block of serials that it may still use.",
                todo="Nothing was changed. Ask the administrator for a new certificate with spare blocks.",
                reason="no_block",
            )
        return CodeBlock(*certificate.blocks[epoch])

    def _agency_code(self) -> str:
        unit = self.store.trust.document.units[self.store.unit]
        if not unit.codes:
            raise NotAllowed(f"The unit {unit.name} has no agency code.", reason="no_agency_code")
        return unit.codes[0]

    # ---- the register and the slips

    def volume(self) -> str:
        """Returns the volume of the register that this machine writes in now."""
        try:
            first = self.block().first
        except NotAllowed:
            first = 0  # it takes nothing in, but its officers' slips have numbers
        return volume_name(first, self._machine, self.store.restores)

    def _enter(self, now_ms: int) -> Place:
        """Returns the next place in this machine's volume of the year's register."""
        year, volume = local(now_ms).year, self.volume()
        return Place(year, volume, self.store.next_serial(f"register:{volume}", str(year)))

    def _slip(self, action: str, state: State) -> dict[str, Any]:
        """Returns the argument that numbers the slip which an action makes; none where it has no number.

        The number is part of the signed action, so that whoever prints the slip prints the same.
        """
        suffix = self._suffix(action, state)
        if not suffix:
            return {}
        year, volume = local(self.store.clock()).year, self.volume()
        number = self.store.next_serial(f"slip:{suffix}:{volume}", str(year))
        return {SLIP: slip_number(number, volume, suffix)}

    def _suffix(self, action: str, state: State) -> str:
        form = form_of_action(action)
        try:
            today = local(self.store.clock()).date()
            profile = kept_profile(state, self.rules.known_profiles, today)
            return profile.form(form).suffix if form else ""
        except InvalidInput:  # a profile that is not here, or has no such form: the number is left to the pen
            return ""

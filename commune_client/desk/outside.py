"""What citizens filed and said on a portal, or to a device, as a file that came to the commune."""

from __future__ import annotations

from typing import Any

from commune_client.desk.base import Base
from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.data import shipped_portal
from onestop_sync.dossier.portal.outside import Taken, plan_filed
from onestop_sync.dossier.portal.settings import settings_from_plain
from onestop_sync.dossier.portal.voices import plan_complaint, plan_filed_rating
from onestop_sync.dossier.rating import FIELD, ratings_of
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import outside_of
from onestop_sync.errors import NotAllowed

__all__ = ["Outside"]


class Outside(Base):
    """Drafts, complaints and ratings from outside."""

    def take_filed(self, value: object, system: str) -> Taken:
        """Makes a draft of what was filed on a portal; what is here already is left as it is.

        Args:
            value: One dossier, see `onestop_sync.dossier.portal.outside`.
            system: Name of the portal.

        Raises:
            FormatError: It cannot be a draft; ``details["field"]`` names the field.
            NotAllowed: It is for another unit, or the officer may not take in.
        """
        settings = settings_from_plain(shipped_portal())
        filed = plan_filed(value, system, self.store.clock(), self.rules.catalogue, settings)
        self._check_unit(filed.agency)
        return self._once(DOSSIER.name, filed.code, filed.values)

    def take_filed_complaint(self, value: object, system: str) -> Taken:
        """Takes a complaint down that was made on a portal; one that is here already is left as it is.

        Args:
            value: One complaint, see `onestop_sync.dossier.portal.voices`.
            system: Name of the portal.

        Raises:
            FormatError: It is none; ``details["field"]`` names the field.
            NotAllowed: It is about another unit, or the officer may not take one down.
        """
        filed = plan_complaint(value, system, self.store.clock())
        self._check_unit(filed.agency)
        return self._once(COMPLAINT.name, filed.code, filed.values)

    def take_filed_rating(self, value: object, system: str) -> Taken:
        """Notes a rating that was given on a portal, or to a device at the counter, on its dossier, once.

        Args:
            value: One rating, see `onestop_sync.dossier.portal.voices`.
            system: Name of the portal, or of the device.

        Raises:
            FormatError: It is none; ``details["field"]`` names the field.
            NotFound: Its dossier is not on this machine.
            NotAllowed: The officer takes no part in the dossier.
        """
        filed = plan_filed_rating(value, system, self.store.clock())
        with self.store.writing():
            doc = self._find_filed(DOSSIER.name, filed.dossier) or self.store.lookup(
                DOSSIER.name, filed.dossier
            )
            known = {each.source for each in ratings_of(self.store.document(doc).state)}
            if (system, filed.code) in known:
                return Taken(filed.code, doc, is_new=False)
            self.writer.note(doc, FIELD, filed.note)
            return Taken(filed.code, doc, is_new=True)

    def _once(self, kind: str, code: str, values: dict[str, Any]) -> Taken:
        """Makes a document of what was filed, or finds that it is here."""
        with self.store.writing():
            held = self._find_filed(kind, code)
            doc = held or self.writer.create(kind, values)
            return Taken(code, doc, is_new=held is None)

    def _find_filed(self, kind: str, code: str) -> bytes | None:
        """Returns what a portal knows under an id; ``None`` when it is not here."""
        rows = self.store.page(kind, search=code)
        found = (row.doc for row in rows if outside_of(self.store.document(row.doc).state).code == code)
        return next(found, None)

    def _check_unit(self, agency: str) -> None:
        units = self.store.trust.document.units
        mine = {code for unit in self.writer.author.units for code in units[unit].all_codes}
        if agency not in mine:
            raise NotAllowed("It was filed for another unit.", reason="filed_elsewhere")

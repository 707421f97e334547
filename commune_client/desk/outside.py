"""Dossiers that citizens filed on a portal, as a file that came to the commune."""

from __future__ import annotations

from typing import NamedTuple

from commune_client.desk.base import Base
from onestop_sync.dossier.data import shipped_portal
from onestop_sync.dossier.portal.outside import Filed, plan_filed
from onestop_sync.dossier.portal.settings import settings_from_plain
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import outside_of
from onestop_sync.errors import NotAllowed

__all__ = ["FiledDraft", "Outside"]


class FiledDraft(NamedTuple):
    """What became of a dossier that was filed.

    Attributes:
        code: The portal's id.
        doc: The draft.
        is_new: Whether it was made now; otherwise it was here, and was left as it is.
    """

    code: str
    doc: bytes
    is_new: bool


class Outside(Base):
    """Drafts from outside."""

    def take_filed(self, value: object, system: str) -> FiledDraft:
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
        self._check_unit(filed)
        with self.store.writing():
            held = self._find_filed(filed.code)
            if held is not None:
                return FiledDraft(filed.code, held, is_new=False)
            return FiledDraft(filed.code, self.writer.create(DOSSIER.name, filed.values), is_new=True)

    def _find_filed(self, code: str) -> bytes | None:
        """Returns the dossier that a portal knows under an id; ``None`` when it is not here."""
        rows = self.store.page(DOSSIER.name, search=code)
        found = (row.doc for row in rows if outside_of(self.store.document(row.doc).state).code == code)
        return next(found, None)

    def _check_unit(self, filed: Filed) -> None:
        units = self.store.trust.document.units
        mine = {code for unit in self.writer.author.units for code in units[unit].all_codes}
        if filed.agency not in mine:
            raise NotAllowed("It was filed for another unit.", reason="filed_elsewhere")

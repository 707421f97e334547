"""What citizens filed and said, written into the server's store; each once, by the portal's own id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.portal.outside import Filed, Taken, plan_filed, wrong
from onestop_sync.dossier.portal.voices import plan_complaint, plan_filed_rating
from onestop_sync.dossier.rating import FIELD, ratings_of
from onestop_sync.dossier.report.count import holder_at
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import outside_of
from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.keys import Signer
from onestop_sync.storage.transaction import Transaction
from onestop_sync.store import Store
from server_stub.portal.integrations import Integration, signer_for
from server_stub.portal.vault import settings_of

__all__ = ["Take", "find_filed", "take", "take_complaint", "take_rating", "taker_of"]


Take = Callable[[Store, Signer, Integration, object], Taken]
"""Takes one thing that an integration files; the administrator's key certifies the integration's."""


def taker_of(value: object) -> Take:
    """Returns what takes a thing out of a file: by the id that the portal gave it."""
    names = value if isinstance(value, dict) else {}
    return next((take_one for name, take_one in _BY_ID.items() if name in names), take)


def take(store: Store, admin: Signer, integration: Integration, value: object) -> Taken:
    """Makes the draft of what was filed, or finds that it is here.

    Raises:
        FormatError: It cannot be a draft, or names a unit that receives nothing.
        NotAllowed: The id is another dossier's, or no administrator's key is here.
    """
    catalogue = rules_of(store).catalogue
    filed = plan_filed(value, integration.title, store.clock(), catalogue, settings_of(store))
    unit = _unit_of(store, filed.agency)
    signer = signer_for(store, admin, integration, unit)
    return store.retrying(lambda: _once(store, signer, integration, filed))


def _once(store: Store, signer: Signer, integration: Integration, filed: Filed) -> Taken:
    with store.writing() as transaction:
        is_first = _is_first(transaction, integration, filed.code)
        doc = find_filed(store, filed.code, integration.title)
        if doc is not None:
            if not _is_same(store.document(doc).state.value("ma_thu_tuc"), filed):
                raise NotAllowed("That id is another dossier's already.", reason="portal_id")
            return Taken(filed.code, doc, is_new=False)
        if not is_first:
            raise NotAllowed("The dossier with that id was erased by law.", reason="erased")
        return Taken(filed.code, store.writer(signer).create(DOSSIER.name, filed.values), is_new=True)


def _is_first(transaction: Transaction, integration: Integration, code: str) -> bool:
    """Tells whether an id comes for the first time; two requests for one id meet here, on every database."""
    name = hashlib.sha256(f"{integration.name}\n{code}".encode()).hexdigest()
    return transaction.next_serial(f"portal {name}", "") == 1


def take_complaint(store: Store, admin: Signer, integration: Integration, value: object) -> Taken:
    """Makes the document of a complaint that was filed, or finds that it is here.

    Raises:
        FormatError: It is none, or names a unit that receives nothing.
        NotAllowed: It was erased by law, or no administrator's key is here.
    """
    filed = plan_complaint(value, integration.title, store.clock())
    signer = signer_for(store, admin, integration, _unit_of(store, filed.agency))

    def once() -> Taken:
        with store.writing() as transaction:
            if not _is_first(transaction, integration, f"complaint {filed.code}"):
                try:
                    return Taken(filed.code, store.lookup(COMPLAINT.name, filed.code), is_new=False)
                except NotFound:
                    raise NotAllowed("The complaint was erased by law.", reason="erased") from None
            return Taken(filed.code, store.writer(signer).create(COMPLAINT.name, filed.values), is_new=True)

    return store.retrying(once)


def take_rating(store: Store, admin: Signer, integration: Integration, value: object) -> Taken:
    """Notes a rating on its dossier, or finds that it is there.

    Raises:
        FormatError: It is none, or of no dossier that is here.
        NotAllowed: No administrator's key is here.
    """
    filed = plan_filed_rating(value, integration.title, store.clock())
    try:
        doc = find_filed(store, filed.dossier, integration.title) or store.lookup(DOSSIER.name, filed.dossier)
        state = store.document(doc).state
    except NotFound:
        raise wrong("MaHoSo", "is no dossier here") from None
    unit = holder_at(store.trust.document.tree, state.unit, doc, store.clock())
    signer = signer_for(store, admin, integration, unit)

    def once() -> Taken:
        with store.writing() as transaction:
            # Where a backup was put back, the serial may be forgotten, and the note come again from below.
            known = {each.source for each in ratings_of(store.document(doc).state)}
            is_first = _is_first(transaction, integration, f"rating {filed.code}")
            is_first = is_first and (integration.title, filed.code) not in known
            if is_first:
                store.writer(signer).note(doc, FIELD, filed.note)
            return Taken(filed.code, doc, is_new=is_first)

    return store.retrying(once)


_BY_ID: Final[Mapping[str, Take]] = {"MaPhanAnh": take_complaint, "MaDanhGia": take_rating}


def _is_same(procedure: Any, filed: Filed) -> bool:
    return bool(procedure == filed.values["ma_thu_tuc"])


def find_filed(store: Store, code: str, system: str) -> bytes | None:
    """Returns the dossier that a portal knows under an id; ``None`` when it is not here."""
    for row in store.page(DOSSIER.name, search=code):
        outside = outside_of(store.document(row.doc).state)
        if (outside.code, outside.system) == (code, system):
            return row.doc
    return None


def _unit_of(store: Store, agency: str) -> str:
    """Returns the unit that receives under an agency code: of one that has ended, its one successor.

    Raises:
        FormatError: No unit here receives under it.
    """
    document = store.trust.document
    named = {unit.id for unit in document.units.values() if agency in unit.all_codes}
    going = [unit.id for unit in document.units.values() if not unit.is_ended and unit.id in store.below]
    found = [unit for unit in going if unit in named] or [
        unit for unit in going if named & document.tree.acts_for(unit)
    ]
    if len(found) != 1:
        raise wrong("MaDonVi", "is no unit that receives here")
    return found[0]

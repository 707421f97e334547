"""A dossier of the store as the portal's documents are made of it."""

from __future__ import annotations

from onestop_sync.dossier.catalogue import Catalogue, Procedure
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import ROLE_LABELS, one_line
from onestop_sync.dossier.portal.documents import Source
from onestop_sync.dossier.portal.steps import Told
from onestop_sync.dossier.summary import text_of
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.state import Standing, State
from onestop_sync.storage.queries import Record
from onestop_sync.store import Store

__all__ = ["source_of"]

_COUNTS = frozenset({Standing.STANDS, Standing.SUPERSEDED, Standing.CONFLICT, Standing.LATE})


def source_of(store: Store, doc: bytes, catalogue: Catalogue) -> Source:
    """Returns what an export of a dossier is made of.

    Raises:
        NotFound: It is not here.
        NotAllowed: It was erased by law.
    """
    state = store.document(doc).state
    units = store.trust.document.units

    def name_of(unit: str) -> str:
        return units[unit].name if unit in units else unit

    def code_of(unit: str) -> str:
        return units[unit].codes[0] if unit in units and units[unit].codes else ""

    records = [record for record in store.history(doc) if record.standing in _COUNTS]
    told = [_told(record, name_of(record.author.certificate.unit)) for record in records if record.author]
    procedure, received = _procedure(state, catalogue), state.value("tiep_nhan_luc")
    day = local(received if type(received) is int else store.clock()).date()
    field_code = catalogue.field_code(procedure.field_vi, day) if procedure else ""
    return Source(state, told, procedure, name_of, code_of, field_code)


def _told(record: Record, unit_name: str) -> Told:
    assert record.author is not None  # what counts has an authority
    certificate, header = record.author.certificate, record.event.header
    roles = tuple(ROLE_LABELS.get(role, role) for role in sorted(certificate.roles))
    who = one_line(certificate.name)
    return Told(record.event.id, tuple(header.parents), header.time_ms, who, unit_name, roles, record.ops)


def _procedure(state: State, catalogue: Catalogue) -> Procedure | None:
    """Returns the procedure as it was on the day of receipt, else its latest version."""
    code, received = text_of(state, "ma_thu_tuc"), state.value("tiep_nhan_luc")
    try:
        return catalogue.get(code, local(received).date() if type(received) is int else None)
    except (NotFound, InvalidInput):
        pass
    try:
        return catalogue.get(code)
    except NotFound:
        return None

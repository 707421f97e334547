"""Makes the sheet of a form, once it is sure that it may be printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from onestop_sync.dossier.forms.checks import check_printable
from onestop_sync.dossier.forms.control_slip import control_slip
from onestop_sync.dossier.forms.facts import Facts
from onestop_sync.dossier.forms.kinds import APOLOGY, CONTROL_SLIP, RECEIPT, REFUSAL, STOP, SUPPLEMENT
from onestop_sync.dossier.forms.paper import Sheet
from onestop_sync.dossier.forms.receipt import receipt
from onestop_sync.dossier.forms.slips import apology, refusal, stop_notice, supplement

__all__ = ["sheet_of"]

_MAKERS: Final[Mapping[str, Callable[[Facts], Sheet]]] = MappingProxyType(
    {
        RECEIPT: receipt,
        SUPPLEMENT: supplement,
        REFUSAL: refusal,
        APOLOGY: apology,
        STOP: stop_notice,
        CONTROL_SLIP: control_slip,
    }
)


def sheet_of(form: str, facts: Facts) -> Sheet:
    """Returns a form of a dossier, filled in.

    Args:
        form: One of `kinds.DOSSIER_FORMS`.
        facts: What it is made from.

    Raises:
        InvalidInput: There is no such form of this dossier.
        NotAllowed: Something that it prints is in conflict, or the dossier is void.
    """
    check_printable(form, facts)
    return _MAKERS[form](facts)

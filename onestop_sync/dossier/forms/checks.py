"""When a form may be printed: what it says is settled, and the act that it tells of was taken."""

from __future__ import annotations

from onestop_sync.dossier.forms.facts import Facts, last_act
from onestop_sync.dossier.forms.kinds import (
    CONTROL_SLIP,
    DOSSIER_FORMS,
    FORM_LABELS,
    PRINTED,
    RECEIPT,
    actions_of,
)
from onestop_sync.dossier.labels import field_label
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.fold import conflicts
from onestop_sync.schema import MAIN, VOID
from onestop_sync.state import State

__all__ = ["blocking_keys", "check_printable", "forms_of"]

_SINCE_ACCEPTANCE = frozenset({RECEIPT, CONTROL_SLIP})


def blocking_keys(form: str, state: State) -> tuple[str, ...]:
    """Returns what is open on a dossier and would be printed on a form, as `fold.conflicts` names it.

    A dispute about the main task or about the dossier's being void concerns every form.
    """
    always = {f"task:{MAIN}", VOID}
    printed = PRINTED[form]
    return tuple(
        key for key in conflicts(DOSSIER, state) if key in always or key.partition("/")[0] in printed
    )


def forms_of(facts: Facts) -> tuple[str, ...]:
    """Returns the forms that there are of a dossier now, in the order of the circular."""
    has = {form.key for form in facts.profile.forms}
    return tuple(form for form in DOSSIER_FORMS if form in has and _is_made(form, facts))


def _is_made(form: str, facts: Facts) -> bool:
    if form in _SINCE_ACCEPTANCE:
        return bool(facts.state.value("ma_ho_so")) and type(facts.state.value("tiep_nhan_luc")) is int
    return last_act(facts.acts, actions_of(form)) is not None


def check_printable(form: str, facts: Facts) -> None:
    """Makes sure that a form may be printed.

    Raises:
        InvalidInput: The dossier's legal profile has no such form, or nobody has taken the act that it
            tells of (``details["reason"]`` is ``no_form``).
        NotAllowed: Something that it prints is in conflict (``print_conflict``; ``details["keys"]`` names
            it), or the dossier is void (``void``).
    """
    if form not in forms_of(facts):
        raise InvalidInput(
            f"There is no {form!r} of this dossier.",
            todo="Nothing was printed. Look which forms it has.",
            reason="no_form",
            form=FORM_LABELS.get(form, form),
        )
    keys = blocking_keys(form, facts.state)
    if keys:
        raise NotAllowed(
            f"The form prints what is in conflict: {', '.join(keys)}.",
            todo="Nothing was printed. Settle it with a reason, then print.",
            reason="print_conflict",
            keys=list(keys),
            fields=[field_label(key) for key in keys],
        )
    if facts.state.is_void and form != CONTROL_SLIP:
        raise NotAllowed("The dossier is void.", todo="Nothing was printed.", reason="void")

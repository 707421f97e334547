"""What lists show and search of a dossier: pure, and without any clock."""

from __future__ import annotations

from typing import Any, NamedTuple

from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.register_book import FIELD, place_of
from onestop_sync.dossier.workflow import ENDED, MAIN_TASK, WAITING, base_step
from onestop_sync.fold import State
from onestop_sync.schema import MAIN, Summary
from onestop_sync.search_text import fold_text

__all__ = [
    "FROM_PORTAL", "Outside", "due_ms", "outside_of", "regime", "register_row", "running_due_ms", "summarise",
    "text_of",
]  # fmt: skip

FROM_PORTAL = "cong"
"""Value of ``nguon.cach`` of a dossier that a citizen filed on a portal."""

_SEARCHED = ("ma_ho_so", "nguoi_nop", "ten_thu_tuc", "ma_thu_tuc", "so_dinh_danh", "dien_thoai", "dia_chi")


def text_of(state: State, key: str) -> str:
    """Returns a register's text on one line, fit for a list and a database; empty when it holds none."""
    value = state.value(key)
    return one_line(value) if isinstance(value, str) else ""


class Outside(NamedTuple):
    """Where a dossier was filed on a portal.

    Attributes:
        code: The portal's own id of it; empty for a dossier of the counter.
        system: The portal's name.
        filed_ms: When it was filed, milliseconds since 1970 UTC; ``None`` when nobody said.
    """

    code: str = ""
    system: str = ""
    filed_ms: int | None = None


def outside_of(state: State) -> Outside:
    """Returns where a dossier was filed, from the field ``nguon``: ``{cach: "cong", ma, ten, nop_luc?}``."""
    match state.value("nguon"):
        case {"cach": "cong", "ma": str(code), "ten": str(system), **rest}:
            filed = rest.get("nop_luc")
            return Outside(one_line(code), one_line(system), filed if type(filed) is int else None)
    return Outside()


def due_ms(state: State) -> int | None:
    """Returns the appointment that was given, milliseconds since 1970 UTC."""
    value: Any = state.value("han_tra")
    found = value.get("ms") if isinstance(value, dict) else None
    return found if type(found) is int else None


def running_due_ms(state: State) -> int | None:
    """Returns the due date while it runs: not once processing ended, nor while the applicant is awaited."""
    task = state.tasks.get(MAIN)
    step = base_step(task.step if task else MAIN_TASK.initial)
    return None if state.is_void or step in ENDED or step in WAITING else due_ms(state)


def regime(state: State) -> str:
    """Returns the id of the legal profile that a dossier was received under; empty before its acceptance."""
    value: Any = state.value("han_tra")
    found = value.get("quy_dinh") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def summarise(state: State) -> Summary:
    """Returns a dossier's row: code, applicant and procedure, step without marks, running due date.

    Before its acceptance, what came from a portal is called by the portal's id, and found by it ever after.
    """
    outside = outside_of(state).code
    task = state.tasks.get(MAIN)
    named = (text_of(state, "nguoi_nop"), text_of(state, "ten_thu_tuc") or text_of(state, "ma_thu_tuc"))
    return Summary(
        label=text_of(state, "ma_ho_so") or outside,
        title=" – ".join(part for part in named if part),
        step=base_step(task.step if task else MAIN_TASK.initial),
        due_ms=running_due_ms(state),
        search=fold_text(" ".join(filter(None, (*(text_of(state, key) for key in _SEARCHED), outside)))),
    )


def register_row(state: State) -> dict[str, Any]:
    """Returns what the register keeps of a dossier that is erased: procedure, dates, outcome; nobody's data.

    Shape:
        ``ma_thu_tuc``, ``ten_thu_tuc``, ``buoc`` (the last step), ``don_vi`` (unit that took it in), and in
        milliseconds since 1970 UTC, where they are known, ``tiep_nhan_luc``, ``han_tra``, ``tra_luc``; its
        place in the year's register, ``so_theo_doi``.
    """
    task = state.tasks.get(MAIN)
    dates = {name: state.value(name) for name in ("tiep_nhan_luc", "tra_luc")} | {"han_tra": due_ms(state)}
    return {
        "ma_thu_tuc": text_of(state, "ma_thu_tuc"),
        "ten_thu_tuc": text_of(state, "ten_thu_tuc"),
        "buoc": base_step(task.step if task else MAIN_TASK.initial),
        "don_vi": state.unit,
        **{name: ms for name, ms in dates.items() if type(ms) is int},
        **({FIELD: place.to_plain()} if (place := place_of(state.value(FIELD))) else {}),
    }

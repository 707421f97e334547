"""A line of an older register, as a document type: kept as it was, found by all, changed by nobody.

What was closed before this program came has no signed history, and gets none made up: it is no dossier. One
signed event says who brought it in, out of which file and line.
"""

from __future__ import annotations

from typing import Any, Final

from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.roles import INTAKE
from onestop_sync.schema import DocumentType, Field, Summary
from onestop_sync.search_text import fold_text
from onestop_sync.state import State

__all__ = ["FROM_REGISTER", "OLD_ENTRY"]

FROM_REGISTER: Final = "so"
"""Value of ``nguon.cach`` of what came out of an older register."""
_TEXTS: Final = (
    "ma_ho_so", "ma_thu_tuc", "ten_thu_tuc", "nguoi_nop", "so_dinh_danh", "dia_chi", "dien_thoai", "noi_dung",
    "ghi_chu", "trang_thai",
)  # fmt: skip
_FOUND_BY: Final = ("ma_ho_so", "nguoi_nop", "ten_thu_tuc", "so_dinh_danh", "dien_thoai", "dia_chi")


def _text(state: State, key: str) -> str:
    value: Any = state.value(key)
    return one_line(value) if isinstance(value, str) else ""


def _summarise(state: State) -> Summary:
    named = (_text(state, "nguoi_nop"), _text(state, "ten_thu_tuc") or _text(state, "ma_thu_tuc"))
    return Summary(
        label=_text(state, "ma_ho_so"),
        title=" – ".join(part for part in named if part),
        step="so_cu",
        search=fold_text(" ".join(filter(None, (_text(state, key) for key in _FOUND_BY)))),
    )


def _register(state: State) -> dict[str, Any]:
    dates = {key: state.value(key) for key in ("tiep_nhan_luc", "tra_luc")}
    return {
        "ma_thu_tuc": _text(state, "ma_thu_tuc"),
        "don_vi": state.unit,
        **{key: ms for key, ms in dates.items() if type(ms) is int},
    }


OLD_ENTRY: Final = DocumentType(
    "so_cu",
    fields=(*map(Field, _TEXTS), *map(Field, ("tiep_nhan_luc", "han_tra", "tra_luc", "nguon"))),
    creators=frozenset({INTAKE}),
    is_final=True,
    summarise=_summarise,
    register=_register,
)

"""Personal data: which fields of a dossier are somebody's, how each is masked, and who sees it whole.

Whoever works on dossiers sees them whole. Who only administers machines and people sees that a dossier is
there, where it stands and when it is due, and of its citizen no more than a mask: the roles alone decide
it. What a mask leaves is enough to tell two dossiers apart, and too little to call anybody.

Source: Luật 91/2025/QH15 and NĐ 356/2025, in force 1/1/2026: personal data is seen by who needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from onestop_sync.dossier.roles import HEAD, OFFICERS
from onestop_sync.event import Op
from onestop_sync.state import Register, State

__all__ = [
    "HIDDEN",
    "PERSONAL",
    "Level",
    "initials",
    "is_masked_for",
    "masked_ops",
    "masked_state",
    "masked_title",
]

HIDDEN: Final = "***"
_SEEN_BY: Final = OFFICERS | {HEAD}
_TAIL: Final = 3
"""Digits of a number that a mask leaves."""


class Level(StrEnum):
    """How personal a field is."""

    BASIC = "basic"
    SENSITIVE = "sensitive"
    """Of it nothing is left: scans, what a citizen said about the matter, opinions, why a fee is waived."""


PERSONAL: Final[Mapping[str, Level]] = MappingProxyType(
    {
        "nguoi_nop": Level.BASIC,
        "nguoi_nhan": Level.BASIC,
        "ngay_sinh": Level.BASIC,
        "so_dinh_danh": Level.BASIC,
        "dia_chi": Level.BASIC,
        "dia_chi_nhan": Level.BASIC,
        "dien_thoai": Level.BASIC,
        "email": Level.BASIC,
        "noi_dung": Level.SENSITIVE,
        "truong_rieng": Level.SENSITIVE,
        "dinh_kem": Level.SENSITIVE,
        "y_kien_tham_dinh": Level.SENSITIVE,
        "hoi_y_kien": Level.SENSITIVE,
        "y_kien": Level.SENSITIVE,
        "yeu_cau_bo_sung": Level.SENSITIVE,
        "ket_qua": Level.SENSITIVE,
        "ghi_chu": Level.SENSITIVE,
        "danh_gia": Level.SENSITIVE,
        "le_phi": Level.SENSITIVE,
        "_void": Level.SENSITIVE,
    }
)
"""Field → how personal it is; a field that is not named is about the dossier, not about a person."""


def initials(name: str) -> str:
    """Returns a name's first letters: ``N.T.H.``."""
    return "".join(f"{word[0].upper()}." for word in name.split() if word)


def _tail(text: str) -> str:
    return HIDDEN + text[-_TAIL:] if len(text) > 2 * _TAIL else HIDDEN


def _year(text: str) -> str:
    return f"{HIDDEN}/{text.rpartition('/')[2]}"


_MASKS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "nguoi_nop": initials, "nguoi_nhan": initials, "so_dinh_danh": _tail, "dien_thoai": _tail,
        "ngay_sinh": _year,
    }
)  # fmt: skip


def is_masked_for(roles: Iterable[str]) -> bool:
    """Tells whether who holds these roles sees citizens masked: they do no work on dossiers."""
    return _SEEN_BY.isdisjoint(roles)


def _masked(key: str, value: Any) -> Any:
    field = key.partition("/")[0]
    level = PERSONAL.get(field)
    if level is None or value in (None, ""):
        return value
    mask = _MASKS.get(field)
    return mask(value) if level is Level.BASIC and mask is not None and isinstance(value, str) else HIDDEN


def _masked_key(key: str) -> str:
    """Returns a register's key without what a citizen's words may have made of it: a scan's name."""
    field, slash, _ = key.partition("/")
    return f"{field}/{HIDDEN}" if slash and PERSONAL.get(field) is Level.SENSITIVE else key


def masked_state(state: State) -> State:
    """Returns a folded dossier with every personal value masked; what is not personal is as it is."""
    registers: dict[str, Register] = {}
    for key, register in state.registers.items():
        live = tuple((event, _masked(key, value)) for event, value in register.live)
        late = tuple((event, _masked(key, value)) for event, value in register.late)
        overruled = tuple((event, _masked(key, value), by) for event, value, by in register.overruled)
        registers[_masked_key(key)] = Register(live, late, overruled)
    notes = {
        name: [(at_ms, event, _masked(name, value)) for at_ms, event, value in found]
        for name, found in state.notes.items()
    }
    return replace(state, registers=registers, notes=notes)


def masked_ops(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Returns an event's operations with every personal value and every reason masked."""
    return tuple(map(_masked_op, ops))


def _masked_op(op: Op) -> Op:
    match op:
        case ["set" | "note" as kind, str(key), value]:
            return [kind, _masked_key(key), _masked(key, value)]
        case ["act", task, action, dict(arguments)]:
            return ["act", task, action, {k: _argument(v) for k, v in arguments.items()}]
        case ["resolve", str(key), value, _, events]:
            return ["resolve", _masked_key(key), _masked(key, value), HIDDEN, events]
        case ["settle", task, node, chosen, _, others]:
            return ["settle", task, node, chosen, HIDDEN, others]
    return list(op[:1])


def _argument(value: Any) -> Any:
    """Dates stay; words, which a person wrote about a person, do not."""
    return HIDDEN if isinstance(value, str) else value


def masked_title(title: str) -> str:
    """Returns a list's line without the applicant: ``*** – Đăng ký khai sinh``."""
    return f"{HIDDEN} – {title.partition(' – ')[2]}" if title else ""

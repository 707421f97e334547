"""The operations of one event as lines that a person reads: what was written, done or settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import (
    ACTION_LABELS,
    CHARGE_LABELS,
    CHOICE_LABELS,
    SCORE_LABELS,
    field_label,
    money,
    one_line,
    size_words,
)
from onestop_sync.errors import InvalidInput
from onestop_sync.event import Op
from onestop_sync.schema import MAIN

__all__ = ["Line", "last_arguments", "lines_of", "show_time", "show_value"]

_TIMES = frozenset({"tiep_nhan_luc", "tra_luc", "luc_ms"})


class Line(NamedTuple):
    """One operation.

    Attributes:
        kind: "set", "note", "act", "resolve", "settle", or the name of an operation unknown here.
        label: Vietnamese name of the field or the action.
        text: What was written, or the reason that was given.
    """

    kind: str
    label: str
    text: str


def lines_of(ops: Iterable[Op]) -> list[Line]:
    """Returns the lines of an event, transitions first: they are what people look for."""
    return sorted((_line(op) for op in ops), key=lambda line: line.kind not in {"act", "settle"})


def _line(op: Op) -> Line:
    match op:
        case ["act", str(task), str(action), dict(arguments)]:
            unit = "" if task == MAIN else f" ({one_line(task.partition(':')[2])})"
            return Line("act", f"{ACTION_LABELS.get(action, action)}{unit}", _arguments(arguments))
        case ["set", str(key), value]:
            return Line("set", field_label(key), show_value(key, value))
        case ["note", str(name), value]:
            return Line("note", field_label(name), show_value(name, value))
        case ["resolve", str(key), value, str(reason), _]:
            return Line("resolve", field_label(key), f"{show_value(key, value)} ({one_line(reason)})")
        case ["settle", str(task), _, _, str(reason), _]:
            return Line("settle", field_label(f"task:{task}"), one_line(reason))
    return Line(one_line(str(op[0])) if op else "", "", "")


def _arguments(arguments: Mapping[str, Any]) -> str:
    order = ("to", "ly_do", "noi_dung", "han_moi", "han")
    known = [name for name in order if name in arguments]
    rest = sorted(set(arguments) - set(order))
    return "; ".join(show_value(name, arguments[name]) for name in (*known, *rest))


def show_value(key: str, value: Any) -> str:
    """Returns a value as one line of text."""
    match value:
        case None:
            return ""
        case dict():
            return _show_map(value)
        case int() if key in _TIMES or key.startswith("han"):
            return show_time(value)
        case list():
            return ", ".join(show_value(key, part) for part in value)
        case bytes():
            return value.hex()
        case str() if value in CHOICE_LABELS.get(key, ()):
            return CHOICE_LABELS[key][value]
    return one_line(str(value))


def _show_map(value: Mapping[Any, Any]) -> str:
    """Returns a map by its shape; of one unknown here, its parts."""
    match value:
        case {"ms": int(ms)}:
            return show_time(ms)
        case {"attachment": bytes(), "name": str(name), "size": int(size)}:
            return f"{one_line(name)} ({size_words(size)})"
        case {"ban_chinh": int(originals), "ban_sao": int(copies)}:
            return f"{originals} bản chính, {copies} bản sao"
        case {"nam": int(year), "quyen": str(volume), "so": int(number)}:
            return f"năm {year}, quyển {one_line(volume)}, số {number}"
        case {"noi_dung": str(content), "ly_do": str(reason), **rest}:
            return _request(content, reason, rest)
        case {"loai": str(kind), "so_tien": int(amount), **rest} if kind in CHARGE_LABELS:
            return _charge(kind, amount, rest)
        case {"diem": int(score), **rest} if score in SCORE_LABELS:
            return _rating(score, rest)
    parts = ((name, part) for name, part in value.items() if part not in (None, "", []))
    return "; ".join(show_value(name, part) for name, part in parts)


def _request(content: str, reason: str, rest: Mapping[Any, Any]) -> str:
    """Returns what was asked for and why; which unit asked is told by the event that did."""
    papers = [one_line(str(name)) for name in rest.get("giay_to") or ()]
    when = f", lúc {show_time(rest['luc_ms'])}" if type(rest.get("luc_ms")) is int else ""
    wanted = f"; giấy tờ: {', '.join(papers)}" if papers else ""
    return f"{one_line(content)} (lý do: {one_line(reason)}{when}){wanted}"


def _charge(kind: str, amount: int, rest: Mapping[Any, Any]) -> str:
    receipt = f", biên lai {one_line(str(rest['bien_lai']))}" if rest.get("bien_lai") else ""
    reason = f" ({one_line(str(rest['ly_do']))})" if rest.get("ly_do") else ""
    return f"{CHARGE_LABELS[kind]} {money(amount)}{receipt}{reason}"


def _rating(score: int, rest: Mapping[Any, Any]) -> str:
    words = f": {one_line(str(rest['loi']))}" if rest.get("loi") else ""
    match rest.get("nguon"):
        case {"ma": str(code), "ten": str(system)}:
            words += f" ({one_line(system)}, mã {one_line(code)})"
    return f"{score} điểm, {SCORE_LABELS[score]}{words}"


def show_time(ms: int) -> str:
    """Returns a moment as ``14:05 02/03/2026``, Vietnam's time; a number that is no date as it is."""
    try:
        return f"{local(ms):%H:%M %d/%m/%Y}"
    except InvalidInput:
        return str(ms)


def last_arguments(history: Iterable[Iterable[Op]], action: str) -> dict[str, Any] | None:
    """Returns the arguments with which an action of the main task was last taken: a refusal's reason, say.

    Args:
        history: Operations of each event that counts, oldest first.
        action: The action.
    """
    found: dict[str, Any] | None = None
    for ops in history:
        for op in ops:
            match op:
                case ["act", str(task), str(name), dict(arguments)] if task == MAIN and name == action:
                    found = arguments
    return found

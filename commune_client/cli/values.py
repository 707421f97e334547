"""What was typed on the command line, as the desk takes it: fields, papers, days."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from commune_client.cli.codes import UsageFault
from onestop_sync.codec import nfc
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.checks import Paper
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.labels import FIELD_LABELS
from onestop_sync.search_text import fold_text

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk

__all__ = [
    "field_key",
    "form_values",
    "moment_ms",
    "papers_from",
    "papers_of_json",
    "parse_day",
    "parse_paper",
    "typed_value",
    "whole",
]

_FLAGS: Final = {
    "name": "nguoi_nop",
    "id": "so_dinh_danh",
    "address": "dia_chi",
    "phone": "dien_thoai",
    "email": "email",
    "birth": "ngay_sinh",
    "request_text": "noi_dung",
}
_COUNTED: Final = "so_bo"
_DAY: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:\s+(\d{1,2}):(\d{2}))?", re.ASCII)
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PAPER: Final = re.compile(r"(.*?)(?:=(\d{1,3})(?:/(\d{1,3}))?)?", re.DOTALL)


def form_values(arguments: Namespace) -> dict[str, Any]:
    """Returns the fields that flags and ``--set`` name.

    Raises:
        UsageFault: A ``--set`` without ``=``.
    """
    typed = {key: getattr(arguments, flag) for flag, key in _FLAGS.items()}
    found: dict[str, Any] = {key: whole(text) for key, text in typed.items() if text is not None}
    for pair in arguments.set:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageFault(f"--set {pair!r}: cần dạng MỤC=GIÁ-TRỊ.")
        key = field_key(whole(name))
        found[key] = typed_value(key, whole(value))
    return found


def whole(value: Any) -> Any:
    """Returns text that can be stored; other values as they are.

    Raises:
        UsageFault: The text was not UTF-8 when it was typed, or holds half a character.
    """
    try:
        return value if not isinstance(value, str) else value.encode().decode()
    except UnicodeEncodeError:
        raise UsageFault("chữ nhập vào có ký tự hỏng (không phải UTF-8).") from None


def field_key(name: str) -> str:
    """Returns a register key for a key, or for a field's Vietnamese name, marks and case aside."""
    field, slash, element = nfc(name.strip()).partition("/")
    if field in FIELD_LABELS:
        return field + slash + element
    wanted = fold_text(field)
    known = next((key for key, label in FIELD_LABELS.items() if fold_text(label) == wanted), field)
    return known + slash + element


def typed_value(key: str, text: str) -> Any:
    """Returns what a field holds when this was typed: a number where it counts, text otherwise.

    Raises:
        UsageFault: A number was wanted.
    """
    if key != _COUNTED:
        return text
    try:
        return int(text)
    except ValueError:
        raise UsageFault(f"{FIELD_LABELS[key]}: cần một số.") from None


def parse_paper(text: str) -> tuple[str, Paper | None]:
    """Returns a document's name, and how much of it there is when that was said: ``Tờ khai=1/0``."""
    match = _PAPER.fullmatch(whole(text).strip())
    assert match is not None  # the pattern takes anything
    if match[2] is None:
        return nfc(match[1].strip()), None
    return nfc(match[1].strip()), Paper(int(match[2]), int(match[3] or 0))


def papers_from(desk: Desk, procedure: str, texts: Iterable[str]) -> dict[str, Paper]:
    """Returns the papers that were named, by the catalogue's names where these words fit only one."""
    known = [document.name_vi for document in desk.procedure(procedure).documents]
    found: dict[str, Paper] = {}
    for text in texts:
        typed, paper = parse_paper(text)
        name = _known_name(typed, known)
        found[name] = paper or desk.papers(procedure, [name])[name]
    return found


def _known_name(typed: str, known: Sequence[str]) -> str:
    wanted = fold_text(typed)
    exact = [name for name in known if fold_text(name) == wanted]
    near = exact or [name for name in known if wanted and wanted in fold_text(name)]
    return nfc(near[0]) if len(near) == 1 else typed


def parse_day(text: str) -> date:
    """Reads ``05/09/2026``, or ISO.

    Raises:
        UsageFault: It is no day.
    """
    return _moment(text).date()


def moment_ms(desk: Desk, text: str) -> int:
    """Reads a day, with or without an hour, in Vietnam's time; without one the office's closing counts.

    Returns:
        Milliseconds since 1970 UTC.

    Raises:
        UsageFault: It is no day.
    """
    moment = _moment(text)
    return to_ms(moment) if ":" in text else desk.closing_ms(moment.date())


def _moment(text: str) -> datetime:
    match = _DAY.fullmatch(text.strip())
    try:
        if match:
            day, month, year, hour, minute = (int(part or 0) for part in match.groups())
            return datetime(year, month, day, hour, minute, tzinfo=VIETNAM)
        if _ISO_DAY.fullmatch(text.strip()):
            return datetime.fromisoformat(text.strip()).replace(tzinfo=VIETNAM)
    except ValueError:
        pass
    raise UsageFault(f"{text!r} không phải là ngày; ví dụ đúng: 05/09/2026.")


def papers_of_json(value: object) -> dict[str, Paper] | list[str]:
    """Reads the papers of a JSON file: names, or name → ``[originals, copies]``.

    Raises:
        UsageFault: They are neither.
    """
    match value:
        case list() if all(isinstance(name, str) for name in value):
            return [whole(name) for name in value]
        case Mapping():
            return {nfc(whole(str(name))): _paper(count) for name, count in value.items()}
    raise UsageFault('"attachments" phải là danh sách tên giấy tờ.')


def _paper(count: object) -> Paper:
    match count:
        case [int(originals), int(copies)]:
            return Paper(originals, copies)
        case int(originals):
            return Paper(originals)
    raise UsageFault('"attachments": cần [số bản chính, số bản sao].')

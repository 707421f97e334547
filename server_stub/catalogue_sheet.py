"""The catalogue as a spreadsheet: procedures, their documents and their steps, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from onestop_sync.dossier.catalogue import Catalogue, DecidedBy, Document, DocumentUse, Procedure
from onestop_sync.dossier.catalogue_text import (
    CERTAINTIES,
    certainty_of,
    fee_from_text,
    fee_text,
    limit_from_text,
    limit_text,
    normal_code,
    short_name,
)
from onestop_sync.dossier.checks import MAX_ELEMENT
from onestop_sync.dossier.deadlines import LimitKind
from onestop_sync.dossier.fields import FieldOfWork
from onestop_sync.dossier.labels import STAGE_LABELS, TIER_LABELS
from onestop_sync.dossier.procedure_steps import ProcedureStep, Stage, Tier
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput
from onestop_sync.search_text import fold_text
from server_stub import roster_files
from server_stub.roster import Column, Problem, Row, Sheet

__all__ = ["SHEETS", "describe_changes", "read_sheet", "write_sheet"]

_DECIDED: Final = {
    "xã": DecidedBy.COMMUNE,
    "liên thông": DecidedBy.INTERLINKED,
    "tỉnh": DecidedBy.PROVINCE,
}
_USES: Final = {"nộp": DocumentUse.SUBMIT, "xuất trình": DocumentUse.PRESENT}
_TIERS: Final = {label: Tier(key) for key, label in TIER_LABELS.items()}
_STAGES: Final = {label: Stage(key) for key, label in STAGE_LABELS.items()}
_CODE: Final = Column("code", "Mã thủ tục", "1.001193")
_FROM: Final = Column("from", "Hiệu lực từ", "01/07/2025", is_needed=False)
_NAME: Final = DOSSIER.field("ten_thu_tuc")
_LONGEST_NAME: Final = _NAME.max_chars if _NAME else 0
_SURE: Final = tuple(CERTAINTIES.values())
_CERTAIN: Final = Column("certainty", "Mức tin cậy", "có nguồn", is_needed=False, options=_SURE)
SHEETS: Final = (
    Sheet(
        "procedures", "Thủ tục", "thu-tuc.csv",
        (
            _CODE,
            Column("full_name", "Tên thủ tục", "Đăng ký khai sinh"),
            Column("name", "Tên ngắn", "", is_needed=False),
            Column("field", "Lĩnh vực", "Hộ tịch", one_of="fields"),
            Column("limit", "Thời hạn", "5 ngày làm việc", is_needed=False),
            Column("limit_certainty", "Thời hạn: mức tin cậy", "có nguồn", is_needed=False, options=_SURE),
            Column("verified", "Thời hạn khi phải xác minh", "8 ngày làm việc", is_needed=False),
            Column("limit_text", "Thời hạn: nguồn ghi", "", is_needed=False),
            Column("fee", "Phí, lệ phí", "8000/bản sao", is_needed=False),
            Column("fee_condition", "Phí: điều kiện, miễn giảm", "", is_needed=False),
            Column("fee_certainty", "Phí: mức tin cậy", "có nguồn", is_needed=False, options=_SURE),
            Column("decided", "Giải quyết (xã, liên thông, tỉnh)", "xã", options=tuple(_DECIDED)),
            Column("tier", "Cấp chủ trì (xã, huyện, tỉnh)", "xã", options=tuple(_TIERS)),
            Column("from", "Hiệu lực từ", "01/07/2025"),
            Column("to", "Hiệu lực đến hết", "", is_needed=False),
            Column("note", "Ghi chú", "", is_needed=False),
            Column("source", "Nguồn", "Quyết định của tỉnh", is_needed=False),
        ),
    ),
    Sheet(
        "documents", "Giấy tờ", "giay-to.csv",
        (
            _CODE, _FROM, Column("name", "Tên giấy tờ", "Tờ khai"),
            Column("originals", "Bản chính", "1", is_needed=False),
            Column("copies", "Bản sao", "", is_needed=False),
            Column("use", "Nộp hay xuất trình", "nộp", is_needed=False, options=tuple(_USES)),
            Column("required", "Bắt buộc (x)", "x", is_needed=False, options=("x",)),
            Column("condition", "Khi nào cần", "", is_needed=False), _CERTAIN,
        ),
    ),
    Sheet(
        "steps", "Các bước", "cac-buoc.csv",
        (
            _CODE, _FROM, Column("stage", "Bước", "thẩm định", options=tuple(_STAGES)),
            Column("tier", "Cấp thực hiện", "xã", options=tuple(_TIERS)),
            Column("name", "Tên bước", "", is_needed=False),
            Column("limit", "Thời gian", "3 ngày làm việc", is_needed=False), _CERTAIN,
        ),
    ),
    Sheet(
        "fields", "Lĩnh vực", "linh-vuc.csv",
        (
            Column("name", "Tên lĩnh vực", "Hộ tịch"),
            Column("code", "Mã lĩnh vực", "H98-HT", is_needed=False),
            Column("from", "Hiệu lực từ", "21/06/2018"),
            Column("to", "Hiệu lực đến hết", "", is_needed=False),
            Column("note", "Ghi chú", "", is_needed=False),
        ),
    ),
)  # fmt: skip
_MAX_DIGITS: Final = 4
"""Of a number of copies."""
_NOTES: Final = (
    "Mỗi dòng một thủ tục trong một khoảng hiệu lực. Không đổi tên trang và dòng tiêu đề.",
    "Thời hạn: 5 ngày làm việc; 15 ngày; 8 giờ làm việc; trong ngày; trong ngày + 2 ngày làm việc; để trống.",
    "Phí: miễn phí; miễn phí nếu (ghi điều kiện ở cột sau); tỉnh quy định; chưa rõ; để trống.",
    "Phí tính theo đơn vị: 8000/bản sao; hoặc 2000/trang; từ thứ 3: 1000; tối đa 200000.",
    "Mức tin cậy: có nguồn, hoặc cần kiểm tra. Giấy tờ cần kiểm tra được nhắc nhưng không chặn tiếp nhận.",
    "Giấy tờ, Các bước: Hiệu lực từ để trống thì thuộc mọi khoảng hiệu lực của thủ tục.",
    "Lĩnh vực: thủ tục chỉ ghi lĩnh vực có ở trang này; mã theo danh mục quốc gia, chưa biết thì để trống.",
    "Không xóa thủ tục đã tiếp nhận hồ sơ: ghi Hiệu lực đến hết.",
)


# --------------------------------------------------------------------------------------------- writing


def write_sheet(path: Path, catalogue: Catalogue) -> None:
    """Writes a catalogue as a workbook.

    Raises:
        InvalidInput: A file is there already, or it cannot be written.
    """
    items = catalogue.procedures
    rows: dict[str, list[list[object]]] = {
        "procedures": [_procedure_cells(item) for item in items],
        "documents": [_document_cells(item, each) for item in items for each in item.documents],
        "steps": [_step_cells(item, each) for item in items for each in item.steps],
        "fields": [_field_cells(each) for each in catalogue.fields],
    }
    roster_files.write(path, SHEETS, _NOTES, rows)


def _procedure_cells(item: Procedure) -> list[object]:
    return [
        item.code, item.full_name_vi, item.name_vi if item.name_vi != short_name(item.full_name_vi) else "",
        item.field_vi, limit_text(item.limit), CERTAINTIES[item.limit_certainty],
        limit_text(item.verified_limit), item.limit_text_vi, fee_text(item.fee), item.fee.condition_vi,
        CERTAINTIES[item.fee.certainty], _label(_DECIDED, item.decided_by), _label(_TIERS, item.leading_tier),
        _shown(item.effective_from), _shown(item.effective_to),
        item.note_vi, item.source,
    ]  # fmt: skip


def _document_cells(item: Procedure, document: Document) -> list[object]:
    return [
        item.code, _shown(item.effective_from), document.name_vi,
        "" if document.originals is None else document.originals,
        "" if document.copies is None else document.copies, _label(_USES, document.use),
        "x" if document.is_required else "", document.condition_vi, CERTAINTIES[document.certainty],
    ]  # fmt: skip


def _step_cells(item: Procedure, step: ProcedureStep) -> list[object]:
    return [
        item.code, _shown(item.effective_from), _label(_STAGES, step.stage), _label(_TIERS, step.tier),
        step.name_vi, limit_text(step.limit), CERTAINTIES[step.certainty],
    ]  # fmt: skip


def _field_cells(item: FieldOfWork) -> list[object]:
    return [
        item.name_vi, item.code, _shown(item.effective_from), _shown(item.effective_to), item.note_vi,
    ]  # fmt: skip


def _shown(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _label(names: Mapping[str, Any], value: object) -> str:
    return next(label for label, each in names.items() if each == value)


# --------------------------------------------------------------------------------------------- reading


def read_sheet(
    path: Path, version: int, held: Sequence[FieldOfWork] = ()
) -> tuple[Catalogue | None, list[Problem]]:
    """Reads a catalogue from a workbook, or a folder of CSV files.

    Args:
        path: ``….xlsx``, or a folder.
        version: Of the catalogue that it will be.
        held: Fields of work in force, which stay where the file has no sheet of them.

    Returns:
        The catalogue, or ``None`` and what is wrong, each bad row by its sheet, number and reason.

    Raises:
        InvalidInput: It cannot be read at all.
    """
    rows, problems = roster_files.read(path, SHEETS)
    if not problems and not any(row.sheet == "procedures" for row in rows):
        raise InvalidInput(f"{path} has no rows in a sheet {SHEETS[0].label!r}.")
    procedures = list(_each(rows, "procedures", _procedure, problems))
    documents = list(_each(rows, "documents", _document, problems))
    steps = list(_each(rows, "steps", _step, problems))
    fields = [each for _, each in _each(rows, "fields", _field, problems)] or list(held)
    named_there = {row.cells.get("name", "") for row in rows if row.sheet == "fields"}
    names = named_there or {each.name_vi for each in held}
    problems += [
        Problem(SHEETS[0].label, row.number, "", f"There is no field {item.field_vi[:60]!r}.")
        for row, item in procedures
        if names and item.field_vi not in names
    ]
    found = [item for _, item in procedures]
    wrong = _codes_of(row for row in rows if row.sheet == "procedures") - {item.code for item in found}
    named = [(row, code, day) for row, (code, day, _) in (*documents, *steps) if code not in wrong]
    problems += _strays(found, named)
    if problems:
        return None, problems
    whole = [
        replace(
            item,
            documents=tuple(each for _, (code, day, each) in documents if _belongs(item, code, day)),
            steps=tuple(each for _, (code, day, each) in steps if _belongs(item, code, day)),
        )
        for item in found
    ]
    try:
        return Catalogue(version, tuple(whole), tuple(fields)), []
    except InvalidInput as error:
        return None, [Problem(SHEETS[0].label, 0, "", error.what)]


def _each(
    rows: Sequence[Row], sheet: str, read: Callable[[Mapping[str, str]], Any], problems: list[Problem]
) -> Iterator[tuple[Row, Any]]:
    label = next(each.label for each in SHEETS if each.key == sheet)
    for row in rows:
        if row.sheet != sheet:
            continue
        try:
            yield row, read(row.cells)
        except InvalidInput as error:
            problems.append(Problem(label, row.number, "", error.what))


def _belongs(item: Procedure, code: str, day: date | None) -> bool:
    return item.code == code and day in {None, item.effective_from}


def _codes_of(rows: Iterable[Row]) -> set[str]:
    """Returns the procedures that rows are of, as far as their codes can be read."""
    found = set()
    for row in rows:
        with suppress(InvalidInput):
            found.add(normal_code(row.cells.get("code", "")))
    return found


def _strays(procedures: Sequence[Procedure], named: Sequence[tuple[Row, str, date | None]]) -> list[Problem]:
    """Finds documents and steps of a procedure that the first sheet does not have."""
    labels = {each.key: each.label for each in SHEETS}
    return [
        Problem(
            labels[row.sheet], row.number, "", f"There is no procedure {code} from {day or 'any day'} on."
        )
        for row, code, day in named
        if not any(_belongs(item, code, day) for item in procedures)
    ]


def _procedure(cells: Mapping[str, str]) -> Procedure:
    full_name = _name(cells, "full_name", _LONGEST_NAME)
    limit = limit_from_text(cells.get("limit", ""))
    fee_certainty = certainty_of(cells.get("fee_certainty", ""))
    to = cells.get("to", "")
    return Procedure(
        code=normal_code(_needed(cells, "code", "a code")),
        name_vi=cells.get("name") or short_name(full_name),
        full_name_vi=full_name,
        field_vi=_needed(cells, "field", "a field"),
        limit=limit,
        limit_certainty=certainty_of(cells.get("limit_certainty", "")),
        verified_limit=limit_from_text(cells.get("verified", "")),
        steps=(),
        fee=fee_from_text(cells.get("fee", ""), cells.get("fee_condition", ""), fee_certainty),
        documents=(),
        decided_by=_one_of(_DECIDED, cells.get("decided", "")),
        leading_tier=_one_of(_TIERS, cells.get("tier", "")),
        effective_from=_day(_needed(cells, "from", "a first day")),
        effective_to=_day(to) if to else None,
        note_vi=cells.get("note", ""),
        source=cells.get("source", ""),
        limit_text_vi=cells.get("limit_text", ""),
    )


def _document(cells: Mapping[str, str]) -> tuple[str, date | None, Document]:
    code, day = _of_procedure(cells)
    use = cells.get("use", "")
    return (
        code,
        day,
        Document(
            name_vi=_name(cells, "name", MAX_ELEMENT),
            certainty=certainty_of(cells.get("certainty", "")),
            use=_one_of(_USES, use) if use else DocumentUse.SUBMIT,
            is_required=_is_marked(cells.get("required", "")),
            originals=_count(cells.get("originals", "")),
            copies=_count(cells.get("copies", "")),
            condition_vi=cells.get("condition", ""),
        ),
    )


def _step(cells: Mapping[str, str]) -> tuple[str, date | None, ProcedureStep]:
    code, day = _of_procedure(cells)
    limit = limit_from_text(cells.get("limit", ""))
    if limit is not None and limit.kind is LimitKind.SAME_DAY:
        raise InvalidInput("A step's time is in working hours, working days or days.")
    stage, tier = _one_of(_STAGES, cells.get("stage", "")), _one_of(_TIERS, cells.get("tier", ""))
    return (
        code,
        day,
        ProcedureStep(stage, tier, cells.get("name", ""), limit, certainty_of(cells.get("certainty", ""))),
    )


def _field(cells: Mapping[str, str]) -> FieldOfWork:
    first, to = _day(_needed(cells, "from", "a first day")), cells.get("to", "")
    name, code = _needed(cells, "name", "a name"), cells.get("code", "").upper()
    return FieldOfWork(name, first, _day(to) if to else None, code, cells.get("note", ""))


def _of_procedure(cells: Mapping[str, str]) -> tuple[str, date | None]:
    code = normal_code(_needed(cells, "code", "a procedure's code"))
    return code, _day(cells["from"]) if cells.get("from") else None


def _needed(cells: Mapping[str, str], key: str, what: str) -> str:
    text = cells.get(key, "")
    if not text:
        raise InvalidInput(f"The row lacks {what}.")
    return text


def _name(cells: Mapping[str, str], key: str, most: int) -> str:
    """Returns a name that a dossier can hold, which is not taken in under a longer one."""
    name = _needed(cells, key, "a name")
    if len(name) > most:
        raise InvalidInput(f"The name has {len(name)} characters; a dossier holds {most} at most.")
    return name


def _one_of(names: Mapping[str, Any], text: str) -> Any:
    for label, value in names.items():
        if fold_text(label) == fold_text(text):
            return value
    raise InvalidInput(f"{text[:40]!r} is none of {', '.join(names)}.")


def _is_marked(text: str) -> bool:
    if text.lower() not in {"", "x"}:
        raise InvalidInput(f"{text[:40]!r} is neither x nor empty.")
    return bool(text)


def _count(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        raise InvalidInput(f"{text[:40]!r} is not a number of copies.")
    return int(text)


def _day(text: str) -> date:
    """Reads a day: 2025-07-01, as Excel gives it with an hour, or 01/07/2025."""
    parts = text.partition(" ")[0].split("/")
    try:
        if len(parts) == len("dmy"):
            return date(int(parts[2]), int(parts[1]), int(parts[0]))
        return date.fromisoformat(text.partition(" ")[0])
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is not a day such as 2025-07-01 or 01/07/2025.") from None


# --------------------------------------------------------------------------------------------- changes


def describe_changes(old: Catalogue, new: Catalogue) -> list[str]:
    """Says what another catalogue changes, one line for each procedure and each field of work."""
    before = {(item.code, item.effective_from): item for item in old.procedures}
    after = {(item.code, item.effective_from): item for item in new.procedures}
    lines = list(_field_changes(old.fields, new.fields))
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        name = f"{key[0]} from {key[1]}"
        if was is None:
            lines.append(f"{name} is new: {now.name_vi if now else ''}")
        elif now is None:
            lines.append(f"{name} is not there any more: {was.name_vi}")
        elif was != now:
            lines.append(f"{name} changes: {_differences(was, now)}")
    return lines


def _field_changes(old: Sequence[FieldOfWork], new: Sequence[FieldOfWork]) -> Iterator[str]:
    before = {(each.name_vi, each.effective_from): each for each in old}
    after = {(each.name_vi, each.effective_from): each for each in new}
    for name, day in sorted(before.keys() | after.keys()):
        was, now = before.get((name, day)), after.get((name, day))
        if was is None or now is None:
            yield f"field {name} from {day} is {'new' if now else 'not there any more'}"
        elif was != now:
            yield f"field {name} from {day} changes: code {was.code or 'none'} -> {now.code or 'none'}"


def _differences(was: Procedure, now: Procedure) -> str:
    old, new = was.to_plain(), now.to_plain()
    said = []
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key):
            continue
        if key in {"limit", "verified_limit"}:
            first, second = (limit_text(getattr(item, key)) or "none" for item in (was, now))
            said.append(f"{key} {first} -> {second}")
        elif key == "fee":
            said.append(f"fee {fee_text(was.fee)} -> {fee_text(now.fee)}")
        else:
            said.append(key)
    return ", ".join(said)

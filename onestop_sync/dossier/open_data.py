"""Documents of a store in open formats: as JSON lines, as a flat table, and what the fields mean. Pure.

Shape of a line: see `SCHEMA`, which is written beside the data as JSON Schema. Bytes are hex, times are
milliseconds since 1970 UTC, and in the table also as ISO 8601 in Vietnam's time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import FIELD_LABELS, step_label
from onestop_sync.errors import InvalidInput
from onestop_sync.schema import MAIN, DocumentType
from onestop_sync.state import State, conflicts
from onestop_sync.storage.queries import Record

__all__ = ["COLUMNS", "SCHEMA", "line_of", "plain_of", "readme", "row_of"]

_TIMES: Final = ("tiep_nhan_luc", "han_tra", "tra_luc")
_TEXTS: Final = (
    "ma_ho_so", "ma_thu_tuc", "ten_thu_tuc", "hinh_thuc_nop", "nguoi_nop", "loai_doi_tuong", "so_dinh_danh",
    "ngay_sinh", "dia_chi", "dien_thoai", "email", "noi_dung", "cach_nhan", "dia_chi_nhan", "ket_qua",
    "nguoi_nhan",
)  # fmt: skip
COLUMNS: Final = ("id", "don_vi", "buoc", "trang_thai", *_TEXTS, *_TIMES)
"""Columns of the table."""

_EVENT: Final = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "description": "id of the signed event, hex"},
        "at_ms": {
            "type": "integer",
            "description": "when its author says that it was written, ms since 1970",
        },
        "who": {"type": "string"},
        "unit": {"type": "string"},
        "roles": {"type": "array", "items": {"type": "string"}},
        "standing": {
            "type": "string",
            "description": "stands, superseded, conflict, late, overruled, refused",
        },
        "ops": {"type": "array", "description": "operations: set, note, act, resolve, settle"},
    },
}
SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "One line of a .jsonl file: one document",
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "kind": {"type": "string"},
        "erased": {"type": "boolean", "description": "erased by law: only its row of the register is left"},
        "unit": {"type": "string", "description": "unit that created it"},
        "units": {"type": "array", "items": {"type": "string"}},
        "step": {"type": "string"},
        "is_void": {"type": "boolean"},
        "conflicts": {"type": "array", "items": {"type": "string"}},
        "fields": {
            "type": "object",
            "description": "register key to value; a map's element is field/element",
        },
        "notes": {"type": "object", "additionalProperties": {"type": "array"}},
        "tasks": {"type": "object", "description": "task to its step and the unit that holds it"},
        "history": {"type": "array", "items": _EVENT},
        "stated_ms": {
            "type": "integer",
            "description": "its history is not here: it is as the province signed it then, ms since 1970",
        },
        "register": {"type": "object"},
        "content": {"type": "object", "description": "what a signed report says, unpacked"},
    },
}
"""JSON Schema of a line."""


def line_of(doc: bytes, kind: DocumentType, state: State, history: Iterable[Record]) -> dict[str, Any]:
    """Returns a document as one line of JSON says it, with all that was ever written in it."""
    task = state.tasks.get(MAIN)
    found: dict[str, Any] = {
        "id": doc,
        "kind": kind.name,
        "unit": state.unit,
        "units": state.units,
        "step": task.step if task else "",
        "is_void": state.is_void,
        "conflicts": conflicts(kind, state),
        "fields": {key: state.value(key) for key in sorted(state.registers) if state.registers[key].live},
        "notes": {
            name: [{"at_ms": at_ms, "value": value} for at_ms, _, value in notes]
            for name, notes in sorted(state.notes.items())
        },
        "tasks": {name: {"step": each.step, "unit": each.unit} for name, each in sorted(state.tasks.items())},
        "history": [_event(record) for record in history],
    }
    plain: dict[str, Any] = plain_of(found)
    return plain


def _event(record: Record) -> dict[str, Any]:
    certificate = record.author.certificate if record.author else None
    return {
        "event": record.event.id,
        "at_ms": record.event.header.time_ms,
        "who": certificate.name if certificate else "",
        "unit": certificate.unit if certificate else "",
        "roles": sorted(certificate.roles) if certificate else [],
        "standing": str(record.standing),
        "ops": list(record.ops),
    }


def row_of(line: Mapping[str, Any]) -> dict[str, str]:
    """Returns a line as a row of the table, its values as text."""
    fields = line.get("fields", {})
    row = {"id": line["id"], "don_vi": line.get("unit", ""), "buoc": line.get("step", "")}
    row |= {"trang_thai": step_label(row["buoc"]), **{key: str(fields.get(key, "")) for key in _TEXTS}}
    for key in _TIMES:
        value = fields.get(key)
        row[key] = _iso(value.get("ms") if isinstance(value, dict) else value)
    return {key: _cell(value) for key, value in row.items()}


def _iso(ms: object) -> str:
    try:
        return local(ms).isoformat(timespec="seconds") if type(ms) is int else ""
    except InvalidInput:
        return str(ms)


def _cell(text: str) -> str:
    """Returns a value that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def plain_of(value: Any) -> Any:
    """Returns plain data as JSON says it: bytes in hex, names as text."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(key): plain_of(part) for key, part in value.items()}
        case list() | tuple():
            return [plain_of(part) for part in value]
    return value


def readme(counts: Mapping[str, int]) -> str:
    """Returns what is written beside the data, in Vietnamese: files, and what the fields mean."""
    files = "\n".join(f"- `{name}`: {count}" for name, count in sorted(counts.items()))
    fields = "\n".join(f"| `{key}` | {label} |" for key, label in FIELD_LABELS.items())
    return f"""# Dữ liệu một cửa, định dạng mở

**Có dữ liệu cá nhân.** Giữ như hồ sơ giấy: chỉ người có trách nhiệm được xem; xóa khi không còn cần.

{files}

Mỗi dòng của tệp `.jsonl` là một tài liệu, theo `schema.json` (JSON Schema). `ho-so.csv` là bảng phẳng của
các trường chính, UTF-8, mở được bằng bảng tính. Tệp đính kèm nằm trong `dinh-kem/`, tên là mã nội dung
(`attachment` trong trường `dinh_kem/…`). Thời gian tính bằng mili giây từ 1970 UTC; trong bảng là giờ
Việt Nam. Giá trị nhị phân viết bằng hex.

| Trường | Nghĩa |
|---|---|
{fields}
"""

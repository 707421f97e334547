"""Lines of an older register, planned: what each becomes, or what is wrong with it, by line and column. Pure.

A line that was returned becomes an entry of the old register (`old_entry`); one that is still open becomes a
dossier that was accepted. Codes are kept as they were. Nothing is guessed: a number that may have lost its
leading zero, a date in another form, a procedure that nobody mapped are told, and the line is not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from onestop_sync.codec import nfc
from onestop_sync.dossier.calendar import VIETNAM, Calendar
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.checks import check_values, kind_of, tidy
from onestop_sync.dossier.codes import read_dossier_code
from onestop_sync.dossier.dates import BY_INTAKE, given_due, local, to_ms
from onestop_sync.dossier.deadlines import FIRST_YEAR, LAST_YEAR
from onestop_sync.dossier.old_entry import FROM_REGISTER
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.profiles import LegalProfile, profile_for
from onestop_sync.errors import FormatError, InvalidInput, NotFound

__all__ = ["FIELDS", "BadRow", "PlannedRow", "RegisterMap", "Row", "Rules", "map_from_plain", "plan_rows"]

_TEXTS: Final = (
    "ma_ho_so", "ma_thu_tuc", "nguoi_nop", "so_dinh_danh", "dia_chi", "dien_thoai", "email", "noi_dung",
    "trang_thai", "ghi_chu",
)  # fmt: skip
_DATES: Final = ("tiep_nhan_luc", "han_tra", "tra_luc")
FIELDS: Final = frozenset({*_TEXTS, *_DATES})
"""What a column may be mapped to."""
_MUST: Final = ("ma_ho_so", "ma_thu_tuc", "nguoi_nop", "tiep_nhan_luc")
_DIGITS: Final = frozenset({"so_dinh_danh", "dien_thoai", "ma_ho_so", "ma_thu_tuc"})
"""A cell that is a number may have lost what these begin with."""
_CODE_MAX: Final = 64
_ERRORS: Final = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})
"""What a spreadsheet shows where a formula came to nothing."""
_NOT_TYPED: Final = frozenset({"ma_ho_so", "trang_thai", "ghi_chu"})


class RegisterMap(NamedTuple):
    """What the columns of a register mean.

    Attributes:
        columns: Heading → field, see `FIELDS`.
        sheet: Name of the sheet; empty: the first.
        dates: Forms in which dates are written, as `datetime.strptime` reads them; the first that fits.
        procedures: What stands in the column of the procedure → code, or nothing where nobody knows it; codes
            need no line here.
        returned: Words of the column ``trang_thai`` that mean that the dossier is closed; without that column
            it is closed when it bears the date of its return.
    """

    columns: Mapping[str, str]
    sheet: str
    dates: tuple[str, ...]
    procedures: Mapping[str, str]
    returned: frozenset[str]


class Row(NamedTuple):
    """One line: its number in the file, from 1, and its cells by heading."""

    line: int
    cells: Mapping[str, Any]


class BadRow(NamedTuple):
    """What is wrong with a line.

    Attributes:
        line: Its number in the file.
        field: The field that is meant.
        reason: ``missing``, ``number``, ``error`` (of a formula), ``date``, ``procedure``, ``twice``,
            ``here``, ``today``, ``order``, ``status`` (returned on a day, but not by its status), ``long``,
            ``profile``, or a code of `checks.Issue`.
    """

    line: int
    field: str
    reason: str


class PlannedRow(NamedTuple):
    """What a line becomes.

    Attributes:
        line: Its number in the file.
        code: The dossier's code, as it was.
        is_open: Whether it becomes a dossier that goes on; else an entry of the old register.
        values: Register key → value.
    """

    line: int
    code: str
    is_open: bool
    values: dict[str, Any]


class Rules(NamedTuple):
    """What lines are read by."""

    catalogue: Catalogue
    calendar: Calendar
    profiles: Sequence[LegalProfile]
    today: date


class _Bad(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def map_from_plain(value: object) -> RegisterMap:
    """Reads a mapping: ``{columns, sheet?, dates?, procedures?, returned?}``.

    Raises:
        FormatError: It is none, or leaves out what no line can do without.
    """
    plain = PlainMap(value, "mapping of columns")
    columns = _texts(plain, "columns")
    unknown = sorted(set(columns.values()) - FIELDS)
    if unknown:
        raise FormatError(f"The mapping names no field: {unknown[0][:40]!r}.")
    missing = [field for field in _MUST if field not in columns.values()]
    if missing or len(set(columns.values())) != len(columns):
        raise FormatError(f"The mapping lacks a column for {missing}, or names a field twice.")
    dates = plain.texts("dates") or ("%d/%m/%Y", "%d/%m/%Y %H:%M")
    return RegisterMap(
        columns,
        plain.text("sheet", ""),
        dates,
        _texts(plain, "procedures"),
        frozenset(map(nfc, plain.texts("returned"))),
    )


def _texts(plain: PlainMap, key: str) -> dict[str, str]:
    value = plain.raw(key) if plain.has(key) else {}
    inner = PlainMap(value, key)
    if not isinstance(value, Mapping):
        return {}
    return {nfc(str(name)): nfc(inner.text(name)) for name in value}


def plan_rows(
    rows: Iterable[Row], how: RegisterMap, rules: Rules, is_here: Callable[[str], bool], source: str
) -> tuple[list[PlannedRow], list[BadRow]]:
    """Plans all lines.

    Args:
        rows: The lines below the headings.
        how: What the columns mean.
        rules: Catalogue, calendar, legal profiles, today.
        is_here: Tells whether a code is here already.
        source: What the file is known by: a hash of it, never its name.

    Returns:
        What the good lines become, and what is wrong with the others; whoever writes, writes all or nothing.
    """
    good: list[PlannedRow] = []
    bad: list[BadRow] = []
    seen: set[str] = set()
    for row in rows:
        try:
            planned = _plan(row, how, rules, source)
            if planned.code in seen:
                raise _Bad("ma_ho_so", "twice")
            seen.add(planned.code)
            if is_here(planned.code):
                raise _Bad("ma_ho_so", "here")
        except _Bad as error:
            bad.append(BadRow(row.line, error.field, error.reason))
        else:
            good.append(planned)
    return good, bad


def _plan(row: Row, how: RegisterMap, rules: Rules, source: str) -> PlannedRow:
    cells = {field: row.cells.get(heading) for heading, field in how.columns.items()}
    values: dict[str, Any] = {field: _text(field, cells.get(field)) for field in _TEXTS}
    moments = {field: _moment(field, cells.get(field), how, rules.calendar) for field in _DATES}
    for field in _MUST:
        if not values.get(field) and moments.get(field) is None:
            raise _Bad(field, "missing")
    received = moments["tiep_nhan_luc"]
    assert received is not None  # it is among those that must be there
    _check_times(received, moments, rules.today)
    is_open = not (values["trang_thai"] in how.returned if values["trang_thai"] else moments["tra_luc"])
    if is_open and moments["tra_luc"] is not None:
        raise _Bad("trang_thai", "status")
    code = values["ma_ho_so"]
    if len(code) > _CODE_MAX:
        raise _Bad("ma_ho_so", "long")
    parts = read_dossier_code(code)
    if parts is not None and parts.received_on >= rules.today:
        raise _Bad("ma_ho_so", "today")
    written = _named(values, how, rules, local(received).date(), is_open=is_open)
    written |= {"tiep_nhan_luc": received, "nguon": {"cach": FROM_REGISTER, "dong": row.line, "tep": source}}
    due, returned = moments["han_tra"], moments["tra_luc"]
    if not is_open:
        written |= {} if due is None else {"han_tra": due}
    elif due is None:
        raise _Bad("han_tra", "missing")
    else:
        written["han_tra"] = given_due(due, received, BY_INTAKE, rules.calendar, _profile(received, rules))
    if not is_open and returned is not None:
        written["tra_luc"] = returned
    return PlannedRow(row.line, code, is_open, written)


def _named(
    values: Mapping[str, str], how: RegisterMap, rules: Rules, day: date, *, is_open: bool
) -> dict[str, Any]:
    """Returns the texts as they are written: the procedure by its code, and what an open dossier needs."""
    code = how.procedures.get(values["ma_thu_tuc"]) or values["ma_thu_tuc"]
    try:
        procedure = rules.catalogue.get(code)
    except NotFound:
        if is_open:
            raise _Bad("ma_thu_tuc", "procedure") from None
        return tidy({**values, "ten_thu_tuc": code})
    named = {**values, "ma_thu_tuc": procedure.code, "ten_thu_tuc": procedure.full_name_vi}
    if not is_open:
        return tidy(named)
    named["noi_dung"] = values["noi_dung"] or procedure.full_name_vi
    written = tidy({key: value for key, value in named.items() if key not in _NOT_TYPED})
    kind = kind_of(written.get("so_dinh_danh", ""))
    written |= {"hinh_thuc_nop": "truc_tiep", "loai_doi_tuong": kind}
    problems = check_values(written, day)
    if problems:
        raise _Bad(problems[0].key, str(problems[0].code))
    return {**written, "ma_ho_so": values["ma_ho_so"]}


def _text(field: str, cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if field in _DIGITS:
            raise _Bad(field, "number")
        return str(int(cell)) if float(cell).is_integer() else str(cell)
    text = nfc(" ".join(str(cell).split()))
    if text in _ERRORS:
        raise _Bad(field, "error")
    return text


def _moment(field: str, cell: Any, how: RegisterMap, calendar: Calendar) -> int | None:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    found, has_hour = _read(field, cell, how.dates)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise _Bad(field, "date")
    if not has_hour and field == "han_tra":  # the day counts until the office closes
        found = datetime.combine(found.date(), time()) + timedelta(minutes=calendar.windows[-1].end_min)
    return to_ms(found.replace(tzinfo=VIETNAM))


def _read(field: str, cell: Any, forms: Sequence[str]) -> tuple[datetime, bool]:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None), cell.time() != time()
    if isinstance(cell, date):
        return datetime.combine(cell, time()), False
    for form in forms:
        try:
            return datetime.strptime(str(cell).strip(), form), "%H" in form  # noqa: DTZ007 - Vietnam's, see above
        except ValueError:
            continue
    raise _Bad(field, "date")


def _check_times(received: int, moments: Mapping[str, int | None], today: date) -> None:
    if local(received).date() >= today:
        raise _Bad("tiep_nhan_luc", "today")  # today's serials are this program's to give
    for field in ("han_tra", "tra_luc"):
        moment = moments[field]
        if moment is not None and local(moment).date() < local(received).date():
            raise _Bad(field, "order")


def _profile(received: int, rules: Rules) -> LegalProfile:
    try:
        return profile_for(local(received).date(), rules.profiles)
    except InvalidInput:
        raise _Bad("tiep_nhan_luc", "profile") from None

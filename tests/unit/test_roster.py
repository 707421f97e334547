"""The spreadsheet of day one: what is told of bad rows, what applying makes, and that twice is once."""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from onestop_sync import enrol, enrol_codes, enrol_grant, enrol_proof, enrol_take
from onestop_sync.enrol_code import read_code
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, WrongPassphrase
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keys import FAST_FOR_TESTS, SigningKey
from onestop_sync.store import Store
from onestop_sync.trust import Unit
from server_stub import province, roster_files, sheets
from server_stub.keyfiles import PUBLISHING, seal_key
from server_stub.roster import SHEETS, Problem, Row
from server_stub.roster_apply import Applied, SheetFacts, apply
from server_stub.roster_check import check
from tests.province import CASE

PASSPHRASE = "một cửa liên thông"
TOP = Unit("t01", "UBND tỉnh", "", "province", ("000.00.00.H56",))
KNOWN = {"t01": TOP, "x00": Unit("x00", "Xã Không", "t01", "commune", ("000.00.01.H56",))}
Table = list[dict[str, str]]
UNIT = {"id": "x01", "name": "Xã Một", "parent": "t01", "level": "xã", "codes": "000.17.22.H56"}
MACHINE = {"unit": "x01", "name": "Máy 1", "serves": "", "blocks": ""}
OFFICER = {
    "unit": "x01",
    "name": "Nguyễn An",
    "person": "CB1",
    "roles": "tiếp nhận; Trả kết quả",
    "machines": "Máy 1",
}


def rows(units: Table, machines: Table, officers: Table) -> list[Row]:
    """Returns tables as they are read, the first row of each being row 2."""
    tables = zip(("units", "machines", "officers"), (units, machines, officers), strict=True)
    return [Row(sheet, n, cells) for sheet, table in tables for n, cells in enumerate(table, 2)]


def faults(units: Table, machines: Table, officers: Table) -> list[tuple[str, int, str]]:
    """Returns where something is wrong."""
    return [(p.sheet, p.row, p.column) for p in check(rows(units, machines, officers), KNOWN)[1]]


def test_a_sound_roster_says_what_each_code_allows() -> None:
    """Units come parents first, machines with their officers, roles and persons."""
    below = {**UNIT, "id": "x02", "parent": "x01", "codes": ""}
    roster, problems = check(
        rows(
            [below, UNIT],
            [MACHINE],
            [OFFICER, {**OFFICER, "name": "Lê Bình", "person": "", "roles": "LANH DAO"}],
        ),
        KNOWN,
    )
    assert problems == []
    assert [u.id for u in roster.units] == ["x01", "x02"]
    (grant,) = roster.machines
    assert [(o.name, o.roles, o.person) for o in grant.officers] == [
        ("Nguyễn An", frozenset({"tiep_nhan", "tra_ket_qua"}), "CB1"),
        ("Lê Bình", frozenset({"lanh_dao"}), ""),
    ]
    assert (grant.unit, grant.machine_name, grant.serves, grant.blocks) == ("x01", "Máy 1", False, None)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"id": ""}, ("Mã đơn vị", 2)),
        ({"id": "x 1"}, ("Mã đơn vị", 2)),
        ({"id": "x" * 65}, ("Mã đơn vị", 2)),
        ({"name": ""}, ("Tên đơn vị", 2)),
        ({"name": "x" * 201}, ("Tên đơn vị", 2)),
        ({"level": "thôn"}, ("Cấp (tỉnh, huyện, xã)", 2)),
        ({"parent": "x99"}, ("Mã đơn vị cấp trên", 2)),
        ({"parent": ""}, ("Mã đơn vị cấp trên", 2)),
        ({"parent": "x01"}, ("Mã đơn vị cấp trên", 2)),
        ({"codes": "17.22"}, ("Mã cơ quan", 2)),
        ({"codes": "000.00.01.H56"}, ("Mã cơ quan", 2)),
    ],
)
def test_a_bad_unit_is_told_by_its_cell(change: dict[str, str], where: tuple[str, int]) -> None:
    """Empty, unknown, doubled or malformed: the cell is named."""
    unit = {**UNIT, **change}
    assert ("Đơn vị", where[1], where[0]) in faults([unit], [], [])


def test_units_are_added_and_never_changed() -> None:
    """A unit that is there may stand in the table as it is; with another value, or twice, it is refused."""
    same = {"id": "x00", "name": "Xã Không", "parent": "t01", "level": "commune", "codes": "000.00.01.H56"}
    assert faults([same], [], []) == []
    assert faults([{**same, "name": "Xã Khác"}], [], []) == [("Đơn vị", 2, "Tên đơn vị")]
    assert faults([UNIT, {**UNIT, "codes": ""}], [], []) == [("Đơn vị", 3, "Mã đơn vị")]


def test_a_ring_of_units_is_found() -> None:
    """Units that are above each other are told, both, and none is published."""
    ring = [{**UNIT, "parent": "x02"}, {**UNIT, "id": "x02", "parent": "x01", "codes": ""}]
    roster, problems = check(rows(ring, [], []), KNOWN)
    assert ([p.row for p in problems], roster.units) == ([2, 3], ())


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"unit": "x99"}, "Mã đơn vị"),
        ({"unit": ""}, "Mã đơn vị"),
        ({"name": ""}, "Tên máy"),
        ({"name": "x\x07"}, "Tên máy"),
        ({"serves": "maybe"}, "Là máy chủ (x)"),
        ({"blocks": "1-"}, "Dải số hồ sơ"),
        ({"blocks": "500-1"}, "Dải số hồ sơ"),
        ({"blocks": "0-5"}, "Dải số hồ sơ"),
        ({"blocks": "1-500;400-600"}, "Dải số hồ sơ"),
    ],
)
def test_a_bad_machine_is_told_by_its_cell(change: dict[str, str], column: str) -> None:
    """An unknown unit, an empty name, serials that are none or overlap: the cell is named."""
    assert ("Máy", 2, column) in faults([UNIT], [{**MACHINE, **change}], [])


def test_machines_of_one_unit_are_told_apart() -> None:
    """Two machines of one name, blocks of two that overlap, and more than the serials hold, are refused."""
    twice = [MACHINE, {**MACHINE, "name": "may 1"}]
    assert ("Máy", 3, "Tên máy") in faults([UNIT], twice, [OFFICER])
    blocks = [
        {**MACHINE, "blocks": "1-500"},
        {**MACHINE, "name": "Máy 2", "blocks": "500-600", "serves": "x"},
    ]
    assert faults([UNIT], blocks, [OFFICER]) == [("Máy", 3, "Dải số hồ sơ")]
    many = [{**MACHINE, "name": f"Máy {n}", "serves": "x"} for n in range(11)]
    assert faults([UNIT], many, []) == [("Máy", 12, "Dải số hồ sơ")]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"unit": "x99"}, "Mã đơn vị"),
        ({"name": ""}, "Họ và tên"),
        ({"roles": ""}, "Vai trò"),
        ({"roles": "giám đốc"}, "Vai trò"),
        ({"machines": "Máy 9"}, "Máy làm việc"),
        ({"machines": ""}, "Máy làm việc"),
        ({"person": "012345678901"}, "Mã số cán bộ"),
    ],
)
def test_a_bad_officer_is_told_by_their_cell(change: dict[str, str], column: str) -> None:
    """An unknown unit, role or machine, an empty cell, a citizen's number: the cell is named."""
    assert ("Cán bộ", 2, column) in faults([UNIT], [MACHINE], [{**OFFICER, **change}])


def test_people_are_told_apart() -> None:
    """One name twice on a machine, one id for two people, and a machine without anybody are refused."""
    assert faults([UNIT], [MACHINE], [OFFICER, {**OFFICER, "person": "CB2"}]) == [("Cán bộ", 3, "Họ và tên")]
    assert faults([UNIT], [MACHINE], [OFFICER, {**OFFICER, "name": "Lê Bình"}]) == [
        ("Cán bộ", 3, "Mã số cán bộ")
    ]
    assert faults([UNIT], [MACHINE], []) == [("Máy", 2, "Tên máy")]


# ------------------------------------------------------------------------------------------------------ files


def test_the_template_is_read_back(tmp_path: Path) -> None:
    """The empty spreadsheet has all columns and a sound example; a file that is there stays."""
    path = tmp_path / "danh-sach.xlsx"
    roster_files.write_template(path)
    found, problems = roster_files.read(path)
    assert (problems, [row.sheet for row in found]) == ([], ["units", "machines", "officers"])
    roster, wrong = check(found, KNOWN)
    assert (wrong, len(roster.machines)) == ([], 1)
    with pytest.raises(InvalidInput):
        roster_files.write_template(path)


def test_a_folder_of_csv_is_the_same(tmp_path: Path) -> None:
    """CSV as Excel saves it, with a mark at its start and semicolons, gives the same rows."""
    for sheet, cells in zip(SHEETS, (UNIT, MACHINE, OFFICER), strict=True):
        with (tmp_path / sheet.file).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(column.label for column in sheet.columns)
            writer.writerow(cells.values())
            writer.writerow([])
    assert roster_files.read(tmp_path) == (rows([UNIT], [MACHINE], [OFFICER]), [])


def test_columns_and_cells_that_do_not_do_are_told(tmp_path: Path) -> None:
    """A missing, unknown or doubled column is named; numbers are text without a decimal point."""
    book = openpyxl.Workbook()
    book.active.title = "may"
    book.active.append(["Mã đơn vị", "Mã đơn vị", "Màu"])
    page = book.create_sheet("Đơn vị")
    page.append(["id", "name", "level"])
    page.append([17, " Xã   Một ", None])
    book.save(tmp_path / "x.xlsx")
    found, problems = roster_files.read(tmp_path / "x.xlsx")
    assert found == [Row("units", 2, {"id": "17", "name": "Xã Một", "level": ""})]
    assert [(p.sheet, p.row, p.column) for p in problems] == [
        ("Máy", 1, "Mã đơn vị"),
        ("Máy", 1, "Màu"),
        ("Máy", 1, "Tên máy"),
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no workbook", b"id,name\n"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    """A damaged file, or one of another kind, gives one sentence."""
    (tmp_path / "x.xlsx").write_bytes(data)
    with pytest.raises(InvalidInput):
        roster_files.read(tmp_path / "x.xlsx")
    with pytest.raises(InvalidInput):
        roster_files.read(tmp_path / "missing.xlsx")


# --------------------------------------------------------------------------------------------------- applying


class Tinh:
    """A province with a top unit only, and what its administrator does."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.folder = folder
        made = province.found(
            folder / "tinh",
            [TOP],
            holder="quan-tri",
            passphrase=PASSPHRASE,
            root_passphrase=PASSPHRASE,
            machine_name="Máy chủ tỉnh",
            types=[CASE],
            cost=FAST_FOR_TESTS,
            database=database,
        )
        self.store: Store = made.store
        self.admin = Keyring(folder / "tinh").unlock("quan-tri", PASSPHRASE).officer
        self.printed: list[SheetFacts] = []

    def apply(self, units: Table, machines: Table, officers: Table, **options: Any) -> Applied:
        """Applies tables that must be sound."""
        roster, problems = check(rows(units, machines, officers), self.store.trust.document.units)
        assert problems == []
        return apply(
            self.store,
            self.admin,
            roster,
            publish_units=self.publish,
            print_sheets=options.pop("print_sheets", self.keep),
            **options,
        )

    def publish(self, units: Sequence[Unit]) -> None:
        """Signs with the root key."""
        province.publish_units(self.store, units, self.folder / "tinh" / PUBLISHING, PASSPHRASE)

    def keep(self, printed: Sequence[SheetFacts]) -> None:
        """Keeps what was printed."""
        self.printed = list(printed)

    def enrol(self, code: str, officer: str, seed: int = 1, secrets: Secrets | None = None) -> Secrets:
        """Uses a code as a machine of its unit does."""
        rng = random.Random(seed)
        made = secrets or Secrets(
            "", b"", SigningKey(rng.randbytes(32)), rng.randbytes(32), SigningKey(rng.randbytes(32))
        )
        request = enrol.request(made, "x01", "Máy", [enrol.Applicant(officer, made.officer, ["clerk"])])
        packet = enrol_proof.request_packet(read_code(code), request)
        assert enrol_take.take(self.store, self.admin, packet).enrolled
        return made


@pytest.fixture
def tinh(tmp_path: Path, database_url: str) -> Iterator[Tinh]:
    """Give a province, once on each kind of database."""
    made = Tinh(tmp_path, database_url)
    yield made
    made.store.close()


def test_applying_twice_changes_nothing_and_a_grown_table_adds(tinh: Tinh) -> None:
    """The second time nothing is printed; new machines get codes, new officers come under the open one."""
    first = tinh.apply([UNIT], [MACHINE], [OFFICER])
    assert ([u.id for u in first.units], len(first.sheets)) == (["x01"], 1)
    trust = tinh.store.trust_bytes
    again = tinh.apply([UNIT], [MACHINE], [OFFICER])
    assert (again, tinh.store.trust_bytes) == (Applied((), (), (), (), 1), trust)
    second, other = {**MACHINE, "name": "Máy 2"}, {**OFFICER, "name": "Lê Bình", "person": "CB2"}
    grown = tinh.apply([UNIT], [MACHINE, second], [OFFICER, {**other, "machines": "Máy 1; Máy 2"}])
    assert [s.grant.machine_name for s in grown.sheets] == ["Máy 2"]
    assert grown.widened == (("x01", "Máy 1"),)
    tinh.enrol(first.sheets[0].made.code, "Lê Bình")


def test_officers_who_come_after_enrolment_get_a_code_of_their_machine(tinh: Tinh) -> None:
    """A new officer's code is for that machine and no other; lost, it is renewed until the officer came."""
    first = tinh.apply([UNIT], [MACHINE], [OFFICER])
    secrets = tinh.enrol(first.sheets[0].made.code, "Nguyễn An")
    other = {**OFFICER, "name": "Lê Bình", "person": "CB2"}
    (lost,) = tinh.apply([UNIT], [MACHINE], [OFFICER, other]).sheets
    assert tinh.apply([UNIT], [MACHINE], [OFFICER, other]).unchanged == 1
    (sheet,) = tinh.apply([UNIT], [MACHINE], [OFFICER, other], renew=True).sheets
    assert lost.made.code != sheet.made.code
    assert (sheet.is_addition, [o.name for o in sheet.grant.officers]) == (True, ["Lê Bình"])
    tinh.enrol(sheet.made.code, "Lê Bình", secrets=secrets._replace(officer=SigningKey(bytes(32))))
    assert tinh.apply([UNIT], [MACHINE], [OFFICER, other], renew=True).unchanged == 1


def test_lost_sheets_are_renewed_only_when_asked(tinh: Tinh) -> None:
    """A code that ended unused is told; `renew` makes a new one, ends the old, and leaves used ones alone."""
    first = tinh.apply([UNIT], [MACHINE], [OFFICER], hours=0.000001)
    time.sleep(0.02)
    assert tinh.apply([UNIT], [MACHINE], [OFFICER]).expired == (("x01", "Máy 1"),)
    renewed = tinh.apply([UNIT], [MACHINE], [OFFICER], renew=True)
    twice = tinh.apply([UNIT], [MACHINE], [OFFICER], renew=True)
    codes = {s.made.code for a in (first, renewed, twice) for s in a.sheets}
    assert len(codes) == 3
    tinh.enrol(twice.sheets[0].made.code, "Nguyễn An")
    assert tinh.apply([UNIT], [MACHINE], [OFFICER], renew=True).unchanged == 1
    assert [i.is_open(tinh.store.clock()) for i in enrol_codes.issued(tinh.store)] == [False] * 3


def test_when_printing_fails_there_is_no_code(tinh: Tinh) -> None:
    """A full disk under the sheets leaves no code behind, and the same again works."""

    def full(_: Sequence[SheetFacts]) -> None:
        raise InvalidInput("The disk is full.")

    with pytest.raises(InvalidInput):
        tinh.apply([UNIT], [MACHINE], [OFFICER], print_sheets=full)
    assert enrol_codes.issued(tinh.store) == []
    assert len(tinh.apply([UNIT], [MACHINE], [OFFICER]).sheets) == 1


def test_units_need_the_publishing_key(tinh: Tinh, tmp_path: Path) -> None:
    """Without the key, with a wrong passphrase, or with a key that the root does not name, nothing is new."""
    key, other = tmp_path / "tinh" / PUBLISHING, tmp_path / "other.key"
    seal_key(other, bytes(32), PASSPHRASE, "publishing", cost=FAST_FOR_TESTS)
    unit = [Unit("x01", "Xã Một", "t01", "commune")]
    for path, passphrase, error in (
        (tmp_path / "nowhere", PASSPHRASE, NotFound), (key, "sai mật khẩu", WrongPassphrase),
        (other, PASSPHRASE, NotAllowed),
    ):  # fmt: skip
        with pytest.raises(error):
            province.publish_units(tinh.store, unit, path, passphrase)
    assert set(tinh.store.trust.document.units) == {"t01"}


def test_nothing_new_begins_in_a_unit_that_has_ended() -> None:
    """A machine or officer of a merged commune is told, and its old codes stay its own."""
    ended = {
        **KNOWN,
        "x01": Unit("x01", "Xã Một", "t01", "commune", ("000.17.22.H56",), until_ms=1, successors=("x00",)),
    }
    found = check(rows([{**UNIT, "id": "x02"}], [MACHINE], [OFFICER]), ended)[1]
    assert [(p.sheet, p.column) for p in found] == [
        ("Đơn vị", "Mã cơ quan"), ("Máy", "Mã đơn vị"), ("Cán bộ", "Mã đơn vị"),
    ]  # fmt: skip


def day_one(communes: int, machines: int) -> tuple[Table, Table, Table]:
    """Returns the tables of a whole province."""
    units = [
        {**UNIT, "id": f"x{n:03}", "name": f"Xã Số {n}", "codes": f"000.{n // 100:02}.{n % 100:02}.H56"}
        for n in range(1, communes + 1)
    ]
    pcs = [
        {**MACHINE, "unit": u["id"], "name": f"Máy {m}"} for u in units for m in range(machines // communes)
    ]
    people = [
        {
            **OFFICER,
            "unit": pc["unit"],
            "name": f"Nguyễn Thị {pc['name']} {k}",
            "person": f"{pc['unit']}-{pc['name']}-{k}",
            "machines": pc["name"],
        }
        for pc in pcs
        for k in range(2)
    ]
    return units, pcs, people


def write_book(path: Path, tables: tuple[Table, Table, Table]) -> None:
    """Writes tables as a workbook."""
    book = openpyxl.Workbook(write_only=True)
    for sheet, table in zip(SHEETS, tables, strict=True):
        page = book.create_sheet(sheet.label)
        page.append([column.label for column in sheet.columns])
        for cells in table:
            page.append([cells[column.key] for column in sheet.columns])
    book.save(path)


def test_a_whole_province_in_one_go(tinh: Tinh, tmp_path: Path) -> None:
    """200 communes, 600 machines: read, checked, published, coded and printed; a second time nothing.

    A fifth of them on PostgreSQL: what it costs there is the same again.
    """
    communes = 40 if tinh.store.engine.dialect.name == "postgresql" else 200
    machines = 3 * communes
    path = tmp_path / "day-one.xlsx"
    write_book(path, day_one(communes, machines))
    found, wrong = roster_files.read(path)
    roster, problems = check(found, tinh.store.trust.document.units)
    assert (wrong, problems, len(roster.units), len(roster.machines)) == ([], [], communes, machines)
    pages: list[bytes] = []

    def render(printed: Sequence[SheetFacts]) -> None:
        pages.append(sheets.render(printed, sheets.Surroundings(("https://t.example.vn",), "7f90 a6a8", 0)))

    applied = apply(
        tinh.store, tinh.admin, roster, publish_units=tinh.publish, print_sheets=render, hours=240
    )
    assert (len(applied.units), len(applied.sheets), len({s.made.code for s in applied.sheets})) == (
        communes,
        machines,
        machines,
    )
    assert pages[0].count(b"/Type /Page\n") == machines
    again = apply(tinh.store, tinh.admin, roster, publish_units=tinh.publish, print_sheets=render)
    assert (again.unchanged, len(pages)) == (machines, 1)


def test_a_page_holds_whatever_a_roster_may_say() -> None:
    """The longest names, ids, addresses and the most officers leave room for all steps above the foot."""
    ends: list[float] = []
    real: Callable[[Any], float] = sheets._Page.draw
    roles = frozenset({"tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao", "quan_tri"})
    made = enrol_codes.Made("K7QF4-" * 4 + "K7QF4", "K7QF", 0)
    unit = Unit("W" * 64, "Ủy ban Ngành Đặng " * 11, "t01", "commune")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheets._Page, "draw", lambda page: ends.append(real(page)))
        for count in (0, 3, 5, 8, 40):
            officers = tuple(
                enrol_grant.Named(f"{n} " + "Nguyễn Thị Thanh " * 11, roles) for n in range(count)
            )
            facts = SheetFacts(
                unit, enrol_grant.Grant("x", "Máy Mười Bảy " * 15, officers, serves=True), made, False
            )
            sheets.render([facts], sheets.Surroundings(("https://" + "w" * 90,) * 3, "7f90 " * 5, 0))
    assert max(ends) < 210 - 12 - 9


def test_problems_are_in_the_order_of_the_file() -> None:
    """Whoever corrects the file goes through it once, from the first sheet down."""
    problems = check(
        rows([UNIT, {**UNIT, "id": ""}], [{**MACHINE, "unit": "?"}], [{**OFFICER, "roles": "?"}]), KNOWN
    )[1]
    assert [(p.sheet, p.row) for p in problems] == [("Đơn vị", 3), ("Máy", 2), ("Cán bộ", 2), ("Cán bộ", 2)]
    assert isinstance(problems[0], Problem)

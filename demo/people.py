"""Invented applicants and what they bring to the counter: deterministic, and nobody real.

Names follow the frequencies of Vietnamese family names. What could reach or name a person is made so that
it cannot: identity numbers begin with 000, a province code that was never given out (Hà Nội is 001);
phone numbers begin with 012, a prefix withdrawn in 2018; communes, villages and hospitals are invented.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import cycle
from random import Random
from typing import Final

from demo.forms import FORMS, NARRATIVES, Answers
from onestop_sync.dossier.catalogue import Catalogue

__all__ = ["DEMO_DAY", "DossierContent", "Person", "applicants", "dossiers", "text_size_bytes"]

DEMO_DAY: Final = date(2026, 3, 2)
"""The day from which ages are counted: a Monday in an announced year."""

_FAMILY: Final = {
    "Nguyễn": 380, "Trần": 110, "Lê": 95, "Phạm": 70, "Hoàng": 35, "Huỳnh": 16, "Phan": 45, "Vũ": 25,
    "Võ": 14, "Đặng": 21, "Bùi": 20, "Đỗ": 14, "Hồ": 13, "Ngô": 13, "Dương": 10, "Lý": 5, "Đinh": 9,
    "Trịnh": 8, "Đoàn": 8, "Mai": 7, "Lương": 6, "Tạ": 5, "Nông": 5, "Vi": 4, "Hà": 6, "Phùng": 5,
    "Triệu": 3, "Lò": 4,
}  # fmt: skip
_MIDDLE: Final = {
    "nam": (
        "Văn",
        "Văn",
        "Văn",
        "Hữu",
        "Đức",
        "Công",
        "Quang",
        "Minh",
        "Xuân",
        "Thành",
        "Đình",
        "Bá",
        "Trọng",
    ),
    "nữ": ("Thị", "Thị", "Thị", "Thị", "Thị Thu", "Thị Kim", "Ngọc", "Thanh", "Thị Hồng", "Diệu", "Phương"),
}
_GIVEN: Final = {
    "nam": (
        "Anh", "Bảo", "Bình", "Chiến", "Cường", "Dũng", "Duy", "Đạt", "Đức", "Giang", "Hải", "Hiếu", "Hoà",
        "Hùng", "Huy", "Hưng", "Khánh", "Khoa", "Kiên", "Lâm", "Long", "Lộc", "Mạnh", "Nam", "Nghĩa",
        "Phong", "Phúc", "Quân", "Quý", "Sơn", "Tài", "Thái", "Thắng", "Thịnh", "Tiến", "Toàn", "Trung",
        "Tuấn", "Tùng", "Việt",
    ),
    "nữ": (
        "Ánh", "Bích", "Châu", "Chi", "Cúc", "Diễm", "Dung", "Duyên", "Đào", "Giang", "Hà", "Hạnh", "Hằng",
        "Hiền", "Hoa", "Hồng", "Huệ", "Hương", "Hường", "Lan", "Liên", "Linh", "Loan", "Mai", "My", "Nga",
        "Ngân", "Ngọc", "Nhung", "Oanh", "Phượng", "Quỳnh", "Thảo", "Thuỷ", "Thương", "Trang", "Trâm",
        "Tuyết", "Vân", "Yến",
    ),
}  # fmt: skip
_COMMUNES: Final = ("xã Phú An Hạ", "xã Đồng Lĩnh", "xã Tân Sơn Đông", "phường Bến Ngự Tây", "xã Khe Trầu")
_VILLAGES: Final = (
    "Thượng",
    "Hạ",
    "Đông",
    "Đoài",
    "Trung",
    "Bãi Dâu",
    "Cầu Đá",
    "Gò Mít",
    "Lũng Vài",
    "Suối Cạn",
)
_PHONE_PREFIXES: Final = ("0121", "0123", "0126", "0128")
_CENTURY: Final = 100
_OWN_FIELDS: Final = "truong_rieng"
"""Field of the schema, a map, that holds what only one procedure's form asks."""


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person.

    Attributes:
        sex: "nam" or "nữ".
        id_number: 12 digits: 000, century and sex, year of birth, 6 digits.
    """

    full_name: str
    sex: str
    born_on: date
    id_number: str
    phone: str
    address: str
    ethnicity: str

    @property
    def family_name(self) -> str:
        """The first of the names."""
        return self.full_name.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class DossierContent:
    """What one applicant brings to the counter.

    Attributes:
        fields: Text, or a list of texts, by register key of the dossier's schema: `nguoi_nop`, `noi_dung`,
            `truong_rieng/Họ tên con`.
        attachments: Names of the documents handed in, from the procedure's checklist.
    """

    procedure_code: str
    fields: dict[str, str | list[str]]
    attachments: tuple[str, ...]


def _vietnamese_date(day: date) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


def _id_number(rng: Random, sex: str, born_on: date) -> str:
    """Make an identity number of the form that Thông tư 59/2021/TT-BCA gives (recalled), province 000."""
    century_and_sex = 2 * (born_on.year // _CENTURY - 19) + (sex == "nữ")
    return f"000{century_and_sex}{born_on.year % _CENTURY:02d}{rng.randrange(1_000_000):06d}"


def _address(rng: Random) -> str:
    commune = rng.choice(_COMMUNES)
    if commune.startswith("phường"):
        return f"Số {rng.randrange(1, 260)}, tổ {rng.randrange(1, 19)}, {commune}"
    place = rng.choice((f"thôn {rng.choice(_VILLAGES)}", f"xóm {rng.randrange(1, 15)}"))
    return f"{place[0].upper()}{place[1:]}, {commune}"


def make_person(
    rng: Random,
    on: date = DEMO_DAY,
    *,
    sex: str = "",
    family_name: str = "",
    ages: tuple[int, int] = (18, 80),
) -> Person:
    """Make one person.

    Args:
        rng: Source of chance; the same state makes the same person.
        on: Day from which the age is counted.
        sex: "nam" or "nữ"; either when empty.
        family_name: Taken from a parent; drawn when empty.
        ages: Youngest and oldest age in years, the oldest excluded.
    """
    sex = sex or rng.choice(("nam", "nữ"))
    family = family_name or rng.choices(list(_FAMILY), list(_FAMILY.values()))[0]
    name = f"{family} {rng.choice(_MIDDLE[sex])} {rng.choice(_GIVEN[sex])}"
    born_on = on - timedelta(
        days=rng.randrange(ages[0] * 366, ages[1] * 365) if ages[1] > 1 else rng.randrange(3, 55)
    )
    return Person(
        full_name=unicodedata.normalize("NFC", name),
        sex=sex,
        born_on=born_on,
        id_number=_id_number(rng, sex, born_on),
        phone=f"{rng.choice(_PHONE_PREFIXES)}{rng.randrange(1_000_000):06d}",
        address=_address(rng),
        ethnicity=rng.choices(("Kinh", "Tày", "Nùng", "Thái", "Mường", "Dao"), (70, 8, 7, 5, 6, 4))[0],
    )


def applicants(rng: Random, on: date = DEMO_DAY) -> Iterator[Person]:
    """Yield adult applicants without end."""
    while True:
        yield make_person(rng, on)


def _as_answer(person: Person) -> tuple[str, ...]:
    born_on = _vietnamese_date(person.born_on)
    return person.full_name, born_on, person.id_number, person.sex, person.address


class _Drawn(Answers):
    """Answers for a form, drawn by chance."""

    def __init__(self, rng: Random, applicant: Person, on: date) -> None:
        self._rng = rng
        self._on = on
        self._applicant = applicant

    def choice(self, options: Sequence[str]) -> str:
        return self._rng.choice(options)

    def number(self, low: int, high: int) -> int:
        return self._rng.randrange(low, high + 1)

    def recent_day(self, days: int) -> str:
        return _vietnamese_date(self._on - timedelta(days=self._rng.randrange(1, days + 1)))

    def applicant(self) -> tuple[str, ...]:
        return _as_answer(self._applicant)

    def person(
        self, sex: str = "", ages: tuple[int, int] = (18, 80), *, is_family: bool = False
    ) -> tuple[str, ...]:
        family = self._applicant.family_name if is_family else ""
        made = make_person(self._rng, self._on, sex=sex, family_name=family, ages=ages)
        return _as_answer(made)


def _applicant_fields(person: Person) -> dict[str, str | list[str]]:
    return {
        "nguoi_nop": person.full_name,
        "ngay_sinh": _vietnamese_date(person.born_on),
        "so_dinh_danh": person.id_number,
        "dia_chi": person.address,
        "dien_thoai": person.phone,
        f"{_OWN_FIELDS}/Giới tính": person.sex,
        f"{_OWN_FIELDS}/Dân tộc": person.ethnicity,
    }


def _field_size_bytes(value: str | list[str]) -> int:
    return len("".join(value).encode())


def text_size_bytes(content: DossierContent) -> int:
    """Return the size of all field values in bytes of UTF-8; their names do not count."""
    return sum(_field_size_bytes(value) for value in content.fields.values())


def _narrative(rng: Random, size_bytes: int) -> str:
    """Write an applicant's own account of so many bytes, within half a sentence."""
    order = list(NARRATIVES)
    rng.shuffle(order)
    text = ""
    for sentence in cycle(order):
        longer = f"{text} {sentence}".strip()
        if len(longer.encode()) - size_bytes > size_bytes - len(text.encode()):
            break
        text = longer
    return text


def _content(rng: Random, catalogue: Catalogue, code: str, on: date, size_hint: int) -> DossierContent:
    applicant = make_person(rng, on)
    procedure = catalogue.get(code, on)
    own = {f"{_OWN_FIELDS}/{name}": value for name, value in FORMS[code](_Drawn(rng, applicant, on)).items()}
    fields = {**_applicant_fields(applicant), **own, "noi_dung": f"Đề nghị giải quyết: {procedure.name_vi}."}
    attachments = tuple(document.name_vi for document in procedure.checklist)
    content = DossierContent(code, fields, attachments)
    # Real forms differ in length: a quarter more or less than what was asked, evenly.
    wanted = size_hint * rng.randrange(75, 126) // 100 - text_size_bytes(content)
    if size_hint and (account := _narrative(rng, max(wanted, 0))):
        fields["noi_dung"] = f"{fields['noi_dung']} {account}"
    return content


def dossiers(
    rng: Random, catalogue: Catalogue, n: int, *, on: date = DEMO_DAY, size_hint: int = 0
) -> list[DossierContent]:
    """Make dossiers over all procedures in force, in turn at first so that few dossiers cover them all.

    Args:
        rng: Source of chance; the same state makes the same dossiers.
        catalogue: Procedures in force on the day for which a form is known here are used.
        n: How many.
        on: Day of intake; births and deaths lie before it.
        size_hint: Average size of the field values wanted, in bytes of UTF-8; 0 adds nothing.
    """
    codes = [item.code for item in catalogue.in_force(on) if item.code in FORMS]
    order = codes + [rng.choice(codes) for _ in range(n - len(codes))]
    return [_content(rng, catalogue, code, on, size_hint) for code in order[:n]]

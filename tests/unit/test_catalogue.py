"""The catalogue: sixteen complete procedures and the other real ones, and no limit or fee by guesswork."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from onestop_sync import codec
from onestop_sync.dossier.calendar import Certainty
from onestop_sync.dossier.catalogue import Catalogue, DecidedBy, Tier, catalogue_from_plain
from onestop_sync.dossier.catalogue_text import (
    fee_from_text,
    fee_text,
    limit_from_text,
    limit_text,
    normal_code,
)
from onestop_sync.dossier.data import shipped_catalogue
from onestop_sync.dossier.deadlines import Limit, LimitKind
from onestop_sync.dossier.fees import Fee, FeeKind, fee_from_plain
from onestop_sync.errors import FormatError, InvalidInput, NotFound

DAY = date(2026, 5, 4)
SAME_DAY, WORKING, DAYS = LimitKind.SAME_DAY, LimitKind.WORKING_DAYS, LimitKind.CALENDAR_DAYS
EXPECTED = {
    "1.000656": (SAME_DAY, 0, FeeKind.FREE_IF, "xa"),
    "1.000894": (SAME_DAY, 0, FeeKind.FREE, "xa"),
    "1.001022": (WORKING, 3, FeeKind.PROVINCE, "xa"),
    "1.001193": (SAME_DAY, 0, FeeKind.FREE_IF, "xa"),
    "1.001731": (WORKING, 5, FeeKind.FREE, "lien_thong"),
    "1.001776": (WORKING, 10, FeeKind.FREE, "lien_thong"),
    "1.004837": (WORKING, 3, FeeKind.FREE, "xa"),
    "1.004859": (WORKING, 3, FeeKind.PROVINCE, "xa"),
    "1.004873": (WORKING, 3, FeeKind.PROVINCE, "xa"),
    "1.004884": (WORKING, 5, FeeKind.PROVINCE, "xa"),
    "1.011607": (DAYS, 15, FeeKind.FREE, "xa"),
    "1.012787": (WORKING, 18, FeeKind.PROVINCE, "lien_thong"),
    "2.000635": (SAME_DAY, 0, FeeKind.PER_UNIT, "xa"),
    "2.000815": (SAME_DAY, 0, FeeKind.PER_UNIT, "xa"),
    "2.000884": (SAME_DAY, 0, FeeKind.PER_UNIT, "xa"),
    "2.000908": (SAME_DAY, 0, FeeKind.FREE, "xa"),
}


def test_the_sixteen_procedures() -> None:
    """Codes, limits, kinds of fee and who decides are those of the table for the demo."""
    found = {
        item.code: (item.limit.kind, item.limit.amount, item.fee.kind, str(item.decided_by))
        for item in shipped_catalogue().in_force(DAY)
        if item.limit and item.is_complete
    }
    assert found == EXPECTED


def test_every_procedure_says_what_it_is() -> None:
    """Each has names, a field and evidence; what the commune does not decide is led above it."""
    for item in shipped_catalogue().procedures:
        assert all((item.name_vi, item.full_name_vi, item.field_vi, item.source))
        assert item.checklist or item.code not in EXPECTED
        assert len(item.name_vi) <= 121
        assert (item.leading_tier is Tier.COMMUNE) is (item.decided_by is DecidedBy.COMMUNE)
        assert codec.nfc(json.dumps(item.to_plain(), ensure_ascii=False)).isprintable()


@pytest.mark.parametrize(
    ("code", "kind", "amount"),
    [("1.000894", WORKING, 5), ("1.001022", WORKING, 8), ("1.004859", WORKING, 6), ("2.000815", SAME_DAY, 2)],
)
def test_limits_with_verification(code: str, kind: LimitKind, amount: int) -> None:
    """Where something has to be verified first, the whole longer limit is there."""
    limit = shipped_catalogue().get(code, DAY).verified_limit
    assert limit
    assert (limit.kind, limit.amount) == (kind, amount)


def test_steps_add_up_to_the_limit() -> None:
    """Internal steps share the limit out without a rest, 8 hours to a same-day procedure."""
    shared = 0
    for item in shipped_catalogue().procedures:
        limits = [step.limit for step in item.steps if step.limit]
        if not limits:
            continue
        shared += 1
        assert item.limit
        assert len({limit.kind for limit in limits}) == 1
        wanted = 8 if item.limit.kind is SAME_DAY else item.limit.amount
        assert sum(limit.amount for limit in limits) == wanted, item.code
    assert shared == 3


def test_versions_follow_the_law() -> None:
    """A procedure is found as it was on the day of receipt: three tiers until 30/06/2025, two since."""
    catalogue = shipped_catalogue()
    before, after = (catalogue.get("1.001776", day) for day in (date(2025, 6, 30), date(2025, 7, 1)))
    assert before.limit
    amounts = [step.limit.amount for step in before.steps if step.limit]
    assert (before.limit.amount, amounts) == (20, [7, 3, 7, 3])
    assert [step.tier for step in before.steps] == [Tier.COMMUNE] * 2 + [Tier.DISTRICT] * 2
    assert after.limit
    assert (after.limit.amount, after.limit_certainty) == (10, Certainty.RECALLED)
    assert catalogue.get("1.001776") == after
    assert catalogue.get("1.012787", date(2025, 1, 1)).limit is None


def test_what_is_not_in_force_is_told() -> None:
    """An unknown code and a repealed procedure are errors that name the day."""
    catalogue = shipped_catalogue()
    with pytest.raises(NotFound, match="no procedure"):
        catalogue.get("9.999999")
    with pytest.raises(NotFound, match="2027-01-01"):
        catalogue.get("1.011607", date(2027, 1, 1))
    assert "1.011607" not in {item.code for item in catalogue.in_force(date(2027, 1, 1))}


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("khai sinh dang ky lai", ["1.004884", "2.000522"]),
        ("khai sinh", ["1.001193", "1.004884"]),
        ("KHAI TỬ", ["1.000656"]),
        ("1.0011", ["1.001193"]),
        ("ngheo", ["1.011607", "1.011606"]),
        ("xyz", []),
    ],
)
def test_search_needs_no_marks(typed: str, codes: list[str]) -> None:
    """Words without marks, in any order, or the beginning of a code find the procedure."""
    found = [item.code for item in shipped_catalogue().search(typed, DAY)]
    assert found[: len(codes)] == codes
    assert found or not codes


def test_search_without_words_lists_each_once() -> None:
    """An empty search lists the latest version of each of the 308 procedures, the complete ones first."""
    found = [item.code for item in shipped_catalogue().search("")]
    assert len(found) == len(set(found)) == 308
    assert set(found[: len(EXPECTED)]) == set(EXPECTED)


def test_what_is_not_certain_says_so() -> None:
    """A bare number is no limit, «Miễn phí» beside a province's fee is not zero, and repealed ones end."""
    catalogue = shipped_catalogue()
    bare = [p for p in catalogue.procedures if p.limit_text_vi.partition(" ")[0].isdigit() and not p.limit]
    assert len(bare) > 25
    assert all(p.limit_certainty is Certainty.RECALLED for p in bare)
    for item in catalogue.procedures:
        if item.fee.total_vnd(1) == 0:
            assert (item.fee.kind, item.fee.certainty) == (FeeKind.FREE, Certainty.SOURCED)
        assert normal_code(item.code) == item.code
    assert {p.code for p in catalogue.procedures if p.effective_to == date(2026, 12, 31)} == {
        "1.011606", "1.011607", "1.011608", "3.000412",
    }  # fmt: skip
    assert max(len(p.full_name_vi) for p in catalogue.procedures) > 1000


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("5 ngày làm việc", Limit(WORKING, 5)),
        ("15 NGÀY", Limit(DAYS, 15)),
        ("8 giờ làm việc", Limit(LimitKind.WORKING_HOURS, 8)),
        ("trong ngày", Limit(SAME_DAY)),
        ("Trong ngày + 2 ngày làm việc", Limit(SAME_DAY, 2)),
        ("", None),
    ],
)
def test_limits_are_written_as_people_do(text: str, limit: Limit | None) -> None:
    """Each way of writing a limit is read, and what is written is read back the same."""
    assert limit_from_text(text) == limit
    assert limit_from_text(limit_text(limit)) == limit


@pytest.mark.parametrize("text", ["3", "ba ngày", "1 giờ", "0 ngày", "5 ngày làm việc (tổng)"])
def test_a_limit_that_cannot_be_read_is_not_guessed(text: str) -> None:
    """A bare number, or words that say more than a limit, are refused."""
    with pytest.raises(InvalidInput):
        limit_from_text(text)


def test_fees_are_written_as_people_do() -> None:
    """Each shipped fee is written as text and read back the same; what says more than a fee is refused."""
    for item in shipped_catalogue().procedures:
        fee = item.fee
        again = fee_from_text(fee_text(fee), fee.condition_vi, fee.certainty)
        assert again == fee, item.code
    for text in (
        "0",
        "Miễn phí kèm ghi chú",
        "2.000",
        "8000 đồng",
        "miễn phí nếu",
        "1.5/trang",
        "9/bản; từ thứ 0: 1",
    ):
        with pytest.raises(InvalidInput):
            fee_from_text(text, "", Certainty.SOURCED)
    assert fee_from_text(
        "2.000 đ/trang; từ trang thứ 3: 1.000 đ; tối đa 200.000 đ", "", Certainty.SOURCED
    ) == Fee(FeeKind.PER_UNIT, Certainty.SOURCED, 2000, "trang", 2, 1000, 200_000)


@pytest.mark.parametrize(
    ("published", "code"),
    [
        (" 1.001193 ", "1.001193"), ("1,001193", "1.001193"), ("1. 001193.", "1.001193"),
        ("2.000815.000.00.00.h55", "2.000815.000.00.00.H55"),
    ],
)  # fmt: skip
def test_codes_as_published_are_normalised(published: str, code: str) -> None:
    """Spaces, commas, small letters and stray dots of a code are mended; anything else is refused."""
    assert normal_code(published) == code
    with pytest.raises(InvalidInput):
        normal_code("1.1193")


def test_plain_data_goes_through_cbor_and_back() -> None:
    """The catalogue survives the encoding in which it is signed."""
    catalogue = shipped_catalogue()
    assert catalogue_from_plain(codec.decode(codec.encode(catalogue.to_plain()))) == catalogue


@pytest.mark.parametrize(
    "change",
    [
        {"code": "1.1"},
        {"name_vi": None},
        {"limit": {"kind": "moons", "amount": 1}},
        {"limit": 3},
        {"limit_certainty": "perhaps"},
        {"fee": {"kind": "free"}},
        {"fee": None},
        {"documents": [{"name_vi": "Tờ khai", "certainty": "sourced", "is_required": 1}]},
        {"documents": "Tờ khai"},
        {"steps": [{"stage": "appraisal", "tier": "moon"}]},
        {"steps": [{"stage": "appraisal", "tier": "commune", "limit": {"kind": "same_day"}}]},
        {"decided_by": "nobody"},
        {"effective_from": "yesterday"},
    ],
)
def test_damaged_data_is_refused(change: dict[str, Any]) -> None:
    """A procedure that cannot be read is one clear error."""
    damaged = {**shipped_catalogue().get("1.001193").to_plain(), **change}
    with pytest.raises(FormatError):
        catalogue_from_plain({"version": 1, "procedures": [damaged]})


def test_two_versions_on_one_day_are_refused() -> None:
    """Which version governs a dossier is never left to chance; one that is never in force is a slip."""
    item = shipped_catalogue().get("1.001193")
    with pytest.raises(InvalidInput, match="two versions"):
        Catalogue(1, (item, replace(item, effective_from=date(2020, 1, 1))))
    with pytest.raises(FormatError):
        catalogue_from_plain({"version": 1, "procedures": [item.to_plain()] * 2})
    with pytest.raises(InvalidInput, match="before it begins"):
        Catalogue(1, (replace(item, effective_to=date(2018, 6, 20)),))


@pytest.mark.parametrize(
    ("code", "units", "total"),
    [
        ("2.000815", 1, 2000),
        ("2.000815", 2, 4000),
        ("2.000815", 3, 5000),
        ("2.000815", 1000, 200_000),
        ("2.000635", 3, 24_000),
        ("2.000884", 1, 10_000),
        ("1.000894", 1, 0),
        ("1.001193", 1, None),
        ("1.004884", 1, None),
    ],
)
def test_fees(code: str, units: int, total: int | None) -> None:
    """What is certain is added up; what depends on a condition or the province has no total, never zero."""
    assert shipped_catalogue().get(code, DAY).fee.total_vnd(units) == total


def test_ambiguous_fees_are_never_zero() -> None:
    """Only what is free without a condition costs nothing."""
    for kind in (FeeKind.FREE_IF, FeeKind.PROVINCE, FeeKind.UNKNOWN):
        assert Fee(kind, Certainty.RECALLED).total_vnd(1) is None
    with pytest.raises(InvalidInput):
        Fee(FeeKind.PER_UNIT, Certainty.SOURCED)
    with pytest.raises(InvalidInput):
        Fee(FeeKind.FREE, Certainty.SOURCED).total_vnd(0)
    with pytest.raises(FormatError):
        fee_from_plain({"kind": "per_unit", "certainty": "sourced"})

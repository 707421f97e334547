"""Changes of the tree of units, as plans, without a store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.keys import SigningKey
from onestop_sync.tree_changes import (
    describe_changes,
    plan_add,
    plan_close,
    plan_cut,
    plan_lift,
    plan_merge,
    plan_move,
    plan_remove_tier,
    plan_rename,
    plan_split,
    succeeded_by,
)
from onestop_sync.trust_document import Cut, TrustDocument
from onestop_sync.units import Unit

JULY, AUGUST = 1_782_838_800_000, 1_785_517_200_000
"""2026-07-01 and 2026-08-01 at midnight in Vietnam."""
ADMIN = SigningKey(bytes(32)).public
KEY = SigningKey(bytes([1] * 32)).public
DOC = bytes(range(16))
WHEN: Any = {"at_ms": JULY, "now_ms": JULY - 1}
NEW = Unit("c5", "Xã Năm", "d1", "commune", ("000.05",))


@pytest.fixture
def held() -> TrustDocument:
    """Give a province with two districts and four communes."""
    units = [
        Unit("p", "Tỉnh", "", "province", ("000.00",)),
        Unit("d1", "Huyện Một", "p", "district"),
        Unit("d2", "Huyện Hai", "p", "district"),
        *(Unit(f"c{n}", f"Xã {n}", "d1" if n < 4 else "d2", "commune", (f"000.0{n}",)) for n in range(1, 5)),
    ]
    return TrustDocument(7, {u.id: u for u in units}, {ADMIN: "p"}, 1)


def test_every_plan_is_one_version_later_and_survives_the_journey(held: TrustDocument) -> None:
    """Whatever is planned counts up by one, bears its time, and reads back as it was."""
    plans = [
        plan_add(held, NEW, **WHEN),
        plan_rename(held, "c1", name="Xã Khác", **WHEN),
        plan_move(held, "c1", "d2", **WHEN),
        plan_merge(held, ["c1", "c2"], NEW, **WHEN),
        plan_split(held, "c1", ["c2", "c3"], {DOC: "c2"}, **WHEN),
        plan_remove_tier(held, "district", **WHEN),
        plan_cut(held, [Cut("stolen", KEY, "", {})], now_ms=JULY - 1),
    ]
    assert {p.version for p in plans} == {8}
    assert {p.issued_ms for p in plans} == {JULY - 1}
    assert [TrustDocument.from_bytes(p.to_bytes()) for p in plans] == plans


def test_a_merger_makes_the_new_unit_act_for_the_old_ones(held: TrustDocument) -> None:
    """Three communes end on the day, a new one succeeds all of them, and a fourth is left alone."""
    after = plan_merge(held, ["c1", "c2", "c3"], NEW, **WHEN)
    assert after.tree.acts_for("c5") == {"c1", "c2", "c3", "c5"}
    assert {u: after.units[u].until_ms == JULY for u in ("c1", "c2", "c3", "c4")} == {
        "c1": True, "c2": True, "c3": True, "c4": False,
    }  # fmt: skip
    assert succeeded_by(after, "c5") == ["c1", "c2", "c3"]
    assert succeeded_by(after, "p") == []


def test_a_commune_can_absorb_its_neighbour(held: TrustDocument) -> None:
    """A merger into a unit that is there ends the others only."""
    after = plan_merge(held, ["c2"], "c1", **WHEN)
    assert not after.units["c1"].is_ended
    assert after.tree.acts_for("c1") == {"c1", "c2"}


def test_what_is_below_a_merged_unit_goes_below_its_successor(held: TrustDocument) -> None:
    """Merging two districts moves their communes, and whoever was above them stays above what was."""
    after = plan_merge(held, ["d2"], "d1", **WHEN)
    assert after.units["c4"].parent == "d1"
    assert after.units["c4"].at(JULY - 1).parent == "d2"
    assert after.is_above("d2", "c4")


def test_a_split_names_who_goes_on_with_which_document(held: TrustDocument) -> None:
    """A listed document goes to its successor, every other to the parent."""
    after = plan_split(held, "c1", ["c2", "c3"], {DOC: "c3"}, **WHEN)
    assert after.tree.heirs("c1", DOC) == ("c1", "c3")
    assert after.tree.heirs("c1", bytes(16)) == ("c1", "d1")
    assert succeeded_by(after, "c3") == ["c1"]


def test_a_tier_goes_and_its_communes_stand_below_the_province(held: TrustDocument) -> None:
    """Without districts, each commune is the province's, each district's work too, and old lines stay."""
    after = plan_remove_tier(held, "district", **WHEN)
    assert {after.units[f"c{n}"].parent for n in range(1, 5)} == {"p"}
    assert after.tree.acts_for("p") == {"p", "d1", "d2"}
    assert after.above("c1") == ("c1", "p", "d1")


def test_old_codes_and_names_stay(held: TrustDocument) -> None:
    """A unit with a new name and code keeps the old ones, each with its date."""
    once = plan_rename(held, "c1", name="Xã A", codes=["000.91"], **WHEN)
    twice = plan_rename(once, "c1", codes=["000.92"], at_ms=AUGUST, now_ms=JULY)
    unit = twice.units["c1"]
    assert unit.all_codes == ("000.92", "000.91", "000.01")
    assert [unit.at(ms).name for ms in (JULY - 1, JULY, AUGUST)] == ["Xã 1", "Xã A", "Xã A"]
    assert [unit.at(ms).codes[0] for ms in (JULY - 1, JULY, AUGUST)] == ["000.01", "000.91", "000.92"]


def test_only_a_unit_that_has_ended_is_closed(held: TrustDocument) -> None:
    """A closing needs an end before it, happens once, and can be lifted."""
    with pytest.raises(InvalidInput):
        plan_close(held, "c1", {}, now_ms=JULY)
    ended = plan_merge(held, ["c1"], "c2", **WHEN)
    closed = plan_close(ended, "c1", {DOC * 2: (3, bytes(32))}, now_ms=JULY)
    assert closed.cuts == (Cut("closed", b"", "c1", {DOC * 2: (3, bytes(32))}),)
    with pytest.raises(InvalidInput):
        plan_close(closed, "c1", {}, now_ms=JULY)
    assert plan_lift(closed, unit="c1", now_ms=JULY).cuts == ()


def test_a_later_cut_of_a_key_replaces_the_earlier_one(held: TrustDocument) -> None:
    """Cutting a key again corrects it, and lifting it leaves other cuts alone."""
    other = Cut("retired", ADMIN, "", {})
    once = plan_cut(held, [Cut("stolen", KEY, "", {}), other], now_ms=1)
    twice = plan_cut(once, [Cut("retired", KEY, "", {})], now_ms=2)
    assert {c.why for c in twice.cuts if c.key == KEY} == {"retired"}
    assert plan_lift(twice, KEY, now_ms=3).cuts == (other,)
    with pytest.raises(NotFound):
        plan_lift(held, KEY, now_ms=3)


@pytest.mark.parametrize(
    "plan",
    [
        lambda d: plan_add(d, Unit("c1", "Xã", "d1", "commune"), **WHEN),
        lambda d: plan_add(d, Unit("c5", "Xã", "", "commune"), **WHEN),
        lambda d: plan_add(d, Unit("c5", "Xã", "none", "commune"), **WHEN),
        lambda d: plan_add(d, Unit("c5", "Xã", "d1", "commune", ("000.01",)), **WHEN),
        lambda d: plan_add(d, Unit("", "Xã", "d1", "commune"), **WHEN),
        lambda d: plan_rename(d, "c1", name="Xã 1", **WHEN),
        lambda d: plan_rename(d, "c1", codes=["000.02"], **WHEN),
        lambda d: plan_rename(d, "none", name="Xã", **WHEN),
        lambda d: plan_move(d, "c1", "d1", **WHEN),
        lambda d: plan_move(d, "p", "d1", **WHEN),
        lambda d: plan_move(d, "d1", "c1", **WHEN),
        lambda d: plan_merge(d, [], "c1", **WHEN),
        lambda d: plan_merge(d, ["c1"], "c1", **WHEN),
        lambda d: plan_merge(d, ["c1", "c1"], "c2", **WHEN),
        lambda d: plan_merge(d, ["p"], "c2", **WHEN),
        lambda d: plan_merge(d, ["d1"], "c1", **WHEN),
        lambda d: plan_split(d, "c1", ["c2"], {}, **WHEN),
        lambda d: plan_split(d, "c1", ["c2", "c1"], {}, **WHEN),
        lambda d: plan_split(d, "c1", ["c2", "c3"], {DOC: "c4"}, **WHEN),
        lambda d: plan_split(d, "d1", ["c2", "c3"], {}, **WHEN),
        lambda d: plan_remove_tier(d, "province", **WHEN),
        lambda d: plan_remove_tier(d, "hamlet", **WHEN),
        lambda d: plan_merge(plan_merge(d, ["c1"], "c2", **WHEN), ["c1"], "c3", **WHEN),
        lambda d: plan_merge(plan_merge(d, ["c1"], "c2", **WHEN), ["c3"], "c1", **WHEN),
        lambda d: plan_move(plan_move(d, "c1", "d2", **WHEN), "c1", "d1", at_ms=JULY - 9, now_ms=1),
    ],
)
def test_what_makes_no_sense_is_refused(
    held: TrustDocument, plan: Callable[[TrustDocument], TrustDocument]
) -> None:
    """No plan gives a tree with a hole, a cycle, a second top, a stolen code, or a changed past."""
    with pytest.raises((InvalidInput, NotFound)):
        plan(held)


def test_changes_are_told_in_words(held: TrustDocument) -> None:
    """What is about to be published is told with names, days, and who acts for whom."""
    after = plan_merge(held, ["c1", "c2"], NEW, **WHEN)
    assert describe_changes(held, after) == [
        "c1 (Xã 1) ends on 2026-07-01: c5 goes on with its work.",
        "c2 (Xã 2) ends on 2026-07-01: c5 goes on with its work.",
        "c5 is new from 2026-07-01: Xã Năm (commune), below d1, code 000.05.",
        "As soon as they hear of it, officers of c5 act for c1, c2 as well.",
    ]
    split = plan_split(held, "c1", ["c2", "c3"], {DOC: "c3"}, **WHEN)
    assert "Of the documents of c1: 1 to c3; all others go to d1." in describe_changes(held, split)
    cut = plan_cut(held, [Cut("stolen", KEY, "", {})], now_ms=1)
    (line,) = describe_changes(held, cut)
    assert line.endswith("(stolen); no log counts; what lies beyond is out.")
    assert describe_changes(cut, plan_lift(cut, KEY, now_ms=2))[0].startswith("The cut of key ")
    assert describe_changes(held, replace(held, version=9)) == []

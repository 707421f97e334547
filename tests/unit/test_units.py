"""The tree of units through mergers, splits, moves and the end of a tier."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.trust_document import Cut, TrustDocument
from onestop_sync.units import Period, Tree, Unit

JULY_MS = 1_751_302_800_000
"""1 July 2025, 00:00 in Vietnam."""
LISTED, OTHER = b"l" * 16, b"o" * 16


def before() -> dict[str, Unit]:
    """Returns a province of three tiers."""
    rows = [("p", ""), ("d1", "p"), ("d2", "p"), ("a", "d1"), ("b", "d1"), ("c", "d2")]
    levels = {"p": "province", "d": "district"}
    return {u: Unit(u, f"Đơn vị {u}", above, levels.get(u[0], "commune"), (f"X.{u}",)) for u, above in rows}


def merged(*, into: str = "n", parent: str = "p", units: tuple[str, ...] = ("a", "b")) -> dict[str, Unit]:
    """Returns the same after communes were merged into a new one."""
    tree = before()
    for unit in units:
        tree[unit] = replace(tree[unit], until_ms=JULY_MS, successors=(into,))
    return {**tree, into: Unit(into, "Xã Mới", parent, "commune", ("X.n",), since_ms=JULY_MS)}


def test_the_line_goes_from_below_to_the_top() -> None:
    """Above a commune are its district and the province, and nothing else."""
    tree = Tree(before())
    assert tree.above("a") == ("a", "d1", "p")
    assert tree.below("d1") == {"d1", "a", "b"}
    assert not tree.is_above("d2", "a")
    assert tree.above("nobody") == ()


def test_who_was_once_above_stays_above_what_was_written() -> None:
    """A commune that moves to another district keeps the old one over it, behind the new one."""
    tree = before()
    old = Period(0, "Đơn vị a", "d1", "commune", ("X.a",))
    tree["a"] = replace(tree["a"], parent="d2", since_ms=JULY_MS, earlier=(old,))
    found = Tree(tree)
    assert found.above("a") == ("a", "d2", "d1", "p")
    assert "a" in found.below("d1")
    assert tree["a"].at(JULY_MS - 1).parent == "d1"
    assert tree["a"].at(JULY_MS).parent == "d2"


def test_a_successor_acts_for_whom_it_succeeds_and_is_over_them() -> None:
    """After a merger the new commune acts for the old ones, replicates them, and certifies nobody there."""
    tree = Tree(merged())
    assert tree.acts_for("n") == {"n", "a", "b"}
    assert tree.acts_for("a") == {"a"}
    assert tree.over("a") == {"a", "d1", "p", "n"}
    assert not tree.is_above("n", "a")
    assert tree.below("n") == {"n", "a", "b"}


def test_successors_of_successors_go_on() -> None:
    """A unit that was merged twice is succeeded by the last one, and by those between."""
    tree = merged()
    tree["n"] = replace(tree["n"], successors=("m",), until_ms=JULY_MS + 1)
    tree["m"] = Unit("m", "Xã Sau", "p", "commune")
    found = Tree(tree)
    assert found.heirs("a") == ("a", "n", "m")
    assert found.acts_for("m") == {"m", "n", "a", "b"}


def test_of_a_split_unit_each_successor_has_its_documents_and_the_parent_the_rest() -> None:
    """Documents that a split lists go to the successor named; nobody else among them acts on it."""
    tree = before()
    tree["a"] = replace(tree["a"], until_ms=JULY_MS, successors=("y", "z"))
    tree |= {u: Unit(u, u, "d1", "commune") for u in ("y", "z")}
    found = Tree(tree, {"a": {LISTED: "y"}})
    assert found.acts_for("y", LISTED) == {"y", "a"}
    assert found.acts_for("z", LISTED) == {"z"}
    assert found.acts_for("d1", OTHER) == {"d1", "a"}
    assert found.acts_for("d1", LISTED) == {"d1"}
    assert "z" not in found.over("a", LISTED)
    assert found.over("a") >= {"y", "z"}
    assert found.acts_for("y") == {"y"}


def test_a_unit_that_ends_without_successor_goes_to_its_parent() -> None:
    """What is addressed to a unit that is gone goes to the one above."""
    tree = before()
    tree["d2"] = replace(tree["d2"], until_ms=JULY_MS)
    assert Tree(tree).acts_for("p") == {"p", "d2"}


def test_codes_stay_aliases_for_ever() -> None:
    """A new code comes first, and the old one is still found."""
    old = Period(0, "Xã A", "d1", "commune", ("000.17.22.H56",))
    unit = Unit("a", "Xã A", "p", "commune", ("H56.22.17",), JULY_MS, earlier=(old,))
    assert unit.all_codes == ("H56.22.17", "000.17.22.H56")


@pytest.mark.parametrize(
    ("unit", "what"),
    [
        (Unit("a", "A", "nowhere", "commune"), "not in the tree"),
        (Unit("p", "P", "a", "province"), "own ancestor"),
        (Unit("a", "A", "d1", "commune", successors=("nowhere",)), "not in the tree"),
        (Unit("b", "B", "d1", "commune", successors=("b",)), "own ancestor or successor"),
    ],
)
def test_a_tree_with_holes_or_circles_is_refused(unit: Unit, what: str) -> None:
    """No unit hangs on one that does not exist, nor on itself."""
    with pytest.raises(InvalidInput, match=what):
        Tree(before() | {unit.id: unit})


def test_a_document_is_given_to_successors_only() -> None:
    """A split gives a document to a unit that succeeds, or not at all."""
    with pytest.raises(InvalidInput, match="does not succeed"):
        Tree(before(), {"a": {LISTED: "b"}})


@given(st.data())
def test_no_change_takes_anything_from_whom_it_belonged(data: st.DataObject) -> None:
    """Whatever is merged, moved or ended, who was over a unit before is over it afterwards."""
    tree = before()
    was = {u: Tree(tree).over(u) for u in tree}
    for step in range(data.draw(st.integers(1, 5))):
        unit = tree[data.draw(st.sampled_from(["a", "b", "c", "d1", "d2"]))]
        tree = _changed(data, tree, unit, f"n{step}")
    found = Tree(tree)
    for unit_id, over in was.items():
        assert over <= found.over(unit_id)
        assert "p" in found.over(unit_id)
        assert unit_id in found.acts_for(unit_id)


def _changed(data: st.DataObject, tree: dict[str, Unit], unit: Unit, fresh: str) -> dict[str, Unit]:
    kind = data.draw(st.sampled_from(["merge", "move", "end"]))
    if kind == "merge" and not unit.successors:
        new = Unit(fresh, fresh, "p", unit.level)
        return {**tree, unit.id: replace(unit, until_ms=JULY_MS, successors=(fresh,)), fresh: new}
    if kind == "move":
        earlier = (*unit.earlier, unit.periods[-1])
        return {**tree, unit.id: replace(unit, parent="p", since_ms=JULY_MS, earlier=earlier)}
    return {**tree, unit.id: replace(unit, until_ms=JULY_MS)}


# --------------------------------------------------------------------------------------- the document's bytes


def document(**changes: Any) -> TrustDocument:
    """Returns a document that holds something of everything."""
    cuts = (
        Cut("stolen", b"k" * 32, "", {b"l" * 32: (7, b"h" * 32)}),
        Cut("closed", b"", "a", {b"m" * 32: (0, b"i" * 32)}),
    )
    tree = merged() | {"y": Unit("y", "Y", "p", "commune"), "z": Unit("z", "Z", "p", "commune")}
    tree["c"] = replace(tree["c"], successors=("y", "z"), until_ms=JULY_MS)
    made = TrustDocument(4, tree, {}, JULY_MS, cuts, {"c": {LISTED: "z"}}, b"r" * 32, {"newer": [1, "x"]})
    return replace(made, **changes)


def test_a_document_comes_back_from_its_bytes() -> None:
    """Units with their history, cuts, assignments, the recovery key and what is not known here survive."""
    made = document()
    read = TrustDocument.from_bytes(made.to_bytes())
    assert read.to_bytes() == made.to_bytes()
    assert (read.units, read.assignments, read.recovery) == (made.units, made.assignments, made.recovery)
    assert read.cuts_of(b"k" * 32, "b") == (made.cuts[0],)
    assert read.facts == {"newer": [1, "x"]}


@given(st.integers(0, 5000), st.integers(1, 255))
def test_a_changed_document_is_read_or_refused(place: int, flip: int) -> None:
    """Whatever byte is changed, reading gives a document or one clear error."""
    data = bytearray(document().to_bytes())
    data[place % len(data)] ^= flip
    try:
        TrustDocument.from_bytes(bytes(data))
    except FormatError:
        return


def test_a_closing_names_a_unit_and_no_key() -> None:
    """A cut is of a key, or of a closed unit, and never of both."""
    for cut in (
        Cut("closed", b"k" * 32, "", {}),
        Cut("stolen", b"", "a", {}),
        Cut("closed", b"k" * 32, "a", {}),
    ):
        with pytest.raises(FormatError):
            TrustDocument.from_bytes(document(cuts=(cut,)).to_bytes())

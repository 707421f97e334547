"""The fold: what holds for every history of a document."""

from __future__ import annotations

import copy
import random
from collections import Counter
from typing import Any

import pytest

from onestop_sync import fold as f
from onestop_sync.fold import Author, Entry, Reason, Standing, State, fold
from onestop_sync.schema import MAIN, VOID, DocumentType, Field, Task, Transition

CLERK, JUDGE, BOSS = frozenset({"clerk"}), frozenset({"judge"}), frozenset({"boss"})
KIND = DocumentType(
    "case",
    fields=(
        Field("phone"),
        Field("name", task=MAIN, owners={"in": CLERK, "work": JUDGE}, resolvers=BOSS, is_legal=True),
        Field("verdict", task=MAIN, owners={"work": JUDGE}),
        Field("papers", kind="map", task=MAIN, owners={"in": CLERK, "work": JUDGE}),
        Field("tags", kind="set"),
        Field("opinion", kind="map", task="agency:*", owners={"asked": JUDGE}),
        Field("remarks", kind="notes"),
    ),
    tasks=(
        Task(
            MAIN,
            "in",
            (
                Transition("hand", frozenset({"in"}), "work", CLERK, needs=("to",), moves=True),
                Transition("reject", frozenset({"in"}), "done", CLERK, needs=("why",)),
                Transition("decide", frozenset({"work"}), "done", JUDGE, seals=True),
                Transition("back", frozenset({"work"}), "in", JUDGE, moves=True),
            ),
        ),
        Task(
            "agency",
            "none",
            (
                Transition("ask", frozenset({"none"}), "asked", CLERK | JUDGE, moves=True),
                Transition("answer", frozenset({"asked"}), "answered", JUDGE, seals=True),
            ),
        ),
    ),
    arbiters=BOSS,
)
A = [Author("a", frozenset({"a"}), CLERK), Author("a", frozenset({"a"}), BOSS | JUDGE)]
B = [Author("b", frozenset({"b"}), JUDGE | BOSS), Author("b", frozenset({"b"}), CLERK)]
AUTHORS = A + B


class World:
    """Replicas that edit one document while cut off, and now and then hear of each other."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.entries: dict[bytes, Entry] = {}
        self.known: list[set[bytes]] = []

    def run(self, steps: int, replicas: int = 3) -> dict[bytes, Entry]:
        """Lets the replicas edit and hear of each other; returns all events in causal order."""
        root = self.add((), [["set", "phone", "0"], ["set", "name", "n0"]], A[0])
        self.known = [{root.id} for _ in range(replicas)]
        for _ in range(steps):
            here = self.rng.choice(self.known)
            if self.rng.random() < 0.25:
                here |= self.rng.choice(self.known)
                continue
            state = fold(KIND, [self.entries[i] for i in here])
            op = self.op(state)
            author = self.rng.choice(AUTHORS)
            if self.rng.random() < 0.8:  # mostly what an honest client would let its user do
                fit = [a for a in AUTHORS if f.judge(KIND, state, Entry(b"", (), [op], a, 0)) is None]
                if not fit:
                    continue
                author = self.rng.choice(fit)
            here.add(self.add(tuple(state.heads), [op], author).id)
        return self.entries

    def add(self, parents: tuple[bytes, ...], ops: list[Any], author: Author) -> Entry:
        """Adds an event by any author."""
        entry = Entry(
            self.rng.randbytes(32), tuple(sorted(parents)), ops, author, self.rng.randrange(-999, 999)
        )
        self.entries[entry.id] = entry
        return entry

    def op(self, state: State) -> list[Any]:  # noqa: C901 - one case each
        """Returns an operation that makes sense in a state, mostly."""
        rng = self.rng
        open_keys = f.conflicts(KIND, state)
        if open_keys and rng.random() < 0.3:
            return self.settlement(state, rng.choice(open_keys))
        match rng.randrange(14):
            case 0 | 1 | 2:
                return ["set", "name", rng.choice("xyz")]
            case 3:
                return ["set", "phone", rng.choice("12")]
            case 4:
                return ["set", "verdict", rng.choice("yn")]
            case 5:
                return ["set", f"papers/{rng.choice('pq')}", rng.randrange(3)]
            case 6:
                return ["set", f"tags/{rng.choice('st')}", rng.random() < 0.5]
            case 7:
                return ["note", "remarks", rng.choice("hello")]
            case 8:
                return ["set", "opinion/b", rng.choice("uv")]
            case 9:
                return ["act", "agency:b", rng.choice(["ask", "answer"]), {"to": "b"}]
            case 10 if rng.random() < 0.2:
                return ["set", VOID, "a mistake"]
            case _:
                action = rng.choice(["hand", "hand", "reject", "decide", "back"])
                return ["act", MAIN, action, {"to": rng.choice(["b", "b", "a"]), "why": "w"}]

    def settlement(self, state: State, key: str) -> list[Any]:
        """Returns an operation that settles what is open."""
        if key.startswith("task:"):
            task = state.tasks[key[5:]]
            chosen, *others = self.rng.sample([b.node for b in task.branches], len(task.branches))
            return ["settle", key[5:], task.node, chosen, "agreed", others]
        register = state.registers[key]
        ids = [w[0] for w in (*register.live, *register.late)] + (state.void_against if key == VOID else [])
        values = [w[1] for w in (*register.live, *register.late)]
        return ["resolve", key, self.rng.choice(values), "checked", ids]


def histories(count: int, steps: int = 40) -> list[list[Entry]]:
    """Returns the events of some worlds."""
    return [list(World(seed).run(steps).values()) for seed in range(count)]


def pasts(entries: list[Entry]) -> dict[bytes, set[bytes]]:
    """Returns what each event's author had seen."""
    found: dict[bytes, set[bytes]] = {}
    for entry in entries:  # histories are made in causal order
        found[entry.id] = set(entry.parents).union(*(found[p] for p in entry.parents))
    return found


def test_order_does_not_matter() -> None:
    """The same set of events folds to the same state in whatever order it arrives."""
    for entries in histories(60):
        once = fold(KIND, entries)
        for seed in range(3):
            shuffled = entries * 2
            random.Random(seed).shuffle(shuffled)
            assert fold(KIND, shuffled) == once


def test_fast_path_equals_definition() -> None:
    """Carrying a state on by an event that saw all of it gives what folding everything gives."""
    carried = refolded = 0
    for entries in histories(150):
        past = pasts(entries)
        by_id = {e.id: e for e in entries}
        for entry in entries:
            before = fold(KIND, [by_id[i] for i in past[entry.id]]) if entry.parents else None
            want = fold(KIND, [*(by_id[i] for i in past[entry.id]), entry])
            try:
                got = f.apply(KIND, copy.deepcopy(before), entry)
            except f.NeedsRefold:
                refolded += 1
                continue
            assert got == want
            carried += 1
    assert carried > 2500
    assert refolded > 50


def test_shortcut_of_the_fold_equals_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carrying the state along chains and over merges gives what projecting every past anew gives."""
    reached: Counter[str] = Counter()
    true_join = f._Fold._join

    def join(self: f._Fold, state: State, base: int, mask: int) -> None:
        reached["tried"] += mask & ~base != 0
        true_join(self, state, base, mask)
        reached["joined"] += mask & ~base != 0

    monkeypatch.setattr(f._Fold, "_join", join)
    for seed, entries in enumerate(histories(250)):
        with_more = with_redundant_parents(entries, random.Random(seed))
        for each in (entries, with_more):
            assert fold(KIND, each) == f._Fold(KIND, each, carries=False).state()
    assert reached["joined"] > 500
    assert reached["tried"] - reached["joined"] > 500


def with_redundant_parents(entries: list[Entry], rng: random.Random) -> list[Entry]:
    """Lets some events name, beside their parents, an event that these had seen: nobody forbids it."""
    past = pasts(entries)
    return [
        e._replace(parents=tuple(sorted({*e.parents, rng.choice(sorted(past[e.id]))})))
        if e.parents and rng.random() < 0.2
        else e
        for e in entries
    ]


def test_long_history_is_folded_in_one_go() -> None:
    """A document with thousands of edits is no trap: the work grows with the edits, not with their cube."""
    prev: tuple[bytes, ...] = ()
    entries = []
    for i in range(3000):
        entries.append(Entry(i.to_bytes(32, "big"), prev, [["set", "phone", str(i)]], A[0], i))
        prev = (entries[-1].id,)
    late = Entry(b"z" * 32, (entries[10].id,), [["set", "phone", "other"]], A[0], 0)
    assert f.conflicts(KIND, fold(KIND, [*entries, late])) == ["phone"]


def test_a_history_of_merges_is_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two who edit different fields at the same time, again and again, cost no more than one who edits."""
    entries = [Entry(bytes(32), (), [["set", "phone", "0"]], A[0], 0)]
    for i in range(1, 1000):
        end = (entries[-1].id,)
        one = Entry(b"1" + i.to_bytes(31, "big"), end, [["set", "phone", str(i)]], A[0], i)
        other = Entry(b"2" + i.to_bytes(31, "big"), end, [["set", "papers/p", i]], A[0], i)
        both = Entry(b"3" + i.to_bytes(31, "big"), (one.id, other.id), [["note", "remarks", "x"]], A[0], i)
        entries += [one, other, both]
    monkeypatch.setattr(f._Fold, "_project", lambda *_: pytest.fail("projected anew"))
    state = fold(KIND, entries)
    assert (state.value("phone"), state.value("papers/p"), len(state.notes["remarks"])) == ("999", 999, 999)


def test_validity_never_changes() -> None:
    """An event's verdict is the same in its own past and with everything that came later."""
    refused = 0
    for entries in histories(100):
        past = pasts(entries)
        by_id = {e.id: e for e in entries}
        whole = fold(KIND, entries)
        for entry in entries:
            alone = fold(KIND, [*(by_id[i] for i in past[entry.id]), entry])
            assert alone.refused.get(entry.id) == whole.refused.get(entry.id)
            refused += entry.id in whole.refused
    assert refused > 100


def test_no_valid_write_is_invisible() -> None:
    """Each valid write stands, is recorded as late or overruled, or was settled by someone who saw it."""
    reached: Counter[str] = Counter()
    for entries in histories(250):
        past = pasts(entries)
        state = fold(KIND, entries)
        for entry in entries:
            if entry.id in state.refused:
                continue
            for op in entry.ops:
                if op[0] not in {"set", "resolve"}:
                    continue
                register = state.registers[op[1]]
                visible = {w[0] for w in (*register.live, *register.late, *register.overruled)}
                if entry.id in visible:
                    reached["visible"] += 1
                    continue
                reached["superseded"] += 1
                assert any(
                    entry.id in past[other.id]
                    for other in entries
                    if other.id not in state.refused and any(o[1] == op[1] for o in other.ops)
                )
        for register in state.registers.values():
            reached["late"] += bool(register.late)
            reached["overruled"] += bool(register.overruled)
            reached["conflict"] += len(register.values()) > 1
        reached["disputed"] += any(t.branches for t in state.tasks.values())
        reached["lost"] += any(t.lost for t in state.tasks.values())
        reached["void against"] += bool(state.void_against)
    floors = {"visible": 1500, "superseded": 500, "late": 50, "overruled": 15, "conflict": 100,
              "disputed": 40, "lost": 20, "void against": 10}  # fmt: skip
    assert all(reached[k] >= v for k, v in floors.items()), reached


def test_who_does_not_own_a_field_never_changes_it() -> None:
    """Taking every write away whose author did not own the field leaves all effective values as they are."""
    dropped = 0
    for entries in histories(100):
        state = fold(KIND, entries)
        stripped = [
            e._replace(ops=[["note", "remarks", ""]]) if e.id in state.refused else e for e in entries
        ]
        dropped += len(state.refused)
        again = fold(KIND, stripped)
        assert {k: r.live for k, r in again.registers.items()} == {
            k: r.live for k, r in state.registers.items()
        }
        assert again.tasks == state.tasks
    assert dropped > 100


def entry(world: World, parents: list[Entry], op: list[Any], author: Author = A[0]) -> Entry:
    """Adds one event with one operation after ``parents``."""
    return world.add(tuple(p.id for p in parents), [op], author)


@pytest.fixture
def world() -> World:
    """A world without events."""
    return World(1)


@pytest.fixture
def root(world: World) -> Entry:
    """The event that creates the document."""
    return world.add((), [["set", "name", "base"]], A[0])


def state_of(world: World) -> State:
    """Folds all events."""
    return fold(KIND, world.entries.values())


def standing_of(world: World, e: Entry) -> Standing:
    """Returns what became of an event."""
    return f.standing(KIND, state_of(world), e.id, e.ops)


HAND = ["act", MAIN, "hand", {"to": "b"}]


@pytest.mark.parametrize("seed", range(8))
def test_shortcut_of_merges_knows_its_limits(seed: int) -> None:
    """A second writer who overrules a late write, and a second beginning, are left to the definition."""
    world = World(seed)
    root = entry(world, [], ["set", "name", "n"])
    hand = entry(world, [root], ["act", MAIN, "hand", {"to": "b"}])
    late = entry(world, [root], ["set", "name", "late"])
    own = entry(world, [hand], ["set", "name", "own"], B[0])
    entry(world, [late, own], ["note", "remarks", "both"], B[0])
    second = entry(world, [own], ["set", "name", "second"], B[0])
    overruled = fold(KIND, world.entries.values()).registers["name"].overruled
    assert overruled == ((late.id, "late", min(own.id, second.id)),)
    world = World(seed)
    one, other = (entry(world, [], ["set", key, True], a) for key, a in (("tags/s", A[0]), ("tags/t", B[0])))
    entry(world, [one], ["note", "remarks", "x"])
    state = fold(KIND, world.entries.values())
    assert state == f._Fold(KIND, world.entries.values(), carries=False).state()
    assert state.unit == min((one, other), key=lambda root: root.id).author.unit


def test_different_fields_merge(world: World, root: Entry) -> None:
    """Concurrent edits of different fields both stand, and nothing is in conflict."""
    entry(world, [root], ["set", "name", "x"])
    entry(world, [root], ["set", "phone", "1"])
    state = state_of(world)
    assert (state.value("name"), state.value("phone")) == ("x", "1")
    assert f.conflicts(KIND, state) == []


def test_equal_values_are_no_conflict(world: World, root: Entry) -> None:
    """Two people who write the same value do not disagree."""
    for _ in range(2):
        entry(world, [root], ["set", "name", "x"])
    assert f.conflicts(KIND, state_of(world)) == []


def test_conflict_is_settled_by_a_resolution_only(world: World, root: Entry) -> None:
    """A plain write into a conflict is refused; a resolution that names both writes ends it."""
    one, two = (entry(world, [root], ["set", "name", v]) for v in "xy")
    assert f.conflicts(KIND, state_of(world)) == ["name"]
    assert {standing_of(world, e) for e in (one, two)} == {Standing.CONFLICT}
    plain = entry(world, [one, two], ["set", "name", "z"])
    assert state_of(world).refused == {plain.id: Reason.CONFLICT}
    entry(world, [plain], ["resolve", "name", "x", "seen the ID card", sorted([one.id, two.id])])
    state = state_of(world)
    assert f.conflicts(KIND, state) == []
    assert state.value("name") == "x"


def test_third_writer_reopens_a_settled_conflict(world: World, root: Entry) -> None:
    """A write that a resolution did not name, arriving later, is a new conflict with it."""
    one, two = (entry(world, [root], ["set", "name", v]) for v in "xy")
    entry(world, [one, two], ["resolve", "name", "x", "card", sorted([one.id, two.id])])
    entry(world, [root], ["set", "name", "z"])
    assert sorted(state_of(world).registers["name"].values()) == ["x", "z"]


def test_late_write_waits_for_the_new_owner(world: World, root: Entry) -> None:
    """A write that had not seen the handover waits; the new owner adopts it by a resolution."""
    hand = entry(world, [root], HAND)
    late = entry(world, [root], ["set", "name", "x"])
    state = state_of(world)
    assert state.value("name") == "base"
    assert standing_of(world, late) is Standing.LATE
    entry(world, [hand, late], ["resolve", "name", "x", "they are right", sorted([root.id, late.id])], B[0])
    assert state_of(world).value("name") == "x"
    assert f.conflicts(KIND, state_of(world)) == []


def test_late_write_is_overruled_by_the_new_owner_for_good(world: World, root: Entry) -> None:
    """What the new owner wrote without seeing a late write overrules it, even once that is superseded."""
    hand = entry(world, [root], HAND)
    owned = entry(world, [hand], ["set", "name", "y"], B[0])
    late = entry(world, [root], ["set", "name", "x"])
    assert standing_of(world, late) is Standing.OVERRULED
    entry(world, [owned], ["set", "name", "w"], B[0])
    assert standing_of(world, late) is Standing.OVERRULED
    assert state_of(world).value("name") == "w"
    assert f.conflicts(KIND, state_of(world)) == []


def test_ownership_does_not_come_back_with_the_step(world: World, root: Entry) -> None:
    """A late write stays overruled when the task later returns to the step in which it was made."""
    hand = entry(world, [root], HAND)
    owned = entry(world, [hand], ["set", "name", "y"], B[0])
    late = entry(world, [root], ["set", "name", "x"])
    entry(world, [owned], ["act", MAIN, "back", {"to": "a"}], B[0])
    assert standing_of(world, late) is Standing.OVERRULED
    assert state_of(world).value("name") == "y"


def test_approval_seals_what_it_saw(world: World, root: Entry) -> None:
    """A colleague's edit that the approver had not seen does not enter a decided document."""
    hand = entry(world, [root], HAND)
    entry(world, [hand], ["act", MAIN, "decide", {}], B[0])
    unseen = entry(world, [hand], ["set", "name", "x"], B[0])
    assert state_of(world).value("name") == "base"
    assert standing_of(world, unseen) is Standing.LATE


def test_identical_transitions_count_once(world: World, root: Entry) -> None:
    """Two officers who hand over to the same unit independently do not dispute the task."""
    entry(world, [root], HAND)
    entry(world, [root], HAND)
    task = state_of(world).tasks[MAIN]
    assert (task.step, task.unit, task.branches) == ("work", "b", [])


def test_different_transitions_dispute_the_task(world: World, root: Entry) -> None:
    """A disputed task stays at its last common step until the boss settles it; the other branch is lost."""
    hand = entry(world, [root], HAND)
    reject = entry(world, [root], ["act", MAIN, "reject", {"why": "w"}])
    task = state_of(world).tasks[MAIN]
    assert (task.step, len(task.branches)) == ("in", 2)
    blocked = entry(world, [hand, reject], ["set", "name", "x"])
    assert state_of(world).refused == {blocked.id: Reason.DISPUTED}
    chosen = next(b.node for b in task.branches if b.action == "hand")
    other = next(b.node for b in task.branches if b.action == "reject")
    entry(world, [blocked], ["settle", MAIN, task.node, chosen, "talked", [other]], A[1])
    assert (state_of(world).tasks[MAIN].step, state_of(world).tasks[MAIN].branches) == ("work", [])
    assert standing_of(world, reject) is Standing.OVERRULED


def test_void_against_edit_is_shown(world: World, root: Entry) -> None:
    """An edit that did not know of the void is shown, and closed by a resolution that saw both."""
    void = entry(world, [root], ["set", VOID, "typed twice"])
    edit = entry(world, [root], ["set", "phone", "1"])
    assert f.conflicts(KIND, state_of(world)) == [VOID]
    entry(world, [void, edit], ["resolve", VOID, "typed twice", "yes", sorted([void.id, edit.id])])
    assert f.conflicts(KIND, state_of(world)) == []
    assert state_of(world).is_void


def test_stranger_and_unfit_are_refused(world: World, root: Entry) -> None:
    """A unit without a part, a role that may not, and a field of another step are refused with reasons."""
    stranger = Author("c", frozenset({"c"}), CLERK | BOSS | JUDGE)
    cases: list[tuple[list[Any], Author, Reason]] = [
        (["set", "phone", "9"], stranger, Reason.UNIT),
        (["act", MAIN, "hand", {"to": "b"}], A[1], Reason.ROLE),
        (["act", MAIN, "decide", {}], A[1], Reason.STEP),
        (["act", MAIN, "reject", {"why": " "}], A[0], Reason.ARGUMENT),
        (["set", "verdict", "y"], A[0], Reason.OWNER),
        (["set", "nothing", "y"], A[0], Reason.UNKNOWN),
        (["set", "tags/x", 1], A[0], Reason.VALUE),
        (["set", "name", "x" * 5000], A[0], Reason.VALUE),
        (["resolve", "name", "x", "r", [b"?" * 32]], A[0], Reason.NAMES),
    ]
    for op, author, reason in cases:
        bad = entry(world, [root], op, author)
        assert state_of(world).refused[bad.id] is reason

"""Changes of the tree of units, as plans: what is published now, and a date → what is published next.

    document = plan_merge(held, ["x01", "x02"], Unit("x05", "Xã Năm", "t01", "commune"), at_ms=…, now_ms=…)
    for line in describe_changes(held, document): print(line)
    store.replace_trust(publisher.publish(store.publication, online, document=document, now_ms=…))

Each plan gives a whole new trust document, one version later. Nothing that was published is taken back: old
parents, names and codes stay as earlier facts, and a unit that ends stays in the tree for ever. The date is
when the change holds for people; who may act for whom follows from the publication itself (`units`).

Source: docs/decisions/0027-changing-the-tree.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.trust_document import Cut, TrustDocument
from onestop_sync.units import FOREVER, Unit

__all__ = [
    "describe_changes",
    "open_units_below",
    "plan_add",
    "plan_apart",
    "plan_close",
    "plan_cut",
    "plan_lift",
    "plan_merge",
    "plan_move",
    "plan_remove_tier",
    "plan_rename",
    "plan_split",
    "succeeded_by",
]

_VIETNAM: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")

Heads = Mapping[bytes, tuple[int, bytes]]
"""Log → (sequence, id) of its last good event."""


def plan_add(document: TrustDocument, unit: Unit, *, at_ms: int, now_ms: int) -> TrustDocument:
    """Plans a new unit.

    Args:
        document: What is published.
        unit: The unit; `Unit.since_ms` is set here.
        at_ms: From when on, milliseconds since 1970 UTC.
        now_ms: The time of the change.

    Raises:
        InvalidInput: The id was used before, a code is another unit's, or its parent has ended.
        NotFound: There is no such parent.
    """
    if unit.id in document.units:
        raise InvalidInput(f"The id {unit.id} is used already, and an id is never used again.")
    _check_parent(document, unit.parent)
    _check_codes(document, unit.id, unit.codes)
    return _next(document, now_ms, units=[replace(unit, since_ms=at_ms)])


def plan_rename(
    document: TrustDocument,
    unit: str,
    *,
    at_ms: int,
    now_ms: int,
    name: str = "",
    codes: Sequence[str] = (),
) -> TrustDocument:
    """Plans another name, or another agency code; the old ones stay aliases for ever.

    Args:
        document: What is published.
        unit: Its id.
        at_ms: From when on, milliseconds since 1970 UTC.
        now_ms: The time of the change.
        name: The new name; empty: as before.
        codes: The codes from now on, the current one first; none: as before.

    Raises:
        NotFound: There is no such unit.
        InvalidInput: Nothing changes, the unit has ended, or a code is another unit's.
    """
    held = _open(document, unit)
    _check_codes(document, unit, codes)
    changed = _changed(held, at_ms, name=name or held.name, codes=tuple(codes) or held.codes)
    if (changed.name, changed.codes) == (held.name, held.codes):
        raise InvalidInput(f"That is what {unit} is called already.")
    return _next(document, now_ms, units=[changed])


def plan_move(document: TrustDocument, unit: str, parent: str, *, at_ms: int, now_ms: int) -> TrustDocument:
    """Plans that a unit goes below another one.

    Raises:
        NotFound: There is no such unit or parent.
        InvalidInput: One of them has ended, or the unit would be above itself.
    """
    held = _open(document, unit)
    _check_parent(document, parent)
    if not held.parent:
        raise InvalidInput(f"{unit} is the top of the tree: it stays there.")
    if held.parent == parent:
        raise InvalidInput(f"{unit} is below {parent} already.")
    return _next(document, now_ms, units=[_changed(held, at_ms, parent=parent)])


def plan_merge(
    document: TrustDocument, merged: Sequence[str], into: Unit | str, *, at_ms: int, now_ms: int
) -> TrustDocument:
    """Plans that one unit goes on with the work of several; units below them go below it.

    Args:
        document: What is published.
        merged: Ids of the units that end.
        into: The id of a unit that is there, or a new one.
        at_ms: From when on, milliseconds since 1970 UTC.
        now_ms: The time of the change.

    Raises:
        NotFound: There is no such unit.
        InvalidInput: A unit has ended already, is named twice, or is the top of the tree.
    """
    if isinstance(into, Unit):
        added = plan_add(document, into, at_ms=at_ms, now_ms=now_ms)
        return replace(plan_merge(added, merged, into.id, at_ms=at_ms, now_ms=now_ms), version=added.version)
    _open(document, into)
    ended = [_open(document, unit) for unit in merged]
    if len({*merged, into}) != len(merged) + 1 or not merged:
        raise InvalidInput("Name each unit once: those that end, and another one that goes on.")
    return _end(document, ended, (into,), below=into, at_ms=at_ms, now_ms=now_ms)


def plan_split(
    document: TrustDocument,
    unit: str,
    into: Sequence[str],
    assigned: Mapping[bytes, str],
    *,
    at_ms: int,
    now_ms: int,
) -> TrustDocument:
    """Plans that several units go on with the work of one.

    Args:
        document: What is published.
        unit: The unit that ends.
        into: Ids of the units that go on: they are there already.
        assigned: Document → who goes on with it; what is not listed goes to the unit's parent.
        at_ms: From when on, milliseconds since 1970 UTC.
        now_ms: The time of the change.

    Raises:
        NotFound: There is no such unit.
        InvalidInput: Less than two successors, a document that goes to nobody of them, or units are below
            the one that ends.
    """
    held = _open(document, unit)
    for each in into:
        _open(document, each)
    if len(set(into)) != len(into) or len(into) < 2 or unit in into:  # noqa: PLR2004 - one is a merger
        raise InvalidInput("Name two or more units that go on, each once, and not the one that ends.")
    strangers = sorted(set(assigned.values()) - set(into))
    if strangers:
        raise InvalidInput(f"The list gives documents to {', '.join(strangers)}, which does not go on here.")
    below = open_units_below(document, unit)
    if below:
        raise InvalidInput(
            f"Below {unit} are {', '.join(below)}.", todo="Nothing was changed. Move them first, each to one."
        )
    ended = _end(document, [held], tuple(into), below="", at_ms=at_ms, now_ms=now_ms)
    return replace(ended, assignments={**document.assignments, unit: dict(assigned)})


def plan_remove_tier(document: TrustDocument, level: str, *, at_ms: int, now_ms: int) -> TrustDocument:
    """Plans that a tier disappears: each of its units ends, and what is below it goes to its parent.

    Args:
        document: What is published.
        level: ``district``, say.
        at_ms: From when on, milliseconds since 1970 UTC.
        now_ms: The time of the change.

    Raises:
        InvalidInput: No unit that goes on has that level, or the top has it.
    """
    found = sorted(u.id for u in document.units.values() if u.level == level and not u.is_ended)
    if not found:
        raise InvalidInput(f"No unit that goes on is a {level}.")
    planned = document
    for unit in found:
        held = planned.units[unit]
        if not held.parent:
            raise InvalidInput(f"{unit} is the top of the tree: it stays.")
        planned = _end(planned, [held], (held.parent,), below=held.parent, at_ms=at_ms, now_ms=now_ms)
    return replace(planned, version=document.version + 1)


def plan_close(document: TrustDocument, unit: str, heads: Heads, *, now_ms: int) -> TrustDocument:
    """Plans the closing of a unit: what its machines have not delivered by now needs a countersignature.

    Args:
        document: What is published.
        unit: A unit that has ended.
        heads: The last event of each of its logs.
        now_ms: The time of the change.

    Raises:
        NotFound: There is no such unit.
        InvalidInput: It goes on, or is closed already.
    """
    held = _known(document, unit)
    if not held.is_ended:
        raise InvalidInput(f"{unit} goes on: merge or split it first, and close it when all have reported.")
    if document.is_cut_off(b"", unit):
        raise InvalidInput(f"{unit} is closed already.")
    return _next(document, now_ms, cuts=(*document.cuts, Cut("closed", b"", unit, dict(heads))))


def plan_cut(document: TrustDocument, cuts: Iterable[Cut], *, now_ms: int) -> TrustDocument:
    """Plans that keys count no further, or that branches end.

    A cut of the same key is replaced. Ended branches add up: a key is copied more than once, perhaps.
    """
    fresh = tuple(_joined(document, cut) for cut in cuts)
    named = {_which(cut) for cut in fresh}
    kept = tuple(c for c in document.cuts if _which(c) not in named)
    return _next(document, now_ms, cuts=(*kept, *fresh))


def _which(cut: Cut) -> tuple[bytes, str, bool]:
    """Returns what there is one cut of."""
    return cut.key, cut.unit, cut.is_of_branches


def _joined(document: TrustDocument, cut: Cut) -> Cut:
    before = next((c for c in document.cuts if cut.is_of_branches and _which(c) == _which(cut)), cut)
    return cut._replace(heads={**before.heads, **cut.heads})


def plan_lift(document: TrustDocument, key: bytes = b"", unit: str = "", *, now_ms: int) -> TrustDocument:
    """Plans that a key, or a unit that was closed, counts without a cut again.

    Ended branches are lifted where nothing else of that key is.

    Raises:
        NotFound: It is not cut off.
    """
    named = [c for c in document.cuts if (c.key, c.unit) == (key, unit)]
    if not named:
        raise NotFound("That is not cut off.", todo="Look at the list of cuts.")
    lifted = min(named, key=lambda cut: cut.is_of_branches)
    return _next(document, now_ms, cuts=tuple(c for c in document.cuts if c is not lifted))


def plan_apart(document: TrustDocument, regimes: Iterable[str], *, now_ms: int) -> TrustDocument:
    """Plans under which legal profiles one person may not both appraise and decide; none of the others.

    Raises:
        InvalidInput: It is so already.
    """
    wanted = sorted(set(regimes))
    if wanted == sorted(document.apart):
        raise InvalidInput("It is published so already.", todo="Nothing was changed.")
    return _next(replace(document, facts={**document.facts, "apart": wanted}), now_ms)


# ------------------------------------------------------------------------------------------- looking


def open_units_below(document: TrustDocument, unit: str) -> list[str]:
    """Returns the units that go on and whose parent is this one, today."""
    return sorted(u.id for u in document.units.values() if u.parent == unit and not u.is_ended)


def succeeded_by(document: TrustDocument, unit: str) -> list[str]:
    """Returns the units that have ended and whose work this one goes on with, wholly or in part."""
    tree = document.tree
    ended = (u for u in document.units.values() if u.is_ended and u.id != unit)
    return sorted(u.id for u in ended if unit in _heirs(document, u.id) and unit in tree.over(u.id))


def _heirs(document: TrustDocument, unit: str) -> set[str]:
    found: set[str] = set()
    queue = [unit]
    while queue:
        at = document.units[queue.pop()]
        found.add(at.id)
        queue += [s for s in at.successors if s not in found]
    return found


def describe_changes(before: TrustDocument, after: TrustDocument) -> list[str]:
    """Returns what a new document changes, a sentence each, for the person who is about to publish it."""
    gone = sorted(set(before.units) - set(after.units))
    return [
        *(f"{unit} ({before.units[unit].name}) is not in the tree any more." for unit in gone),
        *(line for unit in sorted(after.units) for line in _unit_lines(before, after, unit)),
        *_assignment_lines(before, after),
        *_cut_lines(before, after),
        *_acting_lines(before, after),
        *_admin_lines(before, after),
        *_apart_lines(before, after),
    ]


def _apart_lines(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    for profile in sorted(after.apart - before.apart):
        yield f"Under {profile} one person may not both appraise and decide, also in dossiers that are here."
    for profile in sorted(before.apart - after.apart):
        yield f"Under {profile} one person may both appraise and decide."


def _unit_lines(before: TrustDocument, after: TrustDocument, unit: str) -> Iterator[str]:
    new, old = after.units[unit], before.units.get(unit)
    if old is None:
        codes = f", code {', '.join(new.codes)}" if new.codes else ""
        yield f"{unit} is new from {_day(new.since_ms)}: {new.name} ({new.level}), below {new.parent}{codes}."
        return
    if new.name != old.name:
        yield f"{unit} is called {new.name} from {_day(new.since_ms)}; before: {old.name}."
    if new.codes != old.codes:
        was = ", ".join(old.codes) or "none"
        yield f"{unit} has the code {new.codes[0]} from {_day(new.since_ms)}; {was} stays an alias."
    if new.parent != old.parent:
        yield f"{unit} ({new.name}) goes below {new.parent} from {_day(new.since_ms)}; before: {old.parent}."
    if new.is_ended and not old.is_ended:
        others = " and ".join(new.successors)
        yield f"{unit} ({new.name}) ends on {_day(new.until_ms)}: {others} goes on with its work."


def _assignment_lines(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    for unit, listed in sorted(after.assignments.items()):
        if listed != before.assignments.get(unit):
            counts = {to: sum(x == to for x in listed.values()) for to in sorted(set(listed.values()))}
            told = ", ".join(f"{count} to {to}" for to, count in counts.items()) or "none is listed"
            rest = after.units[unit].parent
            yield f"Of the documents of {unit}: {told}; all others go to {rest}."


_WORDS: Final = {"forked": "was on two machines at once: of its branches one counts, and it goes on"}


def _cut_lines(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    for cut in after.cuts:
        if cut not in before.cuts:
            key = f"Key {cut.key.hex()[:16]}… {_WORDS.get(cut.why, 'is cut off')} ({cut.why})"
            rest = "is out" if cut.why == "stolen" else "needs a countersignature"
            last = f"logs that count to a last event: {len(cut.heads)}" if cut.heads else "no log counts"
            yield f"{f'Unit {cut.unit} is closed' if cut.unit else key}; {last}; what lies beyond {rest}."
    for cut in before.cuts:
        if not any(_which(cut) == _which(c) for c in after.cuts):
            what = f"unit {cut.unit}" if cut.unit else f"key {cut.key.hex()[:16]}…"
            yield f"The cut of {what} is lifted: everything that it wrote counts again."


def _acting_lines(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    for unit in sorted(after.units):
        old = before.tree.acts_for(unit) if unit in before.units else frozenset({unit})
        grown = sorted(after.tree.acts_for(unit) - old - {unit})
        if grown:
            yield f"As soon as they hear of it, officers of {unit} act for {', '.join(grown)} as well."


def _admin_lines(before: TrustDocument, after: TrustDocument) -> Iterator[str]:
    for key, unit in sorted(after.admins.items()):
        if before.admins.get(key) != unit:
            yield f"Key {key.hex()[:16]}… administrates {unit} by the root's own word."
    for key, unit in sorted(before.admins.items()):
        if key not in after.admins:
            yield f"Key {key.hex()[:16]}… no longer administrates {unit}."


def _day(ms: int) -> str:
    """Returns a day in Vietnam as people write it in commands: 2026-07-01."""
    if ms <= 0:
        return "the beginning"
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(_VIETNAM).date().isoformat()


# ------------------------------------------------------------------------------------------- the parts


def _known(document: TrustDocument, unit: str) -> Unit:
    found = document.units.get(unit)
    if found is None:
        raise NotFound(f"There is no unit {unit!r}.", todo="Nothing was changed. Check the unit's id.")
    return found


def _open(document: TrustDocument, unit: str) -> Unit:
    found = _known(document, unit)
    if found.is_ended:
        heirs = " and ".join(found.successors) or found.parent
        raise InvalidInput(f"{unit} has ended; {heirs} goes on with its work.")
    return found


def _check_parent(document: TrustDocument, parent: str) -> None:
    if not parent:
        raise InvalidInput("There is one top of the tree already: name the unit above.")
    _open(document, parent)


def _check_codes(document: TrustDocument, unit: str, codes: Sequence[str]) -> None:
    """Refuses a code that another unit has or had: dossiers of both would bear it."""
    for other in document.units.values():
        taken = set(codes) & set(other.all_codes)
        if other.id != unit and taken:
            raise InvalidInput(f"The code {min(taken)} is {other.name}'s ({other.id}), for ever.")


def _changed(
    unit: Unit, at_ms: int, *, name: str = "", parent: str = "", codes: tuple[str, ...] = ()
) -> Unit:
    """Returns a unit with new facts from a date on, and those before as earlier ones."""
    _check_date(unit, at_ms)
    return replace(
        unit, name=name or unit.name, parent=parent or unit.parent, codes=codes or unit.codes,
        since_ms=at_ms, earlier=unit.periods,
    )  # fmt: skip


def _check_date(unit: Unit, at_ms: int) -> None:
    if at_ms < unit.since_ms:
        raise InvalidInput(
            f"What is published of {unit.id} holds from {_day(unit.since_ms)}, which is after {_day(at_ms)}.",
            todo="Nothing was changed. Choose that day or a later one.",
        )


def _end(
    document: TrustDocument,
    units: Sequence[Unit],
    successors: tuple[str, ...],
    *,
    below: str,
    at_ms: int,
    now_ms: int,
) -> TrustDocument:
    """Ends units; what is below them goes below ``below``."""
    changed: list[Unit] = []
    ended = {unit.id for unit in units}
    for unit in units:
        if not unit.parent:
            raise InvalidInput(f"{unit.id} is the top of the tree: it stays.")
        _check_date(unit, at_ms)
        changed.append(replace(unit, until_ms=min(at_ms, FOREVER - 1), successors=successors))
        for child in open_units_below(document, unit.id):
            if child == below:
                raise InvalidInput(f"{below} is below {unit.id}: move it first.")
            if child not in ended:
                changed.append(_changed(document.units[child], at_ms, parent=below))
    return _next(document, now_ms, units=changed)


def _next(
    document: TrustDocument, now_ms: int, *, units: Iterable[Unit] = (), cuts: tuple[Cut, ...] | None = None
) -> TrustDocument:
    """Returns the next version.

    Raises:
        InvalidInput: The tree would have a hole or a cycle.
    """
    found = replace(
        document,
        version=document.version + 1,
        units={**document.units, **{unit.id: unit for unit in units}},
        issued_ms=now_ms,
        cuts=document.cuts if cuts is None else cuts,
    )
    found.to_bytes()  # refuses what cannot be published
    return found

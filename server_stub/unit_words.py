"""The tree of units in words: at a date, unit by unit, with the machines that have moved on and have not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onestop_sync.alphabet import alphabetical
from onestop_sync.errors import NotFound
from onestop_sync.keys import fingerprint
from onestop_sync.store import Store
from onestop_sync.tree_changes import succeeded_by
from onestop_sync.trust import Certificate
from onestop_sync.trust_document import TrustDocument
from onestop_sync.units import Unit
from server_stub.adoption import Adoption
from server_stub.console import counted, to_day, to_moment
from server_stub.heads import LogHead, MachineState, certificates_of, machines_of

__all__ = [
    "adoption_line",
    "certificate_facts",
    "closing_lines",
    "machine_line",
    "tree_facts",
    "tree_lines",
    "unit_facts",
    "unit_lines",
]


def tree_facts(document: TrustDocument, at_ms: int) -> list[dict[str, Any]]:
    """Returns every unit as it stands on a day, each below the one above it; those that have ended last.

    Args:
        document: The trust document.
        at_ms: The day, milliseconds since 1970 UTC.
    """
    there = {u.id: u for u in document.units.values() if _begins(u) <= at_ms}
    open_ = {u.id for u in there.values() if u.until_ms > at_ms}
    children: dict[str, list[str]] = {}
    for unit in sorted(open_, key=lambda u: (alphabetical(there[u].at(at_ms).name), u)):
        parent = there[unit].at(at_ms).parent
        children.setdefault(parent if parent in open_ else "", []).append(unit)
    found: list[dict[str, Any]] = []
    stack = [(unit, 0) for unit in reversed(children.get("", []))]
    while stack:
        unit, depth = stack.pop()
        found.append(_facts(document, there[unit], at_ms) | {"depth": depth})
        stack += [(child, depth + 1) for child in reversed(children.get(unit, []))]
    ended = sorted(set(there) - open_)
    return found + [_facts(document, there[unit], at_ms) | {"depth": 0} for unit in ended]


def _begins(unit: Unit) -> int:
    return unit.periods[0].from_ms


def _facts(document: TrustDocument, unit: Unit, at_ms: int) -> dict[str, Any]:
    held = unit.at(at_ms)
    return {
        "unit": unit.id,
        "name": held.name,
        "level": held.level,
        "parent": held.parent,
        "codes": list(held.codes),
        "aliases": [code for code in unit.all_codes if code not in held.codes[:1]],
        "has_ended": unit.until_ms <= at_ms,
        "ends_ms": unit.until_ms if unit.is_ended else None,
        "successors": list(unit.successors),
        "is_closed": document.is_cut_off(b"", unit.id),
    }


def tree_lines(facts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yields the tree, a line for each unit."""
    for each in facts:
        yield "  " * each["depth"] + _line(each)


def _line(facts: Mapping[str, Any]) -> str:
    parts = [f"{facts['unit']}  {facts['name']} ({facts['level']})", *facts["codes"][:1]]
    if facts["aliases"]:
        parts.append(f"also {', '.join(facts['aliases'])}")
    if facts["ends_ms"] is not None:
        verb = "ended" if facts["has_ended"] else "ends"
        parts.append(f"{verb} {to_day(facts['ends_ms'])}, {' and '.join(facts['successors'])} goes on")
    if facts["is_closed"]:
        parts.append("closed")
    return ", ".join(parts)


def unit_facts(store: Store, unit: str, at_ms: int) -> dict[str, Any]:
    """Returns everything of one unit: its history, whom it succeeds, its machines and officers.

    Raises:
        NotFound: There is no such unit.
    """
    document = store.trust.document
    found = document.units.get(unit)
    if found is None:
        raise NotFound(f"There is no unit {unit!r}.", todo="`unit show` lists them all.")
    machines = machines_of(store, unit)
    officers = sorted(c.name for c in certificates_of(store, unit).values() if c.kind == "officer")
    return _facts(document, found, at_ms) | {
        "periods": [
            {"from_ms": p.from_ms, "name": p.name, "parent": p.parent, "codes": list(p.codes)}
            for p in found.periods
        ],
        "succeeds": succeeded_by(document, unit),
        "assigned": _assigned(document, unit),
        "machines": [m._asdict() | {"key": m.key.hex(), "is_done": m.is_done} for m in machines],
        "machine_lines": [machine_line(m) for m in machines],
        "officers": officers,
    }


def _assigned(document: TrustDocument, unit: str) -> dict[str, int]:
    listed = list(document.assignments.get(unit, {}).values())
    return {to: listed.count(to) for to in sorted(set(listed))}


def unit_lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yields what `unit_facts` found."""
    yield _line(facts)
    for period in facts["periods"]:
        start = to_day(period["from_ms"]) if period["from_ms"] > 0 else "the beginning"
        code = f", code {period['codes'][0]}" if period["codes"] else ""
        yield f"  from {start}: {period['name']}, below {period['parent'] or 'nobody'}{code}"
    if facts["succeeds"]:
        yield f"  goes on with the work of {', '.join(facts['succeeds'])}"
    for to, count in facts["assigned"].items():
        yield f"  {counted(count, 'document')} went to {to}"
    for line in facts["machine_lines"]:
        yield f"  machine {line}"
    if facts["officers"]:
        yield f"  officers: {', '.join(facts['officers'])}"


def machine_line(machine: MachineState) -> str:
    """Returns how things stand with a machine."""
    if machine.is_cut:
        state = "its key was cut off"
    elif machine.moved_to:
        state = f"goes on in {machine.moved_to}, and everything from before is here"
    else:
        state = f"writes for {machine.unit}"
    seen = (
        f"last at this server {to_moment(machine.seen_ms)}"
        if machine.seen_ms
        else "never at this server itself"
    )
    return f"{machine.name}: {state}; {seen}"


def closing_lines(heads: Sequence[LogHead]) -> list[str]:
    """Returns what a closing takes as the last word."""
    events = sum(head.seq for head in heads)
    last = max((head.stored_ms for head in heads), default=0)
    when = f", the last of them stored {to_moment(last)}" if last else ""
    lines = [f"Here are {counted(len(heads), 'log')} with {counted(events, 'event')}{when}: these count."]
    forked = [head.log.hex()[:16] for head in heads if head.is_forked]
    if forked:
        lines.append(f"Written on two machines at once, so that one branch counts only: {', '.join(forked)}.")
    return lines


def certificate_facts(certificate: Certificate) -> dict[str, Any]:
    """Returns what a certificate says, for JSON."""
    return {
        "name": certificate.name,
        "kind": certificate.kind,
        "unit": certificate.unit,
        "key": fingerprint(certificate.key),
        "roles": sorted(certificate.roles),
        "blocks": [list(block) for block in certificate.blocks],
    }


def adoption_line(each: Adoption) -> str:
    """Returns who goes from where to where, as what."""
    roles = f" as {', '.join(sorted(each.after.roles))}" if each.after.roles else ""
    blocks = ", with new serials" if each.before.blocks else ""
    return (
        f"{each.before.kind} {each.before.name}: from {each.before.unit} to {each.after.unit}{roles}{blocks}"
    )

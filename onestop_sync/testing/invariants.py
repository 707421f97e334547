"""What must hold when everything has arrived; the numbers are those of the design's list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from onestop_sync import fold as f
from onestop_sync import proofs
from onestop_sync.event import Event, parse_body
from onestop_sync.proof_export import export_proof
from onestop_sync.storage.projection import pack
from onestop_sync.testing import oracle
from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import rows
from onestop_sync.testing.erasing import check_erased, erased_contents, erased_documents
from onestop_sync.testing.kinds import TYPES
from onestop_sync.testing.people import People
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.rot import check_health
from onestop_sync.testing.scans import check_scans, check_wanted
from onestop_sync.testing.scope import check_scope

if TYPE_CHECKING:
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.watch import Memory

_TOP: Final = "prov"


def check(nodes: Mapping[str, Node], people: People, memory: Memory, reach: Reach) -> None:
    """Checks a healed world.

    Raises:
        Broken: Something does not hold.
    """
    everything = {i: memory.events[i] for i in memory.alive(nodes.values())}
    stray = {
        memory.events[i].header.doc_id for held in memory.held.values() for i in held - everything.keys()
    }
    reach["strays"] += len(stray)
    erased = erased_documents(people)
    truth = oracle.judge_all(everything.values(), people.document, TYPES, erased)
    _count(truth, reach)
    _check_places(memory)
    _check_top(nodes[_TOP], memory, everything)
    check_erased(nodes, people, memory, reach)
    for node in nodes.values():
        _check_documents(node, people, truth, stray)
        _check_standing(node, everything, truth, stray)
        _check_delivery(node, people)
        _check_forks(node, memory)
        _check_acks(node, nodes)
        _check_statements(node, nodes[_TOP], reach)
    _check_findings(nodes, memory, reach)
    check_scans(nodes, _TOP, erased_contents(memory, erased), reach)
    check_wanted(nodes, _TOP)
    check_scope(nodes, people, truth, stray, everything)
    # The doctor takes long: it looks at one machine of each run.
    check_health(nodes[sorted(nodes)[len(memory.events) % len(nodes)]])
    if not stray:
        _check_digests(nodes, people, truth)


def _count(truth: oracle.Truth, reach: Reach) -> None:
    reach["forks"] += len(truth.forks)
    for verdict in truth.documents.values():
        state = verdict.state
        for register in state.registers.values():
            reach["late"] += bool(register.late)
            reach["overruled"] += bool(register.overruled)
        reach["conflicts"] += sum(not key.startswith("task:") for key in f.conflicts(verdict.kind, state))
        reach["disputes"] += sum(bool(task.branches or task.lost) for task in state.tasks.values())
        reach["refusals"] += len(state.refused)
        reach["waits"] += len(verdict.waiting)


def _check_places(memory: Memory) -> None:
    """10: nobody but a copied disk or a thief ever used a place in a log twice."""
    for (log, seq), ids in memory.places.items():
        genesis = memory.events.get(log)
        if len(ids) > 1 and genesis is not None and _key_of(genesis) not in memory.may_fork:
            raise Broken("10 reuse", f"sequence {seq} of log {log.hex()[:8]} was used {len(ids)} times")


def _key_of(genesis: Event) -> bytes:
    assert genesis.body is not None
    key: bytes = parse_body(genesis.body)[0][1]["key"]
    return key


def _check_top(top: Node, memory: Memory, everything: Mapping[bytes, Event]) -> None:
    """6: what any disk holds has reached the province."""
    missing = everything.keys() - top.event_ids()
    for event_id in sorted(missing):
        holders = sorted(name for name, held in memory.held.items() if event_id in held)
        raise Broken("6 province", f"{_name(everything[event_id])} is only at {', '.join(holders)}")


def _check_documents(node: Node, people: People, truth: oracle.Truth, stray: set[bytes]) -> None:
    """1, 2, 3, 11, 19: every store that may see a document shows it as it must be, byte for byte."""
    held = node.event_ids()
    shown = {row[0]: row[1] for row in rows(node.disk.url, "SELECT id, state FROM document")}
    waiting = {row[0] for row in rows(node.disk.url, "SELECT id FROM event WHERE waiting = 1")}
    for doc, verdict in truth.documents.items():
        if not _sees(people, node.unit, verdict.units, doc) or doc in stray:
            continue
        name = f"{verdict.kind.name} {doc.hex()[8:14]} at {node.name}"
        if not held.issuperset(verdict.events):
            raise Broken(
                "2 invisible", f"{name} lacks {len(verdict.events - held)} of {len(verdict.events)} events"
            )
        if waiting & verdict.events != verdict.waiting:
            raise Broken(
                "4 waiting",
                f"{name} lets {len(waiting & verdict.events)} events wait, not {len(verdict.waiting)}",
            )
        want = pack(verdict.state)
        if (shown.get(doc) or b"") != want and verdict.state.heads:
            raise Broken("1 same everywhere", f"{name} differs: {_difference(node, doc, verdict.state)}")


def _sees(people: People, unit: str, units: set[str], doc: bytes) -> bool:
    """Tells whether a unit replicates a document: of a unit that was split, its successor does."""
    tree = people.document.tree
    return any(unit in tree.over(each, doc) for each in units)


def _difference(node: Node, doc: bytes, want: f.State) -> str:
    got = node.store.document(doc).state
    for name in ("unit", "units", "heads", "registers", "notes", "tasks", "refused", "void_against"):
        one, other = getattr(got, name), getattr(want, name)
        if one != other:
            return f"{name} is {one!r:.300} and must be {other!r:.300}"
    return "the bytes"


def _check_standing(
    node: Node, everything: Mapping[bytes, Event], truth: oracle.Truth, stray: set[bytes]
) -> None:
    """16: every event has exactly one standing and one delivery, and the standing is the true one."""
    held = node.event_ids()
    for doc in sorted(set(node.documents()) - stray):
        verdict = truth.documents[doc]
        if not verdict.events <= held:
            continue
        seen: set[bytes] = set()
        for record in node.store.history(doc):
            event_id = record.event.id
            if event_id in seen:
                raise Broken("16 once", f"{_name(record.event)} is twice in the history at {node.name}")
            seen.add(event_id)
            want = f.Standing.WAITING
            if event_id not in verdict.waiting:
                body = everything[event_id].body
                want = f.standing(verdict.kind, verdict.state, event_id, parse_body(body) if body else [])
            if record.standing != want:
                raise Broken(
                    "16 standing", f"{_name(record.event)} {record.standing} at {node.name}, not {want}"
                )
        if seen != verdict.events:
            raise Broken(
                "16 history",
                f"{doc.hex()[8:14]} shows {len(seen)} of {len(verdict.events)} events at {node.name}",
            )


def _check_delivery(node: Node, people: People) -> None:
    """6, 16: every event of the own unit is known to be at the province."""
    if not node.plan.parents:
        return
    tree = people.document.tree
    # One part of a split has only some of a log, and cannot tell what an ack of the whole covers.
    scope = {unit for unit in tree.units if tree.is_wholly_over(node.unit, unit)}
    for doc in node.documents():
        for record in node.store.history(doc):
            if record.author is None or record.author.certificate.unit not in scope:
                continue
            if record.delivery.level != "province":
                raise Broken(
                    "16 delivery", f"{_name(record.event)} is at {record.delivery.level} for {node.name}"
                )
    unsent = node.store.status().unsent
    if unsent:
        raise Broken("16 unsent", f"{node.name} still shows {unsent} events as unsent")


def _check_forks(node: Node, memory: Memory) -> None:
    """9: a fork is flagged at every store that holds both sides."""
    held = memory.held[node.name]
    flagged = {row[0] for row in rows(node.disk.url, "SELECT id FROM log WHERE forked = 1")}
    for (log, seq), ids in memory.places.items():
        if len(ids & held) > 1 and log not in flagged:
            raise Broken("9 fork", f"{node.name} does not flag the fork of {log.hex()[:8]} at {seq}")


def _check_acks(node: Node, nodes: Mapping[str, Node]) -> None:
    """8: what a parent is believed to have, it has."""
    acks = rows(
        node.disk.url,
        "SELECT ack.node, log.id, ack.seq FROM ack JOIN log ON log.n = ack.log_n WHERE ack.good = 1",
    )
    by_log = {other.store.machine_log: other for other in nodes.values() if other.plan.serves}
    for acker, log, seq in acks:
        other = by_log.get(acker)
        if other is None:
            continue
        found = rows(other.disk.url, "SELECT seq FROM log WHERE id = ?", log)
        if not found or found[0][0] < seq:
            raise Broken("8 ack", f"{node.name} believes that {other.name} has {log.hex()[:8]} up to {seq}")


def _check_statements(node: Node, top: Node, reach: Reach) -> None:
    """8: the province's newest statement has come down to every machine, whatever the way."""
    unit = node.unit
    if not node.plan.parents or not top.store.trust.document.units[unit].parent:
        return
    query = "SELECT hash FROM statement WHERE unit = ? ORDER BY n DESC LIMIT 1"
    made = rows(top.disk.url, query, unit)
    if made and not rows(node.disk.url, "SELECT n FROM statement WHERE hash = ?", made[0][0]):
        raise Broken("8 statement", f"{node.name} lacks the province's newest statement of {unit}")
    reach["statements that came"] += rows(node.disk.url, "SELECT count(*) FROM statement")[0][0]


def _check_findings(nodes: Mapping[str, Node], memory: Memory, reach: Reach) -> None:
    """8: a parent that was restored is found out by those below; nobody else is ever accused."""
    restored = {
        nodes[name].plan.machine.public
        for name in memory.restored
        if name in nodes and nodes[name].plan.serves
    }
    for node in nodes.values():
        for finding in node.store.findings():
            name = f"{finding.kind} of {finding.unit} at {node.name}"
            if finding.kind != "restored" or finding.key not in restored:
                raise Broken("8 finding", f"{name} accuses somebody who is honest")
            reach["findings"] += 1
        if node.store.findings():
            data, _ = export_proof(node.store)
            reach["proofs"] += all(case.is_proven for case in proofs.check(data).cases)


def _check_digests(nodes: Mapping[str, Node], people: People, truth: oracle.Truth) -> None:
    """1: stores of one unit show the same of every document that the unit sees."""
    shown: dict[str, dict[frozenset[tuple[bytes, bytes]], str]] = {}
    for node in nodes.values():
        seen = {doc for doc, v in truth.documents.items() if _sees(people, node.unit, v.units, doc)}
        found = (node.store.fingerprints(kind.name).items() for kind in TYPES)
        here = frozenset((doc, state) for each in found for doc, state in each if doc in seen)
        shown.setdefault(node.unit, {})[here] = node.name
    for unit, found_of in shown.items():
        if len(found_of) > 1:
            raise Broken("1 digest", f"the stores of {unit} differ: {', '.join(sorted(found_of.values()))}")


def _name(event: Event) -> str:
    return (
        f"event {event.id.hex()[:8]} ({event.header.doc_type}, log {event.log.hex()[:8]}, {event.header.seq})"
    )

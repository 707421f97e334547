"""23: what the province erases by law is nowhere any more, whoever still writes to it or brings it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onestop_sync import codec
from onestop_sync.attachment import contents_named
from onestop_sync.entries import ops_of
from onestop_sync.erasure import plan_erasure, plan_files
from onestop_sync.errors import NotAllowed
from onestop_sync.event import Event
from onestop_sync.fold import Standing
from onestop_sync.publication import Publication
from onestop_sync.schema import MAIN
from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import rows
from onestop_sync.tombstone import ERASED, Tombstone, tombstones
from onestop_sync.verification import verify_document

if TYPE_CHECKING:
    from onestop_sync.testing.dice import Dice
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.people import People
    from onestop_sync.testing.reach import Reach
    from onestop_sync.testing.watch import Memory
    from onestop_sync.testing.world import World

__all__ = ["check_erased", "erase", "erased_contents", "erased_documents"]

_BY_COURT: Final = 0.6
"""How often a document that is not over is erased: a court has said so."""


def erase(world: World, dice: Dice) -> None:
    """Lets the province erase a document: one whose term is over, or any by a court's word."""
    top, people = world.nodes["prov"], world.people
    documents = {doc: top.store.document(doc) for doc in top.documents()}
    over = [
        doc
        for doc, held in documents.items()
        if MAIN in held.state.tasks and held.state.tasks[MAIN].step == "done"
    ]
    chosen = sorted(documents) if dice.happens(_BY_COURT) else sorted(over)
    if not chosen:
        return
    doc = dice.pick(chosen)
    try:
        plan = plan_erasure(
            verify_document(top.store, doc), documents[doc].kind, why="The term is over.", now_ms=world.now()
        )
    except NotAllowed as error:
        world.note(f"{doc.hex()[8:14]} is not erased: {error.details.get('reason', '')}")
        return
    people.publish_files(plan_files(Publication.parse(people.published), [plan]), world.now())
    world.reach["erasures"] += 1
    world.note(f"the province erases {doc.hex()[8:14]}, {plan.bodies} bodies")
    # The publisher has it, whatever becomes of the server's own copy in that moment.
    world.at_risk(top, lambda: _take(top, people.published), 0.3)
    world.look(top)


def _take(top: Node, published: bytes) -> None:
    top.store.replace_trust(published)


def erased_documents(people: People) -> Mapping[bytes, Tombstone]:
    """Returns what the province has erased."""
    return tombstones(Publication.parse(people.published))


def erased_contents(memory: Memory, erased: Mapping[bytes, Tombstone]) -> set[bytes]:
    """Returns the attachments that events of erased documents name, and no others."""
    gone: set[bytes] = set()
    kept: set[bytes] = set()
    for event in memory.events.values():
        (gone if event.header.doc_id in erased else kept).update(contents_named(ops_of(event) or []))
    return gone - kept


def check_erased(nodes: Mapping[str, Node], people: People, memory: Memory, reach: Reach) -> None:
    """Checks that of erased documents there is what their tombstones say, everywhere, and nothing more.

    Raises:
        Broken: Something of one is left, or its end is told otherwise.
    """
    erased = erased_documents(people)
    if not erased:
        return
    events = [event for event in memory.events.values() if event.header.doc_id in erased]
    salts = [_salt(event) for event in events if event.body is not None]
    contents = erased_contents(memory, erased)
    reach["erased scans"] += len(contents)
    for node in nodes.values():
        _check_rows(node, erased)
        _check_history(node, erased, reach)
        chunks = {row[0] for row in rows(node.disk.url, "SELECT hash FROM chunk")}
        if contents & chunks:
            raise Broken("23 scan", f"{node.name} holds a scan that only an erased document named")
        data = b"".join(path.read_bytes() for path in _files(node))
        if any(salt in data for salt in salts):
            raise Broken("23 disk", f"bytes of an erased event are still on the disk of {node.name}")


def _check_rows(node: Node, erased: Mapping[bytes, Tombstone]) -> None:
    for doc, state, stone in rows(node.disk.url, "SELECT id, state, tombstone FROM document"):
        if doc not in erased:
            continue
        if state is not None or stone != erased[doc].to_bytes():
            raise Broken("23 erased", f"{node.name} still shows {doc.hex()[8:14]}")
    query = "SELECT d.id FROM event e JOIN document d ON d.n = e.doc_n WHERE e.body IS NOT NULL"
    for (doc,) in rows(node.disk.url, query):
        if doc in erased:
            raise Broken("23 body", f"{node.name} holds a body of {doc.hex()[8:14]}, which was erased")


def _check_history(node: Node, erased: Mapping[bytes, Tombstone], reach: Reach) -> None:
    for doc, stone in sorted(erased.items()):
        for record in node.store.history(doc):
            became = stone.events.get(record.event.id)
            want = became.standing if became else Standing.REFUSED
            if record.standing != want:
                raise Broken(
                    "23 standing", f"an erased event is {record.standing} at {node.name}, not {want}"
                )
            if became is None and record.reason == ERASED:
                reach["too late for the erased"] += 1


def _files(node: Node) -> list[Path]:
    return sorted(path for path in node.disk.folder.iterdir() if path.name.startswith("store.db"))


def _salt(event: Event) -> bytes:
    match codec.decode(event.body or b""):
        case [bytes(salt), *_]:
            return salt
    raise AssertionError

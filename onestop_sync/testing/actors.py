"""What officers do: mostly what their program lets them, now and then what it must refuse."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from onestop_sync import fold as f
from onestop_sync import shelf
from onestop_sync.attachment import CHUNK_BYTES
from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.event import Op
from onestop_sync.schema import MAIN, VOID, DocumentType
from onestop_sync.store import Document, Writer
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.kinds import CASE, PERMIT, SURVEY
from onestop_sync.testing.node import Node
from onestop_sync.testing.people import Officer
from onestop_sync.testing.reach import Reach

_EDITS: Final = {
    "phone": 1.5, "name": 7.0, "verdict": 2.0, "papers": 3.0, "tags": 1.0, "opinion": 1.0,
    "note": 1.0, "act": 5.0, "agency": 1.0, "void": 0.15,
}  # fmt: skip
_SCAN: Final = "a scan"
"""Stands for a file until it is certain that it will be written."""
_SIZES: Final = {1: 1.0, 900: 3.0, CHUNK_BYTES: 1.0, CHUNK_BYTES + 1: 1.0, 3 * CHUNK_BYTES - 7: 1.0}
"""Sizes of scans, by weight, bytes."""
_NEW: Final = {
    (CASE.name, (("name", "n"), ("phone", "0"))): 0.8,
    (SURVEY.name, (("head", "A"),)): 0.15,
    (PERMIT.name, (("holder", "h"),)): 0.05,
}
"""What is begun, by weight."""
_HOT: Final = 3
_TRIES: Final = 8


class Actor:
    """One officer at work, for one step.

    Args:
        node: The machine.
        officer: Who sits at it.
        dice: Chance.
        reach: Where to count.
        units: Every unit, to hand over to.
        tell: Takes a line for the trace.
    """

    def __init__(self, node: Node, officer: Officer, dice: Dice, reach: Reach, units: list[str]) -> None:
        self.node = node
        self.officer = officer
        self.dice = dice
        self.reach = reach
        self.units = units

    def work(self, documents: list[bytes]) -> str:
        """Does one thing; returns what, for the trace."""
        try:
            writer = self.node.store.writer(self.officer.key)
        except NotAllowed:
            return f"{self.officer.name} is not certified here"
        try:
            if not documents or self.dice.happens(0.07):
                return self._create(writer)
            if self.dice.happens(0.06):
                return self._issue()
            if (lacking := self.node.lacking_scans()) and self.dice.happens(0.3):
                return self._want(self.dice.pick(lacking))
            return self._edit(writer, self._some(documents))
        except NotAllowed as error:
            self.reach["refused at the desk"] += 1
            return f"{self.officer.name} may not: {error.details.get('reason', error.what)}"
        except NotFound:
            return f"{self.officer.name} finds nothing"

    def _some(self, documents: list[bytes]) -> Document:
        """Picks a document: mostly one of the latest that concern the officer, so that people meet there."""
        for _ in range(_TRIES):
            hot = documents[-_HOT:] if self.dice.happens(0.7) else documents
            document = self.node.store.document(self.dice.pick(hot))
            if self.officer.unit in document.state.units:
                break
        return document

    def _create(self, writer: Writer) -> str:
        kind, values = self.dice.weighted(_NEW)
        if kind not in writer.store.types:
            return f"{self.officer.name} knows no {kind}"
        doc = writer.create(kind, dict(values))
        self.reach["documents"] += 1
        return f"{self.officer.name} creates {kind} {doc.hex()[8:14]}"

    def _issue(self) -> str:
        self.reach["serials"] += self.node.issue()
        return f"{self.officer.name} issues {self.node.serials[-1:]}"

    def _want(self, doc: bytes) -> str:
        """Asks for the scans of a document that are not here."""
        lacking = [each for each in shelf.attached(self.node.store, doc) if not each.is_here]
        shelf.want(self.node.store, [each.manifest for each in lacking])
        self.reach["scans asked for"] += len(lacking)
        return f"{self.officer.name} asks for {len(lacking)} scans of {doc.hex()[8:14]}"

    def _edit(self, writer: Writer, document: Document) -> str:
        ops = [self._scanned(op) for op in self._ops(writer, document)]
        writer.write(document.id, ops)
        self.reach["edits"] += 1
        self.reach["handovers"] += any(op[0] == "act" and op[2] in {"hand", "back", "ask"} for op in ops)
        self.reach["resolutions"] += ops[0][0] == "resolve"
        self.reach["settlements"] += ops[0][0] == "settle"
        return f"{self.officer.name} writes {document.id.hex()[8:14]} {_short(ops)}"

    def _ops(self, writer: Writer, document: Document) -> list[Op]:
        """Returns what the officer tries: mostly something that is allowed here and now."""
        author = writer.author
        for _ in range(_TRIES):
            ops = [self._settlement(document) or self._op(document.kind, document.state)]
            if self.dice.happens(0.15) and ops[0][0] != "note" and document.kind is CASE:
                ops.append(["note", "remarks", "both at once"])
            entry = f.Entry(b"", (), ops, author, 0)
            if f.judge(document.kind, document.state, entry) is None or self.dice.happens(0.03):
                break
        return ops

    def _scanned(self, op: Op) -> Op:
        """Takes a scan in, where one is to be written; pages are few, so that some are the same."""
        if op[2:] != [_SCAN]:
            return op
        size = self.dice.weighted(_SIZES)
        pages = b"".join(bytes([self.dice.randrange(4)]) * CHUNK_BYTES for _ in range(0, size, CHUNK_BYTES))
        manifest = shelf.take_in(self.node.store, BytesIO(pages[:size]), "scan.jpg", "image/jpeg")
        self.reach["scans"] += 1
        return [*op[:2], manifest.to_value()]

    def _op(self, kind: DocumentType, state: f.State) -> Op:
        dice = self.dice
        if kind is not CASE:
            return dice.pick(self._plain(kind))
        match dice.weighted(_EDITS):
            case "papers":
                value = _SCAN if dice.happens(0.8) else dice.randrange(4)
                return ["set", f"papers/{dice.pick('pq')}", value]
            case "tags":
                return ["set", f"tags/{dice.pick('st')}", dice.happens(0.5)]
            case "opinion":
                return ["set", f"opinion/{dice.pick(self.units)}", dice.pick("uv")]
            case "note":
                return ["note", "remarks", f"note {dice.randrange(1000)}"]
            case "void":
                return ["set", VOID, "typed twice"]
            case "agency":
                unit = dice.pick(self.units)
                return ["act", f"agency:{unit}", dice.pick(["ask", "answer"]), {"to": unit}]
            case "act":
                return self._act(kind, state)
            case name:
                return ["set", name, f"{name[0]}{dice.randrange(6)}"]

    def _plain(self, kind: DocumentType) -> list[Op]:
        """Returns what there is to write into a survey or a permit."""
        dice = self.dice
        if kind.name == PERMIT.name:
            to = dice.pick([self.officer.unit, dice.pick(self.units)])
            return [
                ["set", "holder", dice.pick("ABC")],
                ["act", MAIN, "pass", {"to": to}],
                ["note", "talk", "?"],
            ]
        ops: list[Op] = [["set", "head", dice.pick("ABC")], ["set", "members/An", dice.happens(0.6)]]
        newer: list[Op] = [["set", "income", dice.randrange(9)]] if kind is SURVEY else []
        return [*ops, *newer, ["note", "talk", "!"]]

    def _act(self, kind: DocumentType, state: f.State) -> Op:
        workflow, task = kind.task(MAIN), state.tasks.get(MAIN)
        open_now = workflow.actions_at(task.step) if workflow and task else ()
        action = self.dice.pick(open_now).action if open_now and self.dice.happens(0.9) else "decide"
        if action in {"hand", "back"}:
            # Mostly to the own unit or to one that takes part already; now and then across.
            to = self.dice.pick([self.officer.unit, *state.units, *state.units, self.dice.pick(self.units)])
            return ["act", MAIN, action, {"to": to}]
        return ["act", MAIN, action, {"why": "the law"} if action != "decide" else {}]

    def _settlement(self, document: Document) -> Op | None:
        if not document.conflicts or self.dice.happens(0.5):
            return None
        key = self.dice.pick(document.conflicts)
        state = document.state
        if key.startswith("task:"):
            task = state.tasks[key[5:]]
            nodes = [branch.node for branch in task.branches]
            chosen = self.dice.pick(nodes)
            return ["settle", key[5:], task.node, chosen, "agreed", [n for n in nodes if n != chosen]]
        register = state.registers.get(key)
        if register is None:
            return None
        writes = [*register.live, *register.late]
        ids = {write[0] for write in writes} | (set(state.void_against) if key == VOID else set())
        values: list[Any] = [write[1] for write in writes]
        if not ids or not values:
            return None
        return ["resolve", key, self.dice.pick(values), "seen the paper", sorted(ids)]


def _short(ops: list[Op]) -> str:
    return " ".join(
        "/".join(part.hex()[:6] if isinstance(part, bytes) else str(part)[:30] for part in op[:3])
        for op in ops
    )

"""What a store must do with edits that did not know of each other."""

from __future__ import annotations

from onestop_sync.errors import (
    NotAllowed,
)
from onestop_sync.event import Event
from onestop_sync.schema import MAIN, VOID
from onestop_sync.state import Standing
from onestop_sync.testing.contract_base import Contract, refused
from onestop_sync.testing.small_province import (
    JUDGE,
    Machine,
    frames,
    share,
)


class Merging(Contract):
    """Edits that merge, conflict, come late or are disputed."""

    def test_edits_of_different_fields_merge(self) -> None:
        """Two machines that edit different fields end with both, and the same bytes."""
        other, doc = self.another(), self.file()
        share([doc], self.pc, other)
        self.pc.writer("an").edit(doc, {"phone": "1"})
        other.writer("chi").edit(doc, {"name": "Lê Thị Cúc"})
        share([doc], self.pc, other)
        found = self.pc.store.document(doc)
        assert (found.value("phone"), found.value("name"), found.conflicts) == ("1", "Lê Thị Cúc", [])
        assert self.pc.store.digest() == other.store.digest()

    def test_a_conflict_is_the_same_everywhere_and_is_settled_once(self) -> None:
        """Different values of one field are one conflict on both, until a person settles it."""
        other, doc = self.another(), self.file()
        share([doc], self.pc, other)
        self.pc.writer("an").edit(doc, {"name": "Đặng An"})
        other.writer("chi").edit(doc, {"name": "Đặng Anh"})
        share([doc], self.pc, other)
        for machine in (self.pc, other):
            assert machine.store.document(doc).conflicts == ["name"]
            assert [row.doc for row in machine.store.page("matter", only="conflict")] == [doc]
            assert machine.store.status().conflicts == 1
        with refused(NotAllowed, "conflict"):
            self.pc.writer("an").edit(doc, {"name": "Đặng Ân"})
        other.writer("chi").resolve(doc, "name", "Đặng Anh", "xem lại căn cước")
        share([doc], self.pc, other)
        assert self.pc.store.document(doc).conflicts == []
        assert self.pc.store.page("matter", only="conflict") == []
        assert self.pc.store.digest() == other.store.digest()

    def test_a_late_edit_waits_and_an_overruled_one_is_told(self) -> None:
        """A write that had not seen the handover is late, then overruled; each change is a notice."""
        other, doc = self.another(), self.file()
        share([doc], self.pc, other)
        late = other.writer("chi").edit(doc, {"name": "Người Khác"})
        self.pc.writer("an").act(doc, "hand", {"to": "c1"})
        share([doc], self.pc, other)
        assert self._standing(other, doc, late) is Standing.LATE
        assert self.pc.store.document(doc).conflicts == ["name"]
        assert [(n.event, n.after) for n in other.store.notices()] == [(late.id, Standing.LATE)]
        other.store.mark_seen([n.n for n in other.store.notices()])
        assert (other.store.notices(), other.store.status().notices) == ([], 0)
        self.pc.store.mark_seen([n.n for n in self.pc.store.notices()])
        apart = self.machine("pc3", {"em": JUDGE})
        for machine in (self.pc, other):
            machine.store.receive(self.province.issued)
        seen = [r.event.to_frame() for r in self.pc.store.history(doc) if r.event.id != late.id]
        apart.store.receive([*frames(self.pc.store, [doc])[: -len(seen) - 1], *seen])
        apart.writer("em").edit(doc, {"name": "Người Được Giao"})
        share([doc], apart, self.pc, other)
        assert self._standing(other, doc, late) is Standing.OVERRULED
        assert [n.after for n in other.store.notices()] == [Standing.OVERRULED]
        assert self.pc.store.digest() == other.store.digest() == apart.store.digest()

    @staticmethod
    def _standing(machine: Machine, doc: bytes, event: Event) -> Standing:
        return next(r.standing for r in machine.store.history(doc) if r.event.id == event.id)

    def test_a_disputed_task_is_settled_by_an_arbiter(self) -> None:
        """Two different transitions of one task dispute it, and only an arbiter ends that."""
        other, doc = self.another(), self.file()
        share([doc], self.pc, other)
        self.pc.writer("an").act(doc, "hand", {"to": "c1"})
        other.writer("chi").act(doc, "reject", {"why": "thiếu giấy tờ"})
        share([doc], self.pc, other)
        task = self.pc.store.document(doc).state.tasks[MAIN]
        assert (task.step, len(task.branches)) == ("in", 2)
        with refused(NotAllowed, "disputed"):
            self.pc.writer("an").edit(doc, {"name": "X"})
        node = next(b.node for b in task.branches if b.action == "hand")
        with refused(NotAllowed, "role"):
            self.pc.writer("an").settle(doc, MAIN, node, "đủ giấy tờ")
        self.pc.writer("binh").settle(doc, MAIN, node, "đủ giấy tờ")
        share([doc], self.pc, other)
        assert other.store.document(doc).state.tasks[MAIN].step == "work"
        assert self.pc.store.digest() == other.store.digest()

    def test_a_void_document_takes_no_edit_and_names_those_it_did_not_know(self) -> None:
        """Void against edit is open until somebody who saw both decides; nothing is deleted."""
        other, doc = self.another(), self.file()
        share([doc], self.pc, other)
        self.pc.writer("binh").void(doc, "nhập trùng")
        with refused(NotAllowed, "void"):
            self.pc.writer("an").edit(doc, {"phone": "1"})
        other.writer("chi").edit(doc, {"phone": "2"})
        share([doc], self.pc, other)
        assert VOID in self.pc.store.document(doc).conflicts
        assert self.pc.store.document(doc).value("phone") == "2"
        other.writer("dung").resolve(doc, VOID, None, "không trùng")
        share([doc], self.pc, other)
        assert not self.pc.store.document(doc).state.is_void
        assert self.pc.store.digest() == other.store.digest()

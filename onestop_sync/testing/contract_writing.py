"""What a store must do with what its own user writes."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa

from onestop_sync.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    StoreExists,
    StoreMissing,
    StoreTooNew,
)
from onestop_sync.keys import SigningKey
from onestop_sync.schema import MAIN
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import Contract, refused
from onestop_sync.testing.small_province import (
    CLERK,
    MATTER,
    Machine,
    share,
)
from onestop_sync.trust import Certificate

YEAR_MS = 365 * 24 * 3600 * 1000


class Writing(Contract):
    """Writing and reading, clocks and versions."""

    def test_what_was_written_is_there_for_the_next_program(self) -> None:
        """A created and edited document is read back, by this store and by one that is opened later."""
        doc = self.file(code="A-1")
        hand = self.pc.writer("an")
        hand.edit(doc, {"phone": "0903", "papers/form": {"copies": 2}, "tags/urgent": True})
        hand.note(doc, "remarks", "gọi lại")
        again = self.province.open(self.pc)
        for store in (self.pc.store, again):
            found = store.document(doc)
            assert found.value("phone") == "0903"
            assert found.value("papers/form") == {"copies": 2}
            assert [note[2] for note in found.state.notes["remarks"]] == ["gọi lại"]
            assert (store.count("matter"), store.lookup("matter", "A-1")) == (1, doc)
        assert again.digest() == self.pc.store.digest()

    def test_a_transition_moves_the_task(self) -> None:
        """An action moves the step, and what it takes is asked for."""
        doc = self.file()
        with refused(NotAllowed, "argument"):
            self.pc.writer("an").act(doc, "hand")
        with refused(NotAllowed, "role"):
            self.pc.writer("binh").act(doc, "hand", {"to": "c1"})
        self.pc.writer("an").act(doc, "hand", {"to": "c1"})
        self.pc.writer("binh").act(doc, "decide", values={"verdict": "được"})
        assert self.pc.store.document(doc).state.tasks[MAIN].step == "done"
        assert [row.step for row in self.pc.store.page("matter")] == ["done"]

    def test_what_may_not_be_leaves_no_trace(self) -> None:
        """A refused edit writes nothing at all."""
        doc = self.file()
        before = self.everything()
        with refused(NotAllowed, "owner"):
            self.pc.writer("an").edit(doc, {"verdict": "được"})
        with refused(NotAllowed, "creator"):
            self.pc.writer("binh").create("matter", {"phone": "1"})
        with refused(NotFound):
            self.pc.writer("an").edit(bytes(16), {"phone": "1"})
        with refused(NotFound):
            self.pc.writer("an").create("unknown", {})
        with refused(NotAllowed, "authority"):
            self.pc.store.writer(SigningKey(bytes(32)))
        assert self.everything() == before

    def test_what_cannot_be_stored_leaves_no_trace(self) -> None:
        """Too long, too large, half a character, a float: each is refused before anything is written."""
        doc = self.file()
        before = self.everything()
        hand = self.pc.writer("an")
        with refused(NotAllowed, "value"):
            hand.edit(doc, {"name": "Ngô " * 2500})
        with refused(InvalidInput):
            hand.edit(doc, {"papers/scan": {"data": bytes(70_000)}})
        with refused(InvalidInput):
            hand.edit(doc, {"phone": "\ud800"})
        with refused(InvalidInput):
            hand.edit(doc, {"phone": 0.5})
        assert self.everything() == before
        hand.edit(doc, {"name": "Nguye\u0302\u0303n"})  # typed in pieces, stored in one form
        assert self.pc.store.document(doc).value("name") == "Nguyễn"

    def test_a_transaction_is_all_or_nothing(self) -> None:
        """An error in the middle takes back events, serials and listing."""
        before = self.everything()
        with suppress(ZeroDivisionError), self.pc.store.writing() as writing:
            writing.next_serial("code", "260101")
            self.file()
            raise ZeroDivisionError
        # The first event of a log is taken back as well, and the next writer begins it anew.
        assert self.everything() == before
        self.file()
        assert self.pc.store.next_serial("code", "260101") == 1

    def test_what_a_program_keeps_is_replaced_and_not_synchronised(self) -> None:
        """A program's own small values are there until it writes others, and nobody else gets them."""
        other, doc = self.another(), self.file()
        store = self.pc.store
        assert store.remembered("rules") == b""
        for value in (b"first", b"second"):
            store.remember("rules", value)
            assert store.remembered("rules") == value
        share([doc], self.pc, other)
        assert other.store.remembered("rules") == b""

    def test_a_clock_a_year_back_changes_nothing_but_what_is_shown(self) -> None:
        """Edits go on in order when the clock jumps a year back, here and at others."""
        other, doc = self.another(), self.file()
        self.pc.writer("an").edit(doc, {"phone": "1"})
        self.province.clock_ms -= YEAR_MS
        self.pc.writer("an").edit(doc, {"phone": "2"})
        second = self.file("Sau")
        share([doc, second], self.pc, other)
        for machine in (self.pc, other):
            assert machine.store.document(doc).value("phone") == "2"
        assert [row.doc for row in self.pc.store.page("matter")] == [second, doc]
        assert self.pc.store.digest() == other.store.digest()
        assert self.pc.store.latest_ms() > self.province.clock_ms

    def test_an_expired_certificate_starts_nothing_new_and_keeps_what_was(self) -> None:
        """Expiry limits what a user may start; what was written before stays as it was."""
        key = SigningKey(b"e" * 32)
        limit = self.province.clock_ms + YEAR_MS
        self.province.issue(Certificate(key.public, "c1", "officer", "hạn", CLERK, valid_to_ms=limit))
        self.pc.store.receive(self.province.issued)
        doc = self.pc.store.writer(key).create("matter", {"phone": "1"})
        self.province.clock_ms = limit
        with refused(NotAllowed, "expired"):
            self.pc.store.writer(key).edit(doc, {"phone": "2"})
        assert self.pc.store.document(doc).value("phone") == "1"

    def test_a_store_of_a_newer_program_is_left_untouched(self) -> None:
        """A database with a later version is refused, and opens again when the version fits."""
        doc = self.file()
        self._set_version(t.SCHEMA_VERSION + 1)
        with refused(StoreTooNew):
            self.province.open(self.pc)
        self._set_version(t.SCHEMA_VERSION)
        assert self.province.open(self.pc).document(doc).value("name") == "Nguyễn Văn An"

    def _set_version(self, version: int) -> None:
        with self.pc.store.writing() as writing:
            writing.connection.execute(
                sa.update(t.meta).where(t.meta.c.key == "version").values(value=b"%d" % version)
            )

    def test_a_store_is_made_once(self) -> None:
        """A second store in the same place is refused, and the first is as it was."""
        doc = self.file()
        with refused(StoreExists):
            self.province.create("pc", self.pc.secrets, "c1", database=self.pc.database)
        assert self.pc.store.document(doc).value("name") == "Nguyễn Văn An"

    def test_a_store_that_is_not_there_is_missing(self) -> None:
        """Opening an empty database or folder says that there is no store."""
        nowhere = Machine(self.pc.store, self.pc.secrets, self.province.databases("nowhere"))
        with refused(StoreMissing):
            Store.open(
                self.province.folder / "nowhere", self.pc.secrets, types=[MATTER], database=nowhere.database
            )

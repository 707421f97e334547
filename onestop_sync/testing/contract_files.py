"""What must hold for a database that is one file: copies, damage, and a disk that is full."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa

from onestop_sync.errors import (
    StoreDamaged,
    StoreFull,
)
from onestop_sync.testing.contract_base import Contract, refused
from onestop_sync.testing.small_province import (
    CLERK,
    frames,
    share,
)


class FileContract(Contract):
    """What holds for a database that is one file.

    Attributes:
        is_encrypted: Whether the file opens only with its key.
    """

    is_encrypted: ClassVar[bool] = False

    @property
    def path(self) -> Path:
        """The file of ``pc``."""
        if self.pc.database is None:
            return self.pc.store.folder / "store.db"
        return Path(self.pc.database.removeprefix("sqlite:///"))

    def test_a_restored_copy_opens_new_logs_and_takes_its_old_tail_back(self) -> None:
        """A copy put back is noticed: no number is used twice, and lost work that turns up is concurrent."""
        other, doc = self.another(), self.file()
        self.pc.store.close()
        saved = self.path.with_suffix(".saved")
        shutil.copy(self.path, saved)
        self.pc.store = self.province.open(self.pc)
        tail = self.pc.writer("an").edit(doc, {"phone": "1"})
        kept = frames(self.pc.store, [doc])
        self.pc.store.close()
        for leftover in self.path.parent.glob(self.path.name + "-*"):
            leftover.unlink()
        shutil.copy(saved, self.path)
        self.pc.store = self.province.open(self.pc)
        assert self.pc.store.restores == 1
        fresh = self.pc.writer("an").edit(doc, {"phone": "2"})
        assert fresh.log != tail.log
        assert [o for o in self.pc.store.receive(kept) if o.code] == []
        other.store.receive(kept)
        share([doc], self.pc, other)
        assert self.pc.store.status().forks == 0
        assert self.pc.store.document(doc).conflicts == ["phone"]
        assert self.pc.store.digest() == other.store.digest()

    def test_a_plain_restart_is_no_restore(self) -> None:
        """Closing and opening goes on in the same logs."""
        doc = self.file()
        before = self.pc.writer("an").edit(doc, {"phone": "1"})
        for _ in range(3):
            self.pc.store.close()
            self.pc.store = self.province.open(self.pc)
        assert self.pc.writer("an").edit(doc, {"phone": "2"}).log == before.log
        assert self.pc.store.restores == 0

    def test_a_damaged_file_is_told(self) -> None:
        """A file whose beginning was overwritten is refused as damaged, and left as it is."""
        self.file()
        self._checkpoint()
        self.pc.store.close()
        data = bytearray(self.path.read_bytes())
        data[: 4096 * 2] = b"\xa5" * (4096 * 2)
        self.path.write_bytes(data)
        with refused(StoreDamaged):
            self.province.open(self.pc)
        assert self.path.read_bytes() == data

    def test_damage_in_the_middle_is_told(self) -> None:
        """A file of which some pages were overwritten never gives wrong data: it says that it is damaged."""
        doc = self.file()
        for i in range(40):
            self.file(f"Người {i}", phone="0" * 500)
        self._checkpoint()
        self.pc.store.close()
        data = bytearray(self.path.read_bytes())
        assert len(data) > 4096 * 40
        data[4096 * 3 :] = b"\xa5" * (len(data) - 4096 * 3)
        self.path.write_bytes(data)
        with refused(StoreDamaged):
            self.province.open(self.pc).document(doc)

    def test_a_wrong_key_opens_nothing(self) -> None:
        """An encrypted file does not open with another key, and holds no readable text."""
        if not self.is_encrypted:
            return
        doc = self.file("NGUYEN VAN AN")
        self._checkpoint()
        assert b"NGUYEN" not in self.path.read_bytes()
        wrong = self.pc.secrets._replace(database_key=bytes(48))
        with refused(StoreDamaged):
            self.province.open(self.pc, wrong)
        assert self.province.open(self.pc).document(doc).value("name") == "NGUYEN VAN AN"

    def test_a_full_disk_loses_nothing_and_work_goes_on_afterwards(self) -> None:
        """A write that does not fit is refused whole, what was saved is there, and with space it goes on."""
        doc = self.file()
        with self._full():
            with refused(StoreFull):
                for i in range(500):
                    self.pc.writer("an").edit(doc, {f"papers/{i}": "0" * 3000})
            saved = self.pc.store.document(doc).state
            last = len(saved.registers) - 2
            assert saved.value(f"papers/{last}") == "0" * 3000
            assert saved.value(f"papers/{last + 1}") is None
            given = self._from_elsewhere()
            with refused(StoreFull):
                self.pc.store.receive(given)
        self.pc.writer("an").edit(doc, {"phone": "vẫn còn"})
        self.pc.store.receive(given)
        again = self.province.open(self.pc)
        assert again.document(doc).value("phone") == "vẫn còn"
        assert again.digest() == self.pc.store.digest()
        seqs = [r.event.header.seq for r in again.history(doc)]
        assert seqs == list(range(1, len(seqs) + 1))

    def _from_elsewhere(self) -> list[Any]:
        other = self.machine("elsewhere", {"xa": CLERK})
        doc = other.writer("xa").create("matter", {"phone": "1"})
        for i in range(20):
            other.writer("xa").edit(doc, {f"papers/{i}": bytes(30_000)})
        return frames(other.store, [doc])

    @contextmanager
    def _full(self) -> Iterator[None]:
        """Lets the file grow by a hundred pages and no more."""
        store = self.pc.store
        with store.engine.connect() as connection:
            pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()) + 100
        limit = [pages]

        def on_checkout(connection: Any, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {limit[0]}")

        sa.event.listen(store.engine, "checkout", on_checkout)
        try:
            yield
        finally:
            limit[0] = 2**30
            with store.engine.connect():
                sa.event.remove(store.engine, "checkout", on_checkout)

    def _checkpoint(self) -> None:
        """Brings everything from the write-ahead log into the file."""
        with self.pc.store.engine.connect() as connection:
            connection.commit()
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

"""What lists and search must show."""

from __future__ import annotations

from typing import Literal
from unittest.mock import patch

from onestop_sync.storage import queries
from onestop_sync.testing.contract_base import Contract
from onestop_sync.testing.small_province import JUDGE, sync


class Lists(Contract):
    """Pages, filters and search."""

    def test_pages_by_key_show_every_line_once_in_both_orders(self) -> None:
        """Page after page gives what one page of everything gives, newest first or by due date."""
        dues = [None, 300, 100, 300, None, 200, 100]
        docs = [self.file(f"Người {i}", due=due) for i, due in enumerate(dues)]
        by_due = sorted(range(len(docs)), key=lambda i: (dues[i] is None, dues[i] or 0, i))
        for order, expected in (("new", docs[::-1]), ("due", [docs[i] for i in by_due])):
            for limit in (1, 2, 3, 100):
                found: list[bytes] = []
                after = None
                while rows := self.pc.store.page("matter", after=after, limit=limit, order=order):  # type: ignore[arg-type]
                    found += [row.doc for row in rows]
                    after = rows[-1].key
                assert found == expected, (order, limit)
        assert self.pc.store.count("matter") == len(docs)

    def test_search_needs_no_marks(self) -> None:
        """Vietnamese names are found as typed without marks, by any part of a word, and nothing else is."""
        names = ["Nguyễn Thị Hường", "Đặng Văn Đức", "Trần Đường", "100%_sure\\"]
        docs = {name: self.file(name) for name in names}
        wanted = {
            "nguyen thi huong": [names[0]], "HƯỜNG": [names[0]], "dang": [names[1]], "duc dang": [names[1]],
            "duong": [names[2]], "uon": [names[0], names[2]], "100%": [names[3]], "%": [names[3]],
            "_s": [names[3]], "\\": [names[3]], "huong dang": [],
        }  # fmt: skip
        for text, expected in wanted.items():
            found = {row.doc for row in self.pc.store.page("matter", search=text)}
            assert found == {docs[name] for name in expected}, text

    def test_lists_filter_by_step_and_by_what_is_overdue(self) -> None:
        """The working list shows one step, or what should have been done by now."""
        docs = [self.file(due=due) for due in (1, 2**50, None)]
        self.pc.writer("an").act(docs[1], "hand", {"to": "c1"})
        page = self.pc.store.page
        assert {row.doc for row in page("matter", step="work")} == {docs[1]}
        assert {row.doc for row in page("matter", only="overdue")} == {docs[0]}

    def test_what_is_unsent_is_listed_alike_however_much_it_is(self) -> None:
        """Both ways to find it, by the next lines and by all that is unsent, list what no parent has."""
        hub = self.province.machine("hub", "d1", {"hoa": JUDGE}, serves=True)
        self.pc.store.receive(self.province.issued)
        docs = [self.file(f"Người {i}", due=1000 - i % 3) for i in range(8)]
        sync(self.pc, hub)
        self._list_unsent(set())
        for doc in docs[1], docs[2], docs[5]:
            self.pc.writer("an").edit(doc, {"phone": "0123"})
        # Off its chain: nobody has it, although the log has been acknowledged further than this.
        forked = self.signed("an", ["note", "remarks", "x"], doc=docs[3], salt=b"s" * 16)
        self.pc.store.receive([forked.to_frame()])
        added = [self.file(f"Người mới {i}") for i in range(3)]
        self._list_unsent({docs[1], docs[2], docs[3], docs[5], *added})
        sync(self.pc, hub)
        for doc in docs[2], docs[4]:
            self.pc.writer("an").edit(doc, {"phone": "0456"})
        self._list_unsent({docs[2], docs[4]})

    def _list_unsent(self, expected: set[bytes]) -> None:
        """Holds that exactly these are listed, in every order, page by page, and that no parent has them."""
        orders: tuple[Literal["new", "due"], ...] = ("new", "due")
        for order in orders:
            every = [row.doc for row in self.pc.store.page("matter", order=order)]
            assert expected == {doc for doc in every if self._is_unsent(doc)}
            for limit in (1, 2, 3, 100):
                for many in (0, 1000):
                    with patch.object(queries, "_MANY", many):
                        assert self._pages(order, limit) == [doc for doc in every if doc in expected]

    def _is_unsent(self, doc: bytes) -> bool:
        return any(not record.delivery.nodes for record in self.pc.store.history(doc))

    def _pages(self, order: Literal["new", "due"], limit: int) -> list[bytes]:
        found: list[bytes] = []
        after = None
        while rows := self.pc.store.page("matter", only="unsent", after=after, limit=limit, order=order):
            found += [row.doc for row in rows]
            after = rows[-1].key
        return found

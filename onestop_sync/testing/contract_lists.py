"""What lists and search must show."""

from __future__ import annotations

from onestop_sync.testing.contract_base import Contract


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

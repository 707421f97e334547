"""A dossier as its events, for the tests of the one-stop domain."""

from __future__ import annotations

import hashlib
from typing import Any

from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, HEAD, INTAKE, RETURN
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.fold import Author, Entry, Reason, Standing, State, fold, judge, standing
from onestop_sync.schema import MAIN


def officer(unit: str, *roles: str) -> Author:
    """Returns an officer of a unit with these roles."""
    return Author(unit, frozenset({unit}), frozenset(roles))


CLERK, CLERK_2 = officer("x01", INTAKE), officer("x01", INTAKE, RETURN)
APPRAISER, APPROVER = officer("x01", APPRAISAL), officer("x01", APPROVAL)
DESK, CHIEF = officer("x01", RETURN), officer("x01", HEAD)
D_APPRAISER, D_CHIEF = officer("h01", APPRAISAL, INTAKE), officer("h01", HEAD)

VALUES = {
    "nguoi_nop": "Nguyễn Thị Hường",
    "dien_thoai": "0912345678",
    "noi_dung": "Khai sinh",
    "email": "a@b.vn",
}


class World:
    """Events of one dossier; each names what its author had seen."""

    def __init__(self) -> None:
        """Opens a dossier that the clerk has drafted."""
        self.entries: dict[bytes, Entry] = {}
        self.root = self.add([], [["set", key, value] for key, value in VALUES.items()], CLERK)

    def add(self, parents: list[Entry], ops: list[Any], author: Author) -> Entry:
        """Adds an event whose author had seen ``parents`` and all before them."""
        number = len(self.entries)
        event_id = hashlib.sha256(b"%d" % number).digest()
        entry = Entry(event_id, tuple(sorted(p.id for p in parents)), ops, author, number)
        self.entries[entry.id] = entry
        return entry

    def act(self, parents: list[Entry], author: Author, action: str, **arguments: Any) -> Entry:
        """Adds a transition of the main task."""
        return self.add(parents, [["act", MAIN, action, arguments]], author)

    def put(self, parents: list[Entry], author: Author, key: str, value: Any) -> Entry:
        """Adds an edit of one field."""
        return self.add(parents, [["set", key, value]], author)

    def path(self, start: Entry, *steps: tuple[Author, str]) -> Entry:
        """Adds transitions one after the other, with every argument that any of them needs."""
        for author, action in steps:
            to = "x01" if action in {"give_result", "ask_supplement"} else "h01"
            start = self.act([start], author, action, to=to, ly_do="vì", noi_dung="gì", han_moi=1)
        return start

    @property
    def state(self) -> State:
        """The dossier, folded."""
        return fold(DOSSIER, self.entries.values())

    def judge(self, author: Author, *ops: list[Any]) -> Reason | None:
        """Tells why an officer who has seen everything could not do this now."""
        return judge(DOSSIER, self.state, Entry(b"?", (), list(ops), author, 0))

    def standing(self, entry: Entry) -> Standing:
        """Tells what became of an event."""
        return standing(DOSSIER, self.state, entry.id, entry.ops)

    def live(self, key: str) -> list[Any]:
        """Returns the values that stand."""
        return self.state.registers[key].values()


TO_APPRAISAL = ((CLERK, "accept"), (CLERK, "give"), (APPRAISER, "receive"))
TO_APPROVAL = (*TO_APPRAISAL, (APPRAISER, "submit"))
TO_DISTRICT = ((CLERK, "accept"), (CLERK, "transfer"))

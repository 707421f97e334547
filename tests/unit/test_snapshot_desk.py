"""What an official meets on a new machine, where a snapshot alone tells of a finished dossier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from commune_client.cli.words import dossier_lines
from commune_client.desk.desk import Desk
from commune_client.screens.dossier_text import facts_text
from onestop_sync import past, present
from onestop_sync.errors import NotAllowed
from onestop_sync.protocol import Requester, Responder
from onestop_sync.snapshotting import make_snapshots
from tests.province import Machine
from tests.unit.cli_world import Commune, act, exchange, take_in

STEPS = ("handover", "receive", "appraise", "approve", "handover", "receive", "return_result")


class Beginner:
    """A commune with a finished dossier, and a new machine in it that has just begun.

    Args:
        folder: Where the machines' folders go.
    """

    def __init__(self, folder: Path) -> None:
        self.commune = Commune(folder)
        self.province: Machine = self.commune.hub("tinh", "p")
        old = self.commune.desk(self.commune.place("cu"))
        self.doc = take_in(old)
        act(old, self.doc, *STEPS)
        exchange(old.store, self.province.store)
        assert make_snapshots(self.province.store) == 1
        self.desk: Desk = self.commune.desk(self.commune.place("moi", "Mới"))
        self.sync()

    def sync(self) -> None:
        """Syncs the new machine, which asks for no history in passing."""
        requester = Requester(self.desk.store, "tinh")
        requester._past = [past.Historian(self.desk.store, 0)]
        responder = Responder(self.province.store)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*responder.respond(request))


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beginner]:
    """Give it; whatever is long enough begins from snapshots."""
    monkeypatch.setattr(present, "TASTE", 1)
    made = Beginner(tmp_path)
    yield made
    made.commune.close()


def test_its_history_comes_because_somebody_looked(begun: Beginner) -> None:
    """Screen and command say whose word it is, and offer nothing; with the next sync it is whole."""
    desk, doc = begun.desk, begun.doc
    shown = desk.show(doc)
    assert (shown.view.applicant, shown.view.step, shown.level) == (
        "Nguyễn Thị Hường",
        "returned",
        "province",
    )
    assert shown.stated_ms is not None
    assert (shown.timeline, shown.choices) == ((), ())
    said = "\n".join(dossier_lines(shown, "Xã")), str(facts_text(shown, "", desk.unit_name))
    assert all("Theo ảnh chụp có chữ ký của tỉnh" in text for text in said)
    begun.sync()
    whole = desk.show(doc)
    assert whole.stated_ms is None
    assert len(whole.timeline) > len(STEPS)
    assert "ảnh chụp" not in "\n".join(dossier_lines(whole, "Xã"))


def test_a_form_is_not_filled_in_from_half_of_a_dossier(begun: Beginner, tmp_path: Path) -> None:
    """Printing asks for the history, says so, and works after the next sync."""
    with pytest.raises(NotAllowed) as told:
        begun.desk.printable(begun.doc)
    assert told.value.details["reason"] == "history"
    begun.sync()
    assert begun.desk.printable(begun.doc)

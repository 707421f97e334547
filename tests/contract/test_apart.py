"""Steps that one person may not take both: a province's word, judged by the same function everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync.errors import NotAllowed
from onestop_sync.fold import Standing
from onestop_sync.schema import MAIN, DocumentType, Field, Task, Transition
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from tests.province import Machine, Province

ALL = frozenset({"clerk"})
PAPER = DocumentType(
    "paper",
    fields=(Field("law"),),
    tasks=(
        Task(MAIN, "new", (
            Transition("appraise", frozenset({"new", "again"}), "appraised", ALL),
            Transition("return", frozenset({"appraised"}), "again", ALL),
            Transition("approve", frozenset({"appraised"}), "approved", ALL, apart=frozenset({"appraise"})),
        )),
    ),
    regime=lambda state: str(state.value("law") or ""),
)  # fmt: skip


class Desk:
    """Two machines of one commune; An has a key on both, Bình on the second."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder, types=[PAPER])
        self.one = self.province.machine("mot", "c1", {"An": ALL})
        self.two = self.province.machine("hai", "c1", {"Bình": ALL})
        key = self.two.officers["An"] = self.province.admin.__class__(self.province.rng.randbytes(32))
        self.certify(self.one, "An", "an")
        self.province._issue(Certificate(key.public, "c1", "officer", "An", ALL, person="an"))
        for machine in (self.one, self.two):
            machine.store.receive(self.province.issued)

    def certify(self, machine: Machine, name: str, person: str) -> None:
        """Says whose key it is; the newest certificate counts."""
        key = machine.officers[name].public
        self.province._issue(Certificate(key, "c1", "officer", name, ALL, valid_from_ms=1, person=person))

    def publish(self, *regimes: str) -> None:
        """Publishes which regimes keep the steps apart."""
        self.province.publish(self.one.store, self.two.store, facts={"apart": list(regimes)})

    def share(self, doc: bytes) -> None:
        """Gives each machine all that the other has of a paper."""
        for giver, taker in ((self.one, self.two), (self.two, self.one)):
            for record in giver.store.history(doc):
                proof = giver.store.introduction(record.event.log)
                taker.store.receive([*proof, record.event.to_frame()])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give two machines."""
    made = Desk(tmp_path)
    yield made
    made.one.store.close()
    made.two.store.close()


def appraised(desk: Desk, law: str = "new") -> bytes:
    """Returns a paper that An has appraised."""
    an = desk.one.writer("An")
    doc: bytes = an.create("paper", {"law": law})
    an.act(doc, "appraise")
    desk.share(doc)
    return doc


def test_by_default_one_person_may_do_both(desk: Desk) -> None:
    """Where the province has published nothing, a small office works as before."""
    desk.one.writer("An").act(appraised(desk), "approve")


def test_who_appraised_may_not_approve_on_any_machine(desk: Desk) -> None:
    """The same person is refused with the same key and with another; a colleague is not."""
    desk.publish("new")
    doc = appraised(desk)
    for machine in (desk.one, desk.two):
        with pytest.raises(NotAllowed) as told:
            machine.writer("An").act(doc, "approve")
        assert told.value.details["reason"] == "person"
    desk.two.writer("Bình").act(doc, "approve")
    assert desk.two.store.document(doc).state.tasks[MAIN].step == "approved"


def test_a_regime_that_is_not_named_keeps_nothing_apart(desk: Desk) -> None:
    """A document keeps the rules that it was received under."""
    desk.publish("new")
    desk.one.writer("An").act(appraised(desk, law="old"), "approve")


def test_whoever_appraised_on_the_way_is_remembered(desk: Desk) -> None:
    """An appraisal that was sent back and made again by somebody else still counts."""
    desk.publish("new")
    doc = appraised(desk)
    binh = desk.two.writer("Bình")
    binh.act(doc, "return")
    binh.act(doc, "appraise")
    for writer in (desk.two.writer("An"), binh):
        with pytest.raises(NotAllowed):
            writer.act(doc, "approve")
    desk.share(doc)
    assert desk.one.store.fingerprints("paper") == desk.two.store.fingerprints("paper")


def test_what_was_approved_before_falls_where_the_word_is_published(desk: Desk) -> None:
    """The verdict is the trust document's: the same at who heard of it first and at who heard of it last."""
    doc = appraised(desk)
    approval = desk.one.writer("An").act(doc, "approve")
    desk.share(doc)
    desk.publish("new")
    for machine in (desk.one, desk.two):
        found = {record.event.id: record.standing for record in machine.store.history(doc)}
        assert found[approval.id] is Standing.REFUSED
        assert machine.store.document(doc).state.tasks[MAIN].step == "appraised"
    assert isinstance(desk.one.store, Store)

"""Terms of keeping: what is past its term is listed by the province, and erased only when asked."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.data import shipped_retention
from onestop_sync.dossier.retention import CountedFrom, Retention, Term, final_ms, retention_from_plain
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import FormatError
from onestop_sync.keyring import Keyring
from onestop_sync.keys import SigningKey
from onestop_sync.schema import MAIN
from onestop_sync.state import Register, State, TaskState, Turn
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from tests.e2e.servers import PASSPHRASE
from tests.e2e.test_server_cli import Desk

IN_2020 = 1_600_000_000_000
SIGNATURE, BIRTH = "2.000884", "1.001193"
STEPS = ("give", "receive", "submit", "approve", "give_result", "receive", "return")
EVERYTHING = frozenset({"tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua"})


def take_in(folder: Path) -> list[bytes]:
    """Puts three dossiers of 2020 into a store: two that came to their end, and one that is open."""
    keyring = Keyring(folder)
    secrets = keyring.unlock("quan-tri", PASSPHRASE)
    store = Store.open(folder, secrets, types=list(TYPES), clock=lambda: IN_2020)
    key = SigningKey(bytes(range(32)))
    store.writer(secrets.officer).certify(Certificate(key.public, store.unit, "officer", "An", EVERYTHING))
    hand, docs = store.writer(key), []
    for number, (procedure, steps) in enumerate(((SIGNATURE, STEPS), (BIRTH, STEPS), (SIGNATURE, ()))):
        doc = hand.create(DOSSIER.name, {"nguoi_nop": "Nguyễn Văn An"})
        values = {"ma_thu_tuc": procedure, "ma_ho_so": f"HS-{number}", "tiep_nhan_luc": store.clock()}
        hand.act(doc, "accept", values=values)
        for step in steps:
            hand.act(doc, step, {"to": store.unit} if step == "give_result" else None)
        docs.append(doc)
    assert final_ms(store.document(docs[0]).state) is not None
    assert final_ms(store.document(docs[2]).state) is None
    store.close()
    return docs


def test_what_is_past_its_term_is_listed_and_erased_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only ended dossiers of a procedure with a term; nothing goes without --erase, nor too early."""
    server = Desk(tmp_path, capsys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
        patch.setenv("ONESTOP_ROOT_PASSPHRASE", PASSPHRASE)
        server.found()
        folder = ("--folder", tmp_path / "p")
        docs = take_in(tmp_path / "p")
        assert server.done("retention", "--on", "2022-12-31", *folder)["over"] == 0
        listed = server.done("retention", "--on", "2023-01-01", *folder)
        assert [each["doc"] for each in listed["dossiers"]] == [docs[0].hex()]
        assert listed["dossiers"][0]["until"] == "2022-12-31"
        assert listed["erased"] == 0
        assert "has not come yet" in server.refused("retention", "--erase", "--on", "2090-01-01", *folder)
        assert server.done("retention", "--erase", *folder)["erased"] == 1
        again = server.done("retention", *folder)
        assert again["over"] == 0
        found = server.done("verify", "--all", *folder)
        assert (found["proven"], found["erased"]) == (True, 1)


@pytest.mark.parametrize(
    ("ended", "counted_from", "until"),
    [
        ((2024, 3, 5), CountedFrom.YEAR_END, date(2025, 12, 31)),
        ((2024, 3, 5), CountedFrom.DAY, date(2025, 3, 5)),
        ((2024, 2, 29), CountedFrom.DAY, date(2025, 2, 28)),
    ],
)
def test_terms_run_from_the_end_of_the_year_or_the_day(
    ended: tuple[int, int, int], counted_from: CountedFrom, until: date
) -> None:
    """The parameter decides; what ended on a 29th of February is kept to the 28th."""
    ms = int(datetime(*ended, 9, tzinfo=VIETNAM).timestamp() * 1000)
    state = State("p", ["p"], registers={"ma_thu_tuc": Register(((b"", SIGNATURE),))})
    state.tasks[MAIN] = TaskState("returned", "p", course=(Turn(ms, "return", "returned", "p"),))
    term = Term(1, "x")
    assert Retention({SIGNATURE: term}, counted_from).kept_until(state) == (until, term)
    assert Retention({BIRTH: term}, counted_from).kept_until(state) is None
    assert shipped_retention().terms[SIGNATURE].years == 2


@pytest.mark.parametrize(
    "data",
    [b"{", b"[]", b'{"counted_from": "never", "terms": []}', b'{"counted_from": "day", "terms": [{}]}',
     b'{"counted_from": "day", "terms": [{"procedure": "1", "years": 0, "source": ""}]}'],
)  # fmt: skip
def test_a_file_of_terms_that_is_wrong_is_told(data: bytes) -> None:
    """One clear error, never a guess."""
    with pytest.raises(FormatError):
        retention_from_plain(data)

"""What lies beyond a cut at a commune, and the head's word for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from commune_client.desk.countersigning import AwaitingFacts
from commune_client.desk.desk import Desk
from commune_client.messages import explain, parent_error
from onestop_sync import publisher, tree_changes
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, UpstreamRefused
from onestop_sync.store import Store
from onestop_sync.trust_document import Cut
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, exchange, take_in

OFFICER, HEAD = ("tiep_nhan", "tham_dinh"), ("lanh_dao",)


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


def cut_off(commune: Commune, store: Store, key: bytes, why: str, *heads: tuple[bytes, int, bytes]) -> None:
    """Publishes a cut, with the logs that count to an event, and brings it to a store."""
    held = store.trust.document
    cut = Cut(why, key, "", {log: (seq, head) for log, seq, head in heads})  # type: ignore[arg-type]
    document = tree_changes.plan_cut(held, [cut], now_ms=commune.clock())
    root = commune.province.root
    store.replace_trust(publisher.publish(store.publication, root, document=document, now_ms=commune.clock()))


class Office:
    """A commune whose clerk left, with one dossier before and one beyond the cut, and its head's machine."""

    def __init__(self, commune: Commune, why: str = "retired") -> None:
        self.hub = commune.hub()
        self.clerk = commune.desk(commune.place("pc1", "Lan", OFFICER))
        self.place = commune.place("pc2", "Minh", HEAD)
        self.head = commune.desk(self.place)
        self.before, self.beyond = take_in(self.clerk), take_in(self.clerk)
        exchange(self.clerk.store, self.hub.store)
        last = self.clerk.store.history(self.before)[-1].event
        cut_off(commune, self.hub.store, self.clerk.signer.public, why, (last.log, last.header.seq, last.id))
        exchange(self.head.store, self.hub.store)

    def standings(self, desk: Desk, doc: bytes) -> set[tuple[str, str]]:
        """Returns what became of a dossier's events, and why."""
        return {(str(r.standing), str(r.reason)) for r in desk.store.history(doc)}


def waiting(desk: Desk) -> list[AwaitingFacts]:
    """Returns what waits for a countersignature."""
    return desk.awaiting()


def test_the_head_sees_what_a_retired_clerk_sent_late_and_vouches_for_it(commune: Commune) -> None:
    """Beyond the cut a dossier waits, by its code; with the head's signature it counts everywhere."""
    office = Office(commune)
    assert office.standings(office.head, office.before) == {("stands", "")}
    (found,) = {each.doc for each in waiting(office.head)}
    assert found == office.beyond
    assert ("waiting", "countersign") in office.standings(office.head, office.beyond)
    code = next(each.code for each in waiting(office.head) if each.code)
    done = office.head.countersign([code], "Đã đối chiếu hồ sơ giấy")
    assert {each.who for each in done} == {"Lan"}
    for _ in range(2):
        for store in (office.head.store, office.clerk.store):
            exchange(store, office.hub.store)
    # What hung on the first waits no more either, or is listed next.
    while left := waiting(office.head):
        office.head.countersign([each.event.hex() for each in left], "Đã đối chiếu hồ sơ giấy")
    assert office.standings(office.head, office.beyond) == {("stands", "")}


def test_nobody_vouches_for_what_a_thief_wrote(commune: Commune) -> None:
    """Beyond the cut of a stolen key nothing is listed, and a signature would change nothing."""
    office = Office(commune, "stolen")
    assert waiting(office.head) == []
    assert office.standings(office.head, office.before) == {("stands", "")}
    assert {s for s, _ in office.standings(office.head, office.beyond)} == {"refused"}


def test_only_the_head_vouches_and_says_why(commune: Commune) -> None:
    """An officer without the role, a name that does not wait, and no reason are refused."""
    office = Office(commune)
    clerk = commune.desk(commune.place("pc3", "Hoa", OFFICER))
    exchange(clerk.store, office.hub.store)
    name = waiting(clerk)[0].event.hex()
    assert not any(each.is_mine for each in waiting(clerk))
    with pytest.raises(NotAllowed) as error:
        clerk.countersign([name], "Tôi thấy đúng")
    assert error.value.details["reason"] == "not_head"
    with pytest.raises(NotFound):
        office.head.countersign(["999999"], "Tôi thấy đúng")
    with pytest.raises(InvalidInput):
        office.head.countersign([name], "  ")
    assert all(each.is_mine for each in waiting(office.head))


def test_a_machine_whose_key_was_cut_off_is_told_in_plain_words(commune: Commune) -> None:
    """The parent says so at once; the official reads that everything is kept, and whom to ask."""
    office = Office(commune)
    take_in(office.clerk)
    count = office.clerk.store.count("dossier")
    cut_off(commune, office.hub.store, office.clerk.store.machine.public, "stolen")
    with pytest.raises(UpstreamRefused) as error:
        exchange(office.clerk.store, office.hub.store)
    said = explain(error.value).text
    assert "đã bị thu hồi" in said
    assert "vẫn được giữ trên máy này" in said
    assert "người quản trị" in said
    assert parent_error("revoked") in said
    assert office.clerk.store.count("dossier") == count


def test_what_has_expired_is_told_calmly(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """The status says since when, that work goes on, and whom to ask; before the date it says nothing."""
    place = commune.place("pc1")
    store = commune.desk(place).store
    store.replace_trust(publisher.publish(store.publication, commune.province.root, now_ms=commune.clock()))
    shell = Shell(capsys, commune, place)
    assert "công bố" not in shell.run("status")
    commune.province.clock_ms += 61 * 86_400_000
    said = shell.run("status")
    assert "Bản công bố của tỉnh đã quá hạn từ" in said
    assert "mọi việc khác vẫn làm bình thường" in said
    assert "báo người quản trị của tỉnh" in said


def test_the_command_lists_and_signs(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """`onestop countersign` shows what waits, wants a reason, signs by code, and has nothing left then."""
    office = Office(commune)
    office.head.close()
    commune.desks.remove(office.head)
    shell = Shell(capsys, commune, office.place)
    assert "chờ lãnh đạo xác nhận: onestop countersign --list" in shell.run("status")
    listed = shell.run("countersign", "--list")
    assert "Lan, Xã Một, ghi lúc" in listed
    rows = shell.json("countersign")
    assert "lý do" in shell.run("countersign", rows[0]["code"])
    assert shell.code == 2
    assert "từ nay có hiệu lực" in shell.run(
        "countersign", *(row["event"] for row in rows), "--why", "Đã đối chiếu"
    )
    assert shell.code == 0
    assert "Không có ghi chép nào chờ" in shell.run("countersign", "--list")

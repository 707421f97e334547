"""Units merge, split and lose a tier while real servers run: machines that hear of it late lose nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync.client import Parent, sync
from onestop_sync.errors import NotAllowed
from onestop_sync.fold import Standing
from onestop_sync.protocol import Limits
from tests.e2e.desk import command, publish, refused, serving_top, settle
from tests.e2e.servers import PASSPHRASE, QUICK, Office, Town, eventually, serving, status

SMALL = Limits(batch_events=5, answer_bytes=4096)


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Give a province without servers running, on either database."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    made = Town(tmp_path, database=database)
    yield made
    made.close()


def units_of(office: Office, docs: list[bytes]) -> list[str]:
    """Returns for which units the events of documents were written."""
    found = []
    for doc in docs:
        for record in office.store.history(doc):
            assert record.author is not None
            found.append(record.author.certificate.unit)
    return found


def test_three_communes_merge_in_the_middle_of_syncs(town: Town) -> None:
    """While one machine pushes and another is away, three communes become one: all work is there, once."""
    pushing, away, third = (town.enrol(n, u) for n, u in (("máy 1", "c1"), ("máy 2", "c2"), ("máy 9", "c9")))
    before = [office.take_in(20, office.store.unit) for office in (pushing, away, third)]
    with serving_top(town) as server:
        settle(third, server.parent)
        worker = threading.Thread(
            target=sync, args=(pushing.store, [server.parent]), kwargs={"limits": SMALL, "patience": QUICK}
        )
        worker.start()
        publish(
            town, "unit", "merge", "c1", "c2", "c9", "--into", "c5", "--name", "Xã Năm", "--parent", "p",
            "--codes", "000.05.05.H99", "--at", "2026-07-01",
        )  # fmt: skip
        worker.join()
        certified = command(town, "unit", "adopt", "c5", "--yes")["certified"]
        assert {(c["name"], c["unit"]) for c in certified} == {(n, "c5") for n in ("máy 1", "máy 2", "máy 9")}
        meanwhile = away.take_in(3, "weeks late")
        assert set(units_of(away, meanwhile)) == {"c2"}
        assert "máy 2: writes for c2" in refused(town, "unit", "close", "c2", "--yes")
        for office in (pushing, third, away, pushing, third):
            settle(office, server.parent)
        edited = away.writer.edit(before[0][0], {"name": "Nguyễn Thị Hợp"})
        after = away.take_in(2, "new")
        assert set(units_of(away, after)) == {"c5"}
        for office in (away, pushing, third):
            settle(office, server.parent)
        for unit in ("c1", "c2", "c9"):
            publish(town, "unit", "close", unit)
        for office in (pushing, away, third):
            settle(office, server.parent)
        _all_have_all(town, [pushing, away, third], 20 * 3 + 3 + 2)
        document = pushing.store.document(before[0][0])
        assert document.value("name") == "Nguyễn Thị Hợp"
        assert {r.standing for r in pushing.store.history(before[0][0]) if r.event.id == edited.id} == {
            "stands"
        }
        shown = command(town, "unit", "show", "c2")
    assert (shown["is_closed"], shown["successors"]) == (True, ["c5"])
    assert [m["moved_to"] for m in shown["machines"]] == ["c5"]


def test_a_machine_that_was_written_off_loses_nothing(town: Town) -> None:
    """What it brings after the closing is kept and waits; opening the unit again gives it effect."""
    lost, other = town.enrol("máy lạc", "c2"), town.enrol("máy 1", "c1")
    with serving_top(town) as server:
        for office in (lost, other):
            settle(office, server.parent)
        publish(town, "unit", "merge", "c2", "--into", "c1", "--at", "2026-07-01")
        assert "máy lạc" in refused(town, "unit", "close", "c2", "--yes")
        publish(town, "unit", "close", "c2", "--write-off", "máy lạc")
        late = lost.take_in(2, "sau khi đóng")
        for office in (lost, other):
            settle(office, server.parent)
        assert {r.standing for doc in late for r in lost.store.history(doc)} == {Standing.WAITING}
        assert status(town.folder / "province", town.database)["status"]["waiting"] >= 2
        publish(town, "revoke", "lift", "--unit", "c2")
        for office in (lost, other):
            settle(office, server.parent)
        _all_have_all(town, [other, lost], 2)


def _all_have_all(town: Town, offices: list[Office], count: int) -> None:
    found = status(town.folder / "province", town.database)
    assert (found["documents"], found["status"]["waiting"], found["status"]["forks"]) == (count, 0, 0)
    assert {office.store.digest().hex() for office in offices} == {found["digest"]}
    assert {office.store.status().unsent for office in offices} == {0}


def test_one_commune_splits_in_two_and_each_goes_on_with_its_part(town: Town, tmp_path: Path) -> None:
    """A list says which dossier goes where: each successor has and works its own, the parent has the rest."""
    one, two = town.enrol("máy 1", "c1"), town.enrol("máy 2", "c1")
    docs = one.take_in(6, "hồ sơ")
    listed = tmp_path / "list.csv"
    with serving_top(town) as server:
        for office in (one, two):
            settle(office, server.parent)
        for unit in ("c6", "c7"):
            publish(town, "unit", "add", unit, "--name", f"Xã {unit}", "--parent", "d1", "--at", "2026-07-01")
        listed.write_text(f"code,to\nhồ sơ 0,c6\n{docs[1].hex()},c7\n\nnone,c6\n", encoding="utf-8")
        split = ("unit", "split", "c1", "--into", "c6,c7", "--list", listed, "--at", "2026-07-01")
        assert "line 5: No dossier here is called none." in refused(town, *split, "--yes")
        listed.write_text(f"code,to\nhồ sơ 0,c6\n{docs[1].hex()},c7\n", encoding="utf-8")
        assert "Of the documents of c1: 1 to c6, 1 to c7; all others go to d1." in publish(town, *split)
        assert "was split" in refused(town, "unit", "adopt", "c6", "--yes")
        command(town, "unit", "adopt", "c6", "--only", "máy 1", "--yes")
        command(town, "unit", "adopt", "c7", "--only", "máy 2", "--yes")
        late = two.take_in(1, "muộn")
        for office in (one, two, one, two):
            settle(office, server.parent)
        one.writer.edit(docs[0], {"name": "Của xã sáu"})
        two.writer.edit(docs[1], {"name": "Của xã bảy"})
        with pytest.raises(NotAllowed):
            one.writer.edit(docs[1], {"name": "Không phải của xã sáu"})
        for office in (one, two):
            settle(office, server.parent)
        assert [one.store.unit, two.store.unit] == ["c6", "c7"]
    found = status(town.folder / "province", town.database)
    assert (found["documents"], found["status"]["waiting"]) == (7, 0)
    with town._office() as (store, _):
        assert store.document(docs[0]).value("name") == "Của xã sáu"
        assert store.document(docs[1]).value("name") == "Của xã bảy"
        assert store.document(late[0]).value("code") == "muộn 0"


def test_the_district_tier_goes_while_relays_and_machines_run(town: Town) -> None:
    """Communes go on through the district's relay, hear of its end there, and then stand below the top."""
    relay = town.server("relay", "d1")
    one, two = town.enrol("máy 1", "c1"), town.enrol("máy 2", "c2")
    one.take_in(10, "trước")
    with serving_top(town) as top:
        with serving(relay, "--parent", top.url, "--interval", "0.2") as district:
            sync(one.store, [district.parent], patience=QUICK, limits=SMALL)
            told = publish(town, "unit", "remove-tier", "district", "--at", "2025-07-01")
            assert "d1 (Huyện Một) ends on 2025-07-01: p goes on with its work." in told
            two.take_in(10, "không hay biết")
            eventually(lambda: _version_at(two, district.parent) == 2)
            one.take_in(2, "đã biết")
            sync(one.store, [district.parent], patience=QUICK)
            total = 22
            eventually(lambda: status(town.folder / "province", town.database)["documents"] == total)
        for office in (one, two):
            sync(office.store, [top.parent], patience=QUICK)
            office.take_in(1, f"thẳng lên tỉnh {office.store.unit}")
            settle(office, top.parent)
        assert [office.store.trust.document.above(office.store.unit)[1] for office in (one, two)] == [
            "p",
            "p",
        ]
        found = status(town.folder / "province", town.database)
    assert (found["documents"], found["status"]["waiting"], found["status"]["forks"]) == (24, 0, 0)
    assert [office.store.count("case") for office in (one, two)] == [13, 11]
    assert {office.store.status().unsent for office in (one, two)} == {0}
    assert {u["unit"]: u["heirs"] for u in found["units"] if u["depth"] == 1} == {
        "c1": "", "c2": "", "c9": "", "d1": "Tỉnh Mẫu",
    }  # fmt: skip
    shown = command(town, "unit", "show", "--at", "2025-06-30")["units"]
    assert [u["parent"] for u in shown if u["unit"] == "c1"] == ["d1"]


def _version_at(office: Office, parent: Parent) -> int:
    sync(office.store, [parent], patience=QUICK)
    return office.store.publication.version

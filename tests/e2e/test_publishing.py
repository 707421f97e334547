"""Publishing, the root, and cuts, by ``onestop-server`` and with real servers that hear of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from onestop_sync import publisher, tree_changes
from onestop_sync.client import Parent, sync
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.rules import FILES
from onestop_sync.errors import NotAllowed, StoreBusy, UpstreamRefused
from onestop_sync.event import build
from onestop_sync.fold import Standing
from onestop_sync.keys import FAST_FOR_TESTS, SigningKey
from onestop_sync.publisher import Lifetimes
from onestop_sync.store import Store
from server_stub import keyfiles, publishing, root_commands
from tests.e2e.desk import command, publish, refused, run, serving_top, settle
from tests.e2e.servers import PASSPHRASE, QUICK, Office, Town, status


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Give a province without servers running, on either database; keys are cheap to open."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("ONESTOP_ROOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(root_commands, "seal_key", _quick(keyfiles.seal_key))
    database = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    made = Town(tmp_path, database=database)
    yield made
    made.close()


def _quick(real: Any) -> Any:
    return lambda *arguments, **options: real(*arguments, **options, cost=FAST_FOR_TESTS)


def files(office: Office) -> dict[str, bytes]:
    """Returns what a machine has of the published files, without the trust document."""
    return {name: data for name, data in office.store.publication.targets.items() if name != "trust"}


def test_what_is_published_reaches_machines_through_a_server_that_runs(town: Town, tmp_path: Path) -> None:
    """Files that another process publishes are served at the next request, replaced, removed and renewed."""
    office = town.enrol("máy 1", "c9")
    assert command(town, "rules", "--out", tmp_path)["origins"] == dict.fromkeys(FILES, "shipped")
    raise_version(tmp_path / "catalogue.json", 2)
    raise_version(tmp_path / "holidays.csv", 2)
    with serving_top(town) as server:
        sync(office.store, [server.parent], patience=QUICK)
        told = publish(
            town, "publish", "--catalogue", tmp_path / "catalogue.json",
            "--holidays", tmp_path / "holidays.csv",
            "--file", f"note.txt={tmp_path / 'holidays.csv'}",
        )  # fmt: skip
        assert [line.partition(" is new")[0] for line in told] == [
            "catalogue.json",
            "holidays.csv",
            "note.txt",
        ]
        sync(office.store, [server.parent], patience=QUICK)
        assert set(files(office)) == {"catalogue.json", "holidays.csv", "note.txt"}
        assert "Nothing is new" in refused(
            town, "publish", "--catalogue", tmp_path / "catalogue.json", "--yes"
        )
        raise_version(tmp_path / "catalogue.json", 3)
        publish(town, "publish", "--catalogue", tmp_path / "catalogue.json", "--remove", "note.txt")
        before = office.store.publication.expires_ms
        publish(town, "publish", "--apart", "nd118-2025")
        assert "already" in refused(town, "publish", "--apart", "nd118-2025", "--yes")
        command(town, "publish", "--renew")
        sync(office.store, [server.parent], patience=QUICK)
    assert files(office)["catalogue.json"] == (tmp_path / "catalogue.json").read_bytes()
    assert rules_of(office.store).catalogue.version == command(town, "rules")["catalogue_version"] == 3
    assert set(files(office)) == {"catalogue.json", "holidays.csv"}
    assert office.store.publication.expires_ms >= before  # dates have seconds
    shown = command(town, "published")
    assert (shown["version"], shown["threshold"], len(shown["root_keys"])) == (5, 2, 3)
    assert {f["name"] for f in shown["files"]} == {"catalogue.json", "holidays.csv", "trust"}


def raise_version(path: Path, version: int) -> None:
    """Gives a file of rules another version."""
    text = path.read_text(encoding="utf-8")
    old = r"\d+(?=,version)" if path.suffix == ".csv" else r'(?<="version": )\d+'
    path.write_text(re.sub(old, str(version), text, count=1), encoding="utf-8")


def test_what_does_not_do_is_not_published(town: Town, tmp_path: Path) -> None:
    """Wrong names, broken or too large files, another key, nobody's yes: one line, and nothing changes."""
    command(town, "rules", "--out", tmp_path)
    assert "higher number" in refused(town, "publish", "--catalogue", tmp_path / "catalogue.json", "--yes")
    raise_version(tmp_path / "holidays.csv", 2)
    with (tmp_path / "holidays.csv").open("a", encoding="utf-8") as file:
        file.write("2026-02-30,holiday,Không có ngày này,sourced,\n2026-03-02,moon,Trăng,sourced,\n")
    said = refused(town, "publish", "--holidays", tmp_path / "holidays.csv", "--yes")
    assert re.search(r"line \d+: .*2026-02-30.*line \d+: ", said, re.DOTALL)
    (tmp_path / "broken").write_text("{", encoding="utf-8")
    (tmp_path / "large").write_bytes(bytes(4 * 2**20 + 1))
    keyfiles.seal_key(tmp_path / "other.key", bytes(32), PASSPHRASE, "publishing", cost=FAST_FOR_TESTS)
    broken, none = tmp_path / "broken", tmp_path / "none"
    for words in (
        ("--catalogue", broken), ("--catalogue", none),
        ("--file", f"x={tmp_path / 'large'}"), ("--file", f"trust={broken}"),
        ("--file", f"../x={broken}"), ("--file", "x"), ("--remove", "none"), ("--remove", "trust"),
        ("--renew", "--publishing-key", tmp_path / "other.key"), ("--renew", "--publishing-key", none),
        ("--renew", "--publishing-key", town.folder / "province" / "root-keys" / "root-1.key"),
    ):  # fmt: skip
        refused(town, "publish", *words, "--yes")
    assert "Nobody has confirmed" in refused(town, "publish", "--file", f"x={broken}")
    assert command(town, "published")["version"] == 1


def test_the_catalogue_is_edited_as_a_spreadsheet(town: Town, tmp_path: Path) -> None:
    """Out, checked without effect, published as the next version, and refused row by row when it is wrong."""
    book = tmp_path / "danh-muc.xlsx"
    assert command(town, "catalogue", "export", book)["version"] == 1
    assert command(town, "catalogue", "check", book)["changes"] == []
    assert "Nothing is new" in refused(town, "catalogue", "publish", book, "--yes")
    opened = openpyxl.load_workbook(book)
    page = opened["Thủ tục"]
    page.cell(2, 2, "Tên mới")
    opened.save(book)
    assert len(command(town, "catalogue", "check", book)["changes"]) == 1
    assert command(town, "published")["version"] == 1
    publish(town, "catalogue", "publish", book)
    assert command(town, "rules")["catalogue_version"] == 2
    page.cell(2, 5, "3")
    opened.save(book)
    said = refused(town, "catalogue", "check", book)
    assert "Thủ tục, row 2: A bare number has no unit" in said
    assert command(town, "rules")["catalogue_version"] == 2


def test_a_publication_travels_as_a_file(town: Town, tmp_path: Path) -> None:
    """A mirror that is not on the line takes it from a stick; another province's is refused."""
    folder = town.server("mirror", "d1")
    mirror = ("--folder", folder, "--types", "tests.province:CASE")
    command(town, "unit", "rename", "c1", "--name", "Xã Khác", "--at", "2026-07-01", "--yes")
    command(town, "publication", "export", tmp_path / "file")
    assert run("publication", "import", tmp_path / "file", *mirror)[0] == 0
    code, said, _ = run("unit", "show", "c1", *mirror)
    assert (code, "Xã Khác" in said) == (0, True)
    assert "already" in run("publication", "import", tmp_path / "file", *mirror)[1]
    stranger = Town(tmp_path / "stranger")
    assert run("publication", "import", tmp_path / "file", "--folder", stranger.folder / "province")[0] == 1


# ------------------------------------------------------------------------------------------- the root


def roots(town: Town) -> Path:
    """Returns where the root keys are."""
    return town.folder / "province" / "root-keys"


def test_a_lost_root_key_is_replaced_holder_by_holder(town: Town, tmp_path: Path) -> None:
    """Two holders sign copies of a draft, each alone; the third's lost key is replaced, machines follow."""
    office = town.enrol("máy 1", "c9")
    assert run("root", "new-key", tmp_path / "root-4.key")[0] == 0
    draft, copy = tmp_path / "draft", tmp_path / "copy"
    command(town, "root", "draft", "--replace", 2, tmp_path / "root-4.key.pub", "--out", draft)
    assert "lacks signatures" in refused(town, "root", "publish", draft, "--yes")
    assert run("root", "sign", draft, "--key", roots(town) / "root-1.key", "--out", copy, "--yes")[0] == 0
    assert "Missing: 1 more" in refused(town, "root", "publish", copy, "--yes")
    assert run("root", "sign", draft, "--key", roots(town) / "root-3.key", "--yes")[0] == 0
    with serving_top(town) as server:
        before = command(town, "published")
        after = command(town, "root", "publish", draft, copy, "--yes")
        sync(office.store, [server.parent], patience=QUICK)
    assert (after["root_version"], after["root_keys"][0]) == (2, before["root_keys"][0])
    assert after["root_keys"][1] not in before["root_keys"]
    assert office.store.publication.root_version == 2
    assert "is no root key" in refused(town, "rotate", "--key", roots(town) / "root-2.key", "--yes")
    assert "version 2 is published" in refused(town, "root", "publish", draft, copy, "--yes")


def test_a_lost_publishing_key_is_replaced_by_two_root_keys(town: Town) -> None:
    """The new key publishes and the old one no more; machines that had the old one follow."""
    office = town.enrol("máy 1", "c9")
    folder = town.folder / "province"
    lost = (folder / "publishing.key").read_bytes()
    (folder / "publishing.key").unlink()
    assert "--new-online" in refused(town, "publish", "--renew")
    keys = [word for n in (1, 2) for word in ("--key", roots(town) / f"root-{n}.key")]
    assert command(town, "rotate", *keys, "--new-online", "--yes")["root_version"] == 2
    command(town, "publish", "--renew")
    with serving_top(town) as server:
        sync(office.store, [server.parent], patience=QUICK)
    assert (office.store.publication.version, office.store.publication.root_version) == (3, 2)
    (folder / "publishing.key").write_bytes(lost)
    assert "The root names the publishing key" in refused(town, "publish", "--renew")


def test_what_a_thief_of_the_publishing_key_published_is_put_right(town: Town, tmp_path: Path) -> None:
    """A false tree that reached a machine ends with a new key and the tree of before."""
    office, thief = town.enrol("máy 1", "c9"), SigningKey(bytes(32))
    good, false = tmp_path / "good", tmp_path / "false"
    command(town, "publication", "export", good)
    seed = keyfiles.open_key(town.folder / "province" / "publishing.key", PASSPHRASE, "publishing")
    for _ in range(5):
        held = office.store.publication
        document = replace(
            tree_changes.plan_merge(held.document, ["c1"], "c2", at_ms=0, now_ms=0)
            if held.version == 1
            else replace(held.document, version=held.document.version + 1),
            admins={**held.document.admins, thief.public: "c9"},
        )
        office.store.replace_trust(
            publisher.publish(held, SigningKey(seed), document=document, now_ms=office.store.clock())
        )
    false.write_bytes(office.store.trust_bytes)
    keys = [word for n in (1, 2) for word in ("--key", roots(town) / f"root-{n}.key")]
    command(town, "publication", "import", false)
    command(town, "rotate", *keys, "--new-online", "--yes")
    told = publish(town, "publish", "--trust-from", good)
    assert f"Key {thief.public.hex()[:16]}… no longer administrates c9." in told
    with serving_top(town) as server:
        settle(office, server.parent)
    document = office.store.trust.document
    assert (thief.public in document.admins, document.units["c1"].is_ended) == (False, False)
    assert office.store.publication.root_version == 2


def test_a_power_cut_after_the_root_leaves_a_key_that_publishes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the publication and the exchange of the key's files, the next publish finds its key."""
    keys = [word for n in (1, 3) for word in ("--key", roots(town) / f"root-{n}.key")]
    real = publishing.take

    def cut_off(store: Store, data: bytes) -> None:
        real(store, data)
        raise StoreBusy("The power is gone.")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "take", cut_off)
        refused(town, "rotate", *keys, "--new-online", "--yes")
    assert (town.folder / "province" / publishing.NEXT).exists()
    assert command(town, "publish", "--renew")["root_version"] == 2


def test_each_holder_changes_the_passphrase(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key file opens with the new passphrase only, whatever it is for, and stays the same key."""
    monkeypatch.setenv("ONESTOP_NEW_PASSPHRASE", "một câu khác hẳn")
    for name in ("root-1.key", "recovery.key"):
        path = roots(town) / name
        assert run("root", "reseal", path)[0] == 0
        assert run("root", "reseal", path)[0] == 1
    keys = [word for n in (1, 2) for word in ("--key", roots(town) / f"root-{n}.key")]
    refused(town, "rotate", *keys, "--yes")
    old, new = town.folder / "old", town.folder / "new"
    old.write_text(PASSPHRASE, encoding="utf-8")
    new.write_text("một câu khác hẳn", encoding="utf-8")
    given = ("--root-passphrase-file", new, "--root-passphrase-file", old)
    assert command(town, "rotate", *keys, *given, "--yes")["root_version"] == 2


# ------------------------------------------------------------------------------------------- cuts


def test_a_stolen_machine_is_told_so_and_keeps_what_it_has(town: Town) -> None:
    """What it had delivered counts, what it writes afterwards is refused, at once and with a clear word."""
    stolen, other = town.enrol("máy mất", "c9"), town.enrol("máy 2", "c9")
    docs = stolen.take_in(3, "trước")
    with serving_top(town) as server:
        for office in (stolen, other):
            settle(office, server.parent)
        for name in ("--machine", "--officer"):
            told = publish(town, "revoke", name, "máy mất", "--unit", "c9", "--why", "stolen")
        assert "log" in told[1]
        assert "3 events of it count" in told[1]
        stolen.take_in(1, "sau")
        with pytest.raises(UpstreamRefused) as error:
            sync(stolen.store, [server.parent], patience=QUICK)
        assert error.value.details["code"] == "revoked"
        assert stolen.store.count("case") == 4
        assert stolen.store.status().parents[0].error == "revoked"
        settle(other, server.parent)
    assert other.store.count("case") == 3
    assert {r.standing for doc in docs for r in other.store.history(doc)} == {Standing.STANDS}
    cuts = command(town, "revoke", "list")["cuts"]
    assert {(c["who"], c["why"]) for c in cuts} == {
        ("machine máy mất of c9", "stolen"), ("officer máy mất of c9", "stolen"),
    }  # fmt: skip


def test_a_cut_is_corrected_and_lifted(town: Town) -> None:
    """An earlier last event refuses what lies beyond, a later one restores it, lifting restores all."""
    office, reader = town.enrol("máy 1", "c9"), town.enrol("máy 2", "c9")
    with serving_top(town) as server:
        docs = office.take_in(4, "hồ sơ")
        settle(office, server.parent)
        log = office.store.history(docs[0])[0].event.log.hex()
        cut = ("revoke", "--officer", "máy 1", "--unit", "c9", "--why", "stolen")
        told = publish(town, *cut, "--head", f"{log[:12]}=2")
        assert "2 events of it count" in told[1]
        assert "2 that are here lie beyond" in told[1]
        assert _standing(reader, server.parent, docs) == 2
        publish(town, *cut, "--head", f"{log[:12]}=3")
        assert _standing(reader, server.parent, docs) == 3
        publish(town, *cut, "--before", "2020-01-01")
        assert _standing(reader, server.parent, docs) == 0
        publish(town, "revoke", "lift", "--officer", "máy 1", "--unit", "c9")
        assert _standing(reader, server.parent, docs) == 4
    assert command(town, "revoke", "list")["cuts"] == []
    assert "is not cut off" in refused(town, "revoke", "lift", "--officer", "máy 1", "--unit", "c9", "--yes")


def _standing(office: Office, parent: Parent, docs: list[bytes]) -> int:
    """Returns how many documents have effect at a machine that has heard of everything."""
    settle(office, parent)
    records = [record for doc in docs for record in office.store.history(doc)]
    return sum(record.standing == Standing.STANDS for record in records)


def test_a_branch_is_ended_and_the_key_goes_on(town: Town) -> None:
    """The branches of a copied machine are shown, a person names the one that counts, and work goes on."""
    office = town.enrol("máy 1", "c9")
    with serving_top(town) as server:
        docs = office.take_in(3, "hồ sơ")
        settle(office, server.parent)
        event = office.store.history(docs[1])[0].event
        copied = build(
            office.secrets.officer, log=event.log, seq=event.header.seq, prev=event.header.prev,
            doc_type="case", doc_id=docs[1], parents=(), time_ms=event.header.time_ms, schema=1,
            ops=[["set", "phone", "0999"]], salt=bytes(16),
        )  # fmt: skip
        assert "has branches" in refused(town, *_forked(), "--yes")
        office.store.receive([copied.to_frame()])
        settle(office, server.parent)
        assert office.store.status().forks == 1
        told = publish(town, *_forked())
        assert [line for line in told if "this branch counts: 2 events of its own to 3" in line]
        assert [line for line in told if "a branch: 1 event of its own to 2" in line]
        settle(office, server.parent)
        assert office.store.status().forks == 0
        assert _standing(office, server.parent, docs) == 3
        other = f"{event.log.hex()[:12]}=@{copied.id.hex()[:12]}"
        publish(town, *_forked(), "--head", other)
        assert _standing(office, server.parent, docs) == 2
        publish(town, *_forked())
        office.take_in(1, "sau đó")
        settle(office, server.parent)
    assert [c["why"] for c in command(town, "revoke", "list")["cuts"]] == ["forked"]


def _forked() -> tuple[str, ...]:
    return ("revoke", "--officer", "máy 1", "--unit", "c9", "--why", "forked")


def test_wrong_names_cut_nobody_off(town: Town) -> None:
    """Who is not there, is named half, or is this very server, is told in one line, and nothing changes."""
    office = town.enrol("máy 1", "c9")
    with town._office() as (store, _):
        server = store.machine.public.hex()
    for words in (
        (), ("--machine", "máy 1", "--unit", "c9"), ("--machine", "máy 1", "--why", "stolen"),
        ("--machine", "none", "--unit", "c9", "--why", "stolen"), ("--key", "00", "--why", "stolen"),
        ("--key", server, "--why", "stolen"), ("--why", "stolen"),
        ("--machine", "máy 1", "--officer", "máy 1", "--unit", "c9", "--why", "stolen"),
        ("--key", office.secrets.officer.public.hex(), "--why", "stolen", "--head", "0123456789=1"),
        ("--key", office.secrets.officer.public.hex(), "--why", "stolen", "--before", "soon"),
    ):  # fmt: skip
        refused(town, "revoke", *words, "--yes")
    assert command(town, "published")["version"] == 1


# ------------------------------------------------------------------------------------------- expiry


def test_what_has_expired_stops_new_certificates_only(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past its date nobody new is certified, all other work goes on, and a renewal ends it."""
    office = town.enrol("máy 1", "c9")
    past = Lifetimes(timestamp=-1)
    real = publisher.publish
    monkeypatch.setattr(publisher, "publish", lambda *a, **k: real(*a, **k, lifetimes=past))
    assert command(town, "publish", "--renew")["is_expired"]
    monkeypatch.setattr(publisher, "publish", real)
    with pytest.raises(NotAllowed) as error:
        town.enrol("máy 2", "c9")
    assert error.value.details["reason"] == "expired"
    with serving_top(town) as server:
        settle(office, server.parent)
        assert office.store.publication.expires_ms < office.store.clock()
        office.take_in(1)
        settle(office, server.parent)
        assert status(town.folder / "province", town.database)["is_published_old"]
        command(town, "publish", "--renew")
        settle(office, server.parent)
        assert office.store.publication.expires_ms > office.store.clock()
    found = status(town.folder / "province", town.database)
    assert (found["documents"], found["is_published_old"]) == (1, False)
    assert isinstance(town.enrol("máy 3", "c9").store, Store)

"""Printing at a desk and by command, and the register: numbers that never meet, files, trail, closing."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from commune_client.desk.print_facts import Manner
from commune_client.messages import explain
from onestop_sync import audit
from onestop_sync.dossier.forms.register import volumes_of
from onestop_sync.dossier.register_book import place_of
from onestop_sync.errors import InvalidInput, NotAllowed
from tests.unit.cli_world import ALL, PASSPHRASE, Commune, Shell, act, exchange, take_in

YEAR_MS = 366 * 24 * 3600 * 1000


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where printed files go."""
    found = tmp_path / "in"
    found.mkdir()
    return found


def test_prints_are_noted_first_and_reprints_say_so(commune: Commune, folder: Path) -> None:
    """Each print is an entry with the form; the second receipt is a copy, a slip for another act is none."""
    desk = commune.desk(commune.place("pc"))
    doc = take_in(desk)
    first, second = (desk.print_forms([doc], "receipt", folder, Manner(is_text=True)) for _ in range(2))
    assert "xuất trình" in first.path.read_text(encoding="utf-8")  # an identity card is shown, and not kept
    assert (first.again, second.again) == (0, 1)
    assert "In lại lần 2" in second.path.read_text(encoding="utf-8")
    assert "In lại" not in first.path.read_text(encoding="utf-8")
    act(desk, doc, "handover", "receive")
    desk.supplement(doc, "Thiếu", "Nộp tờ khai")
    assert desk.print_forms([doc], "supplement", folder).again == 0
    printed = [
        line.entry.code.partition(":")[0]
        for line in audit.lines(desk.store, doc=doc)
        if line.entry.what == "print"
    ]
    assert printed == ["supplement", "receipt", "receipt"]


def test_a_file_bears_no_name_and_replaces_none(commune: Commune, folder: Path) -> None:
    """The file is named by form and code, is its owner's alone, and a second one stands beside it."""
    desk = commune.desk(commune.place("pc"))
    doc = take_in(desk)
    paths = [desk.print_forms([doc], "receipt", folder).path for _ in range(2)]
    code = desk.show(doc).code
    assert [path.name for path in paths] == [f"mau-01_{code}.pdf", f"mau-01_{code}-2.pdf"]
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        desk.print_forms([doc], "receipt", paths[0])


def test_slips_are_numbered_in_the_act(commune: Commune, folder: Path) -> None:
    """Numbers of slips are signed with the act, count up, and are printed as often as one likes."""
    desk = commune.desk(commune.place("pc"))
    volume = desk.volume()
    for number in (1, 2):
        draft = desk.new_draft("1.001193", {"nguoi_nop": "Trần Văn Đức"})
        desk.refuse(draft.doc, "Không thuộc thẩm quyền")
        for _ in range(2):
            path = desk.print_forms([draft.doc], "refusal", folder, Manner(is_text=True)).path
            assert f"Số: {number:02d}.{volume}/HDHS" in path.read_text(encoding="utf-8")


def test_register_numbers_are_gapless_and_survive_a_restore(commune: Commune) -> None:
    """A refused intake takes no number; after a restore the machine writes in another volume, from 1."""
    place = commune.place("pc")
    desk = place.unlock("An", PASSPHRASE)
    docs = [take_in(desk), take_in(desk)]
    with pytest.raises(InvalidInput):
        take_in(desk, so_dinh_danh="12")
    docs.append(take_in(desk))
    places = [place_of(desk.store.document(doc).state.value("so_theo_doi")) for doc in docs]
    volume = desk.volume()
    assert [(found.volume, found.number) for found in places if found] == [
        (volume, 1),
        (volume, 2),
        (volume, 3),
    ]
    desk.close()
    backup = {
        name: (place.folder / name).read_bytes()
        for name in ("store.db", "store.db-wal")
        if (place.folder / name).exists()
    }
    desk = place.unlock("An", PASSPHRASE)
    lost = place_of(desk.store.document(take_in(desk)).state.value("so_theo_doi"))
    desk.close()
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (place.folder / name).unlink(missing_ok=True)
    for name, data in backup.items():
        (place.folder / name).write_bytes(data)
    desk = commune.desk(place)
    again = place_of(desk.store.document(take_in(desk)).state.value("so_theo_doi"))
    assert lost is not None
    assert again is not None
    assert (lost.volume, lost.number, again.number) == (volume, 4, 1)
    assert again.volume != volume
    assert [v.is_whole for v in desk.register(again.year).volumes] == [True, True]


def test_two_machines_keep_two_volumes_and_the_head_closes_them(commune: Commune, folder: Path) -> None:
    """Apart they never share a place; together the year is whole, and its head closes it once it is over."""
    one, two = commune.desk(commune.place("pc1")), commune.desk(commune.place("pc2", roles=("tiep_nhan",)))
    hub = commune.hub()
    take_in(one)
    take_in(two)
    take_in(two)
    year = one.today().year
    with pytest.raises(InvalidInput) as early:
        one.close_register(year)
    assert early.value.details["reason"] == "year_open"
    for desk in (one, two, one):
        exchange(desk.store, hub.store)
    found = one.register(year)
    assert sorted((v.name, v.last, v.is_whole) for v in found.volumes) == sorted(
        [(one.volume(), 1, True), (two.volume(), 2, True)]
    )
    take_in(two)  # of the old year, and not here when it is closed
    commune.province.clock_ms += YEAR_MS
    with pytest.raises(NotAllowed):
        two.close_register(year)
    closed = one.close_register(year)
    assert [(who, set(said.values())) for who, _, said in closed.closings] == [
        ("An", {(1, 1, True), (2, 2, True)})
    ]
    with pytest.raises(NotAllowed) as twice:
        one.close_register(year)
    assert twice.value.details["reason"] == "year_closed"
    for desk in (one, two, one):
        exchange(desk.store, hub.store)
    again = one.close_register(year)
    assert [said[two.volume()] for _, _, said in again.closings] == [(2, 2, True), (3, 3, True)]
    path = one.print_register(year, folder, manner=Manner(is_text=True)).path
    assert path.read_text(encoding="utf-8").count("Khóa sổ ngày") == 2
    assert volumes_of([], year) == ()


def test_a_gap_is_closed_with_a_reason(commune: Commune) -> None:
    """A machine whose dossiers did not come leaves a gap: closing says so, and takes a reason."""
    lost, kept = commune.desk(commune.place("pc1")), commune.desk(commune.place("pc2"))
    docs = [take_in(lost) for _ in range(2)]
    frames = [record.event.to_frame() for record in lost.store.history(docs[1])]
    log = lost.store.history(docs[1])[0].event.log
    kept.store.receive(lost.store.introduction(log))
    kept.store.receive(frames)
    year = kept.today().year
    commune.province.clock_ms += YEAR_MS
    with pytest.raises(NotAllowed) as caught:
        kept.close_register(year)
    assert "thiếu số" in explain(caught.value).text
    assert kept.close_register(year, "Máy kia hỏng, không khôi phục được").closings


def test_the_commands_print_list_and_batch(
    commune: Commune, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    """``print`` lists forms, writes one or a day's, tells what it left out; ``register`` shows a year."""
    shell = Shell(capsys, commune, commune.place("pc", roles=ALL))
    desk = commune.desk(shell.place) if shell.place else None
    assert desk is not None
    docs = [take_in(desk), take_in(desk, nguoi_nop="Trần Văn Đức")]
    codes = [desk.show(doc).code for doc in docs]
    assert [each["form"] for each in shell.json("print", codes[0], "--list")[docs[0].hex()]] == [
        "receipt",
        "control_slip",
    ]
    assert "--print-folder" in shell.run("print", codes[0])
    assert shell.code == 2
    shell.run("login", "--print-folder", str(folder), "--printer", "true")
    said = shell.json("print", "--day", f"{desk.today():%d/%m/%Y}", "--two-up", "--copies", "2", "--printer")
    assert (shell.code, said["sheets"], said["is_sent"]) == (0, 2, True)
    assert Path(said["path"]).read_bytes().startswith(b"%PDF")
    said = shell.json("print", *codes, "--form", "02", "--out", str(folder))
    assert shell.code == 2
    desk.void(docs[1], "Nhập trùng")
    said = shell.json("print", *codes, "--form", "receipt", "--text", "--form-feed")
    assert (shell.code, said["sheets"], [each["code"] for each in said["failed"]]) == (1, 1, [codes[1]])
    assert Path(said["path"]).read_text(encoding="utf-8").endswith("\f")
    text = shell.run("register", str(desk.today().year), "--print", "--text")
    assert "2 hồ sơ, từ số 01 đến số 02" in text
    assert "Sổ chưa khóa." in text
    assert "In biểu mẫu Sổ theo dõi hồ sơ; 2" in (said := shell.run("audit"))
    assert f"{codes[0]} Giấy tiếp nhận và hẹn trả" in said


def test_a_printer_that_fails_keeps_the_file(commune: Commune, folder: Path) -> None:
    """When the printer's command fails the file is there, and the message says so."""
    place = commune.place("pc")
    place.save_config(place.config.with_(printer=shutil.which("false") or "false"))
    desk = commune.desk(place)
    with pytest.raises(InvalidInput) as caught:
        desk.print_forms([take_in(desk)], "receipt", folder, Manner(to_printer=True))
    assert "Tệp vẫn được giữ" in explain(caught.value).text
    assert len(list(folder.iterdir())) == 1


def test_a_conflict_is_named_with_the_way_to_settle_it(commune: Commune, folder: Path) -> None:
    """Two phone numbers typed apart: the receipt is not printed, and the message names field and command."""
    one, two = commune.desk(commune.place("pc1")), commune.desk(commune.place("pc2"))
    hub = commune.hub()
    doc = take_in(one)
    for desk in (one, two):
        exchange(desk.store, hub.store)
    one.edit(doc, {"dien_thoai": "0911111111"})
    two.edit(doc, {"dien_thoai": "0922222222"})
    for desk in (one, two, one):
        exchange(desk.store, hub.store)
    with pytest.raises(NotAllowed) as caught:
        one.print_forms([doc], "receipt", folder)
    said = explain(caught.value).text
    assert "Điện thoại" in said
    assert "onestop resolve" in said
    assert list(folder.iterdir()) == []

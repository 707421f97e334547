"""Commands for passphrases, backups, restores and recoveries, as an official types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commune_client.cli.codes import DONE, REFUSED, USAGE
from commune_client.desk.daily import backing_up_daily
from commune_client.desk.place import Place
from onestop_sync import backup, backup_files, enrol
from onestop_sync.errors import NotFound, OnestopError
from onestop_sync.keys import FAST_FOR_TESTS, seal_public_key
from server_stub import cli as server
from server_stub import keyfiles
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, act, take_in

FRESH = "mật khẩu hoàn toàn mới"


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    """A province."""
    made = Commune(tmp_path)
    yield made
    made.close()


@pytest.fixture
def shell(commune: Commune, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A terminal on a machine with two officers."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("ONESTOP_NEW_PASSPHRASE", FRESH)
    place = commune.place("may-1")
    commune.colleague(place, "Bình", ["tham_dinh"])
    place.save_config(place.config.with_(officer="An"))
    return Shell(capsys, commune, place)


def here(shell: Shell) -> Place:
    """The machine of the shell."""
    assert shell.place is not None
    return shell.place


def test_a_passphrase_is_changed(shell: Shell) -> None:
    """Afterwards the new one opens, and the old one does not."""
    assert "Đã đổi mật khẩu của An" in shell.run("passphrase")
    assert "Mật khẩu không đúng" in shell.run("status")
    assert shell.code == REFUSED
    assert here(shell).secrets("An", FRESH).holder == "An"


def test_a_missing_new_passphrase_is_told_as_that(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the present one at hand, the message says how to give the other one."""
    monkeypatch.delenv("ONESTOP_NEW_PASSPHRASE")
    assert "--new-passphrase-file" in shell.run("passphrase")


def test_wrong_passphrases_have_to_wait(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three the next says for how long, although it is right."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", "không phải mật khẩu")
    said = [shell.run("status") for _ in range(3)]
    assert "Phải chờ 5 giây" in said[-1]
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    assert "Đã gõ sai mật khẩu nhiều lần. Phải chờ" in shell.run("status")
    assert shell.code == REFUSED


def test_an_officer_is_dismissed(shell: Shell) -> None:
    """The passphrase of who goes opens nothing; the others work on, under a new key."""
    before = here(shell).secrets("An", PASSPHRASE).database_key
    assert "Kho dữ liệu đã có khóa mới" in shell.run("dismiss", "Bình")
    assert here(shell).secrets("An", PASSPHRASE).database_key != before
    with pytest.raises(NotFound):
        here(shell).secrets("Bình", PASSPHRASE)
    shell.run("list")
    assert shell.code == DONE
    assert "Không ai tự bỏ mình" in shell.run("dismiss", "An")
    assert shell.code == REFUSED


def test_a_dismissal_waits_for_an_open_program(shell: Shell, commune: Commune) -> None:
    """While a screen is open the command says that the new key comes later."""
    desk = commune.desk(here(shell))
    assert "Chương trình khác đang mở kho" in shell.run("dismiss", "Bình")
    desk.close()
    shell.run("status")
    assert not here(shell).secrets("An", PASSPHRASE).next_key


def test_approving_asks_for_the_passphrase(shell: Shell, commune: Commune, tmp_path: Path) -> None:
    """The command that approves takes the passphrase as any other: a wrong one in a file signs nothing."""
    desk = commune.desk(here(shell))
    doc = take_in(desk)
    act(desk, doc, "handover", "receive", "appraise")
    code = desk.show(doc).code
    desk.close()
    (tmp_path / "wrong").write_text("không phải\n", encoding="utf-8")
    (tmp_path / "right").write_text(PASSPHRASE + "\n", encoding="utf-8")
    assert "Mật khẩu không đúng" in shell.run("approve", code, "--passphrase-file", str(tmp_path / "wrong"))
    assert commune.desk(here(shell)).step(doc) == "approval"
    shell.run("approve", code, "--passphrase-file", str(tmp_path / "right"))
    assert commune.desk(here(shell)).step(doc) == "approved"


def test_backups_and_their_age(shell: Shell, commune: Commune, tmp_path: Path) -> None:
    """A backup is written and checked; the status says how old it is, and why the next failed."""
    stick = tmp_path / "usb"
    assert "chưa sao lưu (onestop backup" in shell.run("status")
    assert "Chưa chọn nơi sao lưu" in shell.run("backup")
    assert "Không thấy USB" in shell.run("backup", str(stick))
    assert shell.code == REFUSED
    stick.mkdir()
    said = shell.run("backup", str(stick), "--daily", "--keep", "2")
    assert "Đã sao lưu và đọc lại để kiểm tra" in said
    assert "mỗi ngày" in said
    assert "\nsao lưu: hôm nay\n" in shell.run("status")
    for _ in range(2):
        shell.run("backup")
    assert len(list(stick.iterdir())) == 2
    commune.province.clock_ms += 3 * 24 * 3600 * 1000
    assert "! sao lưu: 3 ngày trước" in shell.run("status")
    assert shell.run("backup", "--daily")
    assert shell.code == USAGE
    assert shell.run("backup", str(stick), "--keep", "0")
    assert shell.code == USAGE


def test_a_restore_goes_on_at_once(shell: Shell, commune: Commune, tmp_path: Path) -> None:
    """Restored into another folder, settings and all, the machine takes in with the next block of serials."""
    stick = tmp_path / "usb"
    stick.mkdir()
    shell.run("backup", str(stick), "--daily")
    made = next(path for path in stick.iterdir() if path.is_dir())
    assert "Thư mục này đã có kho dữ liệu" in shell.run("restore", str(made))
    old = here(shell)
    shell.place = Place(tmp_path / "lai", clock=commune.clock, cost=FAST_FOR_TESTS)
    assert "Cán bộ: An, Bình" in shell.run("restore", str(made))
    assert here(shell).config == old.config
    desk = commune.desk(here(shell))
    assert desk.show(take_in(desk)).code.endswith("-0501")
    desk.close()
    found = shell.json("restore", str(made), "--replace")
    assert found["restores"] == 2
    assert Path(found["aside"]).is_dir()


def test_recovery_from_end_to_end(
    shell: Shell, commune: Commune, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody forgot: the request needs no passphrase, the province answers, work goes on."""
    monkeypatch.setenv("ONESTOP_RECOVERY_PASSPHRASE", "khóa của tỉnh")
    key, asked, answer = (str(tmp_path / name) for name in ("recovery.key", "xin", "tra-loi"))
    seed = bytes(range(32))
    keyfiles.seal_key(Path(key), seed, "khóa của tỉnh", "recovery", cost=FAST_FOR_TESTS)
    keyring = here(shell).keyring()
    keyring.set_recovery(keyring.unlock("An", PASSPHRASE), seal_public_key(seed))
    desk = commune.desk(here(shell))
    doc = take_in(desk)
    desk.close()
    monkeypatch.setenv("ONESTOP_PASSPHRASE", FRESH)
    said = shell.json("recovery", "request", asked, "--officer", "An")
    command = ["recover", asked, "--key", key, "--out", answer]
    assert server.main([*command, "--fingerprint", "0000"]) == 1
    assert server.main([*command, "--fingerprint", said["fingerprint"]]) == 0
    told = shell.run("recovery", "take", answer, "--role", "tiep_nhan", "--officer", "An")
    assert "An mở được máy này bằng mật khẩu mới" in told
    request = (here(shell).folder / "officer.request").read_bytes()
    (here(shell).folder / "answer").write_bytes(commune.approve(request))
    assert "An" in shell.run("enrol", str(here(shell).folder / "answer"))
    shell.run("note", desk_code(commune, here(shell), doc), "làm lại được")
    assert shell.code == DONE


def desk_code(commune: Commune, place: Place, doc: bytes) -> str:
    """Return a dossier's code, as the recovered officer sees it."""
    desk = place.unlock("An", FRESH)
    code = desk.show(doc).code
    desk.close()
    return code


def test_a_machine_without_a_recovery_key_says_so(shell: Shell, tmp_path: Path) -> None:
    """Nothing is written that nobody could answer."""
    assert "chưa niêm phong khóa cho tỉnh" in shell.run(
        "recovery", "request", str(tmp_path / "xin"), "--officer", "An"
    )
    assert not (tmp_path / "xin").exists()


def test_the_recovery_key_of_the_trust_document_is_taken_over(shell: Shell, commune: Commune) -> None:
    """Once the trust document names a recovery key, the next start seals the machine's keys to it."""
    public = seal_public_key(bytes(range(32)))
    desk = commune.desk(here(shell))
    commune.province.publish(desk.store, recovery=public)
    assert here(shell).keyring().load_file().recovery == b""
    desk.close()
    commune.desk(here(shell))
    assert here(shell).keyring().load_file().recovery == public


def test_settings_of_lock_and_sync(shell: Shell) -> None:
    """Minutes until the lock, and between two synchronisations, are set by the command that has settings."""
    shell.run("login", "--lock-after", "3", "--sync-every", "0")
    assert (here(shell).config.idle_lock_min, here(shell).config.sync_every_min) == (3, 0)
    shell.run("login")
    assert here(shell).config.idle_lock_min == 3
    assert shell.run("login", "--lock-after", "-1")
    assert shell.code == USAGE


def test_a_hub_backs_up_without_anybody(shell: Shell, commune: Commune, tmp_path: Path) -> None:
    """A locked desk makes the day's backup in its thread, and says when it cannot."""
    stick = tmp_path / "usb"
    stick.mkdir()
    desk = commune.desk(here(shell))
    desk.choose_backups(stick)
    desk.lock()
    told: list[OnestopError] = []
    with backing_up_daily(desk, told.append):
        pass
    assert len(backup_files.find(stick, desk.store.machine.public)) == 1
    stick.rename(tmp_path / "away")
    commune.province.clock_ms += 24 * 3600 * 1000
    with backing_up_daily(desk, told.append):
        pass
    assert [error.details["reason"] for error in told] == ["backup_missing"]
    assert not desk.is_backup_due()
    commune.province.clock_ms += 2 * 3600 * 1000
    assert desk.is_backup_due()
    assert backup.last(here(shell).folder).ok_ms


def test_serials_are_given_by_the_server(
    commune: Commune, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The administrator names the machine as it is called, and it has two more blocks."""
    monkeypatch.setattr("server_stub.settings.open_store", lambda _: commune.province.office)
    monkeypatch.setattr(
        "server_stub.settings.unlock",
        lambda _: here(shell).secrets("An", PASSPHRASE)._replace(officer=commune.province.admin),
    )
    monkeypatch.setattr(commune.province.office, "close", lambda: None)
    shell.capsys.readouterr()
    assert server.main(["enrol", "blocks", "may-1", "--folder", "x", "--json"]) == 0
    assert json.loads(shell.capsys.readouterr().out)["blocks"] == [
        [1, 500], [501, 1000], [1001, 1500], [1501, 2000],
    ]  # fmt: skip
    assert server.main(["enrol", "blocks", "may-9", "--folder", "x"]) == 1
    monkeypatch.undo()
    assert enrol.BLOCKS == 2

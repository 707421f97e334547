"""`onestop-server portal`: set up, filed, sent, shown, tried again, published; no secret is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onestop_sync.dossier.roles import INTAKE
from onestop_sync.dossier.status_file import look_up
from onestop_sync.dossier.types import TYPES
from onestop_sync.keyring import Keyring
from onestop_sync.keys import SigningKey
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from server_stub import province
from tests.e2e.servers import HOLDER, PASSPHRASE
from tests.e2e.test_server_cli import Desk, _quick
from tests.portal_receiver import Receiver

UNITS = [
    {"id": "p", "name": "Tỉnh Mẫu", "level": "province", "codes": ["000.00.00.H99"]},
    {"id": "c1", "name": "Xã Một", "parent": "p", "level": "commune", "codes": ["000.01.00.H99"]},
]
FILED = {
    "MaHoSo": "DVC-1", "MaDonVi": "000.01.00.H99", "MaTTHC": "1.001193", "ChuHoSo": "Nguyễn Hường",
    "MaDoiTuong": "001199012345", "DiaChi": "Thôn Đoài", "SoDienThoai": "0912345678",
}  # fmt: skip
CODE = "000.01.00.H99-261125-0001"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Gives an administrator's desk, whose keys are quick to make."""
    monkeypatch.setattr(province, "found", _quick(province.found))
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("ONESTOP_ROOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("ONESTOP_DATABASE", raising=False)
    made = Desk(tmp_path, capsys)
    (tmp_path / "units.json").write_text(json.dumps(UNITS), encoding="utf-8")
    made.found()
    return made


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Receiver]:
    """Gives a portal's process."""
    receiver = Receiver(tmp_path / "portal")
    receiver.start()
    yield receiver
    receiver.kill()


def accept(folder: Path) -> None:
    """Accepts what was filed, as an official whom the administrator certifies."""
    secrets = Keyring(folder).unlock(HOLDER, PASSPHRASE)
    store = Store.open(folder, secrets, types=TYPES)
    key = SigningKey(bytes(range(32)))
    clerk = Certificate(key.public, "c1", "officer", "An", frozenset({INTAKE}))
    store.writer(secrets.officer).certify(clerk)
    due = {"ms": store.clock() + 86_400_000, "quy_dinh": "nd61-2018"}
    values: dict[str, Any] = {"ma_ho_so": CODE, "tiep_nhan_luc": store.clock(), "han_tra": due}
    store.writer(key).act(store.lookup("dossier", "DVC-1"), "accept", values=values)
    store.close()


def test_a_province_works_with_its_portal(desk: Desk, portal: Receiver, tmp_path: Path) -> None:
    """From the settings to the file of statuses, each command does and says what it should, and no secret."""
    here = ("--folder", tmp_path / "p")
    files: dict[str, Any] = {
        "s": {"address": portal.url},
        "c": {"session": "phiên"},
        "f": [FILED, {**FILED, "MaTTHC": "x"}],
    }
    for name, value in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    assert "credentials" in desk.refused("portal", "run", *here)
    settings = ("portal", "set-up", "--settings", tmp_path / "s.json", *here)
    desk.done(*settings, "--credentials", tmp_path / "c.json")
    token = desk.done("portal", "add-integration", "cong", "--title", "Cổng tỉnh", *here)["token"]
    code, out, err = desk.run("portal", "take", tmp_path / "f.json", "--integration", "cong", *here)
    assert (code, "1 taken" in out, "number 2" in out, "Hường" in out + err) == (1, True, True, False)
    accept(tmp_path / "p")
    assert desk.done("portal", "run", *here)["held"] == 1
    code, out, _ = desk.run("portal", "status", *here)
    assert f"{CODE}: held, field_code Hộ tịch" in out
    files["s"]["field_codes"] = {"Hộ tịch": "HT"}
    (tmp_path / "s.json").write_text(json.dumps(files["s"]), encoding="utf-8")
    assert desk.done(*settings)["retried"] == 1
    assert desk.done("portal", "run", *here)["sent"] == 1
    assert portal.of("DVC-1")[0]["SoBienNhan"] == CODE
    (share,) = desk.done("portal", "share", *here)["units"]
    assert (share["unit"], share["received"], share["there"], share["behind"]) == ("c1", 1, 1, {})
    assert "Đồng bộ lên Cổng Dịch vụ công quốc gia" in desk.run("report", *here)[1]
    rating = {"MaDanhGia": "R1", "MaHoSo": CODE, "Diem": "2"}
    (tmp_path / "r.json").write_text(json.dumps([rating, rating]), encoding="utf-8")
    took = desk.done("portal", "take", tmp_path / "r.json", "--integration", "cong", *here)
    assert (took["made"], took["here"]) == (1, 1)
    desk.done("portal", "run", *here)
    shown = desk.done("portal", "show", CODE, *here)
    assert (shown["status"], shown["dossier"]["MaHoSo"]) == ("sent", "DVC-1")
    assert desk.done("portal", "retry", CODE, *here) == {"retried": 1}
    assert desk.done("portal", "run", *here)["same"] == 1
    desk.done("portal", "publish-status", tmp_path / "t.json", *here)
    found = look_up((tmp_path / "t.json").read_bytes(), CODE, "0912345678", "2345")
    assert found is not None
    assert found["tinh_trang"] == "Đã tiếp nhận"
    desk.done("portal", "end-integration", "cong", *here)
    listed = desk.done("portal", "integrations", *here)["integrations"]
    assert listed[0]["ended_ms"]
    assert token not in json.dumps(listed)
    trail = [(line["what"], line["code"]) for line in desk.done("audit", *here)]
    assert {("import", "portal"), ("export", "portal"), ("read", "portal"), ("export", "status")} <= set(
        trail
    )

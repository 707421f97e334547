"""The file in which citizens look up their dossiers: it opens to who knows all three, to nobody else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.status_file import COST, Cost, key_of, look_up, question
from onestop_sync.errors import FormatError
from server_stub.portal import rows
from server_stub.portal.status import make_status_file
from tests.province import Province

QUICK = Cost(n=2**4)
CODE, PHONE, ID = "000.00.00.H99-261125-0001", "0912 345 678", "001199012345"


def test_a_file_opens_to_who_knows_all_three(tmp_path: Path) -> None:
    """Status and appointment open by code, telephone and last digits; all other questions get nothing."""
    province = Province(tmp_path, types=[DOSSIER])
    machine = province.machine("m", "p", {"An": ("tiep_nhan",)}, serves=True, database="sqlite://", blocks=())
    rows.make_tables(machine.store)
    values = {"dien_thoai": "0912345678", "so_dinh_danh": ID, "nguoi_nop": "Nguyễn Thị Hường"}
    due = {"han_tra": {"ms": 1_795_600_000_000}}
    accept = [["act", "main", "accept", {}]]
    machine.writer("An").create("dossier", {**values, **due, "ma_ho_so": CODE}, accept)
    machine.writer("An").create("dossier", {"ma_ho_so": f"{CODE[:-1]}2"}, accept)
    machine.writer("An").create("dossier", values)
    data, count = make_status_file(machine.store, cost=QUICK)
    assert count == 1
    said = {"tinh_trang": "Đã tiếp nhận", "hen_tra": "16:46 25/11/2026"}
    assert look_up(data, CODE, PHONE, ID) == said
    assert look_up(data, CODE.lower(), "+84 912345678", "2345") == said
    for code, phone, digits in (
        (CODE, PHONE, "2346"),
        (CODE, "0912345679", ID),
        ("x", PHONE, ID),
        (CODE, "", ID),
    ):
        assert look_up(data, code, phone, digits) is None
    entries = json.loads(data)["entries"]
    assert (len(entries), {len(text) for text in entries.values()}) == (256, {360})
    again, _ = make_status_file(machine.store, cost=QUICK)
    assert set(json.loads(again)["entries"]) & set(entries)
    for word in (CODE, "0912345678", ID, "Hường", "tiếp nhận"):
        assert word.encode() not in data
    machine.store.close()
    province.office.close()


def test_what_is_no_such_file_is_told() -> None:
    """Another file, or a damaged one, is an error and not an answer."""
    for data in (b"", b"[]", b"{}", b'{"version":1,"salt":"zz","n":16,"r":8,"p":1,"entries":{}}'):
        with pytest.raises(FormatError):
            look_up(data, CODE, PHONE, ID)


def test_one_try_is_slow() -> None:
    """The shipped cost takes 32 MiB, and nobody is asked with less than all three."""
    assert 128 * COST.n * COST.r == 32 * 2**20
    assert len(key_of(question(CODE, PHONE, ID), os.urandom(16))) == 48
    assert question(CODE, PHONE, "12") == ""

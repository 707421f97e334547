"""Scans of a dossier: attached, made smaller where asked, shown where they are, saved, waited for."""

from __future__ import annotations

import errno
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from commune_client.desk import shrink
from commune_client.desk.desk import Desk
from commune_client.messages import explain
from onestop_sync.attachment import CHUNK_BYTES
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, StoreFull
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, act, exchange, take_in


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


@pytest.fixture
def desk(commune: Commune) -> Desk:
    """A desk of one officer with all roles."""
    return commune.desk(commune.place("pc1"))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A file of a little more than two chunks, which does not compress."""
    path = tmp_path / "Căn cước.pdf"
    path.write_bytes(random.Random(1).randbytes(2 * CHUNK_BYTES + 9))
    return path


def photo(path: Path, size: tuple[int, int] = (3000, 1500)) -> Path:
    """Writes a photo as a telephone does: lying on its side, with the place where it was taken."""
    image = Image.effect_noise(size, 40).convert("RGB")
    image.paste((255, 0, 0), (0, 0, size[0] // 4, size[1] // 4))  # the corner that is to come up on the right
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (21.0, 1.0, 42.5)
    image.save(path, "JPEG", quality=95, exif=exif)
    return path


def test_a_scan_is_attached_shown_and_saved(desk: Desk, scan: Path, tmp_path: Path) -> None:
    """What was attached is shown with its paper and place, and saved byte for byte."""
    doc = take_in(desk)
    done = desk.attach(doc, scan, paper="Tờ khai")
    assert (done.name, done.size_bytes, done.original_bytes) == ("Căn cước.pdf", 131081, 131081)
    (found,) = desk.attachments(doc)
    assert (found.name, found.paper, found.media_type) == ("Căn cước.pdf", "Tờ khai", "application/pdf")
    assert (found.is_here, found.level, found.here, found.chunks) == (True, "here", 3, 3)
    out = desk.save_attachment(doc, "can cuoc", tmp_path / "ra.pdf")
    assert out.read_bytes() == scan.read_bytes()
    with pytest.raises(InvalidInput, match="already"):
        desk.save_attachment(doc, "can cuoc", out)
    assert desk.attach(doc, scan).name == "Căn cước (2).pdf"


def test_what_cannot_be_attached_says_why_and_leaves_nothing(desk: Desk, tmp_path: Path) -> None:
    """A missing file, a folder, an empty one, and one that is no photo are each told in Vietnamese."""
    doc = take_in(desk)
    empty = tmp_path / "rỗng.pdf"
    empty.touch()
    for path, is_photo, words in (
        (tmp_path / "không có", False, "Không đọc"),
        (tmp_path, False, "Không đọc"),
        (empty, False, "không có nội dung"),
        (Path(__file__), True, "không phải ảnh"),
    ):
        with pytest.raises(InvalidInput) as caught:
            desk.attach(doc, path, shrink=is_photo)
        assert words in explain(caught.value).text
    assert desk.attachments(doc) == ()
    with pytest.raises(NotFound):
        desk.save_attachment(doc, "x", tmp_path / "x")


def test_a_full_disk_is_told_and_the_dossier_is_as_it_was(
    desk: Desk, scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full, a scan is attached whole or not at all, and saved whole or not at all."""
    doc = take_in(desk)
    engine = desk.store.engine
    with engine.connect() as connection:
        pages = int(connection.exec_driver_sql("PRAGMA page_count").scalar_one()) + 20

    def limit(connection: Any, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(engine, "checkout", limit)
    with pytest.raises(StoreFull):
        desk.attach(doc, scan)
    assert desk.attachments(doc) == ()
    sa.event.remove(engine, "checkout", limit)
    engine.dispose()
    desk.attach(doc, scan)
    assert [each.name for each in desk.attachments(doc)] == ["Căn cước.pdf"]

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreFull):
        desk.save_attachment(doc, "Căn cước.pdf", tmp_path / "ra")
    assert not (tmp_path / "ra").exists()


def test_a_photo_is_made_smaller_only_where_asked(desk: Desk, tmp_path: Path) -> None:
    """Shrunk, a photo is upright, within the limit, and says nothing of the place; else it is as it was."""
    doc = take_in(desk)
    path = photo(tmp_path / "ảnh.png.JPG")
    as_is, small = desk.attach(doc, path), desk.attach(doc, path, shrink=True)
    assert as_is.size_bytes == as_is.original_bytes == path.stat().st_size
    assert small.size_bytes < small.original_bytes
    assert desk.save_attachment(doc, as_is.name, tmp_path / "a").read_bytes() == path.read_bytes()
    with Image.open(desk.save_attachment(doc, small.name, tmp_path / "b")) as image:
        assert image.size == (1200, 2400)
        assert not image.getexif()
        assert image.getpixel((1150, 50))[0] > 200  # type: ignore[index]
        assert image.getpixel((50, 50))[0] < 200  # type: ignore[index]
    assert b"GPS" not in (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "I;16"])
def test_every_kind_of_image_can_be_made_smaller(mode: str) -> None:
    """Scans in two colours, with a palette, with transparency or in print colours become JPEG."""
    file = io.BytesIO()
    Image.new("RGB" if mode != "I;16" else mode, (300, 100)).convert(mode).save(
        file, "TIFF" if mode in {"CMYK", "I;16", "1"} else "PNG"
    )
    with Image.open(shrink.shrunk(file)) as found:
        assert (found.format, found.size) == ("JPEG", (300, 100))


def test_an_image_too_large_to_open_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of more pixels than an office PC can hold is refused before it is unpacked."""
    monkeypatch.setattr(shrink, "MOST_PIXELS", 1000)
    file = io.BytesIO()
    Image.new("1", (100, 11)).save(file, "PNG")
    with pytest.raises(InvalidInput):
        shrink.shrunk(file)


def test_a_decision_waits_for_the_scans(commune: Commune, scan: Path) -> None:
    """Who has the dossier but neither its scans nor a parent's word for them cannot decide; then they can."""
    hub = commune.hub()
    desk, other = (commune.desk(commune.place(name)) for name in ("pc1", "pc2"))
    doc = take_in(desk)
    desk.attach(doc, scan)
    act(desk, doc, "handover", "receive", "appraise")
    frames = [record.event.to_frame() for record in desk.store.history(doc)]
    other.store.receive(commune.province.issued)
    desk.store.receive(commune.province.issued)
    other.store.receive([*desk.store.introduction(desk.store.history(doc)[0].event.log), *frames])
    with pytest.raises(NotAllowed) as caught:
        other.approve(doc)
    assert "Bản quét của hồ sơ chưa tới đủ" in explain(caught.value).text
    (waiting,) = other.attachments(doc)
    assert (waiting.level, waiting.is_here) == ("", False)
    exchange(desk.store, hub.store)
    exchange(other.store, hub.store)
    assert [(a.level, a.is_here) for a in other.attachments(doc)] == [("hub", False)]
    assert other.approve(doc).step == "approved"


def test_a_scan_that_is_elsewhere_is_asked_for_and_comes(
    commune: Commune, scan: Path, tmp_path: Path
) -> None:
    """Saving what is not here says so, asks for it, and works after the next synchronisation."""
    hub = commune.hub()
    desk, other = (commune.desk(commune.place(name)) for name in ("pc1", "pc2"))
    doc = take_in(desk)
    desk.attach(doc, scan)
    assert desk.status().unsent_files == (1, 131081)
    exchange(desk.store, hub.store)
    assert desk.status().unsent_files == (0, 0)
    exchange(other.store, hub.store)
    with pytest.raises(NotFound) as caught:
        other.save_attachment(doc, "Căn cước.pdf", tmp_path / "x")
    assert "Đã ghi yêu cầu" in explain(caught.value).text
    assert not (tmp_path / "x").exists()
    assert other.fetch_attachments(doc) == 1
    exchange(other.store, hub.store)
    assert other.save_attachment(doc, "Căn cước.pdf", tmp_path / "x").read_bytes() == scan.read_bytes()
    assert other.fetch_attachments(doc) == 0


def test_the_commands_attach_show_and_save(
    commune: Commune, capsys: pytest.CaptureFixture[str], scan: Path, tmp_path: Path
) -> None:
    """The three commands say in words what was done, where each scan is, and that a saved file lies open."""
    place = commune.place("pc1")
    with place.unlock("An", PASSPHRASE) as desk:
        code = desk.show(take_in(desk)).code
    shell = Shell(capsys, commune, place)
    assert "không có tệp đính kèm" in shell.run("attachments", code)
    said = shell.run("attach", code, str(scan), str(photo(tmp_path / "a.jpg")), "--paper", "Tờ khai")
    assert f"Đã đính kèm vào {code}: Căn cước.pdf, 128 KB" in said
    said = shell.run("attachments", code)
    assert "Căn cước.pdf: 128 KB; Tờ khai; chỉ có ở máy này" in said
    said = shell.run("attachment", "save", code, "Căn cước", str(tmp_path / "ra"))
    assert (shell.code, "không còn được mã hóa" in said) == (0, True)
    assert (tmp_path / "ra").read_bytes() == scan.read_bytes()
    assert "Đã có đủ" in shell.run("attachment", "fetch", code, "Căn cước")
    assert "Tệp đính kèm: a.jpg: a.jpg" in shell.run("show", code)
    assert "2 tệp đính kèm" in shell.run("status")
    assert "Ảnh chụp" not in shell.run("attachment", "save", code, "không có")
    assert shell.code == 1

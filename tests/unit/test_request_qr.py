"""A request as text and as QR: it fits where it is shown, and comes back byte for byte."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from commune_client.cli.codes import UsageFault
from commune_client.cli.request_qr import fingerprint_text, save_picture, terminal_lines
from commune_client.desk.enrolment import Asked
from onestop_sync import enrol_files
from onestop_sync.errors import FormatError
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey

MARK = "-----BEGIN ONESTOP ENROLMENT-----"


def asked(unit: str, officers: int = 1) -> Asked:
    """Returns a request of a machine with some officers."""
    rng = random.Random(1)
    keys = [SigningKey(rng.randbytes(32)) for _ in range(officers + 1)]
    secrets = Secrets("An", b"", keys[0], rng.randbytes(32), keys[1])
    named = [
        enrol_files.Applicant(f"Nguyễn Thị Thanh Huyền {n}", key, ["tiep_nhan"])
        for n, key in enumerate(keys[1:])
    ]
    data = enrol_files.request(secrets, unit, "Máy tiếp nhận 1", named)
    return Asked(data, unit, "", "", (), "7f90 a6a8 9717 73f8 0001", "0f90 a6a8 9717 73f8 0002")


@pytest.mark.parametrize("unit", ["x01", "x" * 40, "x" * 64])
def test_the_terminal_shows_a_whole_qr_of_the_fingerprints(unit: str) -> None:
    """Whatever the unit is called, the lines fit 80 × 24 with a prompt, and are the QR's modules."""
    text = fingerprint_text(asked(unit))
    assert "7f90a6a8971773f80001 0f90a6a8971773f80002" in text
    lines = terminal_lines(text)
    assert (len(lines) <= 22, max(map(len, lines)) <= 80) == (True, True)
    drawn = (
        [[half in {"▀", "█"} for half in line] for line in lines],
        [[half in {"▄", "█"} for half in line] for line in lines],
    )
    light = [row for pair in zip(*drawn, strict=True) for row in pair]
    matrix = segno.make(text, error="l", micro=False).matrix
    inner = [row[2 : 2 + len(matrix)] for row in light[2 : 2 + len(matrix)]]
    assert inner == [[not dark for dark in row] for row in matrix]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_whole_request_goes_to_a_picture(tmp_path: Path, kind: str) -> None:
    """SVG and PNG hold the text of a request of several officers; another kind, or too many, is told."""
    path = tmp_path / f"request.{kind}"
    save_picture(path, enrol_files.to_text(asked("x01", 5).data))
    assert path.stat().st_size > 1000
    with pytest.raises(UsageFault):
        save_picture(tmp_path / "request.gif", "x")
    with pytest.raises(UsageFault):
        save_picture(path, enrol_files.to_text(asked("x01", 40).data))


@given(st.binary(max_size=600))
def test_a_request_survives_as_text(data: bytes) -> None:
    """Quoted, indented, with other line ends and a greeting around it, the text gives the same bytes."""
    text = enrol_files.to_text(data)
    mailed = "Kính gửi anh,\r\n" + text.replace("\n", "\r\n   ") + "\r\nTrân trọng"
    assert enrol_files.from_text(mailed.encode()) == data
    assert enrol_files.from_text(text.encode()) == data


@pytest.mark.parametrize("text", [MARK, MARK + "\nAA*A\n-----END ONESTOP ENROLMENT-----", MARK + "\nAAA"])
def test_a_cut_text_is_told(text: str) -> None:
    """Without its end, or with letters that do not belong, nothing is guessed."""
    with pytest.raises(FormatError):
        enrol_files.from_text(text.encode())


def test_bytes_stay_bytes() -> None:
    """A request that is no text is what it is."""
    data = asked("x01").data
    assert enrol_files.from_text(data) == data

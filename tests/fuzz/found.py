"""What was found: inputs that once were neither taken nor refused, kept so that they stay mended."""

from __future__ import annotations

import base64
import hashlib
import json
import traceback
import zlib
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.target import place_of

__all__ = ["FOLDER", "Find", "load_finds", "note"]

FOLDER: Final = Path(__file__).parent / "found"


class Find(NamedTuple):
    """An input that was found.

    Attributes:
        what: What came up, and where.
        data: The input.
    """

    what: str
    data: bytes


def load_finds(name: str) -> list[Find]:
    """Returns what was found of a target in the past."""
    path = FOLDER / f"{name}.json"
    rows = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return [Find(row["what"], zlib.decompress(base64.b64decode(row["input"]))) for row in rows]


def keep(name: str, finds: list[Find]) -> None:
    """Adds finds to those of the past."""
    FOLDER.mkdir(exist_ok=True)
    rows = [
        {"what": each.what, "input": base64.b64encode(zlib.compress(each.data, 9)).decode()}
        for each in (*load_finds(name), *finds)
    ]
    (FOLDER / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def note(folder: Path, error: BaseException, data: bytes) -> bool:
    """Keeps an input with what it did, the shortest of each place; tells whether the place is new."""
    place = place_of(error)
    path = folder / hashlib.sha256(place.encode()).hexdigest()[:16]
    is_new = not path.exists()
    if is_new or len(data) < path.stat().st_size:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(f"{place}\n\n{''.join(traceback.format_exception(error))}")
    return is_new

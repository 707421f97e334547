"""Valid inputs to begin from: the golden vectors, and what the package ships."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from tests.golden.make_vectors import FOLDER

__all__ = ["hex_of", "shipped", "vectors"]


@cache
def vectors(name: str) -> Any:
    """Returns a file of golden vectors."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def hex_of(*texts: str) -> list[bytes]:
    """Returns bytes that vectors write as hexadecimal."""
    return [bytes.fromhex(text) for text in texts]


def shipped(name: str) -> bytes:
    """Returns a file of data that the package ships."""
    return (resources.files("onestop_sync.dossier.data") / name).read_bytes()

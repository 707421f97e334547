"""What a step did to the disk, call by call, as strace has seen it, with all data.

Why strace, and neither a library that is loaded before the C library nor a file system layer of SQLite's: it
sees what reaches the kernel, whoever asks for it (SQLite, SQLCipher, Python's own files), and nothing of the
program is another than in the field. What is told to whoever works stands on the tape as well, so its place
among the calls is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Op", "read_tape", "told_by"]

_LINE: Final = re.compile(r"\d+ +(\w+)\((.*)\) += (-?\d+)", re.DOTALL)
_PARTS: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(?:\.\.\.)?|([^,<"]+)(?:<((?:\\x[0-9a-f]{2})*|[^>]*)>)?')
_FOLDED: Final = "-shm"
"""SQLite maps such files into memory, and makes them anew at each start."""


class Op(NamedTuple):
    """One thing that was done.

    Attributes:
        what: ``make``, ``write``, ``cut`` (to a size), ``sync``, ``rename``, ``unlink``, ``folder``,
            ``told``.
        path: Of what, below the world's folder; for ``told`` nothing.
        at: Where it was written, or the size that it was cut to, bytes.
        data: What was written; the words that were told, as JSON.
        to: The new name.
    """

    what: str
    path: str
    at: int = 0
    data: bytes = b""
    to: str = ""


def read_tape(log: Path, folder: Path) -> list[Op]:
    """Reads what strace has written of a step.

    Args:
        log: Its file.
        folder: The world's folder; what happens elsewhere is left out.
    """
    reader = _Reader(str(folder.resolve()))
    with log.open(encoding="ascii") as lines:
        return [op for line in lines for op in reader.read(line) if not op.path.endswith(_FOLDED)]


class _Part(NamedTuple):
    """An argument of a call: text in quotes, or a number or name with the path that it stands for."""

    text: bytes
    name: str
    path: str


class _Reader:
    """Follows open files: where each is written next."""

    def __init__(self, folder: str) -> None:
        self._folder = folder + "/"
        self._at: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._do: dict[str, Callable[[list[_Part], int], Iterator[Op]]] = {
            "openat": self._openat,
            "write": self._write,
            "pwrite64": self._pwrite,
            "fsync": self._sync,
            "fdatasync": self._sync,
            "ftruncate": self._cut,
            "rename": self._rename,
            "unlink": lambda parts, _: iter([Op("unlink", self._inside(parts[0].text.decode()))]),
            "unlinkat": self._unlinkat,
            "rmdir": lambda parts, _: iter([Op("unlink", self._inside(parts[0].text.decode()))]),
            "mkdir": lambda parts, _: iter([Op("folder", self._inside(parts[0].text.decode()))]),
            "sendto": lambda parts, _: iter([Op("told", "", data=parts[1].text)]),
        }

    def read(self, line: str) -> Iterator[Op]:
        """Yields what a line of strace says was done in the folder; calls that failed did nothing."""
        found = _LINE.match(line)
        if "<unfinished" in line or found is None or int(found[3]) < 0 or found[1] not in self._do:
            assert "<unfinished" not in line, "calls of several threads at once cannot be put in order"
            return
        parts = [
            _Part(_unhex(m[1]) if m[1] is not None else b"", (m[2] or "").strip(), _path(m[3] or ""))
            for m in _PARTS.finditer(found[2])
            if m[1] is not None or (m[2] or "").strip()
        ]
        for op in self._do[found[1]](parts, int(found[3])):
            if op.what == "told" or op.path:
                yield op

    def _inside(self, path: str) -> str:
        return path.removeprefix(self._folder) if path.startswith(self._folder) else ""

    def _openat(self, parts: list[_Part], number: int) -> Iterator[Op]:
        path, flags = parts[1].text.decode(), parts[2].name
        self._at[str(number)] = 0
        if "O_CREAT" in flags:
            yield Op("make", self._inside(path))
        if "O_TRUNC" in flags:
            yield Op("cut", self._inside(path))
            self._sizes[path] = 0
        if "O_APPEND" in flags:
            self._at[str(number)] = self._sizes.get(path, 0)

    def _write(self, parts: list[_Part], count: int) -> Iterator[Op]:
        file = parts[0]
        at = self._at.get(file.name, 0)
        self._at[file.name] = at + count
        yield self._written(file.path, at, parts[1].text[:count])

    def _pwrite(self, parts: list[_Part], count: int) -> Iterator[Op]:
        yield self._written(parts[0].path, int(parts[3].name), parts[1].text[:count])

    def _written(self, path: str, at: int, data: bytes) -> Op:
        self._sizes[path] = max(self._sizes.get(path, 0), at + len(data))
        return Op("write", self._inside(path), at, data)

    def _sync(self, parts: list[_Part], _: int) -> Iterator[Op]:
        yield Op("sync", self._inside(parts[0].path + "/").rstrip("/") or self._inside(parts[0].path))

    def _cut(self, parts: list[_Part], _: int) -> Iterator[Op]:
        self._sizes[parts[0].path] = int(parts[1].name)
        yield Op("cut", self._inside(parts[0].path), int(parts[1].name))

    def _rename(self, parts: list[_Part], _: int) -> Iterator[Op]:
        yield Op("rename", self._inside(parts[0].text.decode()), to=self._inside(parts[1].text.decode()))

    def _unlinkat(self, parts: list[_Part], _: int) -> Iterator[Op]:
        path = Path(parts[0].path) / parts[1].text.decode()
        yield Op("unlink", self._inside(str(path)))


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _path(text: str) -> str:
    return _unhex(text).decode() if text.startswith("\\x") else ""


def told_by(ops: list[Op]) -> list[list[str]]:
    """Returns what was told among these."""
    return [json.loads(line) for op in ops if op.what == "told" for line in op.data.splitlines()]

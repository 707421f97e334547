"""Trains the dictionary that is part of the protocol: `python -m benchmarks.dictionary FILE`.

It is trained on seeded dossiers as demo and benchmarks invent them (with another seed than the one that is
measured), on edits, transitions, certificates and entries of the audit trail. The shipped file never changes:
a better one gets the next number, and with it the protocol another kind of packet.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import sqlalchemy as sa
import zstandard

from benchmarks.dossiers import plans
from benchmarks.world import KIND, World
from onestop_sync import codec
from onestop_sync.dossier.schema import DOSSIER, OFFICERS
from onestop_sync.event import Genesis
from onestop_sync.keys import SigningKey
from onestop_sync.storage import tables as t
from onestop_sync.trust import Certificate

__all__ = ["samples", "train"]

SEED: Final = 1975
SIZE: Final = 24 * 1024
_DOSSIERS: Final = 1500
_EDITS: Final = 3000
_PROOFS: Final = 200
_SALTED: Final = 18
"""Bytes of a body before its operations."""
_UNITS: Final = ("c1", "p", "d1", "so-tu-phap", "xa-mot", "phuong-hai", "tinh-mau")
_NAMES: Final = ("Trần Văn Cửa", "Nguyễn Thị Hường", "Lê Minh Quang", "Phạm Thu Trang", "Đặng Văn Đức")
_REASONS: Final = (
    "Thiếu bản sao giấy chứng nhận quyền sử dụng đất", "Thông tin chưa khớp với cơ sở dữ liệu dân cư",
    "Đề nghị bổ sung giấy tờ theo quy định", "Công dân đề nghị rút hồ sơ", "Hồ sơ đã nộp trùng",
    "Đủ điều kiện giải quyết", "Đồng ý cấp theo đề nghị", "Không đủ điều kiện theo quy định",
)  # fmt: skip


def _created(folder: Path) -> Iterator[bytes]:
    """Yields the operations of dossiers that were accepted, as a store writes them."""
    world = World(folder, seed=SEED)
    counter = world.counter("counter")
    with counter.store.writing():
        for plan in plans(_DOSSIERS, SEED):
            counter.officer.create(KIND, plan.values, plan.acts)
    with counter.store.reading() as connection:
        # Without what is random in it, such as keys and salts: the same dictionary comes out each time.
        query = sa.select(t.event.c.body).join(t.document, t.document.c.n == t.event.c.doc_n)
        rows = connection.execute(query.where(t.document.c.kind == KIND).order_by(t.event.c.n))
        yield from (row.body[_SALTED:] for row in rows)
    counter.store.close()
    world.close()


def _proofs(rng: Random) -> Iterator[list[Any]]:
    """Yields the operations of certificates and of first events of logs."""
    for n in range(_PROOFS):
        unit, name = rng.choice(_UNITS), f"Máy {n % 20}"
        key = SigningKey(rng.randbytes(32)).public
        times = (1_770_000_000_000 + n * 86_400_000, 1_990_000_000_000)
        machine = Certificate(
            key, unit, "machine", name, frozenset(), *times, seal=rng.randbytes(32), serves=n % 4 == 0
        )
        officer = Certificate(key, unit, "officer", rng.choice(_NAMES), OFFICERS, *times)
        yield [machine.to_op() if n % 2 else officer.to_op()]
        yield [Genesis(key, rng.randbytes(32), unit, 0).to_op()]


def _edits(rng: Random) -> Iterator[list[Any]]:
    """Yields the operations of edits and transitions, of every kind that the schema names."""
    actions = sorted({(task.name, move.action) for task in DOSSIER.tasks for move in task.transitions})
    values = [(key, value) for plan in plans(200, SEED + 1) for key, value in plan.values.items()]
    for n in range(_EDITS):
        match n % 5:
            case 0:
                yield [["set", "dien_thoai", f"0{rng.randrange(10**9):09d}"]]
            case 1:
                yield [["note", "ghi_chu", rng.choice(_REASONS)]]
            case 2:
                key, value = rng.choice(values)
                if isinstance(value, str):
                    yield [["set", key, value]]
            case 3:
                task, action = rng.choice(actions)
                arguments = rng.choice([
                    {}, {"to": rng.choice(_UNITS)}, {"ly_do": rng.choice(_REASONS)},
                    {"noi_dung": rng.choice(_REASONS)},
                ])  # fmt: skip
                yield [["act", task, action, arguments]]
            case _:
                at = 1_772_000_000_000 + rng.randrange(10**9)
                what = rng.choice(["read", "search", "list", "print", "sync", "login", "lock", "command"])
                yield [["note", "entries", [[at, what, rng.randbytes(16), rng.randrange(1, 9), 0, "", ""]]]]


def samples(folder: Path) -> list[bytes | bytearray | memoryview[int]]:
    """Returns what the dictionary is trained on: bodies without their salts."""
    rng = Random(SEED)
    made = [*_edits(rng), *_proofs(rng)]
    return [*_created(folder), *map(codec.encode, made)]


def train(size: int = SIZE) -> bytes:
    """Trains the dictionary."""
    with tempfile.TemporaryDirectory(prefix="onestop-dictionary-") as folder:
        data = zstandard.train_dictionary(size, samples(Path(folder)), level=3, dict_id=1, threads=0)
    return data.as_bytes()


if __name__ == "__main__":
    made = train()
    Path(sys.argv[1]).write_bytes(made)
    print(f"{len(made)} bytes, SHA-256 {hashlib.sha256(made).hexdigest()}")

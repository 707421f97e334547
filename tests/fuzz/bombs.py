"""Inputs that are small and would become large: `python -m tests.fuzz.bombs` prints what each costs.

Each runs in a process of its own that has loaded what it needs: measured is by how much its memory grows, and
how long it computes, until it has refused the input, or taken it within these bounds.
"""

from __future__ import annotations

import asyncio
import io
import json
import multiprocessing
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import zstandard

from commune_client.desk import shrink, tables
from onestop_sync import attachment, codec, columns
from onestop_sync.dossier import files, status_file
from onestop_sync.errors import OnestopError
from onestop_sync.protocol import LIMITS, open_packet
from onestop_sync.strict_json import read_json
from server_stub import roster_files

__all__ = ["BOMBS", "MOST_BYTES", "MOST_S", "Cost", "cost_of"]

MOST_BYTES: Final = 64 * 2**20
MOST_S: Final = 2.0
_PACKET: Final = LIMITS.packet_bytes
_TAKEN, _REFUSED = "taken", "refused"


class Cost(NamedTuple):
    """What an input cost.

    Attributes:
        size_bytes: Of the input.
        grown_bytes: By how much the process's memory has grown at its highest.
        cpu_s: Seconds of computing.
        end: ``taken`` or ``refused``, or what else came up.
    """

    size_bytes: int
    grown_bytes: int
    cpu_s: float
    end: str


Bomb = tuple[Callable[[], bytes], Callable[[bytes], object]]


def _zstd(plain: bytes) -> bytes:
    return b"\x01" + zstandard.ZstdCompressor(level=3).compress(plain)


def _array(item: bytes, size: int) -> bytes:
    count = size // len(item)
    return b"\x9a" + count.to_bytes(4, "big") + item * count


def _frame(text: bytes) -> bytes:
    """Returns a block whose text column is compressed with the protocol's dictionary."""
    found = columns.Columns()
    found.text += text
    return found.pack()


def _workbook(part: str, content: bytes) -> bytes:
    """Returns a workbook of which one part is another."""
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.title = "Đơn vị"
    book.active.append(["a"])
    out = io.BytesIO()
    book.save(out)
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(out.getvalue())) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return made.getvalue()


def _strings(content: bytes) -> bytes:
    """Returns a workbook whose cells share these texts."""
    about = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    part = b'<Override PartName="/xl/sharedStrings.xml" ContentType="' + about + b'"/></Types>'
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_workbook("", b""))) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text.replace(b"</Types>", part) if name == "[Content_Types].xml" else text)
        head = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        new.writestr("xl/sharedStrings.xml", head + content + b"</sst>")
    return made.getvalue()


def _sheet(rows: bytes) -> bytes:
    head = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return _workbook("xl/worksheets/sheet1.xml", head + rows + b"</sheetData></worksheet>")


def _entities() -> bytes:
    names = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "ha" * 10}">' for n in range(10))
    text = f'<?xml version="1.0"?><!DOCTYPE x [{names}]><worksheet>&e9;</worksheet>'
    return _workbook("xl/worksheets/sheet1.xml", text.encode())


def _read(read: Callable[[Path], object], name: str) -> Callable[[bytes], object]:
    def run(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(data)
            return read(path)

    return run


def _png(width: int, height: int) -> bytes:
    """Returns a black image: a few kilobytes, whatever its size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return len(data).to_bytes(4, "big") + whole + zlib.crc32(whole).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    packer = zlib.compressobj(9)
    packed = (
        b"".join(packer.compress(bytes(1 + 3 * width)) for _ in range(min(height, 2000))) + packer.flush()
    )
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _shrink(data: bytes) -> object:
    return shrink.shrunk(io.BytesIO(data))


def _endless(_: bytes) -> object:
    """A request whose body never ends: sent as fast as it is taken."""
    from server_stub.app import build_app
    from tests.province import Province

    with tempfile.TemporaryDirectory() as folder:
        province = Province(Path(folder))
        app = build_app(province.machine("s", "p", serves=True, database="sqlite://").store)
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": bytes(65536), "more_body": True}

        async def send(message: Any) -> None:
            status.append(message.get("status", 0))

        scope = {
            "type": "http", "method": "POST", "path": "/v1/sync", "query_string": b"", "root_path": "",
            "headers": [(b"content-type", b"application/cbor")], "http_version": "1.1", "scheme": "http",
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
        assert status[0] == 413
        return codec.decode(b"")  # refused


def _status(data: bytes) -> object:
    return status_file.look_up(data, "000.01.01.H99-261125-0007", "0912345678", "001199012345")


def _statuses() -> bytes:
    said = {"version": 1, "salt": "00" * 16, "n": 2**30, "r": 8, "p": 1, "entries": {}}
    return json.dumps(said).encode()


_SHORT: Final = b"<si><t>ab</t></si>"
_CELL: Final = b"<c><v>1</v></c>"
_LAST_CELL: Final = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
_DAYS: Final = b"date,kind,name_vi,certainty,source\n"
_TABLE: Final = _read(tables.read_table, "x.xlsx")
_ROSTER: Final = _read(roster_files.read, "x.xlsx")


BOMBS: Final[dict[str, Bomb]] = {
    "cbor: 200,000 levels": (lambda: b"\x81" * 200_000, codec.decode),
    "cbor: an array of 2^32": (lambda: b"\x9a\xff\xff\xff\xff", codec.decode),
    "cbor: an array of 2^63": (lambda: b"\x9b\x7f" + b"\xff" * 7, codec.decode),
    "cbor: a text of 2^63": (lambda: b"\x7b\x7f" + b"\xff" * 7 + b"x", codec.decode),
    "cbor: a map of 2^32": (lambda: b"\xba\xff\xff\xff\xff", codec.decode),
    "packet: 8 MiB of zeros": (lambda: _zstd(_array(b"\x00", _PACKET - 8)), open_packet),
    "packet: 8 MiB of empty arrays": (lambda: _zstd(_array(b"\x80", _PACKET - 8)), open_packet),
    "packet: 8 MiB of empty maps": (lambda: _zstd(_array(b"\xa0", _PACKET - 8)), open_packet),
    "packet: 8 MiB of short texts": (lambda: _zstd(_array(b"\x62ab", _PACKET - 8)), open_packet),
    "packet: 200 MiB of zeros": (lambda: _zstd(bytes(200 * 2**20)), open_packet),
    "packet: a window of 2 GiB": (lambda: b"\x01\x28\xb5\x2f\xfd\x00\xa8" + bytes(20), open_packet),
    "block: 64 MiB, dictionary": (lambda: _frame(bytes(64 * 2**20)), lambda d: columns.Reader(d, _PACKET)),
    "manifest: a billion chunks": (
        lambda: codec.encode([1, bytes(16), 10**9 * attachment.CHUNK_BYTES, b""]), attachment.parse_index,
    ),
    "manifest: 8 MiB of hashes": (
        lambda: codec.encode([1, bytes(16), 10**9, bytes(8 * 2**20)]), attachment.parse_index,
    ),
    "json: 100,000 levels": (lambda: b"[" * 100_000 + b"]" * 100_000, read_json),
    "json: 4 MiB of objects": (lambda: b"[" + b"{}," * 1_398_000 + b"{}]", read_json),
    "json: a number of 4 MiB": (lambda: b"9" * 4 * 2**20, read_json),
    "json: 1e999999999": (lambda: b"1e999999999", read_json),
    "catalogue.json: 4 MiB of objects": (
        lambda: b'{"version":1,"procedures":[' + b"{}," * 1_390_000 + b"{}]}", files.read_catalogue,
    ),
    "holidays.csv: a number of 4 MiB": (
        lambda: _DAYS + b"9" * 4 * 2**20 + b",version,,,\n", files.read_calendar,
    ),
    "xlsx: 2 GiB of one text": (lambda: _strings(b"<si><t>" + bytes(2**31) + b"</t></si>"), _TABLE),
    "xlsx: 90 MiB of short texts": (lambda: _strings(_SHORT * (90 * 2**20 // len(_SHORT))), _TABLE),
    "xlsx: 2 MiB of short texts": (lambda: _strings(_SHORT * 120_000), _TABLE),
    "xlsx: 45 MiB in one row": (lambda: _sheet(b"<row>" + _CELL * 3_000_000 + b"</row>"), _TABLE),
    "xlsx: 2 MiB in one row": (lambda: _sheet(b"<row>" + _CELL * 138_000 + b"</row>"), _TABLE),
    "xlsx: 2 MiB of empty rows": (lambda: _sheet(b"<row/>" * 340_000), _TABLE),
    "xlsx: 2 MiB of rows": (lambda: _sheet((b"<row>" + _CELL * 100 + b"</row>") * 1350), _TABLE),
    "roster: 2 MiB of short texts": (lambda: _strings(_SHORT * 120_000), _ROSTER),
    "roster: 45 MiB in one row": (lambda: _sheet(b"<row>" + _CELL * 3_000_000 + b"</row>"), _ROSTER),
    "roster: 2 MiB of rows": (lambda: _sheet((b"<row>" + _CELL * 100 + b"</row>") * 1350), _ROSTER),
    "csv: one row of 4 MiB": (lambda: b"a," * 2**21, _read(tables.read_table, "x.csv")),
    "csv: 4 MiB of rows": (lambda: b"a,b\n" * 2**20, _read(tables.read_table, "x.csv")),
    "xlsx: a cell at XFD1048576": (lambda: _sheet(_LAST_CELL), _TABLE),
    "xlsx: billion laughs": (_entities, _TABLE),
    "roster: a cell at XFD1048576": (lambda: _sheet(_LAST_CELL), _ROSTER),
    "png: 120 million pixels": (lambda: _png(12_000, 10_000), _shrink),
    "png: 10 billion pixels": (lambda: _png(100_000, 100_000), _shrink),
    "png: 25 million pixels": (lambda: _png(5_000, 5_000), _shrink),
    "http: a body without end": (lambda: b"", _endless),
    "statuses: 1 TiB for a try": (_statuses, _status),
}  # fmt: skip
"""What it is → what makes it, and what reads it."""


def cost_of(name: str) -> Cost:
    """Runs one in a process of its own."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    make, read = BOMBS[name]
    data = make()
    child = context.Process(target=_measure, args=(there, read, data))
    child.start()
    there.close()
    try:
        grown, cpu_s, end = here.recv()
    except EOFError:
        grown, cpu_s, end = 0, 0.0, "the process ended"
    child.join()
    return Cost(len(data), grown, cpu_s, end)


def _measure(out: Any, read: Callable[[bytes], object], data: bytes) -> None:
    _forget_peak()
    before, begun = _memory("VmRSS"), time.process_time()
    try:
        read(data)
        end = _TAKEN
    except OnestopError:
        end = _REFUSED
    except BaseException as error:  # noqa: BLE001 - what else came up is told
        end = f"{type(error).__name__}"
    out.send((_memory("VmHWM") - before, time.process_time() - begun, end))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _memory(name: str) -> int:
    """Returns a figure of the process's memory, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def main() -> int:
    """Prints what each costs; 1 when one is not within the bounds."""
    bad = 0
    print(f"{'bomb':34} {'bytes':>10} {'grown MiB':>10} {'CPU s':>7}  end")
    for name in BOMBS:
        cost = cost_of(name)
        is_good = cost.grown_bytes <= MOST_BYTES and cost.cpu_s <= MOST_S and cost.end in {_TAKEN, _REFUSED}
        bad += not is_good
        mib = cost.grown_bytes / 2**20
        mark = "" if is_good else "  !"
        print(
            f"{name:34} {cost.size_bytes:>10} {mib:>10.1f} {cost.cpu_s:>7.2f}  {cost.end}{mark}", flush=True
        )
    print(f"{len(BOMBS)} bombs, {bad} beyond +{MOST_BYTES // 2**20} MiB or {MOST_S:.0f} s.")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())

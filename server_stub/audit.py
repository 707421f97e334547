"""``onestop-server audit``: the audit trail of a server's store, shown or exported."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from onestop_sync.audit import Line, lines, record, to_csv, to_json
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.roles import ADMIN, HEAD
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput
from onestop_sync.keyring import write_durably
from onestop_sync.keys import Signer
from onestop_sync.search_text import has_words
from onestop_sync.store import Store
from onestop_sync.trail import Entry
from server_stub import settings

__all__ = ["audit"]

_READERS = frozenset({ADMIN, HEAD})


def audit(arguments: Namespace) -> None:
    """Shows entries, the latest first, or writes them into a file; either way that is noted first.

    Raises:
        NotAllowed: The holder's key is not certified here.
        InvalidInput: The file is there already.
    """
    if arguments.export and Path(arguments.export).exists():
        raise InvalidInput(f"{arguments.export} is there already.", todo="Name a new file.")
    secrets = settings.unlock(arguments)
    store = Store.open(
        arguments.folder, secrets, types=settings.load_types(arguments.types),
        database=settings.database_of(arguments),
    )  # fmt: skip
    try:
        limit = None if arguments.export else arguments.limit
        found = list(islice(_visible(store, secrets.officer, arguments), limit))
        what = "audit_export" if arguments.export else "audit"
        record(store, secrets.officer, [Entry(store.clock(), what, lines=len(found))])
        if arguments.export:
            _write(Path(arguments.export), found)
            _say(arguments, {"file": arguments.export, "lines": len(found)})
        elif arguments.json:
            print(to_json(found).decode(), end="")
        else:
            print("\n".join(map(_text, found)))
    finally:
        store.close()


def _visible(store: Store, signer: Signer, arguments: Namespace) -> Iterator[Line]:
    """Yields what the holder may see: an administrator or leader all of it, others their own."""
    _, certificate = store.find_authority(signer.public)
    sees_all = not _READERS.isdisjoint(certificate.roles)
    doc = store.lookup(DOSSIER.name, arguments.dossier.upper()) if arguments.dossier else b""
    since_ms, until_ms = _bounds(arguments.day)
    for line in lines(store, doc=doc, since_ms=since_ms, until_ms=until_ms):
        if (sees_all or line.key == signer.public) and has_words(line.who, arguments.officer):
            yield line


def _bounds(day: date | None) -> tuple[int | None, int | None]:
    """Returns when a day in Vietnam begins and ends, milliseconds since 1970 UTC."""
    if day is None:
        return None, None
    start = datetime.combine(day, time(), VIETNAM)
    return to_ms(start), to_ms(start + timedelta(days=1))


def _write(path: Path, found: list[Line]) -> None:
    try:
        write_durably(path, to_json(found) if path.suffix == ".json" else to_csv(found))
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.", todo="Check the path.") from error


def _say(arguments: Namespace, facts: dict[str, object]) -> None:
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print(f"{facts['lines']} entries are in {facts['file']}.")


def _text(line: Line) -> str:
    entry = line.entry
    at = datetime.fromtimestamp(min(entry.at_ms, _LATEST_MS) / 1000, VIETNAM).isoformat(timespec="seconds")
    about = line.label or entry.doc.hex()
    counts = [f"{entry.lines} lines"] * bool(entry.lines) + [f"{entry.times} times"] * (entry.times > 1)
    signed = " (signed by the machine)" if line.is_machine else ""
    parts = [at, line.unit, f"{one_line(line.who) or '-'}{signed}", entry.what, about, entry.code, *counts]
    return "  ".join(part for part in parts if part)


_LATEST_MS = int(datetime(9999, 1, 1, tzinfo=VIETNAM).timestamp() * 1000)
"""A claimed time may be any number; what no calendar reaches is shown as this."""

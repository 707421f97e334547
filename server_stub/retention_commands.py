"""``retention``: dossiers whose term is over, and their erasure by the province."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.data import shipped_retention
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.retention import Retention, Term, retention_from_plain
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.erasure import plan_erasure
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keys import SigningKey
from onestop_sync.store import Store
from onestop_sync.tombstone import Tombstone
from onestop_sync.verification import verify_document
from server_stub import settings
from server_stub.console import say
from server_stub.keyfiles import PUBLISHING, open_key
from server_stub.options import Verbs, add_common
from server_stub.proof_commands import note, publish_erasure

__all__ = ["FILE", "add_parsers"]

FILE: Final = "retention.json"
"""Published file of terms."""
_AT_ONCE: Final = 1000


class _Over(NamedTuple):
    """A dossier whose term is over."""

    doc: bytes
    code: str
    until: date
    term: Term


def add_parsers(verbs: Verbs) -> None:
    """Adds the command."""
    parser = verbs.add_parser(
        "retention",
        help="dossiers whose term of keeping is over; --erase publishes their tombstones",
        description="List the dossiers that ended, and whose term is over by the published file"
        f" {FILE} (until there is one, by the program's own, which names very few). What it does not"
        " name is kept for good. --erase cannot be undone: each machine drops the content, and keeps the"
        " register's row.",
    )
    parser.add_argument("--on", metavar="DAY", help="over on that day, 2036-01-31; today when left out")
    parser.add_argument("--erase", action="store_true", help="erase them; looked at first without this")
    parser.add_argument("--limit", type=int, default=_AT_ONCE, metavar="N", help="at the most; 1000")
    add_common(parser)
    parser.set_defaults(run=_retention)


def _retention(arguments: Namespace) -> None:
    passphrase = settings.passphrase(arguments) if arguments.erase else ""
    store = settings.open_store(arguments)
    try:
        day = _day(arguments.on) if arguments.on else local(store.clock()).date()
        over = sorted(_over(store, _terms(store), day), key=lambda each: (each.until, each.code))
        chosen = over[: max(arguments.limit, 0)]
        left: list[tuple[_Over, str]] = []
        if arguments.erase and chosen:
            if day > local(store.clock()).date():
                raise InvalidInput(f"{day} has not come yet.", todo="Nothing was erased. Leave out --on.")
            online = SigningKey(open_key(Path(arguments.folder) / PUBLISHING, passphrase, "publishing"))
            left = _erase(store, arguments, online, chosen)
            store.scrub()
    finally:
        store.close()
    facts = {
        "on": day.isoformat(), "over": len(over), "erased": len(chosen) - len(left) if arguments.erase else 0,
        "dossiers": [{"doc": o.doc.hex(), "code": o.code, "until": o.until.isoformat()} for o in chosen],
        "not_erased": [{"doc": o.doc.hex(), "why": why} for o, why in left],
    }  # fmt: skip
    say(arguments, facts, [*_lines(facts, chosen, left, is_erased=arguments.erase)])


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day, not a moment
    except ValueError:
        raise InvalidInput(f"{text!r} is no day.", todo="Write it as 2036-01-31.") from None


def _terms(store: Store) -> Retention:
    data = store.publication.target(FILE)
    return shipped_retention() if data is None else retention_from_plain(data)


def _over(store: Store, terms: Retention, day: date) -> Iterator[_Over]:
    for doc, state in store.each(DOSSIER.name):
        if isinstance(state, Tombstone):
            continue
        found = terms.kept_until(state)
        if found is not None and found[0] < day:
            code = state.value("ma_ho_so")
            yield _Over(doc, code if isinstance(code, str) else "", *found)


def _erase(
    store: Store, arguments: Namespace, online: SigningKey, chosen: list[_Over]
) -> list[tuple[_Over, str]]:
    """Erases what is proven; returns what is not, with the reason."""
    plans, left = [], []
    for each in chosen:
        why = f"Hết thời hạn lưu trữ {each.term.years} năm ({each.term.source})"
        try:
            plans.append(
                plan_erasure(verify_document(store, each.doc), DOSSIER, why=why, now_ms=store.clock())
            )
        except NotAllowed as error:
            left.append((each, error.what))
        else:
            note(store, arguments, "command", each.doc, "erase")
    if plans:
        publish_erasure(store, online, plans)
    return left


def _lines(
    facts: dict[str, Any], chosen: list[_Over], left: list[tuple[_Over, str]], *, is_erased: bool
) -> Iterator[str]:
    yield f"{facts['over']} dossiers are past their term on {facts['on']}."
    for each in chosen if not is_erased else ():
        yield f"  {each.code or each.doc.hex()}: to be kept until {each.until}, {each.term.source}"
    if is_erased:
        yield f"Erased: {facts['erased']}. Each machine erases when it next synchronises or takes a stick."
    elif chosen:
        yield "Nothing was erased. With --erase they are, for good."
    for each, why in left:
        yield f"  NOT erased {each.code or each.doc.hex()}: {why}"

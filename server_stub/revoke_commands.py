"""``revoke``: a key counts no further than its last good event, or a branch ends, as far as is known here."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from onestop_sync import tree_changes as changes
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.keys import KEY_BYTES, fingerprint
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from onestop_sync.trust_document import Cut, TrustDocument
from server_stub import settings, unit_commands
from server_stub.console import counted, moment_of, say, to_moment
from server_stub.heads import Branch, LogHead, branch_end, branches, heads_of_key, moved_back
from server_stub.options import Verbs, add_common, add_publishing

__all__ = ["add_parsers"]

WHY: Final = ("stolen", "retired", "transferred", "forked")
_FORKED: Final = "forked"
_SHORTEST: Final = 8
"""Digits by which a key or log may be named."""


def add_parsers(verbs: Verbs) -> None:
    """Adds the command."""
    revoke = verbs.add_parser(
        "revoke",
        help="cut off a key: stolen, retired, transferred; end a branch: forked; list and lift cuts",
        description="Cut off keys: what they wrote up to their last good events counts, what lies beyond does"
        " not (stolen), or needs a countersignature. Proposed are the last events that are stored here. A"
        " later revoke of the same key corrects the first. With forked, only the branches end that a copied"
        " machine wrote: the key and its other logs go on; proposed is the branch that came here first.",
    )
    revoke.add_argument(
        "what", nargs="?", choices=["cut", "list", "lift"], default="cut", metavar="list|lift"
    )
    revoke.add_argument("--machine", metavar="NAME", help="the key of this machine")
    revoke.add_argument("--officer", metavar="NAME", help="all keys of this officer, on every machine")
    revoke.add_argument(
        "--unit", metavar="ID", help="with --machine, --officer: of this unit; with lift: a closed one"
    )
    revoke.add_argument(
        "--key", metavar="HEX", help="this key: the public key, or its first 8 digits or more"
    )
    revoke.add_argument("--why", choices=WHY, help="stolen: what lies beyond is out, whoever vouches for it")
    revoke.add_argument(
        "--before", metavar="TIME", help="only what was stored here before: '2026-07-01 14:30', in Vietnam"
    )
    revoke.add_argument(
        "--head", action="append", default=[], metavar="LOG=SEQ",
        help="another last good event of a log; LOG=@EVENT: by id, on any branch; LOG=none: all of it is out",
    )  # fmt: skip
    add_publishing(revoke)
    add_common(revoke)
    revoke.set_defaults(run=_revoke)


class _Proposal(NamedTuple):
    """A cut, and what a person looks at before it is published."""

    cut: Cut
    name: str
    kept: tuple[LogHead, ...]
    ends: tuple[LogHead, ...]
    branches: Mapping[bytes, Sequence[Branch]]


def _revoke(arguments: Namespace) -> None:
    if arguments.what == "list":
        _list(arguments)
    elif arguments.what == "lift":
        unit_commands.change(arguments, lambda store, held, now: _plan_lift(arguments, store, held, now))
    else:
        if not arguments.why:
            raise InvalidInput("Why is not said.", todo=f"Give --why with one of {', '.join(WHY)}.")
        proposals: list[_Proposal] = []

        def plan(store: Store, held: TrustDocument, now: int) -> TrustDocument:
            proposals.extend(_propose(arguments, store))
            return changes.plan_cut(held, [p.cut for p in proposals], now_ms=now)

        unit_commands.change(arguments, plan, lambda _: list(_proposal_lines(proposals)))


def _plan_lift(arguments: Namespace, store: Store, held: TrustDocument, now: int) -> TrustDocument:
    if arguments.unit and not (arguments.machine or arguments.officer):
        return changes.plan_lift(held, unit=arguments.unit, now_ms=now)
    planned = held
    cut = {c.key for c in held.cuts}
    named = [key for key, _ in _keys(arguments, store)]
    for key in [k for k in named if k in cut] or named:
        planned = changes.plan_lift(planned, key, now_ms=now)
    return replace(planned, version=held.version + 1)


def _propose(arguments: Namespace, store: Store) -> Iterator[_Proposal]:
    asked = dict(map(_head_option, arguments.head))
    used: set[str] = set()
    before_ms = moment_of(arguments.before) if arguments.before else None
    for key, name in _keys(arguments, store):
        if key == store.machine.public:
            raise InvalidInput("That is the key of this very server.", todo="Cut it off from another one.")
        ends = [e for e in heads_of_key(store, key) if e.is_forked or arguments.why != _FORKED]
        if not ends and arguments.why == _FORKED:
            raise InvalidInput(f"No log of {name} has branches here.", todo="Nothing was changed.")
        kept: list[LogHead] = []
        for end in ends:
            option = next((text for text in asked if end.log.hex().startswith(text)), None)
            found = end if option is None else _at(store, end, asked[option])
            if option is not None:
                used.add(option)
            elif before_ms is not None:
                found = moved_back(store, end, before_ms=before_ms)
            if found is not None:
                kept.append(found)
        heads = {head.log: (head.seq, head.head) for head in kept}
        if arguments.why == _FORKED and len(heads) < len(ends):
            raise InvalidInput("Of each log with branches, one branch goes on.", todo="Leave out LOG=none.")
        told = {end.log: branches(store, end.log) for end in ends if end.is_forked}
        yield _Proposal(Cut(arguments.why, key, "", heads), name, tuple(kept), tuple(ends), told)
    if set(asked) - used:
        raise NotFound(f"No log of that key begins with {', '.join(sorted(set(asked) - used))}.")


def _at(store: Store, end: LogHead, place: int | str | None) -> LogHead | None:
    if place is None:
        return None
    return branch_end(store, end, place) if isinstance(place, str) else moved_back(store, end, to_seq=place)


def _head_option(text: str) -> tuple[str, int | str | None]:
    """Reads ``LOG=SEQ``, ``LOG=@EVENT`` or ``LOG=none``."""
    log, _, place = text.lower().partition("=")
    is_event = place.startswith("@") and len(place) > _SHORTEST
    if len(log) >= _SHORTEST and (place == "none" or place.isdecimal() or is_event):
        return log, None if place == "none" else place[1:] if is_event else int(place)
    raise InvalidInput(
        f"{text!r} is not LOG=SEQ: {_SHORTEST} digits of a log or more, and a number, none, or @ with"
        f" {_SHORTEST} digits of an event."
    )


def _keys(arguments: Namespace, store: Store) -> list[tuple[bytes, str]]:
    """Returns the keys that were named, with the names of their holders.

    Raises:
        InvalidInput: Nobody was named, or it is not clear who.
        NotFound: There is no such key.
    """
    given = [arguments.machine, arguments.officer, arguments.key]
    if sum(each is not None for each in given) != 1:
        raise InvalidInput("Name one of --machine, --officer and --key.")
    known = _known_keys(store)
    if arguments.key is not None:
        return [_by_hex(arguments.key.lower(), known)]
    if not arguments.unit:
        raise InvalidInput("Name the --unit as well.")
    kind, name = (
        ("machine", arguments.machine) if arguments.machine is not None else ("officer", arguments.officer)
    )
    found = {c.key: c.name for c in known if (c.kind, c.name, c.unit) == (kind, name, arguments.unit)}
    if not found:
        there = sorted({c.name for c in known if (c.kind, c.unit) == (kind, arguments.unit)})
        raise NotFound(
            f"{arguments.unit} has no {kind} {name!r}.", todo=f"It has: {', '.join(there) or 'none'}."
        )
    if kind == "machine" and len(found) > 1:
        keys = ", ".join(key.hex()[:16] for key in found)
        raise InvalidInput(
            f"{len(found)} machines of {arguments.unit} are called {name!r}.", todo=f"Give --key: {keys}."
        )
    return sorted(found.items())


def _known_keys(store: Store) -> list[Certificate]:
    return [certificate for _, certificate in store.trust.certificates()]


def _by_hex(text: str, known: Sequence[Certificate]) -> tuple[bytes, str]:
    found = {c.key: c.name for c in known if c.key.hex().startswith(text)} if len(text) >= _SHORTEST else {}
    if len(found) == 1:
        return next(iter(found.items()))
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if not found and len(key) == KEY_BYTES:
        return key, "(not certified here)"
    raise NotFound(f"{len(found)} keys begin with {text!r}.", todo="Give 8 digits or more, or the whole key.")


# ------------------------------------------------------------------------------------------- words


def _proposal_lines(proposals: Sequence[_Proposal]) -> Iterator[str]:
    for each in proposals:
        yield f"{each.name}, key {each.cut.key.hex()} ({fingerprint(each.cut.key)}):"
        if not each.ends:
            yield "  nothing that it wrote is here."
        kept = {head.log: head for head in each.kept}
        for end in each.ends:
            yield f"  {_head_line(end, kept.get(end.log))}"
            for branch in each.branches.get(end.log, ()):
                yield f"    {_branch_line(branch, kept.get(end.log))}"


def _head_line(end: LogHead, kept: LogHead | None) -> str:
    what = f"log {end.log.hex()[:16]}, for {end.unit}, epoch {end.epoch}"
    fork = " It was written on two machines at once: one branch counts." if end.is_forked else ""
    if kept is None:
        return f"{what}: OUT as a whole, with {counted(end.seq, 'event')} that are here.{fork}"
    last = f"the last of them written {to_moment(kept.claimed_ms)}, stored here {to_moment(kept.stored_ms)}"
    beyond = f"; {end.seq - kept.seq} that are here lie beyond" if end.seq > kept.seq else ""
    return f"{what}: {counted(kept.seq, 'event')} of it count, {last}{beyond}.{fork}"


def _branch_line(branch: Branch, kept: LogHead | None) -> str:
    goes_on = kept is not None and kept.head == branch.head
    return (
        f"{'this branch counts' if goes_on else 'a branch'}: {counted(branch.events, 'event')} of its own to"
        f" {branch.seq}, the last written {to_moment(branch.claimed_ms)}, stored here"
        f" {to_moment(branch.stored_ms)}, @{branch.head.hex()[:16]}"
    )


def _list(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        names = {c.key: f"{c.kind} {c.name} of {c.unit}" for c in _known_keys(store)}
        facts = [_cut_facts(cut, names) for cut in store.trust.document.cuts]
    finally:
        store.close()
    lines = [
        f"{each['who']} ({each['why']}): {counted(each['logs'], 'log')} to the last good event"
        + (f"; key {each['key']}" if each["key"] else "")
        for each in facts
    ]
    say(arguments, {"cuts": facts}, lines or ["Nothing is cut off."])


def _cut_facts(cut: Cut, names: dict[bytes, str]) -> dict[str, Any]:
    who = f"unit {cut.unit}" if cut.unit else names.get(cut.key, "a key that is not known here")
    heads = [[log.hex(), seq, head.hex()] for log, (seq, head) in sorted(cut.heads.items())]
    return {
        "who": who,
        "why": cut.why,
        "key": cut.key.hex(),
        "unit": cut.unit,
        "logs": len(heads),
        "heads": heads,
    }

"""``publish``, ``published``, ``publication``: what comes down from the province, made, shown and carried."""

from __future__ import annotations

import hashlib
import re
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.rules import CATALOGUE, HOLIDAYS, POSTING, PROFILES, REPORTS, check_publication
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.keys import fingerprint
from onestop_sync.publication import MAX_FILE_BYTES, TRUST, Publication
from onestop_sync.root_draft import read_root
from onestop_sync.store import Store
from onestop_sync.strict_json import read_json
from onestop_sync.tree_changes import describe_changes, plan_apart
from onestop_sync.trust_document import TrustDocument
from server_stub import publishing, settings
from server_stub.console import confirm, say, to_moment, write_file
from server_stub.options import Verbs, add_common, add_publishing

__all__ = ["add_parsers", "describe", "show"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def add_parsers(verbs: Verbs) -> None:
    """Adds the commands."""
    publish = verbs.add_parser(
        "publish",
        help="publish files to all machines, or renew the dates",
        description="Publish the catalogue, holidays, profiles or other files to every machine of the"
        " province. With --renew and nothing new, the same again with later dates: at least every 60 days.",
    )
    publish.add_argument("--catalogue", metavar="FILE", help=f"published as {CATALOGUE}")
    publish.add_argument("--holidays", metavar="FILE", help=f"published as {HOLIDAYS}")
    publish.add_argument("--profiles", metavar="FILE", help=f"published as {PROFILES}")
    publish.add_argument("--report-rules", metavar="FILE", help=f"published as {REPORTS}")
    publish.add_argument("--posting", metavar="FILE", help=f"published as {POSTING}")
    publish.add_argument(
        "--file", action="append", default=[], metavar="NAME=FILE", help="published as NAME; again for more"
    )
    publish.add_argument("--remove", action="append", default=[], metavar="NAME", help="is published no more")
    publish.add_argument(
        "--trust-from",
        metavar="FILE",
        help="units, administrators and cuts as in this exported publication: after a theft",
    )
    publish.add_argument(
        "--apart",
        action="append",
        metavar="PROFILE",
        help="under this legal profile one person may not both appraise and decide; again for more",
    )
    publish.add_argument("--renew", action="store_true", help="later dates, even when nothing is new")
    add_publishing(publish)
    add_common(publish)
    publish.set_defaults(run=_publish)
    published = verbs.add_parser("published", help="show what is published, by which keys, until when")
    add_common(published)
    published.set_defaults(run=show)
    _add_carrying(verbs)


def _add_carrying(verbs: Verbs) -> None:
    carried = verbs.add_parser("publication", help="carry what is published as one file")
    steps = carried.add_subparsers(title="commands", metavar="COMMAND", required=True)
    export = steps.add_parser("export", help="write it into a file: for a stick, a mirror, an auditor")
    export.add_argument("file", metavar="FILE")
    add_common(export)
    export.set_defaults(run=_export)
    take = steps.add_parser("import", help="take it from a file, checked against this province's root")
    take.add_argument("file", metavar="FILE")
    add_common(take)
    take.set_defaults(run=_import)


def _publish(arguments: Namespace) -> None:
    wanted = _files(arguments)
    store = settings.open_store(arguments)
    try:
        held = store.publication
        absent = [name for name in arguments.remove if held.target(name) is None]
        if absent:
            raise InvalidInput(f"{', '.join(absent)} is not published.", todo="Nothing was changed.")
        changes = {name: data for name, data in wanted.items() if held.target(name) != data}
        rules = rules_of(store)
        for name, data in changes.items():
            if data is not None:
                check_publication(name, data, rules)
        document = _earlier(arguments, store) if arguments.trust_from else None
        if arguments.apart is not None:
            profiles = [profile for profile in arguments.apart if profile]
            document = plan_apart(document or held.document, profiles, now_ms=store.clock())
        told = describe_changes(held.document, document) if document else []
        lines = [*told, *_change_lines(held, changes)] or ["Nothing is new."]
        if not changes and document is None and not arguments.renew:
            raise InvalidInput("Nothing is new.", todo="Name a file, or --renew for later dates.")
        if not arguments.dry_run:
            if changes or document is not None:
                confirm(arguments, lines, "Publish this?")
            publishing.publish(arguments, store, document=document, files=changes)
        facts = describe(store.publication, store.root, store.clock()) | {"changes": lines}
    finally:
        store.close()
    done = "Nothing was published." if arguments.dry_run else _done(facts)
    say(arguments, facts, [*lines, done])


def _earlier(arguments: Namespace, store: Store) -> TrustDocument:
    """Returns the trust document of an exported publication, as the next version of the one that is here.

    Raises:
        SignatureInvalid: It is not this province's.
    """
    found = Publication.check(settings.read_file(arguments.trust_from), store.root).document
    version = store.publication.document.version + 1
    return replace(found, version=version, issued_ms=store.clock())


def _done(facts: Mapping[str, Any]) -> str:
    until = to_moment(min(facts["expires_ms"].values()))
    return f"Published as version {facts['version']}, current until {until}. Machines take it as they sync."


def _files(arguments: Namespace) -> dict[str, bytes | None]:
    """Returns the files that were named, by the names under which they are published.

    Raises:
        InvalidInput: A name that does not do, a file that cannot be read, is too large, or is not what its
            name says.
    """
    named = [
        (CATALOGUE, arguments.catalogue), (HOLIDAYS, arguments.holidays), (PROFILES, arguments.profiles),
        (REPORTS, arguments.report_rules), (POSTING, arguments.posting),
    ]  # fmt: skip
    for each in arguments.file:
        name, _, path = each.partition("=")
        named.append((name, path))
    found: dict[str, bytes | None] = {}
    for name, path in named:
        if path is not None:
            _check_name(name, found)
            found[name] = _read(name, path)
    for name in arguments.remove:
        _check_name(name, found)
        found[name] = None
    return found


def _check_name(name: str, found: Mapping[str, object]) -> None:
    if name == TRUST or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} is no name to publish under: small letters, digits, '.', '_', '-', and not {TRUST}."
        )
    if name in found:
        raise InvalidInput(f"{name} is named twice.")


def _read(name: str, path: str) -> bytes:
    data = settings.read_file(path)
    if len(data) > MAX_FILE_BYTES:
        raise InvalidInput(
            f"{path} has {len(data)} bytes; machines take files of up to {MAX_FILE_BYTES}.",
            todo="Nothing was published. Publish it in parts.",
        )
    try:
        text = data.decode("utf-8-sig") if name.endswith((".json", ".csv")) else ""
        if name.endswith(".json"):
            read_json(text)
    except (ValueError, FormatError) as error:
        why = error.what if isinstance(error, FormatError) else f"{error}."
        raise InvalidInput(f"{path} is not what the name {name} says: {why}") from error
    return data


def _change_lines(held: Publication, changes: Mapping[str, bytes | None]) -> Iterator[str]:
    for name, data in sorted(changes.items()):
        before = held.target(name)
        if data is None:
            yield f"{name} is published no more."
        elif before is None:
            yield f"{name} is new: {_size(data)}."
        else:
            yield f"{name} changes from {len(before)} bytes to {_size(data)}."


def _size(data: bytes) -> str:
    return f"{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}"


def show(arguments: Namespace) -> None:
    """Shows what is published."""
    store = settings.open_store(arguments)
    try:
        facts = describe(store.publication, store.root, store.clock())
    finally:
        store.close()
    say(arguments, facts, _lines(facts))


def describe(held: Publication, anchor: bytes, now_ms: int) -> dict[str, Any]:
    """Returns what a publication is: versions, dates, files, keys.

    Args:
        held: The publication.
        anchor: The province's.
        now_ms: The time by which it has expired or not.
    """
    root = read_root(held.files[held.root_name])
    document = held.document
    return {
        "version": held.version,
        "root_version": held.root_version,
        "trust_version": document.version,
        "issued_ms": document.issued_ms,
        "expires_ms": held.expiries,
        "is_expired": held.expires_ms < now_ms,
        "fingerprint": fingerprint(anchor),
        "root_keys": [fingerprint(key) for key in root.keys],
        "threshold": root.threshold,
        "publishing_key": fingerprint(root.online),
        "has_recovery_key": bool(document.recovery),
        "units": len(document.units),
        "cuts": len(document.cuts),
        "files": [
            {"name": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(held.targets.items())
        ],
    }


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"Publication {facts['version']}, root {facts['root_version']}, province {facts['fingerprint']}"
    if facts["is_expired"]:
        since = to_moment(min(facts["expires_ms"].values()))
        yield (
            f"EXPIRED since {since}: no new officer or machine can be certified. Everything else goes on."
            " Renew it with `publish --renew`, or the root with `rotate`."
        )
    for role, until in facts["expires_ms"].items():
        yield f"  {role}: current until {to_moment(until)}"
    yield f"{facts['threshold']} of {len(facts['root_keys'])} root keys must sign a new root:"
    for number, name in enumerate(facts["root_keys"], 1):
        yield f"  root key {number}: {name}"
    yield f"  publishing key: {facts['publishing_key']}"
    yield (
        f"{facts['units']} units, {facts['cuts']} cuts, trust document {facts['trust_version']} of"
        f" {to_moment(facts['issued_ms'])}"
    )
    for file in facts["files"]:
        yield f"  {file['name']}: {file['size_bytes']} bytes, SHA-256 {file['sha256']}"


def _export(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        data = store.trust_bytes
        facts = describe(store.publication, store.root, store.clock())
    finally:
        store.close()
    write_file(arguments.file, data)
    say(arguments, facts, [f"Publication {facts['version']} is in {arguments.file}, {len(data)} bytes."])


def _import(arguments: Namespace) -> None:
    data = settings.read_file(arguments.file)
    store = settings.open_store(arguments)
    try:
        Publication.check(data, store.root)
        is_newer = store.replace_trust(data)
        facts = describe(store.publication, store.root, store.clock()) | {"is_newer": is_newer}
    finally:
        store.close()
    done = "was taken" if is_newer else "is here already, or a newer one is"
    say(
        arguments,
        facts,
        [f"The publication in {arguments.file} is this province's, and {done}.", *_lines(facts)],
    )

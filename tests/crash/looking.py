"""What is looked at after a restart: everything that was told is there, and the day goes on.

The words that a day tells, and what they promise:

    value DOC KEY VALUE       the dossier's field has this value, or one that was told later
    event ID                  the signed event is in the PC's store
    code CODE DOC             the dossier has this code, and no other dossier ever gets it
    arrived ID                the PC says that a parent has the event: the server has it
    scan DOC NAME HASH        the attachment is whole
    bundle NAME               the file on the stick is one that the server takes
    backup NAME               the backup is whole
    removed NAME              that passphrase opens nothing
    passphrase                An's new passphrase opens
    enrolled                  the second PC has its store
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from commune_client.desk.desk import Desk
from onestop_sync import doctor, import_bundle, shelf
from onestop_sync.backup_files import Manifest
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import BundleRejected, OnestopError
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.crash.day import AT_SERVER, NEW_NAME, STEPS, Day, Tell, take_in
from tests.crash.forked import Told
from tests.crash.world import NEW_PASSPHRASE, World
from tests.unit.cli_world import exchange

__all__ = ["MOST_S", "go_on", "look"]

MOST_S: Final = 5.0
"""How long a restart may take, seconds."""


def look(world: World, step: str, told: Told, tell: Tell) -> None:
    """Opens what was left behind; tells each ``lost`` thing, and how many ``seconds`` the restart took.

    Args:
        world: What was left.
        step: Which step was disturbed: a server is looked at where it took part.
        told: What the day had told.
        tell: Is told what was found.
    """
    begun = time.perf_counter()
    with world.desk() as desk:
        desk.dossiers()
        desk.status()
        tell("seconds", time.perf_counter() - begun)
        found = _lost(world, desk, told)
        if step in AT_SERVER:
            server = world.open_server()
            try:
                found = [*found, *_lost_above(world, desk, server, told)]
            finally:
                server.close()
        for lost in found:
            tell("lost", lost)


def _lost(world: World, desk: Desk, told: Told) -> list[str]:
    here, store = _events(desk.store), desk.store
    kept: dict[str, Callable[..., bool]] = {
        "event": here.__contains__,
        "code": lambda code, doc: store.lookup(DOSSIER.name, code).hex() == doc,
        "value": lambda doc, key, value: (
            store.document(bytes.fromhex(doc)).value(key) in {value, *_later(told, doc, key, value)}
        ),
        "scan": lambda doc, name, digest: _scan(desk, doc, name) == digest,
        "backup": lambda name: _is_backup(world, name),
        "removed": lambda name: name not in world.pc.officers(),
        "passphrase": lambda: world.passphrase() == NEW_PASSPHRASE,
        "enrolled": lambda: _is_enrolled(world),
    }
    return [*_sick("pc", store), *_missing(told, kept)]


def _lost_above(world: World, desk: Desk, server: Store, told: Told) -> Iterator[str]:
    above = _events(server)
    kept: dict[str, Callable[..., bool]] = {
        "arrived": above.__contains__,
        "bundle": lambda name: _is_bundle(world, server, name),
    }
    yield from _sick("server", server)
    yield from _missing(told, kept)
    for row in desk.dossiers().rows:
        for item in desk.store.history(row.doc):
            if item.delivery.level != "here" and item.event.id.hex() not in above:
                yield f"the PC says that {item.event.id.hex()} arrived"


def _sick(name: str, store: Store) -> Iterator[str]:
    for fault in doctor.check(store).faults:
        yield f"{name}: {fault.kind}: {fault.what}"


def _missing(told: Told, kept: Mapping[str, Callable[..., bool]]) -> Iterator[str]:
    for word, *rest in told:
        if word not in kept:
            continue
        try:
            is_kept, why = kept[word](*rest), ""
        except OnestopError as error:
            is_kept, why = False, str(error)
        if not is_kept:
            yield f"{word} {' '.join(rest)} {why}"


def _later(told: Told, doc: str, key: str, value: str) -> set[str]:
    """Returns what was told, or may just have been typed, of a field after a value."""
    typed = {"nguoi_nop": NEW_NAME}
    told_of = [words[3] for words in told if words[:3] == ["value", doc, key]]
    after = told_of[told_of.index(value) + 1 :]
    return {*after, *([typed[key]] if not after and key in typed else [])}


def _events(store: Store) -> set[str]:
    """Returns the ids of all events of a store, in hex."""
    with store.reading() as connection:
        return {found.hex() for found in connection.execute(sa.select(t.event.c.id)).scalars()}


def _scan(desk: Desk, doc: str, name: str) -> str:
    for each in shelf.attached(desk.store, bytes.fromhex(doc)):
        if each.manifest.name == name:
            return hashlib.sha256(b"".join(shelf.read(desk.store, each.manifest))).hexdigest()
    return ""


def _is_bundle(world: World, server: Store, name: str) -> bool:
    try:
        import_bundle(server, world.stick / name)
    except BundleRejected as error:
        return error.details.get("reason") == "repeated"
    return True


def _is_backup(world: World, name: str) -> bool:
    Manifest.read(world.stick / name).check(world.stick / name)
    return True


def _is_enrolled(world: World) -> bool:
    world.enrol().close()
    return True


def go_on(world: World, step: str, told: Told, tell: Tell) -> None:
    """Does the step that was disturbed once more, takes a dossier in, and has all of it arrive.

    Raises:
        OnestopError: The work does not go on.
        AssertionError: A code was given twice, or the server has not what the PC has.
    """
    STEPS[step](Day(world, _nothing))
    codes: list[str] = []
    with world.desk() as desk:
        doc = take_in(desk, lambda word, *rest: codes.append(rest[0]) if word == "code" else None)
        given = {words[1] for words in told if words[0] == "code"}
        assert given.isdisjoint(codes), f"{codes} was given twice"
        server = world.open_server()
        try:
            exchange(desk.store, server)
            assert server.document(doc).value("nguoi_nop")
            assert desk.store.status().unsent == 0
            assert server.fingerprints(DOSSIER.name) == desk.store.fingerprints(DOSSIER.name)
        finally:
            server.close()
    tell("went on")


def _nothing(*_: object) -> None:
    """Is told, and tells nobody."""

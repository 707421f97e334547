"""How a machine and its officers come to work here: keys, a request file, an answer file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from commune_client.desk.line import check_addresses
from commune_client.desk.place import Place
from onestop_sync import enrol, keys
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keyring import Secrets
from onestop_sync.store import Store, now_ms

__all__ = ["Answered", "Asked", "accept_answer", "add_officer", "ask_again", "set_up", "take_answer"]

MAX_NAME: Final = 200
"""Longest name in a certificate, in characters."""
MIN_PASSPHRASE: Final = 8
"""Shortest passphrase, in characters."""


class Asked(NamedTuple):
    """A request that an administrator has to approve.

    Attributes:
        data: The file's content.
        machine: Fingerprint of the machine's key, to compare aloud.
        officer: Fingerprint of the officer's key.
    """

    data: bytes
    unit: str
    machine_name: str
    officer_name: str
    roles: tuple[str, ...]
    machine: str
    officer: str


class Answered(NamedTuple):
    """What an answer brought.

    Attributes:
        root: Fingerprint of the province's root key, to compare aloud.
        officers: Names of the officers who are certified.
        blocks: Serials of the machine: the first block is in use, the others are spares.
    """

    unit: str
    unit_name: str
    machine_name: str
    root: str
    officers: tuple[str, ...]
    blocks: tuple[tuple[int, int], ...]
    is_new: bool


def set_up(
    place: Place,
    officer: str,
    passphrase: str,
    *,
    unit: str,
    machine_name: str,
    roles: Sequence[str],
    parents: Sequence[str] = (),
) -> Asked:
    """Makes the keys of a new machine and of its first officer.

    Args:
        place: Where the store will be.
        officer: Name of the officer.
        passphrase: Theirs.
        unit: Id of the unit, as the administrator says.
        machine_name: What the machine will be called.
        roles: Roles to ask for.
        parents: Addresses to synchronise with.

    Raises:
        StoreExists: The machine was set up already.
        InvalidInput: A name, role, address or passphrase that does not do.
    """
    check_addresses(parents)
    name = " ".join(officer.split())
    _check_names(name, unit.strip(), " ".join(machine_name.split()))
    _check_passphrase(passphrase)
    secrets = place.keyring().create(name, passphrase)
    place.save_config(place.config.with_(parents=tuple(parents), officer=name))
    return _ask(secrets, unit.strip(), machine_name, roles)


def ask_again(
    place: Place, officer: str, passphrase: str, unit: str, machine_name: str, roles: Sequence[str]
) -> Asked:
    """Writes the request of a machine that was set up but is not enrolled yet once more.

    Raises:
        WrongPassphrase: It does not open.
    """
    return _ask(place.secrets(officer, passphrase), unit, machine_name, roles)


def add_officer(
    place: Place,
    secrets: Secrets,
    unit: str,
    machine_name: str,
    name: str,
    passphrase: str,
    roles: Sequence[str],
) -> Asked:
    """Gives another officer a key on this machine, and asks for their certificate.

    Args:
        place: The machine's folder.
        secrets: What somebody who works here unlocked.
        unit: Id of the machine's unit.
        machine_name: The machine's name.
        name: The new officer's.
        passphrase: Theirs.
        roles: Roles to ask for.

    Raises:
        InvalidInput: The name is taken, or the passphrase too short.
    """
    officer = " ".join(name.split())
    _check_names(officer)
    _check_passphrase(passphrase)
    if officer in place.officers():
        raise InvalidInput(f"{officer!r} works on this machine already.", reason="taken")
    added = place.keyring().add(secrets, officer, passphrase)
    return _ask(added, unit, machine_name, roles)


def _check_names(*names: str) -> None:
    """Refuses a name that a certificate could not bear, before any key is made."""
    if not all(0 < len(name) <= MAX_NAME and name.isprintable() for name in names):
        raise InvalidInput(f"A name needs 1 to {MAX_NAME} characters.", reason="name")


def _check_passphrase(passphrase: str) -> None:
    if len(passphrase) < MIN_PASSPHRASE:
        raise InvalidInput(f"A passphrase needs at least {MIN_PASSPHRASE} characters.", reason="passphrase")


def _ask(secrets: Secrets, unit: str, machine_name: str, roles: Sequence[str]) -> Asked:
    wanted = tuple(sorted(set(roles)))
    applicant = enrol.Applicant(secrets.holder, secrets.officer, wanted)
    data = enrol.request(secrets, unit, machine_name, [applicant])
    machine = keys.fingerprint(secrets.machine.public)
    return Asked(
        data, unit, machine_name, secrets.holder, wanted, machine, keys.fingerprint(secrets.officer.public)
    )


def accept_answer(place: Place, secrets: Secrets, data: bytes, expected_root: str = "") -> Answered:
    """Takes the administrator's answer: makes the store, or brings further officers into it.

    Args:
        place: The machine's folder.
        secrets: What an officer unlocked.
        data: The answer.
        expected_root: Fingerprint of the province's root key, as the administrator read it out; empty when
            it is compared by eye.

    Raises:
        FormatError: Not an answer, or changed on the way.
        NotAllowed: For another machine, from another province, or another fingerprint than expected.
    """
    answer = enrol.read_answer(data)
    if expected_root and _plain(expected_root) != _plain(answer.fingerprint):
        raise NotAllowed("The province's root key is another one.", reason="fingerprint")
    return take_answer(place, secrets, data)


def take_answer(place: Place, secrets: Secrets, data: bytes) -> Answered:
    """Takes an answer that is proven already, by a code or a compared fingerprint; see `accept_answer`."""
    answer = enrol.read_answer(data)
    is_new = not place.is_enrolled
    clock = place.clock or now_ms
    if is_new:
        enrol.accept(place.folder, secrets, data, types=TYPES, clock=clock).close()
    else:
        secrets = place.settled(secrets)
        store = Store.open(place.folder, secrets, types=TYPES, clock=clock)
        try:
            enrol.receive(store, data)
        finally:
            store.close()
    return Answered(
        unit=answer.unit,
        unit_name=answer.document.units[answer.unit].name,
        machine_name=answer.certificate.name,
        root=answer.fingerprint,
        officers=tuple(sorted({certificate.name for certificate in answer.officers})),
        blocks=answer.certificate.blocks,
        is_new=is_new,
    )


def _plain(fingerprint: str) -> str:
    return "".join(fingerprint.split()).lower()

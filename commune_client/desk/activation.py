"""How a machine and its officers come to work here by a one-time code: asked over the line, or by a stick.

    offer = look(place, servers, code)                       # what the sheet's code is for
    done = activate(place, servers, code, "An", passphrase)  # keys, request, answer, store

The code proves the province to the machine as it proves the machine to the province, so nobody compares
fingerprints. Whatever breaks off in between, the same again goes on from there: the keys are kept, and the
same machine gets the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from commune_client.desk.enrolment import Answered, add_officer, ask_again, set_up, take_answer
from commune_client.desk.line import check_addresses
from commune_client.desk.place import Place
from onestop_sync import enrol_line
from onestop_sync.client import PATIENCE, Parent, Patience
from onestop_sync.enrol_code import read_code
from onestop_sync.enrol_grant import find_name
from onestop_sync.enrol_proof import Offer, Reply, open_answer
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.keyring import Secrets

__all__ = ["activate", "add_by_code", "find_officer", "look", "open_file"]


def look(place: Place, servers: Sequence[str], code: str, *, patience: Patience = PATIENCE) -> Offer:
    """Asks what a code is for; uses nothing of it up.

    Args:
        place: The machine's folder, whose settings name the authority and the proxy.
        servers: Addresses, in the order in which they are tried.
        code: As it was typed.
        patience: How long to wait.

    Raises:
        InvalidInput: A slip in the code, or no address.
        UpstreamError: Nobody answered, or the code is not good.
    """
    keys = read_code(code)
    return enrol_line.look(_lines(place, servers), keys, patience=patience)


def activate(
    place: Place,
    servers: Sequence[str],
    code: str,
    officer: str,
    passphrase: str,
    *,
    patience: Patience = PATIENCE,
) -> Answered | None:
    """Enrols this machine with one officer; a second time goes on where the first broke off.

    Args:
        place: The machine's folder.
        servers: Addresses, in the order in which they are tried; kept as those to synchronise with.
        code: As it was typed.
        officer: One of the officers whom the code names.
        passphrase: Theirs, from now on.
        patience: How long to wait.

    Returns:
        What came; ``None`` when an administrator has to approve first: ask again later.

    Raises:
        InvalidInput: A slip in the code, or a passphrase that is too short.
        NotFound: The code names no such officer.
        WrongPassphrase: The keys were made before, with another passphrase.
        UpstreamError: Nobody answered, or the code is not good.
    """
    keys, lines = read_code(code), _lines(place, servers)
    offer = enrol_line.look(lines, keys, patience=patience)
    name, roles = find_officer(offer, officer)
    if place.is_set_up:
        asked = ask_again(place, name, passphrase, offer.unit, offer.machine_name, roles)
    else:
        asked = set_up(
            place, name, passphrase, unit=offer.unit, machine_name=offer.machine_name, roles=roles,
            parents=servers,
        )  # fmt: skip
    reply = enrol_line.ask(lines, keys, asked.data, patience=patience)
    return _taken(place, place.secrets(name, passphrase), reply)


def add_by_code(
    place: Place,
    secrets: Secrets,
    servers: Sequence[str],
    code: str,
    officer: str,
    passphrase: str,
    *,
    patience: Patience = PATIENCE,
) -> Answered | None:
    """Gives another officer whom a code names a key on this machine; see `activate`.

    Args:
        place: The machine's folder.
        secrets: What somebody who works here unlocked.
        servers: Addresses.
        code: As it was typed.
        officer: One of the officers whom the code names.
        passphrase: Theirs, from now on.
        patience: How long to wait.
    """
    keys, lines = read_code(code), _lines(place, servers)
    offer = enrol_line.look(lines, keys, patience=patience)
    name, roles = find_officer(offer, officer)
    if name in place.officers():
        asked = ask_again(place, name, passphrase, offer.unit, offer.machine_name, roles)
    else:
        asked = add_officer(place, secrets, offer.unit, offer.machine_name, name, passphrase, roles)
    return _taken(place, secrets, enrol_line.ask(lines, keys, asked.data, patience=patience))


def find_officer(offer: Offer, name: str) -> tuple[str, tuple[str, ...]]:
    """Returns an officer's name and roles as the code has them; marks and case make no difference.

    Raises:
        NotFound: The code names no such officer.
    """
    place = find_name([found for found, _ in offer.officers], " ".join(name.split()))
    if place is not None:
        return offer.officers[place]
    raise NotFound("The code names no such officer.", reason="code_officer")


def open_file(data: bytes, code: str) -> bytes:
    """Returns the answer in a file that came by stick, which only the code opens.

    Raises:
        InvalidInput: A slip in the code.
        FormatError: Not such an answer, or of another code.
    """
    return open_answer(read_code(code), data).enrolment


def _lines(place: Place, servers: Sequence[str]) -> list[Parent]:
    check_addresses(servers)
    if not servers:
        raise InvalidInput("No server is named.", reason="no_parents")
    config = place.config
    return [Parent(url, Path(config.ca) if config.ca else None, config.proxy) for url in servers]


def _taken(place: Place, secrets: Secrets, reply: Reply) -> Answered | None:
    return None if reply.is_waiting else take_answer(place, secrets, reply.enrolment)

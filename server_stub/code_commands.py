"""The commands of one-time codes: ``enrol code``, ``enrol codes``, ``enrol approve`` of what knows one."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from onestop_sync import enrol, enrol_codes, enrol_line, enrol_proof, enrol_take
from onestop_sync.enrol_code import read_code
from onestop_sync.enrol_codes import Issued
from onestop_sync.enrol_grant import Grant, Named
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keyring import Keyring
from onestop_sync.keys import Signer, fingerprint
from onestop_sync.schema import DocumentType
from onestop_sync.store import Store
from onestop_sync.trust import ADMIN
from server_stub import settings

__all__ = [
    "answer_packet",
    "approve_waiting",
    "code",
    "codes",
    "described",
    "join_by_code",
    "parse_officer",
    "when",
]

_REASONS: Final = {
    "code_used": "Another machine has used this code. Find out whose, and make a new one.",
    "code_expired": "The code's time is over. Make a new one.",
    "code_tries": "There were too many wrong tries. Make a new code.",
    "code_unit": "The code is for another unit.",
    "code_officer": "The request names an officer whom the code does not.",
    "code_taken": "Another key came in under this officer's name. Ask that officer, and make a new code.",
    "code_maker": "No administrator who is one now has signed what the code allows. Make a new one.",
    "authority": "You are no administrator above the code's unit.",
    "blocks": "A serial block is another machine's already, or none is left.",
    "format": "A key in the request did not sign it.",
}


def parse_officer(text: str) -> Named:
    """Reads an officer as ``NAME:ROLE,ROLE`` or ``NAME:ROLE,ROLE:PERSON``.

    Raises:
        InvalidInput: It is not.
    """
    name, _, rest = text.partition(":")
    roles, _, person = rest.partition(":")
    found = frozenset(role.strip() for role in roles.split(",") if role.strip())
    if not name.strip() or not found:
        raise InvalidInput(f"{text!r} is not NAME:ROLE,ROLE.", todo="Nothing was changed.")
    return Named(" ".join(name.split()), found, person.strip())


def _check_roles(officers: Sequence[Named], types: Sequence[DocumentType]) -> None:
    """Refuses a role that no document type knows: with it, an officer could do nothing.

    Raises:
        InvalidInput: There is one.
    """
    named = frozenset[str]().union(*(kind.roles for kind in types))
    known = (named | {ADMIN}) - frozenset[str]().union(*(kind.founders for kind in types))
    wrong = sorted({role for officer in officers for role in officer.roles} - known)
    if named and wrong:
        raise InvalidInput(
            f"There is no role {', '.join(map(repr, wrong))}.",
            todo=f"No code was made. Roles: {', '.join(sorted(known))}.",
        )


def when(at_ms: int) -> str:
    """Returns a time as an administrator reads it, in the machine's time zone."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().strftime("%H:%M %d/%m/%Y")


def code(arguments: Namespace, blocks: tuple[tuple[int, int], ...] | None) -> None:
    """Makes a code, and shows it: this once."""
    officers = tuple(map(parse_officer, arguments.officer))
    _check_roles(officers, settings.load_types(arguments.types))
    grant = Grant(arguments.unit, " ".join(arguments.machine.split()), officers, arguments.serves, blocks)
    store, signer = _opened(arguments)
    try:
        made = enrol_codes.make_code(store, signer, grant, hours=arguments.hours)
    finally:
        store.close()
    facts = {"code": made.code, "until_ms": made.until_ms, "unit": grant.unit, "machine": grant.machine_name}
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    print(f"code: {made.code}")
    print(f"for {grant.machine_name} of {grant.unit}, until {when(made.until_ms)}")
    print(
        "It is shown this once and kept nowhere. Whoever has it becomes that machine: hand it over in person."
    )


def join_by_code(arguments: Namespace) -> None:
    """Makes the store of a new server below a province, over the line; a second time goes on from there.

    Raises:
        NotAllowed: The code is for no server, or an administrator has to approve first.
    """
    keys = read_code(settings.secret("ONESTOP_ENROL_CODE", arguments.code_file, "One-time code"))
    parents = settings.parents_of(arguments)
    offer = enrol_line.look(parents, keys)
    if not offer.serves:
        raise NotAllowed(
            "The code is for no server.", todo="Nothing was changed. Use it with `onestop enrol`."
        )
    keyring = Keyring(Path(arguments.folder))
    secrets = (
        settings.unlock(arguments)
        if keyring.exists()
        else keyring.create(arguments.holder, settings.passphrase(arguments))
    )
    # The one officer whom a server's code names is its holder: the administrator of the unit.
    officers = [enrol.Applicant(name, secrets.officer, roles) for name, roles in offer.officers[:1]]
    request = enrol.request(secrets, offer.unit, offer.machine_name, officers)
    reply = enrol_line.ask(parents, keys, request)
    if reply.is_waiting:
        raise NotAllowed(
            "The code is right, and an administrator has to approve first.",
            todo="The keys are kept. Run the same again later.",
        )
    store = enrol.accept(
        arguments.folder, secrets, reply.enrolment, types=settings.load_types(arguments.types),
        database=settings.database_of(arguments),
    )  # fmt: skip
    facts = {"unit": store.unit, "serves": store.serves, "root": fingerprint(store.root)}
    store.close()
    text = json.dumps(facts) if arguments.json else f"{offer.machine_name} of {offer.unit_name} is enrolled."
    print(text)


def codes(arguments: Namespace) -> None:
    """Lists the codes that were made, without their secrets; or ends one."""
    store = settings.open_store(arguments)
    try:
        if arguments.cancel:
            enrol_codes.cancel_code(store, arguments.cancel.upper()[:4])
        found = enrol_codes.issued(store)
        now = store.clock()
    finally:
        store.close()
    if arguments.json:
        print(json.dumps([_facts(each, now) for each in found], ensure_ascii=False))
        return
    for each in found:
        print(f"{each.selector}  {_state(each, now):9}  {each.grant.unit}  {each.grant.machine_name}")


def _facts(each: Issued, now_ms: int) -> dict[str, Any]:
    return {
        "selector": each.selector, "state": _state(each, now_ms), "unit": each.grant.unit,
        "machine": each.grant.machine_name, "officers": [o.name for o in each.grant.officers],
        "until_ms": each.until_ms, "wrong": each.wrong,
        "key": fingerprint(each.machine) if each.machine else "",
    }  # fmt: skip


def _state(each: Issued, now_ms: int) -> str:
    if each.is_waiting:
        return "waiting"
    if each.machine:
        return "used"
    return "open" if each.is_open(now_ms) else "over"


def answer_packet(arguments: Namespace, data: bytes) -> bytes:
    """Approves a request file that proves to know a code; returns the sealed answer, without fingerprints.

    Raises:
        NotAllowed: The code is not known here, wrong, or does not allow this.
    """
    store, signer = _opened(arguments)
    try:
        verdict = enrol_take.take(store, signer, data, is_limited=False)
        if verdict.code:
            raise NotAllowed(
                "The request knows no code that was made here.",
                todo="Nothing was changed. Check with whoever sent it, or ask for a request without a code.",
                reason="code_wrong",
            )
        reply = enrol_take.open_own(store, data, verdict.answer)
    finally:
        store.close()
    if reply.reason or reply.is_waiting:
        reason = reply.reason or "authority"
        raise NotAllowed("The code does not do.", todo=_REASONS.get(reason, reason), reason=reason)
    return verdict.answer


def approve_waiting(arguments: Namespace) -> None:
    """Approves the proven requests that wait at this server."""
    store, signer = _opened(arguments)
    try:
        found = enrol_take.approve_waiting(store, signer)
    finally:
        store.close()
    facts = [
        {"unit": c.grant.unit, "machine": c.grant.machine_name, "enrolled": not why, "reason": why}
        for c, why in found
    ]
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        _tell(facts)


def _tell(facts: Sequence[dict[str, Any]]) -> None:
    for each in facts:
        why = each["reason"]
        print(f"{each['unit']}, {each['machine']}: {_REASONS.get(why, why) if why else 'enrolled'}")
    print(f"{sum(each['enrolled'] for each in facts)} of {len(facts)} requests approved.")


def _opened(arguments: Namespace) -> tuple[Store, Signer]:
    secrets = settings.unlock(arguments)
    return settings.open_store(arguments, secrets), secrets.officer


def described(data: bytes) -> tuple[enrol.EnrolRequest, str]:
    """Returns what a request asks for, with or without a code's proof, and the code's selector."""
    if not enrol_proof.is_packet(data):
        return enrol.describe(data), ""
    packet = enrol_proof.parse_packet(data)
    return enrol.describe(packet.content), packet.selector

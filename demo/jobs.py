"""What the machines of the story can be told to do: each job takes and returns plain JSON."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from commune_client.desk import Config, Desk
from demo.delivery import count_dossiers
from demo.hostile import LooseLog
from demo.machine import Machine
from demo.people import DossierContent, dossiers
from onestop_sync import enrol
from onestop_sync.dossier.catalogue import DecidedBy, Tier
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import NotAllowed
from onestop_sync.keyring import write_durably
from onestop_sync.keys import SigningKey

__all__ = ["DOSSIERS", "JOBS", "SEED"]

SEED: Final = 1
DOSSIERS: Final = 200
"""Dossiers of the story."""
_DRAFT_EVERY: Final = 4
"""Every so many dossiers an official opens a draft, corrects it, and accepts it then; the others at once."""


@cache
def _contents(desk_day: str, desk: Desk) -> list[DossierContent]:
    assert desk_day
    return dossiers(Random(SEED), desk.rules.catalogue, DOSSIERS, on=desk.today())


def make_keys(machine: Machine, unit: str, title: str, officers: list[list[Any]], request: str) -> None:
    """Makes the keys of a machine and its officers, and the file that asks for their certificates."""
    keyring = machine.place.keyring()
    for name, _ in officers:
        known = next(iter(machine.keys.values()), None)
        machine.keys[name] = (
            keyring.add(known, name, machine.passphrase)
            if known
            else keyring.create(name, machine.passphrase)
        )
    asking = [enrol.Applicant(name, machine.keys[name].officer, roles) for name, roles in officers]
    secrets = machine.keys[officers[0][0]]
    write_durably(Path(request), enrol.request(secrets, unit, title, asking))


def take_answer(machine: Machine, officer: str, answer: str, parents: list[str]) -> str:
    """Makes the store from the administrator's answer; returns the fingerprint of the root key."""
    data = Path(answer).read_bytes()
    enrol.accept(machine.place.folder, machine.secrets(officer), data, types=TYPES).close()
    machine.place.save_config(Config(parents=tuple(parents), officer=officer))
    return enrol.read_answer(data).fingerprint


def take_in(machine: Machine, officer: str, first: int, count: int) -> list[dict[str, Any]]:
    """Takes in dossiers ``first`` to ``first + count`` of the generator."""
    desk = machine.desk(officer)
    found: list[dict[str, Any]] = []
    contents = _contents(desk.today().isoformat(), desk)
    for content in machine.each(contents[first : first + count]):
        papers = desk.papers(content.procedure_code, content.attachments)
        if len(found) % _DRAFT_EVERY:
            accepted = desk.intake_new(content.procedure_code, content.fields, papers)
        else:
            begun = {**content.fields, "nguoi_nop": content.fields["nguoi_nop"][:-1]}
            draft = desk.new_draft(content.procedure_code, begun)
            desk.save_draft(draft.doc, content.fields, papers)
            accepted = desk.intake(draft.doc)
        procedure = desk.procedure(content.procedure_code)
        found.append(
            {
                "code": accepted.code,
                "due_ms": accepted.due_ms,
                "procedure": procedure.code,
                "is_interlinked": procedure.decided_by is DecidedBy.INTERLINKED,
                "is_district": procedure.leading_tier is Tier.DISTRICT,
            }
        )
    return found


def work(machine: Machine, officer: str, steps: list[list[Any]]) -> list[str]:
    """Does steps such as ``["handover", code]`` or ``["edit", code, {…}]``; returns where each has led."""
    desk = machine.desk(officer)
    found: list[str] = []
    for name, code, *arguments in machine.each(steps):
        found.append(getattr(desk, _STEPS[name])(desk.find(code), *arguments).step)
    return found


_STEPS: Final = {
    name: name
    for name in (
        "appraise", "approve", "ask_payment", "decline_late", "edit", "handover", "note", "pay", "receive",
        "reject", "resolve", "return_result", "send_back", "supplement", "supply", "transfer",
    )
}  # fmt: skip


def refuse(machine: Machine, officer: str, procedure: str, reason: str) -> str:
    """Opens a draft and refuses to accept it, with the reason."""
    desk = machine.desk(officer)
    draft = desk.new_draft(procedure, {"nguoi_nop": "Lò Thị Sen"})
    return desk.refuse(draft.doc, reason).step


def leave_draft(machine: Machine, officer: str, procedure: str) -> str:
    """Opens a draft that nobody has finished yet."""
    desk = machine.desk(officer)
    return desk.new_draft(procedure, {"nguoi_nop": "Đoàn Thị Mai", "dien_thoai": "0126555123"}).step


def sync(machine: Machine, officer: str) -> dict[str, Any]:
    """Synchronises with the first parent that answers; returns what was measured."""
    result = machine.desk(officer).sync()
    told = [
        {"event": event.hex(), "code": code, "reason": reason}
        for event, code, reason in (*result.refused, *result.rejected)
    ]
    return {**result._asdict(), "refused": told, "rejected": []}


def levels(machine: Machine, officer: str) -> dict[str, int]:
    """Returns how many dossiers have got how far."""
    return dict(count_dossiers(machine.desk(officer).store))


def status(machine: Machine, officer: str) -> dict[str, int]:
    """Returns what the line of state shows."""
    facts = machine.desk(officer).status()
    return {
        "unsent": facts.unsent,
        "conflicts": facts.conflicts,
        "waiting": facts.waiting,
        "notices": facts.notices,
        "forks": facts.forks,
        "dossiers": machine.desk(officer).count(),
    }


def disputes(machine: Machine, officer: str, code: str) -> list[dict[str, Any]]:
    """Returns what is open on a dossier."""
    desk = machine.desk(officer)
    return [
        {
            "key": dispute.key,
            "label": dispute.label,
            "kind": dispute.kind,
            "base": dispute.base_text,
            "now": dispute.now_text,
            "sides": [{"who": s.who, "value": s.value, "event": s.event.hex()} for s in dispute.sides],
        }
        for dispute in desk.conflicts(desk.find(code))
    ]


def timeline(machine: Machine, officer: str, code: str) -> list[dict[str, str]]:
    """Returns the events of a dossier with what became of each."""
    desk = machine.desk(officer)
    return [
        {
            "event": item.event.hex(),
            "who": item.who,
            "standing": item.standing,
            "label": item.standing_label,
            "reason": item.reason,
            "level": item.level,
        }
        for item in desk.show(desk.find(code)).timeline
    ]


def value(machine: Machine, officer: str, code: str, key: str) -> Any:
    """Returns the value of a field."""
    desk = machine.desk(officer)
    return desk.store.document(desk.find(code)).value(key)


def notices(machine: Machine, officer: str) -> list[dict[str, str]]:
    """Returns what changed after it had been shown."""
    return [
        {"code": notice.code, "before": notice.before, "after": notice.after}
        for notice in machine.desk(officer).notices()
    ]


def count_notes(machine: Machine, officer: str, codes: list[str], text: str) -> int:
    """Returns how often a note stands in some dossiers."""
    desk = machine.desk(officer)
    states = [desk.store.document(desk.find(code)).state for code in codes]
    return sum(note[2] == text for state in states for note in state.notes.get("ghi_chu", []))


def set_parents(machine: Machine, officer: str, parents: list[str]) -> None:
    """Sets whom the machine syncs with."""
    machine.desk(officer).set_parents(parents)


# ------------------------------------------------------------------------------------- what must not succeed


def approve_without_role(machine: Machine, officer: str, code: str) -> dict[str, str]:
    """Approves as an officer who may not: first as the program does, then with a program that does not ask.

    Returns:
        The reason code that the desk gave, and the id of the event that was signed all the same.
    """
    desk = machine.desk(officer)
    doc = desk.find(code)
    try:
        desk.approve(doc)
    except NotAllowed as error:
        refusal = str(error.details["reason"])
    certificate, _ = desk.store.find_authority(desk.signer.public)
    log = LooseLog(desk.signer, certificate, desk.store.unit, desk.store.clock)
    event = log.write(DOSSIER, doc, desk.store.document(doc).state.heads, [["act", "main", "approve", {}]])
    desk.store.receive([log.genesis.to_frame(), event.to_frame()])
    return {"refusal": refusal, "event": event.id.hex()}


def write_uncertified(machine: Machine, officer: str, code: str) -> dict[str, str]:
    """Edits a dossier with a key that nobody has certified."""
    desk = machine.desk(officer)
    doc = desk.find(code)
    key = SigningKey(Random(SEED).randbytes(32))
    log = LooseLog(key, Random(SEED + 1).randbytes(32), desk.store.unit, desk.store.clock)
    event = log.write(
        DOSSIER, doc, desk.store.document(doc).state.heads, [["set", "dien_thoai", "0121000000"]]
    )
    outcomes = desk.store.receive([log.genesis.to_frame(), event.to_frame()])
    return {"event": event.id.hex(), "outcome": outcomes[-1].code}


JOBS: Final[dict[str, Callable[..., Any]]] = {
    job.__name__: job
    for job in (
        approve_without_role, count_notes, disputes, leave_draft, levels, make_keys, notices, refuse,
        set_parents, status, sync, take_answer, take_in, timeline, value, work, write_uncertified,
    )
}  # fmt: skip

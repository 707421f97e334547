"""What a hostile relay works on: honest events that are new each time, and keys of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from onestop_sync.event import Event, parse_body
from onestop_sync.fold import Author, Entry, State, fold
from onestop_sync.keys import SigningKey
from onestop_sync.schema import MAIN
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.hostile import RawLog
from onestop_sync.trust import Certificate
from tests.province import CASE, Province

CLERK = Author("c1", frozenset({"c1"}), frozenset({"clerk"}))


class Cast:
    """Who takes part: an honest clerk, an officer who is in league with the relay, and a stranger.

    Args:
        province: Certifies the two officers, not the stranger.
        dice: Makes keys and everything else.
    """

    def __init__(self, province: Province, dice: Dice) -> None:
        self.province = province
        self.dice = dice
        self.clerk = self.officer("An", ["clerk"])
        self.thief = self.officer("Trộm", ["judge"])
        self.stranger = RawLog(SigningKey(dice.randbytes(32)), dice.randbytes(32), "c1", dice)

    def officer(self, name: str, roles: Sequence[str], unit: str = "c1") -> RawLog:
        """Certifies an officer, whose log begins."""
        key = SigningKey(self.dice.randbytes(32))
        return RawLog(key, self.province.certify(key.public, unit, name, roles).id, unit, self.dice)

    @property
    def proofs(self) -> list[Any]:
        """Frames of all certificates, and of the logs of the two officers."""
        logs = [log.genesis.to_frame() for log in (self.clerk, self.thief)]
        return [*self.province.issued, *logs]


@dataclass
class Material:
    """The honest events of one packet: a case in three events, and another case.

    Attributes:
        cast: Who takes part.
        log: Log of the honest author.
        proofs: What proves that log, when it is new.
        events: The honest events.
    """

    cast: Cast
    log: RawLog
    proofs: list[Event] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @classmethod
    def make(cls, cast: Cast, *, is_new: bool = False) -> Material:
        """Writes fresh events; in a log of a newly certified officer, if asked."""
        log = cast.officer("Mới", ["clerk"]) if is_new else cast.clerk
        made = cls(cast, log)
        if is_new:
            made.proofs = [made.certificate, log.genesis]
        doc, value = log.new_document(CASE), cast.dice.randbytes(4).hex()
        made._write(doc, [], [["set", "name", value], ["set", "phone", "0903"], ["note", "remarks", "x"]])
        made._write(doc, [made.events[-1].id], [["set", "phone", value]])
        made._write(doc, [made.events[-1].id], [["act", MAIN, "hand", {"to": "c1"}]])
        made._write(log.new_document(CASE), [], [["set", "name", value + "b"], ["set", "members/a", True]])
        return made

    def _write(self, doc: bytes, parents: list[bytes], ops: list[Any]) -> None:
        self.events.append(self.log.write(CASE, doc, parents, ops))

    @property
    def dice(self) -> Dice:
        """The dice of this run."""
        return self.cast.dice

    @property
    def certificate(self) -> Event:
        """The certificate of the log's key, as it was issued."""
        from onestop_sync.event import parse

        return parse(self.cast.province.issued[-1])

    @property
    def honest(self) -> list[Event]:
        """Everything honest: proofs first."""
        return [*self.proofs, *self.events]

    def expected(self) -> dict[bytes, State]:
        """Folds the two cases from nothing but the honest events."""
        entries: dict[bytes, list[Entry]] = {}
        for event in self.events:
            ops = parse_body(event.body or b"")
            entry = Entry(event.id, event.header.parents, ops, CLERK, event.header.time_ms)
            entries.setdefault(event.header.doc_id, []).append(entry)
        return {doc: fold(CASE, found) for doc, found in entries.items()}


def certificate_for(key: bytes, roles: Sequence[str] = ("boss",)) -> Certificate:
    """Returns what the relay would like to be certified."""
    return Certificate(key, "c1", "officer", "Trộm", frozenset(roles))

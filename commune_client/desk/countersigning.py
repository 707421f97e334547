"""What was written beyond a cut, and the head's word that it counts after all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from commune_client.desk.base import Base
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.personal import masked_ops
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import Line, lines_of
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.storage.beyond import Beyond, may_vouch

__all__ = ["AwaitingFacts", "Countersigning"]

_CODE: Final = "ma_ho_so"
_SHORTEST_ID: Final = 6


class AwaitingFacts(NamedTuple):
    """An event that waits for a countersignature.

    Attributes:
        event: Its id.
        code: The dossier's code; empty for a draft, and for a certificate.
        kind: ``dossier``, or ``certificate`` on which what others wrote hangs.
        who: Who wrote it.
        unit_name: For which unit.
        at_ms: When, as its author says.
        lines: What it did.
        is_mine: Whether the officer who is signed in may countersign it.
    """

    event: bytes
    doc: bytes
    code: str
    kind: str
    who: str
    unit_name: str
    at_ms: int
    lines: tuple[Line, ...]
    is_mine: bool


class Countersigning(Base):
    """Countersignatures."""

    def awaiting(self) -> list[AwaitingFacts]:
        """Returns what waits for a countersignature, in the order in which it came."""
        return [self._facts(each) for each in self.store.beyond_cuts()]

    def countersign(self, names: Sequence[str], why: str) -> list[AwaitingFacts]:
        """Vouches, as head of the unit, for events beyond a cut: with one signature, a reason, for good.

        Args:
            names: Dossiers' codes, with all that waits of each, or the beginnings of events' ids.
            why: The reason.

        Returns:
            What counts from now on.

        Raises:
            NotFound: Nothing of such a name waits.
            InvalidInput: No reason was given.
            NotAllowed: The officer heads no unit over it, or wrote it.
        """
        if not why.strip():
            raise InvalidInput("A countersignature needs a reason.", reason="argument")
        waiting = self.awaiting()
        chosen: dict[bytes, AwaitingFacts] = {}
        for name in names:
            found = [each for each in waiting if _is_named(each, name.strip())]
            if not found:
                raise NotFound(f"Nothing that waits is called {name!r}.", reason="not_beyond")
            chosen.update((each.event, each) for each in found)
        if not all(each.is_mine for each in chosen.values()):
            raise NotAllowed("The officer may not countersign that.", reason="not_head")
        self.writer.countersign(list(chosen), why.strip())
        return list(chosen.values())

    def _facts(self, each: Beyond) -> AwaitingFacts:
        signer = self._signer
        return AwaitingFacts(
            event=each.event.id,
            doc=each.doc,
            code=self._code(each) if each.kind == DOSSIER.name else "",
            kind=each.kind,
            who=one_line(each.author.name),
            unit_name=self.unit_name(each.author.unit),
            at_ms=each.event.header.time_ms,
            lines=tuple(lines_of(masked_ops(each.ops) if self.is_masked else each.ops))
            if each.kind == DOSSIER.name
            else (),
            is_mine=signer is not None and may_vouch(self.store.trust, signer.public, each),
        )

    def _code(self, each: Beyond) -> str:
        """Returns the dossier's code; of one that has no effect at all yet, what the event says."""
        for op in each.ops:
            match op:
                case ["set", str(key), str(value)] if key == _CODE:
                    return value
        try:
            return self._view(self._document(each.doc).state).code
        except NotFound:
            return ""


def _is_named(each: AwaitingFacts, name: str) -> bool:
    if each.code and name.upper() == each.code.upper():
        return True
    return len(name) >= _SHORTEST_ID and name.lower() in {
        each.event.hex()[: len(name)], each.doc.hex()[: len(name)],
    }  # fmt: skip

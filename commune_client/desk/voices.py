"""What is said of the work: how citizens rate it, complaints with what came of them, and inspections.

Source: TT 01/2018/TT-VPCP, Articles 13.6 to 13.8.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from commune_client.desk.base import Base
from onestop_sync.dossier.checks import tidy
from onestop_sync.dossier.complaint import COMPLAINT, FOUNDED, UNFOUNDED, Handling, handling_of
from onestop_sync.dossier.inspection import INSPECTION, INSPECTORS, Inspection, inspection_of, plan_inspection
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.personal import HIDDEN
from onestop_sync.dossier.rating import FIELD, plan_rating
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.reporting.listing import documents
from onestop_sync.schema import MAIN
from onestop_sync.store import Document

__all__ = ["ComplaintFacts", "Voices"]


class ComplaintFacts(NamedTuple):
    """A complaint.

    Attributes:
        doc: Its id.
        handling: How it is handled.
        content: What it says.
        sender: Who sent it; empty when nobody said.
        is_late: Whether it was not answered by its time.
        unit: Unit that has it in hand.
        answer: What was answered, or why it is not handled.
    """

    doc: bytes
    handling: Handling
    content: str
    sender: str
    is_late: bool
    unit: str
    answer: str


class Voices(Base):
    """Ratings, complaints and inspections."""

    def rate(self, doc: bytes, score: int, words: str = "") -> bytes:
        """Notes how a citizen rates a dossier's handling; returns the event's id. It is never changed.

        Raises:
            InvalidInput: The score is none, or the words are too long.
        """
        self._document(doc)
        return self.writer.note(doc, FIELD, plan_rating(score, self.store.clock(), words)).id

    @property
    def may_inspect(self) -> bool:
        """Whether the officer is one who writes inspections down."""
        return self.author is not None and not INSPECTORS.isdisjoint(self.author.roles)

    def inspect(self, mark: int, text: str, unit: str = "") -> bytes:
        """Writes down how a unit makes its procedures public, for indicator 6; returns the document's id.

        Args:
            mark: Key of `onestop_sync.dossier.inspection.FINDINGS`.
            text: What was found.
            unit: Unit that was inspected, by id, code or name; the desk's own when empty.

        Raises:
            InvalidInput: There is no such mark, or nothing is said.
            NotFound: There is no such unit.
            NotAllowed: The officer heads no unit, or not that one nor one above it.
        """
        author, tree = self.writer.author, self.store.trust.document.tree
        at = self.find_unit(unit) if unit else author.unit
        if not self.may_inspect or not any(tree.is_above(own, at) for own in author.units):
            raise NotAllowed(
                "Only the unit itself and those above it inspect a unit.", reason="inspection_unit"
            )
        return self.writer.create(INSPECTION.name, {}, plan_inspection(at, mark, text))

    def inspections(self) -> list[Inspection]:
        """Returns the inspections that are here, the newest first."""
        found = (inspection_of(each.state) for each in documents(self.store, INSPECTION.name))
        return sorted((each for each in found if each), key=lambda each: each.at_ms, reverse=True)

    def complain(self, content: str, *, dossier: str = "", sender: str = "", phone: str = "") -> bytes:
        """Takes a complaint down; returns its id.

        Args:
            content: What it says.
            dossier: Code of the dossier that it is about, or the day's serial; the code of one that is not
                here stays as it is.
            sender: Who says it; empty where they do not want to be named.
            phone: How to reach them.

        Raises:
            InvalidInput: It says nothing, or several dossiers have that serial.
            NotFound: No dossier has that serial.
        """
        code = self._code_meant(dossier.strip()) if dossier.strip() else ""
        values = tidy({"noi_dung": content, "ho_so": code, "nguoi_gui": sender, "dien_thoai": phone})
        if "noi_dung" not in values:
            raise InvalidInput("The complaint says nothing.", reason="argument")
        return self.writer.create(
            COMPLAINT.name, {**values, "nhan_luc": self.store.clock(), "kenh": "truc_tiep"}
        )

    def _code_meant(self, text: str) -> str:
        """Returns the whole code that a person means: by it the complaint counts for its dossier."""
        try:
            return self._view(self._document(self.find(text)).state).code or text
        except NotFound:
            if text.isdigit():  # a serial alone tells nobody else anything
                raise
            return text

    def complaints(self, search: str = "", limit: int = 200) -> list[ComplaintFacts]:
        """Returns complaints, those first that are due first."""
        rows = self.store.page(
            COMPLAINT.name, search=search, order="due", limit=limit, is_by_label=self.is_masked
        )
        return [self._complaint_facts(self.store.document(row.doc)) for row in rows]

    def take_complaint(self, doc: bytes, due_ms: int) -> ComplaintFacts:
        """Takes a complaint in hand, and says by when it is answered (the head)."""
        return self._handle(doc, "take", {"han": due_ms}, {"han": due_ms})

    def answer_complaint(self, doc: bytes, answer: str, *, is_founded: bool) -> ComplaintFacts:
        """Answers a complaint; verified as untrue, it does not count in the evaluation."""
        verdict = FOUNDED if is_founded else UNFOUNDED
        values = {"tra_loi": answer, "ket_luan": verdict, "xong_luc": self.store.clock()}
        return self._handle(doc, "answer", {"noi_dung": answer, "ket_luan": verdict}, values)

    def dismiss_complaint(self, doc: bytes, reason: str) -> ComplaintFacts:
        """Says, with the reason, that a complaint is not to be handled here."""
        values = {"tra_loi": reason, "xong_luc": self.store.clock()}
        return self._handle(doc, "dismiss", {"ly_do": reason}, values)

    def forward_complaint(self, doc: bytes, to: str, reason: str) -> ComplaintFacts:
        """Passes a complaint on to the unit whose business it is, with the reason.

        Raises:
            NotFound: There is no such unit.
        """
        return self._handle(doc, "forward", {"ly_do": reason, "to": self.find_unit(to)}, {})

    def _handle(
        self, doc: bytes, action: str, arguments: dict[str, Any], values: dict[str, Any]
    ) -> ComplaintFacts:
        if self.store.document(doc).kind.name != COMPLAINT.name:
            raise NotFound("There is no such complaint in this store.")
        self.writer.write(
            doc, [*(["set", k, v] for k, v in values.items()), ["act", MAIN, action, arguments]]
        )
        return self._complaint_facts(self.store.document(doc))

    def _complaint_facts(self, document: Document) -> ComplaintFacts:
        state, is_masked = document.state, self.is_masked
        found = handling_of(state)
        said, sender = (state.value(key) for key in ("noi_dung", "nguoi_gui"))
        content = HIDDEN if is_masked else one_line(str(said or ""))
        name = HIDDEN if is_masked and sender else one_line(str(sender or ""))
        task = state.tasks.get(MAIN)
        answer = one_line(str(state.value("tra_loi") or ""))
        return ComplaintFacts(
            document.id, found, content, name, not found.is_on_time(self.store.clock()),
            task.unit if task else state.unit, HIDDEN if is_masked and answer else answer,
        )  # fmt: skip

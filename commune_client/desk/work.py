"""What officers do with an accepted dossier: each method is one signed event, durable when it returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commune_client.desk.base import Unready, changed_values
from commune_client.desk.counter import typed_papers, typed_values
from commune_client.desk.facts import DECISIONS, Done
from commune_client.desk.numbering import Numbering
from onestop_sync.dossier.changes import plan_extension, plan_supplement, plan_supply, profile_of
from onestop_sync.dossier.checks import (
    Issue,
    Paper,
    Problem,
    check_values,
    paper_problems,
    paper_values,
    tidy,
)
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.intake import Plan
from onestop_sync.dossier.workflow import AGENCY, CONTENT, REASON
from onestop_sync.errors import NotAllowed
from onestop_sync.schema import MAIN
from onestop_sync.state import State

__all__ = ["Work"]


class Work(Numbering):
    """Actions on a dossier; each raises `NotAllowed` with a reason code before anything is written."""

    def act(
        self,
        doc: bytes,
        action: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        task: str = MAIN,
        values: Mapping[str, Any] | None = None,
    ) -> Done:
        """Takes any action of the workflow, with edits in the same event.

        Args:
            doc: The dossier.
            action: Name, see `onestop_sync.dossier.workflow`.
            arguments: Its arguments; ``to`` names a unit.
            task: ``main`` or ``agency:<unit>``.
            values: Register key → value.

        Raises:
            NotAllowed: Not by this officer, or not at this step.
        """
        return self._do(doc, Plan(action, dict(arguments or {}), dict(values or {})), task)

    def edit(self, doc: bytes, values: Mapping[str, Any], papers: Mapping[str, Paper] | None = None) -> Done:
        """Corrects fields and papers.

        Raises:
            Unready: A value is wrong; nothing was changed.
            NotAllowed: A field belongs to somebody else at this step.
        """
        state = self._document(doc).state
        given = papers or {}
        tidied = tidy(values)
        cleared = {key: "" for key in values if key not in tidied}
        kind = {"loai_doi_tuong": state.value("loai_doi_tuong"), **tidied}
        problems = [p for p in check_values(kind, local(self.store.clock()).date()) if p.key in tidied]
        problems += paper_problems(given)
        if any(problem.is_blocking for problem in problems):
            raise Unready(problems)
        changed = changed_values(state, {**tidied, **cleared, **paper_values(given)})
        event = self.writer.edit(doc, changed).id if changed else b""
        return self._done(doc, event, tuple(problems))

    def note(self, doc: bytes, text: str) -> Done:
        """Appends a note; notes are never changed."""
        found = tidy({"noi_dung": text})
        if not found:
            raise Unready([Problem(Issue.MISSING, "ghi_chu")])
        return self._done(doc, self.writer.note(doc, "ghi_chu", found["noi_dung"]).id)

    def handover(self, doc: bytes) -> Done:
        """Hands on to who comes next: to the appraiser, or after the decision to who returns the result."""
        view = self._view(self._document(doc).state)
        if view.step in {"approved", "rejected", "stopped"}:
            return self.act(doc, "give_result", {"to": view.intake_unit})
        return self.act(doc, "give")

    def receive(self, doc: bytes) -> Done:
        """Signs for what was handed over."""
        return self.act(doc, "receive")

    def decline(self, doc: bytes, reason: str) -> Done:
        """Sends a handover back: within the unit, or to the unit that took the dossier in."""
        view = self._view(self._document(doc).state)
        to = {"to": view.intake_unit} if view.step == "sent" else {}
        return self.act(doc, "decline", {REASON: reason, **to})

    def appraise(self, doc: bytes, opinion: str = "", result: str = "") -> Done:
        """Submits for approval, with the appraiser's opinion and the proposed result."""
        return self.act(doc, "submit", values=tidy({"y_kien_tham_dinh": opinion, "ket_qua": result}))

    def send_back(self, doc: bytes, reason: str) -> Done:
        """Sends a submission back to the appraiser."""
        return self.act(doc, "send_back", {REASON: reason})

    def approve(self, doc: bytes, result: str = "") -> Done:
        """Approves what the approver has seen."""
        return self.act(doc, "approve", values=tidy({"ket_qua": result}))

    def reject(self, doc: bytes, reason: str) -> Done:
        """Decides that the dossier does not meet the conditions, with the reason."""
        return self.act(doc, "reject", {REASON: reason})

    def stop(self, doc: bytes, reason: str) -> Done:
        """Stops the processing, with the reason."""
        return self.act(doc, "stop", {REASON: reason})

    def withdraw(self, doc: bytes, reason: str) -> Done:
        """Notes that the applicant takes the dossier back."""
        return self.act(doc, "withdraw", {REASON: reason})

    def void(self, doc: bytes, reason: str) -> Done:
        """Declares a dossier void, with the reason; nothing is deleted."""
        return self._done(doc, self.writer.void(doc, reason).id)

    def return_result(self, doc: bytes, receiver: str = "") -> Done:
        """Returns the result to the applicant, or to who comes for it."""
        state = self._document(doc).state
        who = receiver or str(state.value("nguoi_nop") or "")
        values = {**tidy({"nguoi_nhan": who}), "tra_luc": self.store.clock()}
        return self.act(doc, "return", values=values)

    def ask_payment(self, doc: bytes, content: str) -> Done:
        """Asks the applicant for a payment."""
        return self.act(doc, "ask_payment", {CONTENT: content})

    def pay(self, doc: bytes) -> Done:
        """Confirms that the payment was made."""
        return self.act(doc, "pay")

    def transfer(self, doc: bytes, unit: str) -> Done:
        """Sends the dossier to another unit's desk (liên thông).

        Args:
            doc: The dossier.
            unit: Its id, agency code or name.
        """
        return self.act(doc, "transfer", {"to": self.find_unit(unit)})

    # ---- planned with the dossier's own legal profile

    def supplement(self, doc: bytes, reason: str, content: str, papers: tuple[str, ...] = ()) -> Done:
        """Asks for a supplement after appraisal, once and completely (form 02)."""
        state = self._document(doc).state
        profile = profile_of(state, self.rules.known_profiles)
        now = self.store.clock()
        return self._do(
            doc, plan_supplement(state, reason, content, now, profile, self.rules.calendar, papers=papers)
        )

    def supply(self, doc: bytes, papers: Mapping[str, Paper] | None = None) -> Done:
        """Notes that the supplement came in; the due date follows the dossier's legal profile."""
        state = self._document(doc).state
        profile = profile_of(state, self.rules.known_profiles)
        return self._do(
            doc, plan_supply(state, papers or {}, self.store.clock(), profile, self.rules.calendar)
        )

    def extend(self, doc: bytes, reason: str, new_due_ms: int) -> Done:
        """Gives the one new appointment, with apology and reason (form 04)."""
        state = self._document(doc).state
        profile = profile_of(state, self.rules.known_profiles)
        now = self.store.clock()
        return self._do(doc, plan_extension(state, reason, new_due_ms, now, profile, self.rules.calendar))

    # ---- the own unit is asked (asking: `Together.ask_agencies`)

    def answer(self, doc: bytes, opinion: str) -> Done:
        """Gives the opinion of the own unit, which was asked."""
        unit = self.store.unit
        return self.act(doc, "answer", task=f"{AGENCY}:{unit}", values={f"y_kien/{unit}": opinion})

    def pass_on(self, doc: bytes, reason: str) -> Done:
        """Says that the matter is not for the own unit, which was asked."""
        return self.act(doc, "pass", {REASON: reason}, task=f"{AGENCY}:{self.store.unit}")

    # ----

    def _do(self, doc: bytes, plan: Plan, task: str = MAIN) -> Done:
        state = self._document(doc).state
        author = self.author
        if author and (reason := self._view(state).why_not_act(author, task, plan.action)):
            raise NotAllowed("The officer may not do this now.", reason=reason)
        if not plan.is_ready:
            raise Unready(plan.problems)
        if plan.action in DECISIONS:
            self._use_confirmation()
        with self.store.writing():
            slip = self._slip(plan.action, state) if task == MAIN else {}
            arguments = tidy({**plan.arguments, **slip})
            event = self.writer.act(
                doc, plan.action, arguments, task=task, values=changed_values(state, plan.values)
            )
        return self._done(doc, event.id, plan.problems)

    def _done(self, doc: bytes, event: bytes, problems: tuple[Problem, ...] = ()) -> Done:
        view = self._view(self._document(doc).state)
        return Done(doc, view.code, event, view.step, view.step_label, problems)

    def form(self, doc: bytes) -> tuple[dict[str, Any], dict[str, Paper]]:
        """Returns what was typed and handed in, to edit it."""
        state: State = self._document(doc).state
        return typed_values(state), typed_papers(state)

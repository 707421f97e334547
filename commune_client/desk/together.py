"""The work of the office as a whole: handover lists, agencies that are asked, fees, reasons of a date."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from commune_client.desk.base import Unready
from commune_client.desk.counter import Counter
from commune_client.desk.facts import Done, Dossier, ListRow
from commune_client.desk.office_facts import AskedFacts, DossierFees, Each, HandoverRow, Settlement, Why
from commune_client.desk.reading import Reading
from commune_client.desk.work import Work
from onestop_sync.dossier.changes import complete_ms, profile_of
from onestop_sync.dossier.charges import (
    FIELD,
    ChargeKind,
    balance,
    charges_of,
    plan_charge,
    settlement,
    total_of,
)
from onestop_sync.dossier.consulting import asked_of, plan_consultation
from onestop_sync.dossier.dates import local, to_ms
from onestop_sync.dossier.deadlines import plan_handover
from onestop_sync.dossier.explain import explain
from onestop_sync.dossier.procedure_steps import StepState, step_states
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.workflow import AGENCY, OPEN
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, OnestopError, StoreError
from onestop_sync.reporting.listing import noted

__all__ = ["Together"]

_GIVES: Final = ("accepted", "approved", "rejected", "stopped")
_RECEIVES: Final = ("given", "sent", "result_given", "notice_given")
_ASKING: Final = sorted(OPEN - {"draft", "incomplete"})


class Together(Counter, Work, Reading):
    """What is done with several dossiers at once, or asked of all of them."""

    def show(self, doc: bytes) -> Dossier:
        """Returns a dossier with its signed events, its steps and their dates, and its fees.

        Raises:
            NotFound: It is not here.
        """
        dossier = super().show(doc)
        view, charges = dossier.view, charges_of(dossier.view.state)
        by_ms = self.handover_by(doc) if view.step == "accepted" else None
        return replace(
            dossier,
            steps=self._steps(dossier),
            handover_by_ms=by_ms,
            balance=balance(charges) if charges else None,
        )

    def _steps(self, dossier: Dossier) -> tuple[StepState, ...]:
        view = dossier.view
        try:
            profile = profile_of(view.state, self.rules.known_profiles)
            day = local(int(view.state.value("tiep_nhan_luc") or 0)).date()
            steps = self.rules.catalogue.any(view.procedure, day).steps
            now_ms = self.store.clock()
            return step_states(steps, view.due_facts, dossier.moves, now_ms, profile, self.rules.calendar)
        except (InvalidInput, TypeError, ValueError):
            return ()  # not accepted yet, or a date that no calendar reaches

    # ---- handovers: two signatures, one who gives and one who receives (NĐ 61 Articles 18.2 and 20, form 05)

    def to_give(self) -> list[HandoverRow]:
        """Returns what the officer can hand on now: to the appraiser, or the result to who returns it."""
        return self._handovers(_GIVES, frozenset({"give", "give_result"}))

    def to_receive(self) -> list[HandoverRow]:
        """Returns what waits for the officer's signature."""
        return self._handovers(_RECEIVES, frozenset({"receive"}))

    def hand_over_each(self, docs: Sequence[bytes]) -> list[Each]:
        """Hands dossiers on, one signed event for each."""
        return self._each(docs, self.handover)

    def receive_each(self, docs: Sequence[bytes]) -> list[Each]:
        """Signs for dossiers, one signed event for each."""
        return self._each(docs, self.receive)

    def _handovers(self, steps: Sequence[str], actions: frozenset[str]) -> list[HandoverRow]:
        author = self.author
        if author is None:
            return []
        found = []
        for row in self._at(steps):
            # A row names the unit that took the dossier in; who signs now is the dossier's to say.
            choices = self._view(self._document(row.doc).state).allowed_actions(author)
            if any(choice.action in actions for choice in choices):
                found.append(self._handover_row(row))
        return sorted(found, key=lambda row: (row.by_ms is None, row.by_ms or 0, row.code))

    def _handover_row(self, row: ListRow) -> HandoverRow:
        by_ms = self.handover_by(row.doc) if row.step == "accepted" else None
        is_late = by_ms is not None and by_ms < self.store.clock()
        return HandoverRow(row.doc, row.code, row.title, row.step, row.step_label, by_ms, is_late)

    def handover_by(self, doc: bytes) -> int | None:
        """Returns by when an accepted dossier is handed on, by its own legal profile and its cut-off."""
        state = self._document(doc).state
        since_ms = complete_ms(state)
        if since_ms is None:
            return None
        try:
            profile = profile_of(state, self.rules.known_profiles)
            return to_ms(plan_handover(local(since_ms), self.rules.calendar, profile))
        except InvalidInput:
            return None

    def _at(self, steps: Sequence[str]) -> Iterator[ListRow]:
        for step in steps:
            after: tuple[int, int] | None = None
            while True:
                page = self.dossiers(step=step, after=after)
                yield from page.rows
                after = page.after
                if after is None:
                    break

    def _each(self, docs: Sequence[bytes], do: Callable[[bytes], Done]) -> list[Each]:
        found = []
        for doc in docs:
            code = self._view(self._document(doc).state).code
            try:
                done = do(doc)
            except StoreError:
                raise
            except OnestopError as error:
                found.append(Each(doc, code, "", error))
            else:
                found.append(Each(doc, code, done.step_label, None))
        return found

    # ---- other agencies

    def ask_agencies(self, doc: bytes, units: Sequence[str], content: str, until_ms: int) -> Done:
        """Asks other units, all of them at once and in one event: what, and by when.

        Args:
            doc: The dossier; the unit that holds it leads.
            units: Their ids, agency codes or names.
            content: What is asked.
            until_ms: By when, milliseconds since 1970 UTC.

        Raises:
            Unready: Nothing is asked, or the date does not do.
            NotAllowed: Not by this officer, not at this step, or a unit was asked before (``asked_before``).
        """
        state = self._document(doc).state
        named = [self.find_unit(unit) for unit in units]
        for unit in named:
            if f"{AGENCY}:{unit}" in state.tasks:
                raise NotAllowed(
                    "That unit was asked about this dossier before.",
                    todo="Nothing was written. See its answer, or ask it in a note.",
                    reason="asked_before",
                )
        plan = plan_consultation(state, named, content, until_ms, self.store.clock(), self.rules.calendar)
        if not plan.is_ready:
            raise Unready(plan.problems)
        ops = [*(["set", key, value] for key, value in plan.values.items()), *plan.arguments["ops"]]
        return self._done(doc, self.writer.write(doc, ops).id, plan.problems)

    def asked(self) -> list[AskedFacts]:
        """Returns which agencies have not answered yet, the late ones first."""
        now, found = self.store.clock(), []
        for row in self._at(_ASKING):
            state = self._document(row.doc).state
            view = self._view(state)
            for name, task in state.tasks.items():
                if not name.startswith(f"{AGENCY}:") or task.step != "asked":
                    continue
                unit = name.partition(":")[2]
                request = asked_of(state, unit)
                is_late = request.until_ms is not None and request.until_ms < now
                found.append(
                    AskedFacts(
                        row.doc, row.code, row.title, unit, self.unit_name(unit), self.unit_name(view.unit),
                        request.content, request.until_ms, is_late, unit == self.store.unit,
                    )
                )  # fmt: skip
        return sorted(found, key=lambda asked: (asked.until_ms is None, asked.until_ms or 0, asked.code))

    # ---- fees

    def fees(self, doc: bytes) -> DossierFees:
        """Returns what is due, paid and waived for a dossier."""
        charges = charges_of(self._document(doc).state)
        return DossierFees(charges, balance(charges))

    def charge(
        self,
        doc: bytes,
        kind: str,
        *,
        units: int = 0,
        copies: int = 1,
        amount_vnd: int | None = None,
        receipt: str = "",
        reason: str = "",
    ) -> Done:
        """Notes that a fee is due, was paid, is waived, or that a payment is taken back.

        Args:
            doc: The dossier.
            kind: See `onestop_sync.dossier.charges.ChargeKind`.
            units: Pages, copies or cases: what is due is counted by the fee of the day of receipt.
            copies: So many copies of so many pages.
            amount_vnd: Dong; without it and without units, a payment or waiver is of all that is open.
            receipt: Number of the receipt.
            reason: Why it is waived or taken back.

        Raises:
            Unready: The amount, the receipt or the reason is missing.
        """
        view = self._view(self._document(doc).state)
        received_ms = view.state.value("tiep_nhan_luc")
        day = local(received_ms).date() if type(received_ms) is int else self.today()
        fee = self.rules.catalogue.any(view.procedure, day).fee
        wanted = ChargeKind(kind)
        if amount_vnd is None and not units and wanted in {ChargeKind.PAID, ChargeKind.WAIVED}:
            amount_vnd = self.fees(doc).balance.open or None  # nothing is open: nobody noted yet how much
        entry, problems = plan_charge(
            wanted, self.store.clock(), fee=fee, units=units, copies=copies, amount_vnd=amount_vnd,
            what=view.procedure_name, receipt=receipt, reason=reason,
        )  # fmt: skip
        if any(problem.is_blocking for problem in problems):
            raise Unready(problems)
        return self._done(doc, self.writer.note(doc, FIELD, entry).id)

    def settlement(self, first: date, last: date) -> Settlement:
        """Returns what came in from one day to another, by procedure, for settling with the treasury.

        Raises:
            InvalidInput: The days are in the wrong order.
        """
        known, unpaid = [], []
        for code, state in noted(self.store, DOSSIER.name, FIELD):
            view, charges = self._view(state), charges_of(state)
            known.append((view.procedure, view.procedure_name, charges))
            if balance(charge for charge in charges if local(charge.at_ms).date() <= last).open > 0:
                unpaid.append(code)
        rows = settlement(known, first, last)
        return Settlement(first.isoformat(), last.isoformat(), rows, total_of(rows), tuple(sorted(unpaid)))

    # ---- reasons

    def why(self, doc: bytes) -> Why:
        """Returns why a dossier is due when it is, day by day.

        Raises:
            NotFound: It has no due date.
        """
        state = self._document(doc).state
        view = self._view(state)
        if view.due_facts is None:
            raise NotFound("The dossier has no due date yet.", reason="no_due", code=view.code)
        profile = profile_of(state, self.rules.known_profiles)
        explanation = explain(view.due_facts, self.rules.calendar, profile)
        return Why(
            view.code,
            dict(view.due_facts),
            profile.name_vi,
            explanation,
            profile.cut_off_min,
            profile.working_hours_per_day,
        )

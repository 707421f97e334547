"""At the counter: drafts that lose nothing, and acceptance with code and due date in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from commune_client.desk.base import Unready, changed_values
from commune_client.desk.facts import Accepted, Done, Draft, DueFacts
from commune_client.desk.numbering import Numbering
from onestop_sync.codec import nfc
from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.dossier.checks import Issue, Paper, Problem, papers_of, plan_missing
from onestop_sync.dossier.codes import grammar
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.intake import Plan, plan_ask_at_intake, plan_draft, plan_intake, plan_refusal
from onestop_sync.dossier.labels import step_label
from onestop_sync.dossier.register_book import FIELD
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.workflow import MAIN_TASK, base_step
from onestop_sync.errors import ClockSuspect, NotAllowed, NotFound
from onestop_sync.schema import MAIN
from onestop_sync.state import State

__all__ = ["Counter"]

_PLANNED: Final = frozenset(
    {"ma_ho_so", "tiep_nhan_luc", "han_tra", FIELD, "yeu_cau_bo_sung", "nguon", "_void"}
)
"""Registers that planners write and nobody types."""
_UNSTORABLE: Final = frozenset({Issue.NOT_TEXT, Issue.TOO_LONG, Issue.UNKNOWN_FIELD})
"""Mistakes that no draft may hold; every other one is kept as it was typed."""
_PAPERS: Final = "giay_to/"
_SCANS: Final = "dinh_kem/"


class Counter(Numbering):
    """Intake."""

    # ---- procedures

    def procedures(self, search: str = "") -> tuple[Procedure, ...]:
        """Returns the procedures in force today that have the words, with or without Vietnamese marks."""
        return self.rules.catalogue.search(search, self.today())

    def procedure(self, code: str) -> Procedure:
        """Returns a procedure in force today.

        Raises:
            NotFound: There is none of that code, or not today (``details["reason"]`` is ``not_in_force``).
        """
        found = self._known_procedure(code)
        if not found.is_in_force(self.today()):
            raise NotFound(
                f"Procedure {found.code} is not in force today.", reason="not_in_force", code=found.code
            )
        return found

    def _known_procedure(self, code: str) -> Procedure:
        """Returns a procedure as it is today, or as it was last: a draft may be older than its end.

        Raises:
            NotFound: There is none of that code.
        """
        try:
            self.rules.catalogue.get(code)
        except NotFound as error:
            raise NotFound(error.what, code=code[:64]) from None
        return self.any_procedure(code)

    def papers(self, code: str, names: Sequence[str]) -> dict[str, Paper]:
        """Returns documents that were ticked off, in the number that the catalogue wants."""
        return papers_of(self.any_procedure(code), names)

    def any_procedure(self, code: str, name: str = "") -> Procedure:
        """Returns a procedure for a dossier under way, whether it is in force and in the catalogue or not.

        Args:
            code: Its code.
            name: Its name, as the dossier has it.
        """
        return self.rules.catalogue.any(code, self.today(), name)

    def check(
        self, code: str, values: Mapping[str, Any], papers: Mapping[str, Paper] | None = None
    ) -> tuple[Problem, ...]:
        """Returns what is wrong or missing for acceptance, without writing anything."""
        procedure, given = self._known_procedure(code), papers or {}
        plan = plan_draft(procedure, values, given, self.store.clock())
        return (*plan.problems, *plan_missing(procedure, plan.values, given))

    def preview_due(self, code: str, *, is_verified: bool = False) -> DueFacts:
        """Returns when a dossier accepted now would be due."""
        now = self.store.clock()
        profile = self.rules.profile(local(now).date())
        sample = grammar(profile.code_grammar).sample()
        plan = plan_intake(
            self.procedure(code), {}, {}, now, profile, self.rules.calendar, sample, is_verified=is_verified
        )
        about_due = tuple(problem for problem in plan.problems if problem.key == "han_tra")
        return DueFacts(plan.due_ms, about_due)

    # ---- drafts

    def new_draft(
        self, code: str, values: Mapping[str, Any] | None = None, papers: Mapping[str, Paper] | None = None
    ) -> Draft:
        """Opens a draft; it is on the disk when this returns.

        Raises:
            NotFound: There is no such procedure today.
            Unready: A value that no dossier can hold.
            NotAllowed: The officer may not take in.
        """
        plan = plan_draft(self.procedure(code), values or {}, papers or {}, self.store.clock())
        _check_storable(plan)
        return self.draft(self.writer.create(DOSSIER.name, plan.values))

    def save_draft(
        self, doc: bytes, values: Mapping[str, Any], papers: Mapping[str, Paper] | None = None
    ) -> Draft:
        """Saves what was typed, wrong or incomplete as it may be; it is on the disk when this returns.

        Args:
            doc: The draft.
            values: Register key → what was typed: all of the form, or what changed. Empty text clears.
            papers: The whole checklist, when it is given: what it does not name is not here any more.

        Raises:
            NotFound: There is no such dossier.
            Unready: A value that no dossier can hold.
            NotAllowed: The dossier is no draft any more, or the officer may not take in.
        """
        state = self._document(doc).state
        plan = self._plan_draft(state, values, papers)
        _check_storable(plan)
        cleared = {nfc(key): "" for key in values if nfc(key) not in plan.values}
        changed = changed_values(state, {**plan.values, **cleared})
        if changed:
            self.writer.edit(doc, changed)
        return self.draft(doc)

    def draft(self, doc: bytes) -> Draft:
        """Returns a draft, as it is stored.

        Raises:
            NotFound: There is no such dossier.
        """
        state = self._document(doc).state
        values, papers = typed_values(state), typed_papers(state)
        problems = self.check(str(values.get("ma_thu_tuc", "")), values, papers)
        return Draft(doc, self._procedure_of(state), values, papers, problems, _step(state))

    def _plan_draft(
        self, state: State, values: Mapping[str, Any], papers: Mapping[str, Paper] | None
    ) -> Plan:
        held = typed_papers(state)
        if papers is None:
            given = held
        else:
            given = {**dict.fromkeys(held, Paper(0, 0)), **{nfc(name): papers[name] for name in papers}}
        merged = {**typed_values(state), **values}
        return plan_draft(self._procedure_of(state), merged, given, self.store.clock())

    def _procedure_of(self, state: State) -> Procedure:
        return self._known_procedure(str(state.value("ma_thu_tuc") or ""))

    # ---- acceptance

    def intake(self, doc: bytes, *, is_verified: bool = False, due_ms: int | None = None) -> Accepted:
        """Accepts a draft: code, due date and the signed event are one transaction.

        Args:
            doc: The draft.
            is_verified: Something has to be verified first, which may have a longer limit.
            due_ms: The date that an official gives where the catalogue knows no limit.

        Raises:
            ClockSuspect: The date must be confirmed first (`confirm_date`).
            Unready: Something is wrong or missing; `Unready.problems` says what.
            NotAllowed: No role for it, not a draft, in conflict, or no serial left.
        """
        document = self._document(doc)
        if document.conflicts:
            raise NotAllowed(
                "The draft holds a conflict.",
                todo="Settle it first.",
                reason="conflict",
                keys=document.conflicts,
            )
        state = document.state
        values, papers = typed_values(state), typed_papers(state)
        return self._accept(doc, state, self._procedure_of(state), values, papers, is_verified, due_ms)

    def intake_new(
        self,
        code: str,
        values: Mapping[str, Any],
        papers: Mapping[str, Paper] | None = None,
        *,
        is_verified: bool = False,
        due_ms: int | None = None,
    ) -> Accepted:
        """Takes in a dossier that is complete at once, as one event; the rest is as for `intake`."""
        return self._accept(None, None, self.procedure(code), values, papers or {}, is_verified, due_ms)

    def _accept(
        self,
        doc: bytes | None,
        state: State | None,
        procedure: Procedure,
        values: Mapping[str, Any],
        papers: Mapping[str, Paper],
        is_verified: bool,  # noqa: FBT001 - private
        due_ms: int | None,
    ) -> Accepted:
        self._check_clock()
        now = self.store.clock()
        profile = self.rules.profile(local(now).date())
        writer = self.writer
        with self.store.writing():
            code = self._issue_code(now, profile)
            plan = plan_intake(
                procedure, values, papers, now, profile, self.rules.calendar, code,
                place=self._enter(now), is_verified=is_verified, due_ms=due_ms,
                catalogue_version=self.rules.catalogue.version,
            )  # fmt: skip
            if not plan.is_ready:
                raise Unready(plan.problems)
            if doc is None:
                doc = writer.create(DOSSIER.name, plan.values, plan.acts)
                event = self.store.document(doc).state.heads[-1]
            else:
                event = writer.act(doc, plan.action, values=changed_values(state, plan.values)).id
        told = tuple(problem for problem in plan.problems if not problem.is_blocking)
        return Accepted(doc, code, event, now, plan.due_ms, told)

    def _check_clock(self) -> None:
        clock = self.clock()
        if clock.is_suspect:
            raise ClockSuspect(
                "The machine's clock disagrees with the last event or statement.",
                today=clock.today.isoformat(),
                latest_ms=clock.latest_ms,
                now_ms=clock.now_ms,
            )

    # ---- not accepted

    def ask_at_intake(self, doc: bytes, reason: str, content: str, papers: tuple[str, ...] = ()) -> Done:
        """Asks once, and completely, for what is missing (form 02)."""
        return self._end_draft(doc, plan_ask_at_intake(reason, content, papers))

    def missing_papers(self, doc: bytes) -> tuple[str, ...]:
        """Returns which documents of its procedure a draft still lacks, in the catalogue's order."""
        problems = self.draft(doc).problems
        return tuple(p.key.removeprefix(_PAPERS) for p in problems if p.code is Issue.MISSING_PAPER)

    def refuse(self, doc: bytes, reason: str) -> Done:
        """Refuses to accept, with the reason (form 03)."""
        return self._end_draft(doc, plan_refusal(reason))

    def _end_draft(self, doc: bytes, plan: Plan) -> Done:
        state = self._document(doc).state
        if not plan.is_ready:
            raise Unready(plan.problems)
        with self.store.writing():
            arguments = {**plan.arguments, **self._slip(plan.action, state)}
            event = self.writer.act(doc, plan.action, arguments, values=plan.values)
        state = self._document(doc).state
        step = _step(state)
        return Done(doc, str(state.value("ma_ho_so") or ""), event.id, step, step_label(step))


def typed_values(state: State) -> dict[str, Any]:
    """Returns what was typed: the registers that no planner writes, without papers and scans."""
    return {
        key: state.value(key)
        for key, register in state.registers.items()
        if register.live and key not in _PLANNED and not key.startswith((_PAPERS, _SCANS))
    }


def typed_papers(state: State) -> dict[str, Paper]:
    """Returns the papers that are here, by name."""
    found: dict[str, Paper] = {}
    for key in state.registers:
        match state.value(key) if key.startswith(_PAPERS) else None:
            case {"ban_chinh": int(originals), "ban_sao": int(copies)}:
                found[key.removeprefix(_PAPERS)] = Paper(originals, copies)
    return found


def _step(state: State) -> str:
    task = state.tasks.get(MAIN)
    return base_step(task.step if task else MAIN_TASK.initial)


def _check_storable(plan: Plan) -> None:
    bad = [problem for problem in plan.problems if problem.code in _UNSTORABLE]
    if bad:
        raise Unready(bad)

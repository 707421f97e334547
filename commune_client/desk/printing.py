"""Printing forms: made offline from what is here, noted in the audit trail before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from commune_client.desk.base import Base, day_of
from commune_client.desk.print_facts import PLAIN, Manner, NotPrinted, PrintChoice, Printed
from onestop_sync import audit
from onestop_sync.codec import nfc
from onestop_sync.dossier.catalogue import DocumentUse, Procedure
from onestop_sync.dossier.changes import kept_profile
from onestop_sync.dossier.dates import due_field, local
from onestop_sync.dossier.forms.checks import forms_of
from onestop_sync.dossier.forms.facts import Act, Agency, Facts, acts_of, last_act
from onestop_sync.dossier.forms.kinds import CONTROL_SLIP, FORM_LABELS, RECEIPT, actions_of, form_of_action
from onestop_sync.dossier.forms.paper import Sheet
from onestop_sync.dossier.forms.sheets import sheet_of
from onestop_sync.dossier.forms.words import agency_head, agency_place, fee_words
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.procedure_steps import Moved, StepState, step_states
from onestop_sync.dossier.profiles import LegalProfile, with_forms_of
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import show_value
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, OnestopError, StoreError
from onestop_sync.state import Standing, State

__all__ = ["Printing"]

_NO_EFFECT = frozenset({Standing.REFUSED, Standing.WAITING, Standing.OVERRULED})
_PAGE = 200
_EVENT_DIGITS = 8
"""Hex digits of an event by which the trail tells one slip from another of the same form."""


class Printing(Base):
    """Makes forms and writes them."""

    def printable(self, doc: bytes) -> list[PrintChoice]:
        """Returns the forms that there are of a dossier now, in the order of the circular.

        Raises:
            NotFound: It is not here.
        """
        facts = self._form_facts(doc, "")
        found = forms_of(facts)
        told = [form for act in facts.acts if (form := form_of_action(act.action)) in found]
        next_form = told[-1] if told else ""
        return [
            PrintChoice(key, facts.form(key).number, FORM_LABELS[key], is_next=key == next_form)
            for key in found
        ]

    def received_on(self, day: date) -> list[bytes]:
        """Returns the dossiers that this unit accepted on a day, in the order of their codes."""
        found: list[tuple[str, bytes]] = []
        after: tuple[int, int] | None = None
        while True:
            rows = self.store.page(DOSSIER.name, after=after, limit=_PAGE)
            found += [
                (row.label, row.doc)
                for row in rows
                if row.unit == self.store.unit and day_of(row.label) == day
            ]
            if len(rows) < _PAGE:
                return [doc for _, doc in sorted(found)]
            after = rows[-1].key

    def print_forms(self, docs: Sequence[bytes], form: str, place: Path, manner: Manner = PLAIN) -> Printed:
        """Prints one form of each of some dossiers into one file: what is wrong with one stops no other.

        Each is noted in the audit trail before the file is written; a form that was printed before says so.

        Args:
            docs: The dossiers, in the order in which they are printed.
            form: Kind of the form, see `forms.kinds`.
            place: A folder, or the path of a new file.
            manner: How.

        Raises:
            NotAllowed: The desk is locked; or nothing could be printed, for the reason of the first dossier.
            InvalidInput: The same; or the printer did not take the file, which is kept.
            StoreError: The audit trail could not be written; nothing was printed.
            OSError: The file is there already, or the disk refused.
        """
        _ = self.signer
        made, failed = self._sheets(docs, form)
        if not made:
            raise failed[0].error if failed else NotFound("There is nothing to print.", reason="no_form")
        for doc, _, code in made:
            self.notebook.keep("print", doc, code=code)
        self.notebook.flush(strict=True)
        (doc, first, _), *others = made
        about = self._batch(len(made)) if others else first.code or doc.hex()[:_EVENT_DIGITS]
        path, is_sent = self._write([sheet for _, sheet, _ in made], place, about, manner)
        again = sum(bool(sheet.mark) for _, sheet, _ in made)
        return Printed(path, len(made), again, is_sent, tuple(failed))

    def _batch(self, count: int) -> str:
        return f"{self.today():%y%m%d}-{count}-ban"

    def _sheets(
        self, docs: Sequence[bytes], form: str
    ) -> tuple[list[tuple[bytes, Sheet, str]], list[NotPrinted]]:
        """Returns the sheets with the trail's code for each, and what could not be made."""
        made: list[tuple[bytes, Sheet, str]] = []
        failed: list[NotPrinted] = []
        for doc in docs:
            try:
                facts = self._form_facts(doc, form)
                made.append((doc, sheet_of(form, facts), _trail_code(form, facts)))
            except StoreError:
                raise
            except OnestopError as error:
                failed.append(NotPrinted(doc, self._code_of(doc), error))
        return made, failed

    def _code_of(self, doc: bytes) -> str:
        try:
            return one_line(str(self._document(doc).state.value("ma_ho_so") or ""))
        except (NotFound, NotAllowed):
            return ""

    def _write(self, sheets: Sequence[Sheet], place: Path, about: str, manner: Manner) -> tuple[Path, bool]:
        """Renders, writes, and hands to the printer."""
        from commune_client.printing import files, text

        if manner.is_text:
            said = text.render(sheets, has_form_feeds=manner.has_form_feeds, copies=manner.copies)
            data, ending = said.encode(), "txt"
        else:
            from commune_client.printing import pdf

            data, ending = pdf.render(sheets, is_two_up=manner.is_two_up, copies=manner.copies), "pdf"
        name = files.file_name(sheets[0].number, about, ending)
        path = files.write_new(place.expanduser(), name, data)
        if not manner.to_printer:
            return path, False
        files.print_file(self.place.config.printer or files.SYSTEM, path)
        return path, True

    # ---- what a form is made from

    def _form_facts(self, doc: bytes, form: str) -> Facts:
        self._check_sight()
        document = self._document(doc)
        if document.stated_ms is not None and self.store.want_history(doc):
            raise NotAllowed(
                "A form is filled in from events, and those of this dossier are not here yet.",
                reason="history",
            )
        state = document.state
        acts = tuple(self._acts(doc))
        profile, procedure = self._profile(form, state, acts), self._procedure_then(state)
        documents = procedure.documents if procedure else ()
        facts = Facts(
            state=state,
            acts=acts,
            profile=profile,
            calendar=self.rules.calendar,
            agency=self.agency(_issuer(form, state, acts)),
            unit_names={unit.id: unit.name for unit in self.units()},
            fee=self._fee(state),
            papers=tuple(nfc(document.name_vi) for document in documents),
            shown=frozenset(nfc(d.name_vi) for d in documents if d.use is DocumentUse.PRESENT),
            steps=self._steps_of(state, acts, profile) if form == CONTROL_SLIP else (),
            printed_ms=self.store.clock(),
        )
        code = _trail_code(form, facts)
        is_running = form in {"", CONTROL_SLIP}  # what goes on being filled in is no copy of what was printed
        return facts if is_running else facts.printed_again(self._printed_before(doc, code))

    def _acts(self, doc: bytes) -> Iterator[Act]:
        for record in self.store.history(doc):
            if record.standing in _NO_EFFECT or record.author is None:
                continue
            certificate = record.author.certificate
            yield from acts_of(
                record.event.id, record.ops, record.event.header.time_ms, one_line(certificate.name),
                certificate.unit,
            )  # fmt: skip

    def _profile(self, form: str, state: State, acts: Sequence[Act]) -> LegalProfile:
        """Returns the dossier's legal profile, with the forms of the day of which the paper tells."""
        profiles, today = self.rules.known_profiles, self.today()
        profile = kept_profile(state, profiles, today)
        act, received = last_act(acts, actions_of(form)), state.value("tiep_nhan_luc")
        at_ms = act.at_ms if act else received
        return with_forms_of(local(at_ms).date() if type(at_ms) is int else today, profile, profiles)

    def agency(self, unit: str) -> Agency:
        """Returns a unit as the head of a form names it."""
        name = self.unit_name(unit)
        return Agency((agency_head(name),), agency_place(name), unit)

    def _fee(self, state: State) -> str:
        paid = [show_value("le_phi", value) for _, _, value in state.notes.get("le_phi", [])]
        if paid:
            return "; ".join(paid)
        procedure = self._procedure_then(state)
        return fee_words(procedure.fee) if procedure else ""

    def checklist(self, doc: bytes) -> tuple[str, ...]:
        """Returns the documents that the procedure of a dossier wants, as when it was received.

        Raises:
            NotFound: It is not here.
        """
        procedure = self._procedure_then(self._document(doc).state)
        return tuple(document.name_vi for document in procedure.documents) if procedure else ()

    def _steps_of(self, state: State, acts: Sequence[Act], profile: LegalProfile) -> tuple[StepState, ...]:
        procedure = self._procedure_then(state)
        moves = [Moved(act.action, act.at_ms) for act in acts]
        try:
            return step_states(
                procedure.steps if procedure else (), due_field(state), moves, self.store.clock(), profile,
                self.rules.calendar,
            )  # fmt: skip
        except InvalidInput:  # a date that no calendar reaches
            return ()

    def _procedure_then(self, state: State) -> Procedure | None:
        """Returns the procedure as it was when the dossier was received."""
        received = state.value("tiep_nhan_luc")
        try:
            day = local(received).date() if type(received) is int else self.today()
            return self.rules.catalogue.get(str(state.value("ma_thu_tuc") or ""), day)
        except (NotFound, InvalidInput):
            return None

    def _printed_before(self, doc: bytes, code: str) -> int:
        """Returns how often a form was printed, on any machine whose trail is here."""
        self.notebook.flush()
        entries = (line.entry for line in audit.lines(self.store, doc=doc))
        return sum(entry.times for entry in entries if (entry.what, entry.code) == ("print", code))


def _issuer(form: str, state: State, acts: Sequence[Act]) -> str:
    """Returns the unit whose paper a form is: whose officer took the act; the receipt's is who took it in."""
    act = last_act(acts, actions_of(form)) if form not in {"", RECEIPT, CONTROL_SLIP} else None
    return act.unit if act else state.unit


def _trail_code(form: str, facts: Facts) -> str:
    """Returns what the audit trail notes: the form, and the event that it tells of, as a form comes again."""
    if form == RECEIPT:
        live = facts.state.registers["han_tra"].live if "han_tra" in facts.state.registers else ()
        event = live[0][0] if live else b""
    else:
        act = last_act(facts.acts, actions_of(form))
        event = act.event if act else b""
    return f"{form}:{event.hex()[:_EVENT_DIGITS]}" if event else form

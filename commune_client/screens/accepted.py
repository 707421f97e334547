"""What acceptance gave: the code, when the dossier is due, and why that day."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from commune_client.messages import problem_text
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.show import day_time, explain_due
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from commune_client.desk.facts import Accepted, Dossier
    from onestop_sync.dossier.catalogue import Procedure

__all__ = ["AcceptedScreen"]


class AcceptedScreen(OfficeScreen):
    """Code, due date and the reasons for it."""

    NAME = "accepted"
    HEADING = words.ACCEPTED
    AUTO_FOCUS = ".scroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("accepted")
    DEFAULT_CSS = """
    AcceptedScreen > .scroll { height: 1fr; padding: 1 2; scrollbar-size-vertical: 1; }
    """

    def __init__(self, accepted: Accepted, procedure: Procedure) -> None:
        """Make the screen.

        Args:
            accepted: What acceptance gave.
            procedure: Of which procedure.
        """
        super().__init__()
        self._accepted = accepted
        self._procedure = procedure

    def compose_body(self) -> ComposeResult:
        """Lay the facts out."""
        with VerticalScroll(classes="scroll"):
            yield Paragraphs(self._facts("", []))

    def on_mount(self) -> None:
        """Read the dossier, for the reasons."""
        self.work(self._read, lambda found: self._show(*found))

    def _read(self) -> tuple[Dossier, str]:
        dossier = self.desk.show(self._accepted.doc)
        rule = str((dossier.view.due_facts or {}).get("quy_dinh", ""))
        names = {profile.id: profile.name_vi for profile in self.desk.rules.known_profiles}
        return dossier, names.get(rule, rule)

    def _show(self, dossier: Dossier, rule: str) -> None:
        reasons = explain_due(dossier.view.due_facts, rule)
        self.query_one(Paragraphs).paragraphs = tuple(self._facts(dossier.view.applicant, reasons))

    def _facts(self, applicant: str, reasons: list[str]) -> list[Paragraph]:
        accepted = self._accepted
        strong = f"bold {StateStyle.GOOD}"
        problems = [f"  ! {problem_text(problem)}" for problem in accepted.problems]
        return [
            _line(words.CODE, accepted.code, strong),
            _line(words.APPLICANT_ALONE, applicant),
            _line(words.PROCEDURE, self._procedure.full_name_vi),
            _line(words.RECEIVED_AT, day_time(accepted.received_ms)),
            _line(words.DUE_AT, day_time(accepted.due_ms, words.NO_DUE), strong),
            Paragraph(),
            Paragraph.of(words.WHY_DUE, "bold"),
            *(Paragraph.of(f"  {reason}", indent=4) for reason in reasons),
            *(Paragraph.of(problem, StateStyle.SOON, 4) for problem in problems),
            Paragraph(),
            Paragraph.of(words.OFFER_RECEIPT, "bold"),
        ]

    def action_next(self) -> None:
        """Take in another dossier."""
        self.office.action_intake()

    def action_print(self) -> None:
        """Print the receipt."""
        from commune_client.screens.printing import open_print

        open_print(self.office, self._accepted.doc)

    def action_open(self) -> None:
        """Open the dossier that was accepted."""
        self.app.pop_screen()
        self.app.call_later(partial(self.office.open_dossier, self._accepted.doc))


def _line(label: str, text: str, style: str = StateStyle.PLAIN) -> Paragraph:
    return Paragraph.labelled(label, "", (text, style))

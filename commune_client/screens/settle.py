"""Settling one thing: what everyone had seen, what each wrote, who and when; choose or type, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from commune_client.messages import LEVEL_LABELS, reason_text
from commune_client.scratch import Note
from commune_client.screens import words
from commune_client.screens.base import bindings_of
from commune_client.screens.keeping import KeepingScreen
from commune_client.screens.show import day_time
from commune_client.theme import StateStyle
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue, FormField
from commune_client.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from commune_client.desk import Desk
    from commune_client.desk.facts import Dispute, DisputeSide, Done

__all__ = ["SettleScreen", "settle", "settle_fields", "sides_text"]

_LABEL = 24
"""Columns of a name."""
_BASE, _NOW, _TYPED, _LIFT = "base", "now", "typed", "lift"


class NewSides(Exception):
    """Something was written to it since the officer looked; nothing was settled.

    Attributes:
        dispute: What it is now.
    """

    def __init__(self, dispute: Dispute) -> None:
        super().__init__("there are new sides")
        self.dispute = dispute


# ------------------------------------------------------------------ what can be chosen


def settle_fields(dispute: Dispute) -> list[FormField]:
    """Returns the form that settles: the choice, the typed value where one makes sense, the reason."""
    options = _options(dispute)
    fields = [FormField("choice", words.CHOOSE, "choice", required=True, options=tuple(options.items()))]
    if _TYPED in options:
        fields.append(FormField("typed", words.TYPED_VALUE, limit=4000))
    return [*fields, FormField("ly_do", words.REASON, "multiline", required=True, limit=2000)]


def _options(dispute: Dispute) -> dict[str, str]:
    if dispute.kind == "void":
        return {_NOW: words.KEEP_VOID, _LIFT: words.LIFT_VOID}
    options: dict[str, str] = {}
    if dispute.kind == "late":
        options[_NOW] = f"{words.KEEP_NOW}: {dispute.now_text or words.EMPTY}"
    for number, side in enumerate(dispute.sides):
        if dispute.kind != "late" or side.kind == "late":
            options[f"side_{number}"] = f"{_verb(dispute)}{side.text or words.EMPTY}{_by(side)}"
    if dispute.kind == "task":
        return options
    if dispute.kind == "conflict" and dispute.base not in [side.value for side in dispute.sides]:
        options[_BASE] = f"{words.BASE}: {dispute.base_text or words.EMPTY}"
    if all(isinstance(side.value, str) for side in dispute.sides):
        options[_TYPED] = words.OTHER_VALUE
    return options


def _verb(dispute: Dispute) -> str:
    return f"{words.ADOPT}: " if dispute.kind == "late" else ""


def _by(side: DisputeSide) -> str:
    return f" ({words.MINE if side.is_mine else side.who or words.UNKNOWN_AUTHOR})"


def settle(desk: Desk, dispute: Dispute, given: Mapping[str, FieldValue]) -> Done:
    """Signs a settlement of exactly what the officer saw.

    Raises:
        NewSides: Something was written since.
        OnestopError: It is not allowed.
    """
    doc, key = dispute.doc, dispute.key
    choice, reason = str(given["choice"]), str(given["ly_do"])
    with desk.store.writing():
        now = desk.conflict(doc, key)
        if {side.event for side in now.sides} != {side.event for side in dispute.sides}:
            raise NewSides(now)
        if choice == _NOW:
            return desk.decline_late(doc, key, reason)
        if choice == _LIFT:
            return desk.lift_void(doc, reason)
        if choice == _BASE:
            return desk.resolve(doc, key, dispute.base, reason)
        if choice == _TYPED:
            return desk.resolve(doc, key, str(given["typed"]), reason)
        return desk.choose(doc, key, dispute.sides[int(choice.removeprefix("side_"))].event, reason)


# ------------------------------------------------------------------ what is shown


def sides_text(dispute: Dispute) -> list[Paragraph]:
    """Say what everyone had seen, and what each wrote; of a late write, what stands instead of the base."""
    lines = [Paragraph.of(words.EXPLAIN_KINDS.get(dispute.kind, ""), StateStyle.QUIET), Paragraph()]
    if dispute.kind != "late":
        base = words.BASE_STEP if dispute.kind == "task" else words.BASE
        lines.append(_side_line(base, dispute.base_text or words.EMPTY))
    if dispute.kind == "void":
        lines.append(_side_line(words.NOW, dispute.now_text or words.EMPTY))
    for side in dispute.sides:
        who = words.MINE_HEAD if side.is_mine else side.who or words.UNKNOWN_AUTHOR
        lines.append(_side_line(who, side.text or words.EMPTY))
        lines.append(Paragraph.of(" " * _LABEL + _side_facts(dispute, side), StateStyle.QUIET, _LABEL))
    return lines


def _by_time(side: DisputeSide) -> tuple[int, bytes]:
    """The claimed time decides nothing, but it is the order in which people tell it."""
    return side.at_ms, side.event


def _side_facts(dispute: Dispute, side: DisputeSide) -> str:
    """Say where, when and how far; of a late write and of what stands, which is which."""
    facts = [side.unit_name, day_time(side.at_ms), LEVEL_LABELS[side.level]]
    if dispute.kind == "late":
        facts.insert(0, words.KINDS["late"] if side.kind == "late" else words.NOW.lower())
    return ", ".join(facts)


def _side_line(label: str, text: str) -> Paragraph:
    return Paragraph.labelled(label[: _LABEL - 2], "", (text, "bold"), width=_LABEL)


class SettleScreen(KeepingScreen):
    """One thing to settle."""

    NAME = "conflict"
    HEADING = words.RESOLVE
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("conflict")
    DEFAULT_CSS = """
    SettleScreen > .sides { height: auto; max-height: 50%; padding: 0 1; margin: 0 0 1 0;
                            scrollbar-size-vertical: 1; }
    """

    def __init__(self, dispute: Dispute) -> None:
        """Make the screen.

        Args:
            dispute: What is open.
        """
        super().__init__()
        self._dispute = replace(dispute, sides=tuple(sorted(dispute.sides, key=_by_time)))
        self._kept_as = f"settle/{dispute.doc.hex()}/{dispute.key}"
        self._is_busy = False

    def compose_body(self) -> ComposeResult:
        """Lay out the sides, and the form where this officer may settle."""
        with VerticalScroll(classes="sides", can_focus=bool(self._dispute.why_not)):
            yield Paragraphs(sides_text(self._dispute))
        if not self._dispute.why_not:
            yield FieldForm(settle_fields(self._dispute))

    def on_mount(self) -> None:
        """Say what it is about, and bring back what was typed before."""
        self.set_heading(f"{words.RESOLVE}: {self._dispute.label} - {self._dispute.code}")
        if self._dispute.why_not:
            self.say(f"{words.CANNOT_SETTLE}: {reason_text(self._dispute.why_not)}", StateStyle.SOON)
        else:
            self.work(partial(self.office.scratch.read, self._kept_as), self._bring_back)

    def _bring_back(self, note: Note | None) -> None:
        if note is None:
            return
        form = self.query_one(FieldForm)
        for name in ("typed", "ly_do"):
            if name in note.values and name in form.values():
                form.set_value(name, note.values[name])
        self.say(words.OLD_TEXT_BACK)

    def on_field_form_changed(self, event: FieldForm.Changed) -> None:
        """Keep what was typed; who types a value means it."""
        form = event.form
        if event.name == "typed" and event.value:
            form.set_value("choice", _TYPED)
        desk = self.desk
        self.keeper().put(Note(self._kept_as, dict(form.values()), desk.name, desk.store.clock()))

    def on_field_form_submitted(self) -> None:
        """Say how to sign."""
        self.say(words.PRESS_TO_SIGN)

    def action_save(self) -> None:
        """Check, sign and store."""
        if self._is_busy or self._dispute.why_not:
            return
        form = self.query_one(FieldForm)
        errors = form.check_fields()
        given = form.cleaned()
        if not errors and given["choice"] == _TYPED and not given["typed"]:
            errors = {"typed": words.TYPED_NEEDED}
            form.show_errors(errors)
            form.focus_field("typed")
        if errors:
            self.say(words.not_complete(len(errors)), StateStyle.LATE)
            return
        self._is_busy = True
        self.work(partial(settle, self.desk, self._dispute, given), self._done, self._not_done)

    def _done(self, _: Done) -> None:
        self.keeper().drop(self._kept_as)
        self.office.refresh_status()
        self.app.pop_screen()
        self.office.say(words.RESOLVED)

    def _not_done(self, error: Exception) -> None:
        self._is_busy = False
        if isinstance(error, NewSides):
            self.app.switch_screen(SettleScreen(error.dispute))
            self.office.say(words.CHANGED_MEANWHILE, StateStyle.SOON)
        else:
            self.complain(error)

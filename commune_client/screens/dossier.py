"""One dossier: what it says, what may be done now, and every signed event of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from commune_client.screens import words
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.dossier_text import facts_text, fields_text, timeline_text
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph, Paragraphs, Part

if TYPE_CHECKING:
    from commune_client.desk.facts import Dossier
    from onestop_sync.dossier.view import Choice

__all__ = ["DossierScreen", "MenuItem"]

_DIGITS = 9
_HARD = "\u00a0"
"""A space at which no line is broken."""


class MenuItem(NamedTuple):
    """Something that can be done with the dossier on the screen."""

    label: str
    run: Callable[[], None]


class _Read(NamedTuple):
    """A dossier, and the name of the legal profile that it was received under."""

    dossier: Dossier
    rule: str


class DossierScroll(VerticalScroll):
    """What the dossier says; Tab goes to the timeline, as there is nothing else to go to."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "screen.timeline", show=False)]


class DossierScreen(OfficeScreen):
    """One dossier."""

    NAME = "dossier"
    HEADING = words.DOSSIER
    AUTO_FOCUS = ".scroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("dossier"),
        *(Binding(str(digit), f"menu({digit})", show=False) for digit in range(1, _DIGITS + 1)),
    ]
    DEFAULT_CSS = """
    DossierScreen > .scroll { height: 1fr; scrollbar-size-vertical: 1; }
    DossierScreen .part { height: auto; padding: 0 1; margin: 0 0 1 0; }
    DossierScreen.-wide > .scroll { layout: grid; grid-size: 2; grid-columns: 5fr 6fr; grid-rows: auto; }
    DossierScreen.-wide .column { height: auto; }
    DossierScreen .column { height: auto; }
    DossierScreen > .actions { height: auto; max-height: 5; padding: 0 1; background: $surface; }
    """

    def __init__(self, doc: bytes) -> None:
        """Make the screen.

        Args:
            doc: Which dossier.
        """
        super().__init__()
        self.doc = doc
        self.dossier: Dossier | None = None

    def compose_body(self) -> ComposeResult:
        """Lay the parts out; they are filled when the dossier is read."""
        with DossierScroll(classes="scroll"):
            with Vertical(classes="column"):
                yield Paragraphs(classes="part facts")
                yield Paragraphs(classes="part fields")
            with Vertical(classes="column"):
                yield Paragraphs(classes="part timeline")
        yield Paragraphs(classes="actions")

    def reload(self) -> None:
        """Read the dossier anew."""
        self.work(self._read, self._show)

    def _read(self) -> _Read:
        dossier = self.desk.show(self.doc)
        rule = str((dossier.view.due_facts or {}).get("quy_dinh", ""))
        names = {profile.id: profile.name_vi for profile in self.desk.rules.known_profiles}
        return _Read(dossier, names.get(rule, rule))

    def _show(self, read: _Read) -> None:
        dossier = self.dossier = read.dossier
        self.set_heading(f"{words.DOSSIER} {dossier.code or words.DRAFT_CODE}")
        unit_name = self.desk.unit_name
        self._show_part("facts", facts_text(dossier, read.rule, unit_name))
        self._show_part("fields", fields_text(dossier))
        self._show_part("timeline", timeline_text(dossier, unit_name))
        self._show_part("actions", [self._menu_line()])

    def _menu_line(self) -> Paragraph:
        """Return the menu in one paragraph; what has no digit left is in the list of all commands."""
        parts: list[Part] = []
        for digit, item in enumerate(self.menu(), 1):
            key = str(digit) if digit <= _DIGITS else "F10"
            label = f" {item.label}".replace(" ", _HARD)
            parts += [(key, f"bold {StateStyle.SOON}"), (f"{label}   ", StateStyle.PLAIN)]
        return Paragraph(tuple(parts))

    def _show_part(self, name: str, paragraphs: list[Paragraph]) -> None:
        self.query_one(f".{name}", Paragraphs).paragraphs = tuple(paragraphs)

    def action_timeline(self) -> None:
        """Go to the timeline, and back to the top."""
        scroll = self.query_one(DossierScroll)
        timeline = self.query_one(".timeline", Paragraphs)
        if self.has_class("-wide"):
            return
        is_above = timeline.region.y > scroll.region.y and scroll.scroll_y < scroll.max_scroll_y
        if is_above:
            scroll.scroll_to_widget(timeline, top=True, animate=False)
        else:
            scroll.scroll_home(animate=False)

    # ------------------------------------------------------------------ doing

    def menu(self) -> list[MenuItem]:
        """Return what the signed-in officer may do with this dossier now, in the order of the work."""
        if self.dossier is None:
            return []
        items = [MenuItem(choice.label, partial(self.take, choice)) for choice in self.dossier.choices]
        items.append(MenuItem(words.ADD_NOTE, self._note))
        if self._may_attach():
            items.append(MenuItem(words.ATTACH, self._attach_file))
        if self.dossier.attachments:
            items.append(MenuItem(words.SAVE_ATTACHMENT, self._save_attachment))
        if self.dossier.view.due_facts:
            items.append(MenuItem(words.WHY, self.action_why))
        if self.dossier.view.code and self.desk.author:
            items.append(MenuItem(words.NOTE_FEE, self._note_fee))
        if self.dossier.view.step == "returned" and self.desk.author:
            items.append(MenuItem(words.RATE, self._rate))
        if self._may_void():
            items.append(MenuItem(words.VOID, self._void))
        return items

    def _may_attach(self) -> bool:
        author, dossier = self.desk.author, self.dossier
        if author is None or dossier is None:
            return False
        return dossier.view.why_not_edit(author, "dinh_kem/x") is None

    def _attach_file(self) -> None:
        from commune_client.screens.attach import AttachScreen

        if self.dossier is not None:
            self.app.push_screen(AttachScreen(self.dossier))

    def _save_attachment(self) -> None:
        from commune_client.screens.attach import SaveScreen

        if self.dossier is not None:
            self.app.push_screen(SaveScreen(self.dossier))

    def _may_void(self) -> bool:
        author = self.desk.author
        dossier = self.dossier
        if author is None or dossier is None or dossier.view.is_void:
            return False
        return dossier.view.why_not(author, ["set", "_void", "x"]) is None

    def action_menu(self, digit: int) -> None:
        """Do what stands beside the digit."""
        menu = self.menu()
        if digit <= len(menu):
            menu[digit - 1].run()

    def take(self, choice: Choice) -> None:
        """Take an action: ask what it needs, then sign."""
        from commune_client.screens.act import ActScreen
        from commune_client.screens.intake import open_draft

        dossier = self.dossier
        if dossier is None:
            return
        if choice.action == "accept":
            open_draft(self.office, None, doc=self.doc)
            return

        def read() -> tuple[tuple[str, ...], tuple[str, ...]]:
            missing = self.desk.missing_papers(self.doc) if choice.action == "ask_at_intake" else ()
            return self.desk.checklist(self.doc), missing

        def show(found: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
            units = [unit for unit in self.desk.units() if unit.id != dossier.view.unit]
            self.app.push_screen(ActScreen(dossier, choice, units, *found))

        self.work(read, show)

    def _note(self) -> None:
        from commune_client.screens.act import ActScreen, note_choice

        if self.dossier is not None:
            self.app.push_screen(ActScreen(self.dossier, note_choice()))

    def _note_fee(self) -> None:
        from commune_client.screens.act import ActScreen, fee_choice

        if self.dossier is not None:
            self.app.push_screen(ActScreen(self.dossier, fee_choice()))

    def _rate(self) -> None:
        from commune_client.screens.act import ActScreen, rate_choice

        if self.dossier is not None:
            self.app.push_screen(ActScreen(self.dossier, rate_choice()))

    def action_why(self) -> None:
        """Say why the dossier is due when it is."""
        from commune_client.screens.why import WhyScreen

        if self.dossier is not None and self.dossier.view.due_facts:
            self.app.push_screen(WhyScreen(self.doc))

    def _void(self) -> None:
        from commune_client.screens.act import ActScreen, void_choice

        if self.dossier is not None:
            self.app.push_screen(ActScreen(self.dossier, void_choice()))

    def action_verify(self) -> None:
        """Prove every signature of the dossier, from the root up."""
        from commune_client.screens.proof import ProofScreen

        self.app.push_screen(ProofScreen(self.doc))

    def action_print(self) -> None:
        """Print a form of the dossier."""
        from commune_client.screens.printing import open_print

        open_print(self.office, self.doc)

    def action_edit(self) -> None:
        """Correct what the dossier says."""
        from commune_client.screens.edit import open_edit

        if self.dossier is not None:
            open_edit(self.office, self.dossier)

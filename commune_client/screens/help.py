"""Help and the palette, both made from the table of actions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from commune_client.actions import EVERYWHERE, Action, action, actions_on
from commune_client.messages import LEVEL_LABELS
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.pick import Pick, PickScreen
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph, Paragraphs
from commune_client.widgets.row_list import Column

if TYPE_CHECKING:
    from commune_client.app import OnestopApp

__all__ = ["HelpScreen", "show_palette"]


class HelpScreen(OfficeScreen):
    """What can be done on the screen below, and what the marks mean."""

    NAME = "help"
    HEADING = words.HELP
    AUTO_FOCUS = ".scroll"
    DEFAULT_CSS = """
    HelpScreen > .scroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, screen: str) -> None:
        """Make the help.

        Args:
            screen: Name of the screen that it is about.
        """
        super().__init__()
        self._about = screen

    def compose_body(self) -> ComposeResult:
        """Lay the text out."""
        with VerticalScroll(classes="scroll"):
            yield Paragraphs(help_text(self._about))

    def key_actions(self) -> tuple[Action, ...]:
        """Only the way back."""
        return (action("back"), action("palette"))


def help_text(screen: str) -> list[Paragraph]:
    """Returns what can be done on a screen, from the table of actions, and what the marks mean."""
    items = actions_on(screen)
    own = [item for item in items if item.screen != EVERYWHERE]
    everywhere = [item for item in items if item.screen == EVERYWHERE]
    lines: list[Paragraph] = []
    if own:
        lines += [_head(words.KEYS_HERE), *map(_key_line, own), Paragraph()]
    lines += [_head(words.KEYS_EVERYWHERE), *map(_key_line, everywhere), Paragraph()]
    lines += [Paragraph.of(words.KEYS_LISTS), Paragraph.of(words.KEYS_FORMS), Paragraph()]
    lines += [_head(words.MARKS_TITLE)]
    lines += [Paragraph.of(f"  {mark:<4}{text}", indent=6) for mark, text in words.MARKS]
    levels = "  " + " -> ".join(LEVEL_LABELS.values())
    lines += [Paragraph(), _head(words.LEVELS_TITLE), Paragraph.of(levels, indent=4), Paragraph()]
    return [*lines, Paragraph.of(words.OFFLINE_HELP), Paragraph(), Paragraph.of(words.SIGNATURE_HELP)]


def _head(text: str) -> Paragraph:
    return Paragraph.of(text, "bold underline")


def _key_line(item: Action) -> Paragraph:
    command = f"  (onestop {item.command})" if item.command else ""
    key = (f"  {item.key_name or words.IN_PALETTE:<8}", f"bold {StateStyle.SOON}")
    return Paragraph((key, (f"{item.label}: {item.help}", StateStyle.PLAIN), (command, StateStyle.QUIET)), 10)


def show_palette(app: OnestopApp) -> None:
    """Offer everything that can be done on the screen, by its Vietnamese words."""
    screen = app.screen
    if not isinstance(screen, OfficeScreen) or isinstance(screen, PickScreen):
        return
    menu = screen.menu() if isinstance(screen, DossierScreen) else []
    items = [item for item in actions_on(screen.NAME) if item.name not in {"palette", "back"}]
    picks = [Pick(f"menu {n}", (str(n + 1) if n < 9 else "", item.label, "")) for n, item in enumerate(menu)]  # noqa: PLR2004 - digits
    offered = {item.label for item in menu}
    picks += [
        Pick(f"action {item.name}", (item.key_name, item.label, item.help))
        for item in items
        if item.label not in offered
    ]

    def then(key: str) -> None:
        kind, _, name = key.partition(" ")
        if kind == "menu":
            menu[int(name)].run()
        else:
            app.call_later(
                partial(app.run_action, name, screen if hasattr(screen, f"action_{name}") else app)
            )

    columns = [Column("", 7), Column("", 26), Column("")]
    app.push_screen(PickScreen(words.PALETTE, columns, picks, then, hint=words.PALETTE_HELP))

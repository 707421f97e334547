"""One readable theme, and the styles of states.

The colours keep their contrast in three worlds: true colour, the nearest of 16 colours, and NO_COLOR (where
Textual turns every colour into its grey, so `ansi-*` themes become black on black; never use those). A colour
is only ever the third sign of a state, after a word and an ASCII mark.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from textual.app import App
from textual.theme import Theme

BACKGROUND = "#000000"
SURFACE = "#1c2733"
PANEL = "#263645"
FOREGROUND = "#f2f2f2"

ONESTOP_THEME = Theme(
    name="onestop",
    primary="#55ffff",
    secondary="#aaaaaa",
    accent="#ffff55",
    warning="#ffff55",
    error="#ff8c8c",
    success="#55ff55",
    foreground=FOREGROUND,
    background=BACKGROUND,
    surface=SURFACE,
    panel=PANEL,
    dark=True,
    variables={
        "block-cursor-background": "#55ffff",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "input-cursor-background": "#f2f2f2",
        "input-cursor-foreground": "#000000",
        "input-selection-background": "#aaaaaa",
        "input-selection-foreground": "#000000",
        "footer-key-foreground": "#ffff55",
    },
)


class StateStyle(StrEnum):
    """Styles of states, each understood by Rich's `Text` and by Textual's `Content`."""

    PLAIN = FOREGROUND
    QUIET = "#aaaaaa"
    GOOD = "#55ff55"
    SOON = "#ffff55"
    LATE = "bold #ff8c8c"


def use_theme(app: App[Any]) -> None:
    """Register the theme with an app and switch to it.

    Call it in the app's `__init__`: once the app is mounted, a change of theme styles everything anew.
    """
    app.register_theme(ONESTOP_THEME)
    app.theme = ONESTOP_THEME.name

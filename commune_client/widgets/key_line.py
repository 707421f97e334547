"""The keys at the foot of a screen, made from the table of actions: one line, two where its own need them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from commune_client.actions import Action
from commune_client.theme import StateStyle

_GAP = "  "
_ALWAYS = ("palette", "back")
"""What stays when there is no room: from these every other key can be found."""
_OFTEN = ("help", "sync", "intake", "conflicts", "list", "outbox", "search", "notices", "quit")
"""What comes next, after a screen's own keys, the most useful first."""


_MOST_LINES = 2


class KeyLine(Widget):
    """Keys and what they do, as many as fit; the palette and the screen's own always do."""

    DEFAULT_CSS = """
    KeyLine { height: auto; width: 1fr; padding: 0 1; background: $surface; }
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        """Make the line.

        Args:
            actions: In the order in which they stand; those without a key are left out.
        """
        super().__init__()
        self.actions = tuple(item for item in actions if item.key)

    def render(self) -> Content:
        """Return the keys that fit."""
        lines = fitting_lines(self.actions, self.content_size.width)
        return Content("\n").join(Content(_GAP).join(map(_key, line)) for line in lines)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return how many lines the keys take."""
        return len(fitting_lines(self.actions, width))


def _key(item: Action) -> Content:
    return Content.assemble((item.key_name, f"bold {StateStyle.SOON}"), (f" {item.label}", StateStyle.PLAIN))


def fitting_lines(actions: Sequence[Action], width: int) -> list[list[Action]]:
    """Choose the actions whose keys fit lines of so many columns; they stand in the order given.

    One line is enough where it holds the screen's own; two are the most there are.
    """
    own = [item for item in actions if item.name in _ALWAYS or not _rank(item)]
    most = 1 if len(_broken(own, width)) <= 1 else _MOST_LINES
    kept = [item for item in actions if item.name in _ALWAYS]
    for item in sorted(actions, key=_rank):
        wanted = sorted([*kept, item], key=actions.index)
        if item not in kept and len(_broken(wanted, width)) <= most:
            kept = wanted
    return _broken(sorted(kept, key=actions.index), width)


def _broken(actions: Sequence[Action], width: int) -> list[list[Action]]:
    """Break keys into lines."""
    lines: list[list[Action]] = [[]]
    for item in actions:
        if lines[-1] and _width([*lines[-1], item]) > width:
            lines.append([])
        lines[-1].append(item)
    return lines


def _rank(item: Action) -> int:
    return _OFTEN.index(item.name) + 1 if item.name in _OFTEN else 0


def _width(actions: Sequence[Action]) -> int:
    texts = [f"{item.key_name} {item.label}" for item in actions]
    return sum(map(len, texts)) + len(_GAP) * (len(texts) - 1)

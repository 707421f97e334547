"""The line of keys at the foot of a screen, made from the table of actions."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widget import Widget

from commune_client.actions import Action
from commune_client.theme import StateStyle

_GAP = "  "
_ALWAYS = ("palette", "back")
"""What stays when there is no room: from these every other key can be found."""
_OFTEN = ("help", "sync", "intake", "conflicts", "list", "outbox", "search", "notices", "quit")
"""What comes next, after a screen's own keys, the most useful first."""


class KeyLine(Widget):
    """Keys and what they do, as many as fit; the palette always does."""

    DEFAULT_CSS = """
    KeyLine { height: 1; width: 1fr; padding: 0 1; background: $surface; }
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
        parts = [
            Content.assemble((item.key_name, f"bold {StateStyle.SOON}"), (f" {item.label}", StateStyle.PLAIN))
            for item in fitting_actions(self.actions, self.content_size.width)
        ]
        return Content(_GAP).join(parts)


def fitting_actions(actions: Sequence[Action], width: int) -> list[Action]:
    """Choose the actions whose keys fit a line of so many columns; they stand in the order given."""
    kept = [item for item in actions if item.name in _ALWAYS]
    for item in sorted(actions, key=_rank):
        if item not in kept and _width([*kept, item]) <= width:
            kept.append(item)
    return sorted(kept, key=actions.index)


def _rank(item: Action) -> int:
    return _OFTEN.index(item.name) + 1 if item.name in _OFTEN else 0


def _width(actions: Sequence[Action]) -> int:
    texts = [f"{item.key_name} {item.label}" for item in actions]
    return sum(map(len, texts)) + len(_GAP) * (len(texts) - 1)

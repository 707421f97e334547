"""The state of a due date as a mark, words and a colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from commune_client import strings
from commune_client.theme import StateStyle


class DueKind(Enum):
    """What the clock of a dossier is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True)
class DueState:
    """A due date, already counted by the domain.

    Attributes:
        days_left: Days until the due date; 0 is today, negative is late, None where no date was promised.
        kind: Whether the clock runs, waits (for a supplement, say), or has ended.
    """

    days_left: int | None
    kind: DueKind = DueKind.RUNNING


def due_text(state: DueState, *, soon_days: int = 1) -> tuple[str, StateStyle]:
    """Say the state of a due date.

    Args:
        state: The due date.
        soon_days: From how many days before the date it is called soon.

    Returns:
        Mark and words, and the style. Each state differs by its mark and its words alone.
    """
    if state.kind is DueKind.DONE:
        return f"{strings.OK_MARK} {strings.DUE_DONE}", StateStyle.GOOD
    if state.kind is DueKind.PAUSED:
        return f"= {strings.DUE_PAUSED}", StateStyle.QUIET
    if state.days_left is None:
        return f"- {strings.DUE_NONE}", StateStyle.QUIET
    return _running_text(state.days_left, soon_days)


def _running_text(days_left: int, soon_days: int) -> tuple[str, StateStyle]:
    if days_left < 0:
        return f"{strings.ERROR_MARK} {strings.due_over(-days_left)}", StateStyle.LATE
    if days_left == 0:
        return f"{strings.WARNING_MARK} {strings.DUE_TODAY}", StateStyle.SOON
    if days_left <= soon_days:
        return f"~ {strings.due_left(days_left)}", StateStyle.SOON
    return strings.due_left(days_left), StateStyle.PLAIN


class DueLabel(Widget):
    """One line that shows a due date's state."""

    DEFAULT_CSS = """
    DueLabel { width: auto; height: 1; }
    """

    state: reactive[DueState] = reactive(DueState(None), layout=True)

    def __init__(self, state: DueState, *, widget_id: str | None = None) -> None:
        """Make a label.

        Args:
            state: The due date; assign `state` to change it.
            widget_id: The widget's id.
        """
        super().__init__(id=widget_id)
        self.set_reactive(DueLabel.state, state)

    def render(self) -> Content:
        """Return the line."""
        text, style = due_text(self.state)
        return Content.styled(text, style)

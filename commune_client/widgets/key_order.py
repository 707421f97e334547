"""Keys handled in the order in which they were typed.

Vietnamese input methods (Unikey, ibus) send Backspaces and letters in one burst. A stock text widget
inserts a letter at once, in its key handler, while Backspace, arrows and Tab bubble up to the app, which
looks up their binding later: their order is lost (`tieengs` gives `tieên`). The cure is to run the widget's
own bindings inside its key handler, before the letters that follow.

Source: Textual issue 6605 and pull request 6631, both open; drop this module when upstream ships it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding

if TYPE_CHECKING:
    from textual.events import Key
    from textual.widget import Widget

FOCUS_BINDINGS = [
    Binding("tab", "app.focus_next", "Ô sau", show=False),
    Binding("shift+tab", "app.focus_previous", "Ô trước", show=False),
]
"""Tab as a binding of the widget itself, so that it too keeps its place among the letters."""


async def run_key_in_order(widget: Widget, event: Key) -> bool:
    """Run the widget's own binding for a key, or pass on a key that was typed after the focus had moved.

    Args:
        widget: The focusable widget whose key handler calls this first.
        event: The key.

    Returns:
        True when the key is done with; False when it is a letter, or a key for somebody above.
    """
    if _pass_to_focused(widget, event):
        handled = True
    else:
        handled = await _run_own_binding(widget, event)
    if handled:
        event.stop()
        event.prevent_default()
    return handled


def _pass_to_focused(widget: Widget, event: Key) -> bool:
    """Hand a key over to the field that has the focus now: it was queued here before a Tab took effect."""
    focused = widget.screen.focused
    if focused is None or focused is widget:
        return False
    focused._forward_event(event.copy())  # noqa: SLF001 - as the app itself forwards a key
    return True


async def _run_own_binding(widget: Widget, event: Key) -> bool:
    """Run the first of the widget's own bindings that accepts the key; priority bindings ran in the app."""
    for binding in widget._bindings.key_to_bindings.get(event.key, ()):  # noqa: SLF001 - no public view
        if not binding.priority and await widget.app.run_action(binding.action, widget):
            return True
    return False

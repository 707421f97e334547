"""Lines of words that are wrapped with a hanging indent: labels stay alone in their column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from commune_client.theme import StateStyle

Part = tuple[str, str]
"""Text and its style."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words that belong together.

    Attributes:
        parts: Text with styles, in order.
        indent: Column at which the lines after the first begin.
    """

    parts: tuple[Part, ...] = ()
    indent: int = 0

    @classmethod
    def of(cls, text: str, style: str = StateStyle.PLAIN, indent: int = 0) -> Paragraph:
        """Returns a paragraph of one style."""
        return cls(((text, style),), indent)

    @classmethod
    def labelled(cls, label: str, text: str, *more: Part, width: int = 20) -> Paragraph:
        """Returns a label in its column, and beside it what it names.

        Args:
            label: What stands on the left, without a colon.
            text: What stands on the right.
            more: More of it, with styles.
            width: Columns of the label.
        """
        head = f"{label + ':':<{width}}"
        gap = "" if head.endswith(" ") else " "
        return cls(((head + gap, StateStyle.QUIET), (text, StateStyle.PLAIN), *more), width)


def wrap(paragraph: Paragraph, width: int) -> list[Content]:
    """Returns the lines of a paragraph in so many columns; a word that is wider is broken."""
    lines: list[list[Part]] = [[]]
    at = start = 0
    indent = min(paragraph.indent, max(width // 2, 0))
    for word in _words(paragraph.parts, max(width - indent, 1)):
        text = "".join(piece for piece, _ in word)
        if at > start and at + cell_len(text.rstrip(" ")) > width:
            lines.append([(" " * indent, "")])
            at = start = indent
        lines[-1] += word
        at += cell_len(text)
    return [Content.assemble(*line) for line in lines]


def _words(parts: Sequence[Part], widest: int) -> Iterator[list[Part]]:
    """Yields words with the spaces that follow them; a word may be of several styles."""
    word: list[Part] = []
    for piece, style in _pieces(parts, widest):
        word.append((piece, style))
        if piece.endswith(" ") or len(piece) >= widest:
            yield word
            word = []
    if word:
        yield word


def _pieces(parts: Sequence[Part], widest: int) -> Iterator[Part]:
    """Yields runs of one style, each up to the end of a word."""
    for text, style in parts:
        start = 0
        for at in range(1, len(text) + 1):
            is_end = at == len(text) or (text[at - 1] == " " and text[at] != " ")
            if is_end or at - start >= widest:
                yield text[start:at], style
                start = at


class Paragraphs(Widget):
    """Paragraphs, wrapped to the width that there is."""

    DEFAULT_CSS = """
    Paragraphs { height: auto; width: 1fr; }
    """

    paragraphs: reactive[tuple[Paragraph, ...]] = reactive((), layout=True)

    def __init__(self, paragraphs: Sequence[Paragraph] = (), *, classes: str = "") -> None:
        """Make the widget.

        Args:
            paragraphs: What it shows; assign `paragraphs` to change it.
            classes: CSS classes.
        """
        super().__init__(classes=classes)
        self.set_reactive(Paragraphs.paragraphs, tuple(paragraphs))

    def render(self) -> Content:
        """Return all lines."""
        return Content("\n").join(self._lines(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return how many lines there are."""
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Content]:
        return [line for paragraph in self.paragraphs for line in wrap(paragraph, width)]

"""The register of a year: its volumes, what is missing, who closed it; printed and closed from here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll

from commune_client.register_words import register_lines
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.printing import Printing, manner_of
from commune_client.widgets.field_rules import FormField
from commune_client.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk.print_facts import Printed, RegisterFacts

__all__ = ["PrintRegisterScreen", "RegisterScreen", "ask_register"]

_YEAR_DIGITS = 4


def ask_register(app: OnestopApp) -> None:
    """Ask for the year, and show its register."""

    def show(year: int) -> None:
        app.push_screen(RegisterScreen(year))

    app.push_screen(
        AskScreen(
            words.REGISTER, words.REGISTER_ABOUT,
            [Line(words.REGISTER_YEAR, is_secret=False, value=str(app.desk.today().year))],
            int, show,
            check=lambda year: "" if _is_year(year) else words.REGISTER_WRONG_YEAR,
        )
    )  # fmt: skip


def _is_year(text: str) -> bool:
    return len(text) == _YEAR_DIGITS and text.isascii() and text.isdigit()


class RegisterScreen(OfficeScreen):
    """A year's register."""

    NAME = "register"
    HEADING = words.REGISTER
    AUTO_FOCUS = ".scroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("register")
    DEFAULT_CSS = """
    RegisterScreen > .scroll { height: 1fr; padding: 1 2; scrollbar-size-vertical: 1; }
    """

    def __init__(self, year: int) -> None:
        """Make the screen.

        Args:
            year: Of which year.
        """
        super().__init__()
        self._year = year

    def compose_body(self) -> ComposeResult:
        """Lay the lines out; they are filled when the register is read."""
        with VerticalScroll(classes="scroll"):
            yield Paragraphs([Paragraph.of(words.REGISTER_READING)])

    def reload(self) -> None:
        """Read the register anew."""
        self.set_heading(f"{words.REGISTER} {self._year}")
        self.work(partial(self.desk.register, self._year), self._show)

    def _show(self, found: RegisterFacts) -> None:
        lines = tuple(Paragraph.of(line, indent=4) for line in register_lines(found))
        self.query_one(Paragraphs).paragraphs = lines

    def action_print(self) -> None:
        """Print it."""
        self.app.push_screen(PrintRegisterScreen(self._year))

    def action_close(self) -> None:
        """Close it, with the passphrase."""
        lines = [
            Line(words.REGISTER_REASON, is_secret=False, value=words.REGISTER_NO_REASON),
            Line(words.UNLOCK_WITH),
        ]
        about = words.close_about(self._year)
        self.app.push_screen(AskScreen(words.REGISTER_CLOSE, about, lines, self._sign, self._signed))

    def _sign(self, reason: str, passphrase: str) -> None:
        self.desk.confirm(passphrase)
        self.desk.close_register(self._year, "" if reason == words.REGISTER_NO_REASON else reason)

    def _signed(self, _: None) -> None:
        self.office.say(words.REGISTER_CLOSED)


class PrintRegisterScreen(Printing):
    """Prints a year's register."""

    HEADING = words.REGISTER

    def __init__(self, year: int) -> None:
        """Make the screen.

        Args:
            year: Of which year.
        """
        super().__init__(f"{words.REGISTER} {year}")
        self._year = year

    def fields(self) -> list[FormField]:
        """Return what is asked: how and where; a register is on A4 by itself."""
        manner, *others = self.manner_fields()
        return [replace(manner, options=words.PRINT_REGISTER_MANNERS), *others]

    def start(self, given: dict[str, str]) -> None:
        """Print."""
        self.work(partial(self._print, given), self.printed, self.not_done)

    def _print(self, given: dict[str, str]) -> Printed:
        place = Path(given["path"].strip()).expanduser()
        printed = self.desk.print_register(self._year, place, manner=manner_of(given))
        self.keep_folder(place)
        return printed

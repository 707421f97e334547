"""Printing forms: of one dossier, or one form of every dossier that was accepted on a day."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from commune_client.screens import words
from commune_client.screens.attach import FileScreen, about_dossier
from commune_client.screens.base import bindings_of
from commune_client.theme import StateStyle
from commune_client.widgets.field_rules import FieldValue, FormField

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commune_client.app import OnestopApp
    from commune_client.desk.facts import Dossier
    from commune_client.desk.print_facts import Manner, PrintChoice, Printed

__all__ = ["PrintDayScreen", "PrintScreen", "Printing", "open_print", "open_print_day"]


def open_print(office: OnestopApp, doc: bytes) -> None:
    """Ask which form of a dossier is printed."""

    def read() -> tuple[Dossier, list[PrintChoice]]:
        return office.desk.show(doc), office.desk.printable(doc)

    def show(found: tuple[Dossier, list[PrintChoice]]) -> None:
        dossier, choices = found
        if choices:
            office.push_screen(PrintScreen(dossier, choices))
        else:
            office.say(words.PRINT_NONE, StateStyle.SOON)

    office.work(read, show)


def open_print_day(office: OnestopApp) -> None:
    """Ask of which day the dossiers are printed."""
    office.push_screen(PrintDayScreen())


class Printing(FileScreen):
    """Asks how something is printed, and where the file goes."""

    NAME = "print"
    HEADING = words.PRINT
    PRESS = words.PRESS_TO_PRINT
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("print")]

    def manner_fields(self) -> list[FormField]:
        """Return how, where, and whether it goes to the printer where one is set."""
        config = self.desk.place.config
        send = [FormField("send", words.PRINT_SEND, "choice", options=words.PRINT_SENDS)]
        return [
            FormField("manner", words.PRINT_MANNER, "choice", required=True, options=words.PRINT_MANNERS),
            *(send if config.printer else []),
            FormField("path", words.PRINT_PATH, required=True, help=words.PRINT_PATH_HELP, limit=1000),
        ]

    def first_values(self) -> dict[str, FieldValue]:
        """Return the usual manner, and the folder that was chosen before; at first the user's own."""
        config = self.desk.place.config
        found: dict[str, FieldValue] = {"manner": "a5", "path": config.print_folder or str(Path.home())}
        return found | ({"send": "yes"} if config.printer else {})

    def printed(self, printed: Printed) -> None:
        """Go back, and say where the file is."""
        self.finish(
            words.printed(
                printed.sheets,
                printed.again,
                str(printed.path),
                is_sent=printed.is_sent,
                failed=len(printed.failed),
            )
        )

    def keep_folder(self, folder: Path) -> None:
        """Remember where files go, when it is a folder; runs in the desk's thread."""
        config = self.desk.place.config
        if folder.is_dir() and str(folder) != config.print_folder:
            self.desk.place.save_config(config.with_(print_folder=str(folder)))


class PrintScreen(Printing):
    """Prints a form of one dossier."""

    def __init__(self, dossier: Dossier, choices: Sequence[PrintChoice]) -> None:
        """Make the screen.

        Args:
            dossier: Which dossier.
            choices: The forms that there are of it; not empty.
        """
        super().__init__(about_dossier(dossier))
        self._doc = dossier.doc
        self._choices = tuple(choices)

    def fields(self) -> list[FormField]:
        """Return what is asked: which form, how and where."""
        options = tuple((choice.form, f"{choice.number}  {choice.name}") for choice in self._choices)
        form = FormField("form", words.PRINT_FORM, "choice", required=True, options=options)
        return [form, *self.manner_fields()]

    def first_values(self) -> dict[str, FieldValue]:
        """Return the form of the newest act, or the first, as well."""
        form = next((choice for choice in self._choices if choice.is_next), self._choices[0]).form
        return {"form": form, **super().first_values()}

    def start(self, given: dict[str, str]) -> None:
        """Print."""
        self.work(partial(self._print, given), self.printed, self.not_done)

    def _print(self, given: dict[str, str]) -> Printed:
        place = _place(given)
        printed = self.desk.print_forms([self._doc], given["form"], place, manner_of(given))
        self.keep_folder(place)
        return printed


class PrintDayScreen(Printing):
    """Prints one form of every dossier that was accepted on a day."""

    HEADING = words.PRINT_DAY

    def __init__(self) -> None:
        """Make the screen."""
        super().__init__(words.PRINT_DAY_ABOUT)

    def fields(self) -> list[FormField]:
        """Return what is asked: the day, which form, how and where."""
        from onestop_sync.dossier.forms.kinds import CONTROL_SLIP, FORM_LABELS, RECEIPT

        options = tuple((form, FORM_LABELS[form]) for form in (RECEIPT, CONTROL_SLIP))
        return [
            FormField("day", words.PRINT_DAY_FIELD, "date", required=True),
            FormField("form", words.PRINT_FORM, "choice", required=True, options=options),
            *self.manner_fields(),
        ]

    def first_values(self) -> dict[str, FieldValue]:
        """Return today and the receipt, as well."""
        today = self.desk.today().isoformat()
        return {"day": today, "form": "receipt", **super().first_values(), "manner": "two"}

    def start(self, given: dict[str, str]) -> None:
        """Print."""
        self.work(partial(self._print, given), self._done, self.not_done)

    def _print(self, given: dict[str, str]) -> Printed | None:
        from datetime import date

        docs = self.desk.received_on(date.fromisoformat(given["day"]))
        if not docs:
            return None
        place = _place(given)
        printed = self.desk.print_forms(docs, given["form"], place, manner_of(given))
        self.keep_folder(place)
        return printed

    def _done(self, printed: Printed | None) -> None:
        if printed is not None:
            self.printed(printed)
            return
        self._is_busy = False
        self.say(words.PRINT_NO_DOSSIERS, StateStyle.SOON)


def _place(given: dict[str, str]) -> Path:
    return Path(given["path"].strip()).expanduser()


def manner_of(given: dict[str, str]) -> Manner:
    """Returns the manner that was chosen on a screen."""
    from commune_client.desk.print_facts import Manner

    chosen = given.get("manner", "a5")
    return Manner(
        is_text=chosen == "text",
        is_two_up=chosen in {"two", "double"},
        copies=2 if chosen == "double" else 1,
        has_form_feeds=chosen == "text",
        to_printer=given.get("send") == "yes",
    )

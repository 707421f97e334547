"""An older register taken in: a dry run of two files shows what would come of it, then it is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from commune_client.actions import Action, action
from commune_client.import_words import import_lines, read_mapping
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.base import bindings_of
from commune_client.screens.text_page import TextPage
from commune_client.theme import StateStyle
from onestop_sync.errors import InvalidInput

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk import Desk
    from commune_client.desk.old_register import RegisterImport
    from onestop_sync.dossier.register_rows import RegisterMap

__all__ = ["ImportScreen", "ask_import"]


def ask_import(office: OnestopApp) -> None:
    """Asks for the table and for what its columns mean, and shows a dry run."""

    def look(table: str, mapping: str) -> ImportScreen:
        path, place = Path(table).expanduser(), Path(mapping).expanduser()
        if not place.exists():
            office.desk.propose_mapping(path, place)
            raise InvalidInput("A mapping was proposed.", reason="mapping_proposed")
        screen = ImportScreen(path, place)
        screen.tried(*screen.attempt(office.desk))
        return screen

    lines = [Line(words.TABLE_FILE, is_secret=False), Line(words.MAPPING_FILE, is_secret=False)]

    def show(screen: ImportScreen) -> None:
        office.push_screen(screen)

    office.push_screen(AskScreen(words.IMPORT_REGISTER, words.IMPORT_REGISTER_ABOUT, lines, look, show))


class ImportScreen(TextPage):
    """What a dry run found: each bad line with its reason, or how much would be taken in."""

    NAME = "import_register"
    HEADING = words.IMPORT_REGISTER
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("import_register")
    MARK = words.BAD_LINE

    def __init__(self, path: Path, mapping: Path) -> None:
        """Make the screen of a dry run; `tried` says what that found.

        Args:
            path: The table.
            mapping: What its columns mean.
        """
        super().__init__(b"")
        self._path, self._mapping = path, mapping
        self._how: RegisterMap
        self._found: RegisterImport
        self._is_busy = False

    def attempt(self, desk: Desk) -> tuple[RegisterMap, RegisterImport]:
        """Return what the files say now, and what would come of it; runs in the desk's thread."""
        how = read_mapping(self._mapping)
        return how, desk.import_register(self._path, how, dry_run=True)

    def tried(self, how: RegisterMap, found: RegisterImport) -> None:
        """Take what a dry run found."""
        self._how, self._found = how, found

    def key_actions(self) -> tuple[Action, ...]:
        """Take it in, go back, help."""
        return (action("save", "import_register"), action("back"), action("help"))

    def reload(self) -> None:
        """Show what was found."""
        found = self._found
        head = words.IMPORT_READY if self._is_good and not found.is_done else ""
        self.show_lines([self._path.name, "", *import_lines(found, self._how), *([head] if head else [])])

    @property
    def _is_good(self) -> bool:
        return not self._found.bad and bool(self._found.going + self._found.old)

    def action_save(self) -> None:
        """Take all of it in, in one write; with a bad line nothing is, and the files are looked at again."""
        if self._is_busy or self._found.is_done:
            return
        self._is_busy = True
        self.say(words.WORKING)
        if not self._is_good:
            self.work(lambda: self.attempt(self.desk), self._tried_again, self._not_done)
            return
        self.work(lambda: self.desk.import_register(self._path, self._how), self._done, self._not_done)

    def _tried_again(self, result: tuple[RegisterMap, RegisterImport]) -> None:
        self._is_busy = False
        self.tried(*result)
        self.say("" if self._is_good else words.IMPORT_NOT_GOOD, StateStyle.LATE)
        self.reload()

    def _done(self, found: RegisterImport) -> None:
        self._is_busy = False
        self._found = found
        self.office.refresh_status()
        self.say("")
        self.reload()

    def _not_done(self, error: Exception) -> None:
        self._is_busy = False
        self.complain(error)

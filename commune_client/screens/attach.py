"""Attaching a scan to a dossier, and saving one to a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from commune_client.screens import words
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.theme import StateStyle
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue, FormField

if TYPE_CHECKING:
    from commune_client.desk.facts import AttachDone, Dossier

__all__ = ["AttachScreen", "FileScreen", "PathSuggester", "SaveScreen", "about_dossier", "completed"]

_OTHER = "-"
_SMALLER = "nho"
_AS_IS = "nguyen"


def completed(text: str) -> str | None:
    """Returns a path that begins with what was typed; ``None`` when none does, or it is whole.

    Of several the first by name is proposed, as it is written on the disk; folders with a slash.
    """
    if not text.strip():
        return None
    head, slash, start = text.rpartition("/")
    folder = Path(head or slash or ".").expanduser()
    try:
        names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in folder.iterdir())
    except OSError:
        return None
    wanted = start.casefold()
    found = [
        name
        for name in names
        if (not name.startswith(".") or start.startswith("."))
        and name.casefold().startswith(wanted)
        and len(name) > len(start)
    ]
    exact = [name for name in found if name.startswith(start)]
    return head + slash + (exact or found)[0] if found else None


class PathSuggester(Suggester):
    """Proposes the rest of a path."""

    def __init__(self) -> None:
        """Make it; the disk changes, so nothing is remembered."""
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Return the whole path, or nothing."""
        return completed(value)


class FileScreen(OfficeScreen):
    """A form of which the field ``path`` is a path."""

    NAME = "act"
    PRESS: ClassVar[str] = words.PRESS_TO_SIGN
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("act")]
    DEFAULT_CSS = """
    FileScreen > .about { height: auto; padding: 1 1 0 1; margin: 0 0 1 0; }
    """

    def __init__(self, about: str) -> None:
        """Make the screen.

        Args:
            about: What it is about, above the form.
        """
        super().__init__()
        self._about = about
        self._is_busy = False

    def fields(self) -> list[FormField]:
        """Return what is asked."""
        raise NotImplementedError

    def first_values(self) -> dict[str, FieldValue]:
        """Return what stands in the form at first."""
        return {}

    def compose_body(self) -> ComposeResult:
        """Lay out what it is about, and what is asked."""
        yield Static(Content(self._about), classes="about")
        yield FieldForm(self.fields(), self.first_values())

    def on_mount(self) -> None:
        """Say what is done here, and have the path completed."""
        self.set_heading(self.HEADING)
        for field in self.query("#field-path").results(Input):
            field.suggester = PathSuggester()

    def on_field_form_submitted(self) -> None:
        """Say how to go on."""
        self.say(self.PRESS)

    def action_save(self) -> None:
        """Check, and do it."""
        form = self.query_one(FieldForm)
        if self._is_busy:
            return
        if errors := form.check_fields():
            self.say(words.not_complete(len(errors)), StateStyle.LATE)
            return
        self._is_busy = True
        self.start({name: str(value) for name, value in form.cleaned().items()})

    def start(self, given: dict[str, str]) -> None:
        """Do it with what was filled in."""
        raise NotImplementedError

    def not_done(self, error: Exception) -> None:
        """Say why not; what was typed is still there."""
        self._is_busy = False
        self.complain(error)

    def finish(self, text: str) -> None:
        """Go back to the dossier and say what was done."""
        self.office.refresh_status()
        self.app.pop_screen()
        self.office.say(text)


def about_dossier(dossier: Dossier) -> str:
    """Returns what stands above a form about a dossier."""
    view = dossier.view
    return f"{view.code}  {view.applicant}\n{view.procedure_name}"


class _OfDossier(FileScreen):
    """A form about one dossier."""

    def __init__(self, dossier: Dossier) -> None:
        """Make the screen.

        Args:
            dossier: Which dossier.
        """
        super().__init__(about_dossier(dossier))
        self._dossier = dossier


class AttachScreen(_OfDossier):
    """Attaches a file."""

    HEADING = words.ATTACH

    def fields(self) -> list[FormField]:
        """Return what is asked: the file, what it shows, and whether to make it smaller."""
        registers = self._dossier.view.state.registers
        papers = sorted(key.partition("/")[2] for key in registers if key.startswith("giay_to/"))
        options = ((_OTHER, words.ATTACH_OTHER), *((name, name) for name in papers))
        sizes = ((_AS_IS, words.ATTACH_AS_IS), (_SMALLER, words.ATTACH_SMALLER))
        return [
            FormField("path", words.ATTACH_PATH, required=True, help=words.ATTACH_PATH_HELP, limit=1000),
            FormField("paper", words.ATTACH_PAPER, "choice", options=options),
            FormField("size", words.ATTACH_SHRINK, "choice", options=sizes),
        ]

    def start(self, given: dict[str, str]) -> None:
        """Attach the file."""
        paper = given.get("paper", "")
        attach = partial(
            self.desk.attach, self._dossier.doc, Path(given["path"].strip()).expanduser(),
            paper="" if paper == _OTHER else paper, shrink=given.get("size") == _SMALLER,
        )  # fmt: skip
        self.work(attach, self._done, self.not_done)

    def _done(self, done: AttachDone) -> None:
        from onestop_sync.dossier.labels import size_words

        self.finish(words.attached(done.name, size_words(done.size_bytes)))


class SaveScreen(_OfDossier):
    """Saves an attachment to a file."""

    HEADING = words.SAVE_ATTACHMENT

    def fields(self) -> list[FormField]:
        """Return what is asked: which one, and where."""
        names = tuple((each.name, each.name) for each in self._dossier.attachments)
        return [
            FormField("which", words.ATTACH_WHICH, "choice", required=True, options=names),
            FormField("path", words.SAVE_PATH, required=True, help=words.SAVE_PATH_HELP, limit=1000),
        ]

    def start(self, given: dict[str, str]) -> None:
        """Save it, or ask for it when it is not here."""
        path = Path(given["path"].strip()).expanduser()
        save = partial(self.desk.save_attachment, self._dossier.doc, given["which"], path)
        self.work(save, self._done, self.not_done)

    def _done(self, path: Path) -> None:
        self.finish(words.saved_to(str(path)))

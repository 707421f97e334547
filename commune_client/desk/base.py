"""What every part of a desk stands on: the store, the officer who is signed in, the clock and the rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from commune_client.desk.clockwatch import ClockWatch
from commune_client.desk.facts import ClockFacts, Officer, UnitFacts
from commune_client.desk.notebook import GATHER_S, Notebook
from commune_client.desk.place import Place
from commune_client.desk.unsigned import Unsigned
from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.checks import Problem
from onestop_sync.dossier.codes import read_dossier_code
from onestop_sync.dossier.dates import local, to_ms
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.personal import is_masked_for, masked_state
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.rules import Rules, RulesFacts, agency_aliases
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.view import DossierView
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.keyring import Secrets
from onestop_sync.keys import Signer
from onestop_sync.publication import Publication
from onestop_sync.search_text import fold_text
from onestop_sync.state import Author, State
from onestop_sync.storage.queries import Levels
from onestop_sync.store import Document, Store
from onestop_sync.writer import Writer

__all__ = ["Base", "Unready", "changed_values", "day_of"]

_DOC_HEX: Final = re.compile(r"[0-9a-f]{32}")
_SHORT: Final = re.compile(r"[0-9]{1,7}")


class Unready(InvalidInput):
    """What was typed does not do; nothing was changed. `problems` says what is wrong, all of it."""

    code = "unready"

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = [problem for problem in problems if problem.is_blocking]
        what = "; ".join(f"{problem.key}: {problem.code}" for problem in found)
        super().__init__(f"The dossier is not ready: {what}.", todo="Correct what is named, and try again.")
        self.problems = tuple(found)


class Base:
    """A store and the officer who is signed in.

    Attributes:
        place: The machine's folder.
        store: Its store.
        name: Name of the officer.
        notebook: Notes in the audit trail what is done at this desk, see `watch`.
        asks_again: Whether each decision needs the passphrase anew (`confirm`): on a screen that stays open.
    """

    def __init__(self, place: Place, store: Store, secrets: Secrets, *, command: str = "") -> None:
        self.place = place
        self.store = store
        self._rules: tuple[Publication, Rules] | None = None
        self.name = secrets.holder
        self._watch = ClockWatch(place, store)
        self._machine = secrets.machine.public
        self._signer: Signer | None = secrets.officer
        self.asks_again = False
        self._is_confirmed = False
        self._command = command
        self.notebook = Notebook(store, secrets.machine, Unsigned(place.folder), 0 if command else GATHER_S)
        self._note_coming()

    # ---- the officer

    @property
    def is_locked(self) -> bool:
        """Whether the officer's key was dropped; reading and synchronising go on."""
        return self._signer is None

    def _note_coming(self) -> None:
        """Notes who has unlocked: at once, or for one command with the first thing that it does."""
        self.notebook.use(self._signer, self.name)
        self.notebook.sweep()
        if self._command:
            self.notebook.keep("command", code=self._command)
        else:
            self.notebook.keep("login")
            self.notebook.flush()

    def lock(self) -> None:
        """Drops the officer's key until somebody unlocks again, once what was noted is signed."""
        if self._signer is None:
            return
        self.notebook.keep("lock")
        self._signer, self._is_confirmed = None, False
        self.notebook.use(None, self.name)
        self.notebook.flush_soon()

    def unlock(self, officer: str, passphrase: str) -> None:
        """Signs an officer in on the open store.

        Raises:
            NotFound: Nobody of that name works here.
            WrongPassphrase: It does not open.
        """
        secrets = self.place.secrets(officer, passphrase)
        self.name, self._signer, self._is_confirmed = secrets.holder, secrets.officer, False
        self._note_coming()

    def confirm(self, passphrase: str) -> None:
        """Notes that the officer who is signed in gave the passphrase: for one decision.

        Raises:
            WrongPassphrase: It is not theirs.
            TooManyTries: It was not tried.
            NotAllowed: The desk is locked.
        """
        signer = self.signer
        if self.place.secrets(self.name, passphrase).officer.public != signer.public:
            raise NotAllowed("The officer's key was replaced.", todo="Start again.", reason="locked")
        self._is_confirmed = True

    def _use_confirmation(self) -> None:
        """Uses up what `confirm` noted, where decisions need it.

        Raises:
            NotAllowed: The passphrase was not given for this decision.
        """
        if self.asks_again and not self._is_confirmed:
            raise NotAllowed(
                "A decision needs the passphrase.", todo="Type the passphrase to sign.", reason="confirm"
            )
        self._is_confirmed = False

    def close(self) -> None:
        """Closes the store; of dossiers nothing is written by closing it."""
        if self._signer is not None and not self._command:
            self.notebook.keep("logout")
        self._signer = None
        self.notebook.flush()
        self.store.close()

    @property
    def signer(self) -> Signer:
        """The officer's key.

        Raises:
            NotAllowed: The desk is locked.
        """
        if self._signer is None:
            raise NotAllowed("The desk is locked.", todo="Unlock it with your passphrase.", reason="locked")
        return self._signer

    @property
    def writer(self) -> Writer:
        """The officer's hand.

        Raises:
            NotAllowed: The desk is locked, or nobody has certified the officer's key.
        """
        signer = self.signer
        self._watch.look()
        return self.store.writer(signer)

    @property
    def author(self) -> Author | None:
        """By which authority the officer writes; ``None`` without one."""
        try:
            return self.writer.author
        except NotAllowed:
            return None

    @property
    def officer(self) -> Officer:
        """Who is signed in."""
        author = self.author
        unit = author.unit if author else self.store.unit
        roles = tuple(sorted(author.roles)) if author else ()
        return Officer(self.name, unit, self.unit_name(unit), roles, author is not None)

    @property
    def is_masked(self) -> bool:
        """Whether the officer sees citizens masked: nobody certified them for work on dossiers."""
        author = self.author
        return author is None or is_masked_for(author.roles)

    def _check_sight(self) -> None:
        """Holds back what cannot be masked from who does no work on dossiers.

        Raises:
            NotAllowed: The officer sees citizens masked.
        """
        if self.is_masked:
            raise NotAllowed("Only who works on dossiers sees this whole.", reason="masked")

    @property
    def machine_name(self) -> str:
        """The machine's name, as certified.

        Raises:
            NotAllowed: Nobody has certified the machine.
        """
        return self.store.find_authority(self._machine)[1].name

    # ---- the rules

    @property
    def rules(self) -> Rules:
        """Catalogue, calendar and legal profiles, as the newest publication that is here says."""
        publication = self.store.publication
        if self._rules is None or self._rules[0] is not publication:
            self._rules = (publication, rules_of(self.store))
        return self._rules[1]

    def rules_facts(self) -> RulesFacts:
        """Returns which versions of the rules are in force here today."""
        return self.rules.facts(self.today())

    # ---- units

    def unit_name(self, unit: str) -> str:
        """Returns a unit's Vietnamese name; of one unknown here, its id."""
        found = self.store.trust.document.units.get(unit)
        return found.name if found else one_line(unit)

    def units(self) -> list[UnitFacts]:
        """Returns all units of the province, by name."""
        units = self.store.trust.document.units.values()
        found = [UnitFacts(u.id, u.name, u.level, u.codes[0] if u.codes else "") for u in units]
        return sorted(found, key=lambda unit: (alphabetical(unit.name), unit.id))

    def upper_name(self) -> str:
        """Returns the name of the unit above; empty where there is none."""
        upper = self.store.trust.document.units[self.store.unit].at(self.store.clock()).parent
        return self.unit_name(upper) if upper else ""

    def find_unit(self, text: str) -> str:
        """Returns the id of a unit that is named by id, agency code or name.

        Raises:
            NotFound: There is none, or more than one.
        """
        units = self.store.trust.document.units
        if text in units:
            return text
        if named := agency_aliases(self.store.trust.document).unit_of(text.strip().upper()):
            return named
        wanted = fold_text(text)
        found = [u.id for u in units.values() if fold_text(u.name) == wanted]
        if len(found) != 1:
            raise NotFound(f"There is no unit {text!r}.", todo="Name it by its code.", unit=text)
        return found[0]

    def _levels(self) -> Levels:
        return Levels(self.store.trust, self.store.unit)

    # ---- the clock

    def today(self) -> date:
        """Returns the day in Vietnam, as the machine's clock says."""
        return local(self.store.clock()).date()

    def clock(self) -> ClockFacts:
        """Compares the machine's clock with what the store has seen."""
        return self._watch.facts()

    def confirm_date(self, day: date) -> None:
        """Notes that an official looked at the date and found it right.

        Raises:
            InvalidInput: The machine's clock says another day: set it first.
        """
        self._watch.confirm(day)

    def closing_ms(self, day: date) -> int:
        """Returns when the office closes on a day, for a due date without an hour; ms since 1970 UTC."""
        end_min = self.rules.calendar.windows[-1].end_min
        return to_ms(datetime.combine(day, time(), VIETNAM) + timedelta(minutes=end_min))

    # ---- dossiers

    def step(self, doc: bytes) -> str:
        """Returns where a dossier stands, without marks of used rights.

        Raises:
            NotFound: It is not here.
        """
        return self._view(self._document(doc).state).step

    def find(self, text: str) -> bytes:
        """Returns the id of the dossier that a person names.

        Args:
            text: The whole code; the day's serial alone (``7``), which means today's where several days
                have it; or the id in hex, as lists show it for drafts.

        Raises:
            NotFound: There is none.
            InvalidInput: Several have that serial.
        """
        text = text.strip()
        if _DOC_HEX.fullmatch(text.lower()):
            doc = bytes.fromhex(text)
            if self.store.tombstone(doc) is None:
                self.store.document(doc)
            return doc
        if _SHORT.fullmatch(text):
            return self._find_by_serial(int(text))
        for code in (text.upper(), text):  # codes of older registers and of portals are as they are
            with suppress(NotFound):
                return self.store.lookup(DOSSIER.name, code)
        raise NotFound("There is no such dossier in this store.", code=text[:64])

    def _find_by_serial(self, serial: int) -> bytes:
        """Returns the dossier with a day's serial: today's where several days have it."""
        rows = self.store.page(DOSSIER.name, search=f"{serial:04d}", limit=200)
        found = {row.label: row.doc for row in rows if _code_of(row.label, serial)}
        today = self.today()
        recent = [label for label in found if _code_of(label, serial, today)]
        if not found:
            raise NotFound(f"No dossier here has the serial {serial}.", code=f"{serial:04d}")
        if len(found) > 1 and len(recent) != 1:
            raise InvalidInput(
                f"{len(found)} dossiers have the serial {serial}.",
                todo="Give the whole code.",
                codes=list(found),
            )
        return found[recent[0]] if recent else next(iter(found.values()))

    def _document(self, doc: bytes) -> Document:
        document = self.store.document(doc)
        if document.kind.name != DOSSIER.name:
            raise NotFound("There is no such dossier in this store.")
        return document._replace(state=masked_state(document.state)) if self.is_masked else document

    def _view(self, state: State) -> DossierView:
        return DossierView.from_state(state, self.store.clock(), self.rules.calendar)


def _code_of(label: str, serial: int, day: date | None = None) -> bool:
    """Tells whether a code of any known grammar bears a serial, and the day where one is given."""
    code = read_dossier_code(label)
    return code is not None and code.serial == serial and day in {None, code.received_on}


def day_of(label: str) -> date | None:
    """Returns the day that a dossier's code bears; ``None`` of what is no code."""
    code = read_dossier_code(label)
    return code.received_on if code else None


def changed_values(state: State | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those of the values that are not in the dossier yet: an edit of nothing is no event."""
    if state is None:
        return dict(values)
    return {
        key: value
        for key, value in values.items()
        if state.value(key) != value and not (value == "" and state.value(key) is None)
    }

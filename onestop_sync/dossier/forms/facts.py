"""What a form is made from: a folded dossier, the signed acts that count, its legal profile, the agency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.procedure_steps import StepState
from onestop_sync.dossier.profiles import Form, LegalProfile
from onestop_sync.dossier.workflow import CONTENT, REASON
from onestop_sync.schema import MAIN
from onestop_sync.state import State

__all__ = ["Act", "Agency", "Facts", "acts_of", "last_act"]


class Act(NamedTuple):
    """One signed action of the main task that counts.

    Attributes:
        event: The event's id.
        action: Its name.
        arguments: Its arguments.
        at_ms: When, as its author's clock said; milliseconds since 1970 UTC.
        who: Name on the certificate.
        unit: Unit on the certificate.
    """

    event: bytes
    action: str
    arguments: Mapping[str, Any]
    at_ms: int
    who: str
    unit: str

    def text(self, name: str) -> str:
        """Returns an argument that is text; empty when it is none."""
        value = self.arguments.get(name)
        return value if isinstance(value, str) else ""

    @property
    def reason(self) -> str:
        """The reason that was given."""
        return self.text(REASON)

    @property
    def content(self) -> str:
        """What was asked for."""
        return self.text(CONTENT)


class Agency(NamedTuple):
    """The agency whose paper it is.

    Attributes:
        names: Lines for the head of a form, the superior first.
        place: Place of the date: the commune's name.
        unit: Its id.
    """

    names: tuple[str, ...]
    place: str
    unit: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a form may say.

    Attributes:
        state: The dossier, folded.
        acts: Its signed actions that count, oldest first.
        profile: The legal profile that it keeps; before acceptance, the one in force.
        calendar: Tells by when a dossier should have been handed over.
        agency: Who issues the paper.
        unit_names: Unit → name.
        fee: What is to be paid, in words; empty: nothing is known.
        papers: Names of the papers in the order of the procedure's checklist.
        shown: Those of them that are only shown, and given back at once.
        steps: How the procedure's internal steps stand, with their dates.
        printed_ms: When it is printed, milliseconds since 1970 UTC.
        printed_before: How often this form was printed already, as far as this machine knows.
    """

    state: State
    acts: tuple[Act, ...]
    profile: LegalProfile
    calendar: Calendar
    agency: Agency
    unit_names: Mapping[str, str] = field(default_factory=dict)
    fee: str = ""
    papers: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()
    steps: tuple[StepState, ...] = ()
    printed_ms: int = 0
    printed_before: int = 0

    def form(self, key: str) -> Form:
        """Returns the form of the profile.

        Raises:
            InvalidInput: The profile has no such form.
        """
        return self.profile.form(key)

    def unit_name(self, unit: str) -> str:
        """Returns a unit's name; of one unknown here, its id."""
        return self.unit_names.get(unit, unit)

    def printed_again(self, before: int) -> Facts:
        """Returns the same for a form that was printed so often before."""
        return replace(self, printed_before=before)

    @property
    def mark(self) -> str:
        """``In lại lần 2`` on what was printed before."""
        return f"In lại lần {self.printed_before + 1}" if self.printed_before else ""


def last_act(acts: Iterable[Act], actions: Iterable[str]) -> Act | None:
    """Returns the last of the actions that was taken; ``None`` when none was."""
    wanted = frozenset(actions)
    return next((act for act in reversed(tuple(acts)) if act.action in wanted), None)


def acts_of(event: bytes, ops: Iterable[Any], at_ms: int, who: str, unit: str) -> list[Act]:
    """Returns the actions of the main task in an event."""
    found: list[Act] = []
    for op in ops:
        match op:
            case ["act", str(task), str(action), dict(arguments)] if task == MAIN:
                found.append(Act(event, action, arguments, at_ms, who, unit))
    return found

"""Khó khăn, vướng mắc in a store: written, followed up, and collected into the quarterly report."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.difficulty import ACTIONS, DIFFICULTY, KINDS, STEPS, DifficultyView, view_of
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.report.count import holder_at
from onestop_sync.dossier.report.periods import Period
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.event import Op
from onestop_sync.reporting.listing import documents
from onestop_sync.reporting.words import moment
from onestop_sync.schema import MAIN
from onestop_sync.store import Store, Writer

__all__ = ["Listed", "act", "collected", "find", "listed", "remind", "shown", "write"]

_ID: Final = 8


class Listed(NamedTuple):
    """A difficulty of a store."""

    doc: bytes
    view: DifficultyView

    @property
    def id(self) -> str:
        """What people name it by: the beginning of its document's id."""
        return self.doc.hex()[:_ID]


def write(
    store: Store,
    writer: Writer,
    *,
    title: str,
    text: str,
    proposal: str = "",
    kind: str = "kho_khan",
    to: str = "",
    due_ms: int | None = None,
) -> bytes:
    """Writes a difficulty and sends it on its way: one signed event; returns its id.

    Args:
        store: Where.
        writer: Who writes it.
        title: One line.
        text: What hinders, or what is asked for.
        proposal: What should be done about it.
        kind: Key of `KINDS`.
        to: Unit that should deal with it; the one above the writer's where none is named.
        due_ms: By when an answer is wanted, milliseconds since 1970 UTC.

    Raises:
        InvalidInput: Title or text is missing, or there is no such kind, or nobody above.
        NotAllowed: The writer may not.
    """
    if not title.strip() or not text.strip() or kind not in KINDS:
        raise InvalidInput(
            "A difficulty needs a title, a text, and a known kind.", todo="Nothing was written. Complete it."
        )
    unit = writer.author.unit
    units = store.trust.document.units
    target = to or units[unit].at(store.clock()).parent
    if target not in units or target == unit:
        raise InvalidInput("There is no unit to send it to.", todo="Nothing was written. Name the unit.")
    values: dict[str, Any] = {"loai": kind, "tieu_de": title.strip(), "noi_dung": text.strip()}
    if proposal.strip():
        values["de_xuat"] = proposal.strip()
    if due_ms is not None:
        values["han"] = due_ms
    sent: list[Op] = [["act", MAIN, "report", {"to": target}]]
    return writer.create(DIFFICULTY.name, values, sent)


def act(store: Store, writer: Writer, doc: bytes, action: str, *, text: str = "", to: str = "") -> None:
    """Takes a step with a difficulty.

    Args:
        store: Where.
        writer: Who does it.
        doc: The difficulty.
        action: Key of `ACTIONS`.
        text: The answer, or the reason.
        to: Where it is passed on to; an answer goes to the unit that wrote it, a question to who answered.

    Raises:
        NotAllowed: Not this person, or not now.
        NotFound: There is no such difficulty.
    """
    view = view_of(store.document(doc).state)
    arguments: dict[str, Any] = {}
    if action == "answer":
        arguments = {"noi_dung": text.strip(), "to": view.unit}
    elif action == "reopen":
        arguments = {"ly_do": text.strip(), "to": _answerer(view)}
    elif action == "pass_on":
        arguments = {"ly_do": text.strip(), "to": to}
    writer.act(doc, action, arguments)


def _answerer(view: DifficultyView) -> str:
    """Returns the unit that held it before it was answered."""
    held = [unit for _, action, unit, _ in view.answers if action in {"report", "pass_on", "reopen"}]
    return held[-1] if held else view.unit


def remind(writer: Writer, doc: bytes, text: str) -> None:
    """Reminds whoever holds a difficulty; everyone who takes part may.

    Raises:
        InvalidInput: Nothing is said.
        NotAllowed: The writer has no part in it.
    """
    if not text.strip():
        raise InvalidInput("A reminder says something.", todo="Nothing was written. Type the reminder.")
    writer.note(doc, "nhac", text.strip())


def listed(store: Store, *, only_open: bool = False) -> list[Listed]:
    """Returns the difficulties of a store, the newest first."""
    found = (Listed(each.id, view_of(each.state)) for each in documents(store, DIFFICULTY.name))
    return [each for each in found if each.view.is_open or not only_open]


def find(store: Store, text: str) -> Listed:
    """Returns the difficulty whose id begins so.

    Raises:
        NotFound: None does, or more than one.
    """
    found = [each for each in listed(store) if text and each.doc.hex().startswith(text.lower())]
    if len(found) != 1:
        raise NotFound(f"There is no difficulty {text!r}.", todo="Name it as the list does.")
    return found[0]


def collected(store: Store, units: Collection[str], period: Period) -> Iterator[str]:
    """Yields what a quarterly report says of difficulties: those open in the period, by event time."""
    names, tree = store.trust.document.units, store.trust.document.tree
    found = [
        each
        for each in reversed(listed(store))
        if each.view.kind == "kho_khan"
        and holder_at(tree, each.view.unit, each.doc, period.end_ms - 1) in units
        and each.view.was_open(period.start_ms, period.end_ms)
    ]
    if found:
        yield f"Khó khăn, vướng mắc: {len(found)}."
    for each in found:
        view = each.view
        name = names[view.unit].name if view.unit in names else view.unit
        text = f"{one_line(name)}: {one_line(view.title)} – {one_line(view.text)}"
        text += f" Đề xuất: {one_line(view.proposal)}." if view.proposal else ""
        text += f" {STEPS.get(view.step, view.step)}."
        yield text + (f" Trả lời: {one_line(view.answer)}." if view.answer else "")


def shown(store: Store, each: Listed) -> Iterator[str]:
    """Yields a difficulty as lines: what it says, and what was done, by whom it is held and when."""
    view, units = each.view, store.trust.document.units

    def name(unit: str) -> str:
        return one_line(units[unit].name if unit in units else unit)

    yield f"{each.id}  {KINDS.get(view.kind, one_line(view.kind))}: {one_line(view.title)}"
    yield f"{STEPS.get(view.step, view.step)}; đang ở: {name(view.holder)}"
    yield one_line(view.text)
    if view.proposal:
        yield f"Đề xuất: {one_line(view.proposal)}"
    if view.due_ms:
        yield f"Cần trả lời trước: {moment(view.due_ms)}"
    for at_ms, action, unit, text in view.answers:
        said = f": {one_line(text)}" if text else ""
        yield f"{moment(at_ms)}  {ACTIONS.get(action, action)} → {name(unit)}{said}"
    for at_ms, text in view.reminders:
        yield f"{moment(at_ms)}  Nhắc: {one_line(text)}"

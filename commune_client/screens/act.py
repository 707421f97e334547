"""One action on a dossier: what the law wants to know for it, then the signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from commune_client.desk.facts import DECISIONS
from commune_client.messages import problem_text
from commune_client.scratch import Note
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.base import bindings_of
from commune_client.screens.intake_form import due_at_close
from commune_client.screens.keeping import KeepingScreen
from commune_client.screens.seen import ChangedMeanwhile, as_seen
from commune_client.theme import StateStyle
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldKind, FieldValue, FormField
from onestop_sync.dossier.labels import SCORE_LABELS

if TYPE_CHECKING:
    from commune_client.desk import Desk
    from commune_client.desk.facts import Done, Dossier, UnitFacts
    from onestop_sync.dossier.view import Choice

__all__ = ["ActScreen", "act_fields", "fee_choice", "note_choice", "perform", "rate_choice", "void_choice"]

_NOTE = "_note"
_VOID = "_void"
_FEE = "_fee"
_RATE = "_rate"


def note_choice() -> Choice:
    """Returns the choice of appending a note, which is no transition."""
    from onestop_sync.dossier.view import Choice

    return Choice("", _NOTE, words.ADD_NOTE, "", (), "")


def void_choice() -> Choice:
    """Returns the choice of declaring a dossier void, which is no transition."""
    from onestop_sync.dossier.view import Choice

    return Choice("", _VOID, words.VOID, "", (), "")


def fee_choice() -> Choice:
    """Returns the choice of noting a fee, which is no transition."""
    from onestop_sync.dossier.view import Choice

    return Choice("", _FEE, words.NOTE_FEE, "", (), "")


def rate_choice() -> Choice:
    """Returns the choice of noting how the applicant rates the work, which is no transition."""
    from onestop_sync.dossier.view import Choice

    return Choice("", _RATE, words.RATE, "", (), "")


# ------------------------------------------------------------------ what is asked


def act_fields(
    dossier: Dossier, choice: Choice, units: Sequence[UnitFacts], papers: Sequence[str] = ()
) -> list[FormField]:
    """Returns what an action asks for.

    Args:
        dossier: The dossier.
        choice: The action.
        units: Where it could be sent.
        papers: Documents of its procedure.
    """
    fields = [_FIELDS[name] for name in _asked(choice) if name in _FIELDS]
    if "to" in choice.needs and not choice.to and choice.action != "decline":
        options = tuple((unit.id, unit.name) for unit in units)
        is_asking = choice.action == "ask"
        label = words.ASK_UNIT if is_asking else words.TO_UNIT
        kind: FieldKind = "checklist" if is_asking else "choice"
        fields.insert(0, FormField("to", label, kind, required=True, options=options))
    if choice.action == "supply" and (names := _wanted_papers(dossier)):
        fields.append(FormField("papers", words.PAPERS, "checklist", options=tuple((n, n) for n in names)))
    if choice.action in {"ask_supplement", "ask_at_intake"} and papers:
        named = tuple((name, name) for name in papers)
        fields.append(FormField("papers", words.PAPERS_WANTED, "checklist", options=named))
    return fields


_FIELDS = {
    "ly_do": FormField("ly_do", words.REASON, "multiline", required=True, limit=2000),
    "noi_dung": FormField("noi_dung", words.CONTENT, "multiline", required=True, limit=4000),
    "han_moi": FormField("han_moi", words.NEW_DUE, "date", required=True),
    "han": FormField("han", words.UNTIL, "date", required=True),
    "y_kien": FormField("y_kien", words.OPINION, "multiline", limit=4000),
    "tra_loi": FormField("tra_loi", words.OPINION, "multiline", required=True, limit=4000),
    "ket_qua": FormField("ket_qua", words.RESULT, "multiline", limit=4000),
    "nguoi_nhan": FormField("nguoi_nhan", words.RECEIVER, limit=200),
    "danh_gia": FormField(
        "danh_gia", words.RATING, "choice", help=words.RATING_HELP, options=words.scored(SCORE_LABELS)
    ),
    "diem": FormField("diem", words.RATING, "choice", required=True, options=words.scored(SCORE_LABELS)),
    "loi": FormField("loi", words.RATING_WORDS, limit=2000),
    "ghi_chu": FormField("ghi_chu", words.NOTE, "multiline", required=True, limit=4000),
    "viec": FormField("viec", words.FEE_KIND, "choice", required=True, options=words.FEE_KINDS),
    "so_luong": FormField("so_luong", words.FEE_UNITS, limit=6),
    "so_ban": FormField("so_ban", words.FEE_COPIES, limit=6),
    "so_tien": FormField("so_tien", words.FEE_AMOUNT, limit=16),
    "bien_lai": FormField("bien_lai", words.FEE_RECEIPT, limit=60),
    "ly_do_phi": FormField("ly_do_phi", words.FEE_REASON, limit=500),
}
_EXTRA: Mapping[str, tuple[str, ...]] = {
    "submit": ("y_kien", "ket_qua"),
    "approve": ("ket_qua",),
    "return": ("nguoi_nhan", "danh_gia", "loi"),
    _RATE: ("diem", "loi"),
    "answer": ("tra_loi",),
    _NOTE: ("ghi_chu",),
    _VOID: ("ly_do",),
    _FEE: ("viec", "so_luong", "so_ban", "so_tien", "bien_lai", "ly_do_phi"),
}


def _asked(choice: Choice) -> tuple[str, ...]:
    return (*choice.needs, *_EXTRA.get(choice.action, ()))


def _wanted_papers(dossier: Dossier) -> list[str]:
    """Returns the documents that a supplement may bring: those of the dossier, and those asked for."""
    state = dossier.view.state
    held = [key.partition("/")[2] for key in state.registers if key.startswith("giay_to/")]
    request = state.value("yeu_cau_bo_sung")
    asked = request.get("giay_to", ()) if isinstance(request, dict) else ()
    return list(dict.fromkeys([*map(str, asked), *sorted(held)]))


def _first_values(dossier: Dossier, choice: Choice) -> dict[str, FieldValue]:
    if choice.action == "return":
        return {"nguoi_nhan": dossier.view.applicant}
    if choice.action in {"submit", "approve"}:
        return {"ket_qua": str(dossier.view.state.value("ket_qua") or "")}
    return {}


# ------------------------------------------------------------------ doing it


def perform(desk: Desk, dossier: Dossier, choice: Choice, given: Mapping[str, FieldValue]) -> Done:
    """Signs an action.

    Args:
        desk: The desk.
        dossier: The dossier, as the officer saw it.
        choice: The action.
        given: What was filled in, by field's name.

    Raises:
        ChangedMeanwhile: The dossier is not what the officer saw.
        OnestopError: It is not allowed, or not ready.
    """
    with as_seen(desk, dossier):
        return _perform(desk, dossier.doc, choice, given)


def _perform(desk: Desk, doc: bytes, choice: Choice, given: Mapping[str, FieldValue]) -> Done:
    text = {key: value for key, value in given.items() if isinstance(value, str)}
    if (several := _MARKED.get(choice.action)) is not None:
        return several(desk, doc, text, {key: v for key, v in given.items() if isinstance(v, tuple)})
    if (sign := _OWN_METHODS.get(choice.action)) is not None:
        return sign(desk, doc, text)
    return desk.act(doc, choice.action, _arguments(choice, text), task=choice.task)


def _day_ms(desk: Desk, text: str) -> int:
    """Returns a day that was typed as the moment when the office closes, in milliseconds since 1970 UTC."""
    return due_at_close(text, desk.rules.calendar.windows[-1].end_min) or 0


def _charge(desk: Desk, doc: bytes, text: Mapping[str, str]) -> Done:
    amount = _number(text.get("so_tien", ""))
    return desk.charge(
        doc, text["viec"], units=_number(text.get("so_luong", "")) or 0,
        copies=_copies(text.get("so_ban", "")), amount_vnd=amount, receipt=text.get("bien_lai", ""),
        reason=text.get("ly_do_phi", ""),
    )  # fmt: skip


def _copies(text: str) -> int:
    """Returns a number of copies; one for an empty field."""
    found = _number(text)
    return 1 if found is None else found


def _return(desk: Desk, doc: bytes, text: Mapping[str, str]) -> Done:
    """Returns the result, and notes the applicant's rating where one was given."""
    done = desk.return_result(doc, text["nguoi_nhan"])
    if text.get("danh_gia"):
        desk.rate(doc, int(text["danh_gia"]), text.get("loi", ""))
    return done


def _rate(desk: Desk, doc: bytes, text: Mapping[str, str]) -> Done:
    from commune_client.desk.facts import Done

    event, view = desk.rate(doc, int(text["diem"]), text.get("loi", "")), desk.show(doc).view
    return Done(doc, view.code, event, view.step, view.step_label)


def _number(text: str) -> int | None:
    """Returns a number as people type it, ``12.000``; nothing for an empty field.

    Raises:
        Unready: It is none.
    """
    from commune_client.desk.base import Unready
    from onestop_sync.dossier.checks import Issue, Problem

    digits = "".join(text.split()).replace(".", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()):
        raise Unready([Problem(Issue.COUNT, "so_tien")])
    return int(digits)


_OWN_METHODS: Mapping[str, Callable[[Desk, bytes, Mapping[str, str]], Done]] = {
    _NOTE: lambda desk, doc, text: desk.note(doc, text["ghi_chu"]),
    _VOID: lambda desk, doc, text: desk.void(doc, text["ly_do"]),
    _FEE: _charge,
    "decline": lambda desk, doc, text: desk.decline(doc, text["ly_do"]),
    "extend": lambda desk, doc, text: desk.extend(doc, text["ly_do"], _day_ms(desk, text["han_moi"])),
    "submit": lambda desk, doc, text: desk.appraise(doc, text["y_kien"], text["ket_qua"]),
    "approve": lambda desk, doc, text: desk.approve(doc, text["ket_qua"]),
    "return": _return,
    _RATE: _rate,
    "answer": lambda desk, doc, text: desk.answer(doc, text["tra_loi"]),
}
"""Actions for which the desk plans more than the transition."""


def _ask(desk: Desk, doc: bytes, text: Mapping[str, str], marked: Mapping[str, tuple[str, ...]]) -> Done:
    return desk.ask_agencies(doc, marked["to"], text["noi_dung"], _day_ms(desk, text["han"]))


def _supplement(
    desk: Desk, doc: bytes, text: Mapping[str, str], marked: Mapping[str, tuple[str, ...]]
) -> Done:
    return desk.supplement(doc, text["ly_do"], text["noi_dung"], marked.get("papers", ()))


def _ask_at_intake(
    desk: Desk, doc: bytes, text: Mapping[str, str], marked: Mapping[str, tuple[str, ...]]
) -> Done:
    return desk.ask_at_intake(doc, text["ly_do"], text["noi_dung"], marked.get("papers", ()))


_MARKED: Final[Mapping[str, Callable[..., Done]]] = {
    "ask": _ask,
    "ask_at_intake": _ask_at_intake,
    "ask_supplement": _supplement,
    "supply": lambda desk, doc, _, marked: desk.supply(doc, _papers(desk, doc, marked.get("papers", ()))),
}
"""Those in which several things are marked."""


def _papers(desk: Desk, doc: bytes, names: tuple[str, ...]) -> dict[str, Any]:
    values, _ = desk.form(doc)
    return dict(desk.papers(str(values.get("ma_thu_tuc", "")), names))


def _arguments(choice: Choice, text: Mapping[str, str]) -> dict[str, Any]:
    known = {name: text[name] for name in choice.needs if name in text}
    return known | ({"to": choice.to} if choice.to else {})


# ------------------------------------------------------------------ the screen


class ActScreen(KeepingScreen):
    """Asks what an action needs, and signs."""

    NAME = "act"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("act"), Binding("enter", "save", show=False)]
    DEFAULT_CSS = """
    ActScreen > .about { height: auto; padding: 1 1 0 1; margin: 0 0 1 0; }
    ActScreen > .scroll { height: 1fr; padding: 0 1; }
    """

    def __init__(
        self,
        dossier: Dossier,
        choice: Choice,
        units: Sequence[UnitFacts] = (),
        papers: Sequence[str] = (),
        missing: tuple[str, ...] = (),
    ) -> None:
        """Make the screen.

        Args:
            dossier: The dossier, as the officer saw it.
            choice: What is to be done.
            units: Where it could be sent.
            papers: Documents of its procedure.
            missing: Those of them that are not here, marked at first.
        """
        super().__init__()
        self._missing = missing
        self._dossier = dossier
        self._choice = choice
        self._fields = act_fields(dossier, choice, units, papers)
        self._kept_as = f"act/{dossier.doc.hex()}/{choice.task}/{choice.action}"
        self._is_busy = False

    def compose_body(self) -> ComposeResult:
        """Lay out what it is about, and what is asked."""
        yield Static(self._about(), classes="about")
        if self._fields:
            missing = {"papers": self._missing} if self._missing else {}
            yield FieldForm(self._fields, _first_values(self._dossier, self._choice) | missing)
        else:
            yield VerticalScroll(Static(Content(words.CONFIRM)), classes="scroll")

    def _about(self) -> Content:
        view = self._dossier.view
        lines = [f"{view.code}  {view.applicant}", view.procedure_name]
        if self._choice.target and self._choice.target != view.step:
            from onestop_sync.dossier.labels import step_label

            lines.append(f"{view.step_label}  ->  {step_label(self._choice.target)}")
        return Content("\n".join(lines))

    def on_mount(self) -> None:
        """Say what is to be done, and bring back what was typed before."""
        self.set_heading(self._choice.label)
        if self._fields:
            self.work(partial(self.office.scratch.read, self._kept_as), self._bring_back)

    def _bring_back(self, note: Note | None) -> None:
        if note is None:
            return
        form = self.query_one(FieldForm)
        for name, value in note.values.items():
            if name in form.values():
                form.set_value(name, tuple(value) if isinstance(value, list) else value)
        self.say(words.OLD_TEXT_BACK)

    def on_field_form_changed(self) -> None:
        """Keep what was typed."""
        desk = self.desk
        values = dict(self.query_one(FieldForm).values())
        self.keeper().put(Note(self._kept_as, values, desk.name, desk.store.clock()))

    def on_field_form_submitted(self) -> None:
        """Say how to sign."""
        self.say(words.PRESS_TO_SIGN)

    def action_save(self) -> None:
        """Check, sign and store."""
        if self._is_busy:
            return
        given: dict[str, FieldValue] = {}
        if self._fields:
            form = self.query_one(FieldForm)
            if errors := form.check_fields():
                self.say(words.not_complete(len(errors)), StateStyle.LATE)
                return
            given = form.cleaned()
        if self._choice.action in DECISIONS:
            self._ask_again(given)
        else:
            self._sign(given)

    def _ask_again(self, given: dict[str, FieldValue]) -> None:
        """Ask for the passphrase: whoever sits down at an open screen decides nothing in another's name."""
        label = self._choice.label
        self.app.push_screen(
            AskScreen(
                label, words.sign_about(label, self.desk.name), [Line(words.UNLOCK_WITH)],
                self.desk.confirm, lambda _: self._sign(given),
            )
        )  # fmt: skip

    def _sign(self, given: dict[str, FieldValue]) -> None:
        self._is_busy = True
        self.work(partial(perform, self.desk, self._dossier, self._choice, given), self._done, self._not_done)

    def _done(self, done: Done) -> None:
        if self._fields:
            self.keeper().drop(self._kept_as)
        self.office.refresh_status()
        self.app.pop_screen()
        told = "; ".join(problem_text(problem) for problem in done.problems)
        label = self._choice.label
        self.office.say(words.done(label, done.step_label) + (f". ! {told}" if told else ""))

    def _not_done(self, error: Exception) -> None:
        self._is_busy = False
        if isinstance(error, ChangedMeanwhile):
            self._dossier = error.dossier
            self.query_one(".about", Static).update(self._about())
            self.say(words.CHANGED_MEANWHILE, StateStyle.SOON)
        else:
            self.complain(error)

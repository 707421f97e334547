"""A dossier in words: facts, fields and the timeline of its signed events; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from commune_client.messages import LEVEL_LABELS, reason_text, stated_words
from commune_client.screens import words
from commune_client.screens.show import day_time, due_cell, explain_due
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph

if TYPE_CHECKING:
    from commune_client.desk.facts import Attachment, Dossier, TimelineItem
    from onestop_sync.dossier.view import Agency

__all__ = ["facts_text", "fields_text", "timeline_text"]

_ORDER = (
    "nguoi_nop", "so_dinh_danh", "ngay_sinh", "dien_thoai", "dia_chi", "email", "cach_nhan", "dia_chi_nhan",
    "noi_dung", "loai_doi_tuong", "hinh_thuc_nop", "so_bo", "nguoi_thu_ly", "nguoi_nhan",
)  # fmt: skip
_DECISION = ("y_kien_tham_dinh", "ket_qua")
"""What the approver looks for first."""
_IN_FACTS = frozenset({"ma_thu_tuc", "ten_thu_tuc", "ma_ho_so", "nguoi_nop", *_DECISION})
_LABEL = 20
"""Columns of a label."""
_MOST_LINES = 4
"""Operations of one event that the timeline shows; an intake writes some twenty."""
_ALERTS = frozenset({"conflict", "late", "overruled", "refused", "waiting"})

UnitName = Callable[[str], str]
_BLANK = Paragraph()


def facts_text(dossier: Dossier, rule: str, unit_name: UnitName) -> list[Paragraph]:
    """Say where a dossier stands.

    Args:
        dossier: The dossier.
        rule: Name of the legal profile that it was received under.
        unit_name: Names a unit.
    """
    view = dossier.view
    due = (words.IS_VOID, StateStyle.LATE) if view.is_void else due_cell(view.due, view.step)
    applicant = ((view.applicant, "bold"), *_open_mark(dossier, "nguoi_nop"))
    lines = [
        Paragraph.labelled(words.APPLICANT_ALONE, "", *applicant),
        Paragraph.labelled(words.PROCEDURE, view.procedure_name or view.procedure),
        Paragraph.labelled(words.STEP, f"{view.step_label}, {words.HELD_BY} {unit_name(view.unit)}"),
        Paragraph.labelled(words.DUE, f"{day_time(view.due_ms)}  " if view.due_ms else "", due),
        *(Paragraph.of(f"  {text}", StateStyle.QUIET, 4) for text in _reasons(dossier, rule)),
        *(_field(dossier, key, dossier.values[key]) for key in _DECISION if dossier.values.get(key)),
        *_handover(dossier),
        *(_agency(agency, unit_name) for agency in view.agencies),
        *_steps(dossier),
        *_fees(dossier),
        Paragraph.labelled(words.DELIVERED, LEVEL_LABELS[dossier.level]),
        *_stated(dossier),
        *_latest(dossier),
    ]
    if view.issues:
        lines.append(Paragraph.of(f"! {words.settle_count(len(view.issues))}", StateStyle.SOON, 2))
    if view.blocks_printing:
        lines.append(Paragraph.of(f"! {words.PRINT_BLOCKED}", StateStyle.SOON, 2))
    return lines


def _stated(dossier: Dossier) -> list[Paragraph]:
    """Say that only the province's snapshot tells of it, as long as the events are not here."""
    at_ms = dossier.stated_ms
    return [Paragraph.of(f"i {stated_words(day_time(at_ms))}", StateStyle.SOON, 2)] if at_ms else []


def _handover(dossier: Dossier) -> list[Paragraph]:
    """Say by when an accepted dossier is handed on."""
    by_ms = dossier.handover_by_ms
    return [Paragraph.labelled(words.HAND_BY, day_time(by_ms))] if by_ms else []


def _agency(agency: Agency, unit_name: UnitName) -> Paragraph:
    """Say who was asked, by when, and whether the answer is late."""
    until = f", {words.UNTIL.lower()} {day_time(agency.until_ms)}" if agency.until_ms else ""
    late = [(f"  !! {words.LATE}", StateStyle.LATE)] if agency.is_late else []
    return Paragraph.labelled(words.ASKED_AGENCY, f"{unit_name(agency.unit)}: {agency.label}{until}", *late)


def _steps(dossier: Dossier) -> list[Paragraph]:
    """Say how each internal step stands: who acts, until when, which is late."""
    from onestop_sync.dossier.labels import STAGE_LABELS, TIER_LABELS

    if not any(state.due_ms for state in dossier.steps):
        return []
    lines = [Paragraph.of(words.STEPS, StateStyle.QUIET)]
    for number, state in enumerate(dossier.steps, 1):
        step = state.step
        what = step.name_vi or STAGE_LABELS[str(step.stage)]
        text = f"  {number}. {what} ({TIER_LABELS[str(step.tier)]}): {day_time(state.due_ms, '-')}"
        if state.done_ms:
            text += f", {words.STEP_DONE} {day_time(state.done_ms)}"
        elif state.is_current:
            text += f", {words.STEP_NOW}"
        late = ((f"  !! {words.LATE}", StateStyle.LATE),) if state.is_late else ()
        lines.append(Paragraph(((text, StateStyle.PLAIN), *late), 5))
    return lines


def _fees(dossier: Dossier) -> list[Paragraph]:
    """Say what was paid and what is open."""
    from onestop_sync.dossier.labels import money

    balance = dossier.balance
    if balance is None:
        return []
    text = f"phải nộp {money(balance.due)}, đã nộp {money(balance.paid)}, còn {money(balance.open)}"
    style = StateStyle.SOON if balance.open > 0 else StateStyle.PLAIN
    return [Paragraph.labelled(words.FEES, "", (text, style))]


def _reasons(dossier: Dossier, rule: str) -> list[str]:
    return explain_due(dossier.view.due_facts, rule) if dossier.view.due_facts else []


def _latest(dossier: Dossier) -> list[Paragraph]:
    """Say what happened last: on a small screen the timeline is further down."""
    for number, item in reversed(list(enumerate(dossier.timeline))):
        if item.lines:
            first = item.lines[0]
            label = first.label if first.kind != "set" else f"{words.WROTE} {first.label}"
            what = words.DRAFTED if first.kind == "set" and not number else label
            return [
                Paragraph.labelled(
                    words.LATEST, f"{what}, {item.who or words.UNKNOWN_AUTHOR}, {day_time(item.at_ms)}"
                )
            ]
    return []


def _open_mark(dossier: Dossier, key: str) -> list[tuple[str, str]]:
    is_open = any(issue.key == key for issue in dossier.view.issues)
    return [(f" {words.CONFLICT_MARK}", StateStyle.SOON)] if is_open else []


def fields_text(dossier: Dossier) -> list[Paragraph]:
    """Say what a dossier holds, what concerns the applicant first; a field in conflict says so."""
    lines = [_head(words.FIELDS)]
    lines += [_field(dossier, key, dossier.values[key]) for key in _sorted_keys(dossier.values)]
    if papers := _papers(dossier):
        lines += [_BLANK, _head(words.PAPERS), *papers]
    if dossier.attachments:
        lines += [_BLANK, _head(words.ATTACHMENTS), *map(_attachment, dossier.attachments)]
    notes = [item for field in sorted(dossier.notes) for item in dossier.notes[field]]
    if notes:
        lines += [_BLANK, _head(words.NOTES)]
        lines += [Paragraph.of(f"{day_time(at_ms)}  {text}", indent=4) for at_ms, text in sorted(notes)]
    return lines


def _sorted_keys(values: dict[str, Any]) -> list[str]:
    keys = [key for key in values if key not in _IN_FACTS and values[key] not in ("", None)]
    return sorted(keys, key=lambda key: (_ORDER.index(key) if key in _ORDER else len(_ORDER), key))


def _papers(dossier: Dossier) -> list[Paragraph]:
    """Say which documents are here, and how much of each."""
    from onestop_sync.dossier.labels import one_line

    state = dossier.view.state
    found = []
    for key in sorted(state.registers):
        match state.value(key) if key.startswith("giay_to/") else None:
            case {"ban_chinh": int(originals), "ban_sao": int(copies)}:
                many = words.originals_copies(originals, copies)
                parts = (
                    (f"- {one_line(key.partition('/')[2])}: {many}", StateStyle.PLAIN),
                    *_open_mark(dossier, key),
                )
                found.append(Paragraph(parts, 2))
    return found


def _attachment(attachment: Attachment) -> Paragraph:
    """Say what a scan is, and where all of it is."""
    from commune_client.attachment_words import attachment_text, is_alert

    style = StateStyle.SOON if is_alert(attachment) else StateStyle.PLAIN
    return Paragraph.of(f"- {attachment.name}: {attachment_text(attachment)}", style, 4)


def _field(dossier: Dossier, key: str, value: Any) -> Paragraph:
    from onestop_sync.dossier.labels import field_label, one_line
    from onestop_sync.dossier.timeline import show_value

    head, _, own = key.partition("/")
    label = one_line(own) if head == "truong_rieng" else field_label(key)
    text = words.CHOICE_LABELS.get(str(value), show_value(key, value)) or words.EMPTY
    return Paragraph.labelled(label, text, *_open_mark(dossier, key), width=_LABEL)


def _head(text: str) -> Paragraph:
    return Paragraph.of(text, "bold underline")


def timeline_text(dossier: Dossier, unit_name: UnitName) -> list[Paragraph]:
    """Say who did what and when, what became of it, and how far it has got; the newest first."""
    lines = [_head(words.TIMELINE)]
    for item in reversed(dossier.timeline):
        lines += _item(item, unit_name)
    return lines


def _item(item: TimelineItem, unit_name: UnitName) -> Iterable[Paragraph]:
    from onestop_sync.dossier.labels import ROLE_LABELS

    who = item.who or words.UNKNOWN_AUTHOR
    roles = ", ".join(ROLE_LABELS.get(role, role).lower() for role in item.roles)
    where = f", {item.unit_name} ({roles})" if item.unit else ""
    yield Paragraph(((day_time(item.at_ms), "bold"), (f"  {who}{where}", StateStyle.PLAIN)), 4)
    for line in item.lines[:_MOST_LINES]:
        text = f"{line.label}: {_with_units(line.text, unit_name)}" if line.text else line.label
        yield Paragraph.of(f"  {text}", indent=4)
    if len(item.lines) > _MOST_LINES:
        yield Paragraph.of(f"  {words.more_fields(len(item.lines) - _MOST_LINES)}", StateStyle.QUIET)
    if not item.lines:
        yield Paragraph.of(f"  {words.NEEDS_NEWER}", StateStyle.QUIET)
    yield _state_line(item)


def _state_line(item: TimelineItem) -> Paragraph:
    is_alert = item.standing in _ALERTS
    why = f": {reason_text(item.reason)}" if item.reason else ""
    mark = "! " if is_alert else ""
    standing = (f"  {mark}{item.standing_label}{why}", StateStyle.SOON if is_alert else StateStyle.QUIET)
    return Paragraph((standing, (f" | {item.level_label}", StateStyle.QUIET)), 4)


def _with_units(text: str, unit_name: UnitName) -> str:
    """Name a unit where an operation holds its id."""
    head, sep, rest = text.partition("; ")
    return f"{unit_name(head)}{sep}{rest}"

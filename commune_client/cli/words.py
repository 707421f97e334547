"""What commands print: plain values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from commune_client import strings
from commune_client.audit_words import AUDIT_LABELS, audit_detail
from commune_client.cli.office_words import office_lines
from commune_client.cli.rows import row_lines
from commune_client.desk.facts import (
    Accepted,
    AuditLine,
    BackupFacts,
    BundleFacts,
    Dispute,
    Done,
    Dossier,
    ListRow,
    NoticeFacts,
    ParentFacts,
    SyncFacts,
    SyncResult,
    TimelineItem,
)
from commune_client.messages import (
    LEVEL_LABELS,
    STANDING_LABELS,
    outcome_text,
    parent_error,
    problem_text,
    reason_text,
    stated_words,
)
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.deadlines import DueKind, DueState
from onestop_sync.dossier.labels import ROLE_LABELS, field_label, size_words
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import Line, show_time, show_value

if TYPE_CHECKING:
    from onestop_sync.dossier.catalogue import Procedure
    from onestop_sync.dossier.checks import Problem

__all__ = [
    "accepted_lines",
    "audit_lines",
    "bundle_lines",
    "dispute_lines",
    "done_lines",
    "dossier_lines",
    "due_words",
    "list_lines",
    "notice_lines",
    "procedure_lines",
    "roles_words",
    "status_lines",
    "sync_lines",
]

_SHORT_ID = 10
"""Hex digits of an event that are shown to tell it from others."""
_MOST_WRITTEN = 6
"""Fields of one event that are written out."""
_ORDER = {field.name: place for place, field in enumerate(DOSSIER.fields)}
_MAX_SHOWN = 10
"""Refused events that are listed one by one."""


def due_words(due: DueState | None) -> str:
    """Says how a dossier stands against its due date, by sign and words."""
    if due is None:
        return ""
    if due.kind is DueKind.OVERDUE:
        words = strings.due_over(due.days) if due.days else "quá giờ hẹn"
        return f"{strings.ERROR_MARK} {words}"
    if due.kind is DueKind.TODAY:
        return f"{strings.WARNING_MARK} {strings.DUE_TODAY}"
    return strings.due_left(due.days)


def roles_words(roles: Iterable[str]) -> str:
    """Names roles in Vietnamese."""
    return ", ".join(ROLE_LABELS.get(role, role) for role in roles)


def _warnings(problems: Iterable[Problem]) -> Iterator[str]:
    for problem in problems:
        yield f"  {strings.WARNING_MARK} {problem_text(problem)}"


def accepted_lines(accepted: Accepted, due: DueState | None) -> list[str]:
    """Says what an intake came to."""
    when = f", hẹn trả {show_time(accepted.due_ms)} ({due_words(due)})" if accepted.due_ms else ""
    return [f"Đã tiếp nhận {accepted.code}{when}", *_warnings(accepted.problems)]


def done_lines(done: Done) -> list[str]:
    """Says what an action came to."""
    if not done.event:
        return [f"{_name(done.code, done.doc)}: không có gì thay đổi"]
    return [f"{_name(done.code, done.doc)}: {done.step_label}", *_warnings(done.problems)]


def _name(code: str, doc: bytes) -> str:
    return code or f"bản nháp {doc.hex()}"


def list_lines(rows: Iterable[ListRow]) -> Iterator[str]:
    """Yields a line for each dossier."""
    for row in rows:
        marks = ("X" if row.conflicts else " ") + ("?" if row.waiting else " ")
        facts = f"{_name(row.code, row.doc):<28} {marks} {due_words(row.due):<16} {row.step_label:<24}"
        yield from row_lines(facts, row.title)


def audit_lines(found: Iterable[AuditLine]) -> Iterator[str]:
    """Yields a line for each entry of the audit trail."""
    for line in found:
        about = line.dossier or (line.doc.hex() if line.doc else "")
        facts = " ".join(part for part in (about, audit_detail(line)) if part)
        signed = " (máy ghi)" if line.is_machine else ""
        what = AUDIT_LABELS.get(line.what, line.what)
        yield f"{show_time(line.at_ms)}  {line.who or '-'}{signed}, {line.unit_name}: {what} {facts}".rstrip()


# ---- a dossier


def dossier_lines(dossier: Dossier, unit_name: str) -> Iterator[str]:
    """Yields a dossier: where it stands, its fields, and its signed events."""
    view = dossier.view
    yield f"{_name(view.code, dossier.doc)}  {view.procedure_name}"
    dispute = "  [bước đang tranh chấp]" if view.is_disputed else ""
    void = "   ĐÃ HỦY" if view.is_void else ""
    yield f"Bước: {view.step_label}{dispute}   Đơn vị: {unit_name}{void}"
    if view.due_ms:
        yield f"Hẹn trả: {show_time(view.due_ms)}   {due_words(view.due)}".rstrip()
    yield from office_lines(dossier)
    yield f"Đã gửi tới đâu: {LEVEL_LABELS[dossier.level]}"
    if dossier.stated_ms is not None:
        yield stated_words(show_time(dossier.stated_ms))
    for issue in view.issues:
        command = f"onestop conflicts {view.code or dossier.doc.hex()}"
        yield f"  {strings.ERROR_MARK} Cần giải quyết: {issue.label} ({command})"
    yield ""
    yield from _fields(dossier)
    yield ""
    yield "Quá trình xử lý (mỗi dòng là một ghi chép có chữ ký; chữ ký này không phải chữ ký số):"
    for item in dossier.timeline:
        yield from _timeline_lines(item)
    if dossier.choices:
        yield "Có thể làm: " + ", ".join(choice.label for choice in dossier.choices)


def _fields(dossier: Dossier) -> Iterator[str]:
    state = dossier.view.state
    for key in sorted(state.registers, key=_place):
        value = state.value(key)
        text = show_value(key, value)
        if text:
            yield f"  {field_label(key)}: {text}"
    for name, notes in dossier.notes.items():
        for at_ms, text in notes:
            yield f"  {field_label(name)} ({show_time(at_ms)}): {text}"


def _place(key: str) -> tuple[int, str]:
    """Returns where a register stands on the form."""
    name = key.partition("/")[0]
    return _ORDER.get(name, len(_ORDER)), key


def _what(lines: Sequence[Line]) -> str:
    """Returns what an event did; of a whole form only how much it wrote."""
    written = [line for line in lines if line.kind == "set"]
    shown = lines if len(written) <= _MOST_WRITTEN else [line for line in lines if line.kind != "set"]
    words = [f"{line.label}{': ' if line.text else ''}{line.text}" for line in shown]
    return "; ".join([*words, *([f"ghi {len(written)} mục"] if len(shown) < len(lines) else [])])


def _timeline_lines(item: TimelineItem) -> Iterator[str]:
    who = item.who or "chưa rõ ai (chưa có chứng nhận)"
    yield f"  {show_time(item.at_ms)}  {who} ({item.unit_name or '?'})  [{item.level_label}]"
    yield f"      {_what(item.lines)}"
    if item.standing != "stands":
        why = f": {reason_text(item.reason)}" if item.reason else ""
        yield f"      {strings.WARNING_MARK} {item.standing_label}{why}"


# ---- disputes

_KINDS = {
    "conflict": "hai người ghi khác nhau",
    "late": "ghi muộn, chờ nhận hoặc không nhận",
    "task": "hai người làm hai việc khác nhau ở cùng một bước",
    "void": "sửa khi không biết hồ sơ đã bị hủy",
}


def dispute_lines(dispute: Dispute) -> Iterator[str]:
    """Yields one thing to settle: what both had seen, each side, who and when."""
    yield f"{_name(dispute.code, dispute.doc)}  {dispute.label} [{dispute.key}]: {_KINDS[dispute.kind]}"
    yield f"  Trước đó: {dispute.base_text or '(trống)'}"
    if dispute.kind == "late":
        yield f"  Hiện tại: {dispute.now_text or '(trống)'}"
    for number, side in enumerate(dispute.sides, 1):
        who = side.who or "chưa rõ ai"
        mine = " (tôi)" if side.is_mine else ""
        text = "(sửa hồ sơ)" if side.kind == "against" else side.text or "(trống)"
        by = f"{who}{mine}, {side.unit_name}, {show_time(side.at_ms)}"
        yield f"  {number}. {text}   {by}  {side.event.hex()[:_SHORT_ID]}"
    if dispute.is_legal:
        yield "  Chưa in được biểu mẫu có mục này cho tới khi giải quyết xong."
    if dispute.why_not:
        yield f"  {strings.WARNING_MARK} Cán bộ này không giải quyết được: {reason_text(dispute.why_not)}"


# ---- the line


def status_lines(facts: SyncFacts, now_ms: int) -> Iterator[str]:
    """Yields where the work is: on one line, then each parent."""
    words = {True: strings.SYNC_ONLINE, False: strings.SYNC_OFFLINE, None: strings.SYNC_UNKNOWN}
    parts = [words[facts.is_online], _unsent(facts, now_ms)]
    if facts.conflicts:
        parts.append(strings.sync_conflicts(facts.conflicts))
    last = facts.last_sync_ms
    parts.append(strings.sync_last(_clock(last, now_ms)) if last else strings.SYNC_NEVER)
    if facts.clock.is_suspect:
        parts.append(strings.CLOCK_WARNING)
    yield strings.SEPARATOR.join(parts)
    files, size = facts.unsent_files
    if files:
        yield f"{files} tệp đính kèm chưa gửi xong, {size_words(size)}"
    if facts.is_published_old:
        yield strings.published_old(f"{local(facts.published_until_ms):%d/%m/%Y}")
    yield _backup_line(facts.backup, now_ms)
    if facts.waiting:
        yield f"{facts.waiting} hồ sơ có ghi chép đang chờ chứng nhận hoặc ghi chép khác"
    if facts.notices:
        yield f"{facts.notices} thay đổi chưa xem: onestop notices"
    if facts.forks:
        yield f"{strings.ERROR_MARK} {facts.forks} khóa đã ký trên hai máy cùng lúc: báo người quản trị"
    yield from _stated_lines(facts, now_ms)
    for parent in facts.parents:
        yield _parent_line(parent, now_ms)


def _stated_lines(facts: SyncFacts, now_ms: int) -> Iterator[str]:
    """Yields what those above state, and what of it does not fit together."""
    if facts.findings:
        yield f"{strings.WARNING_MARK} {strings.findings(facts.findings)}"
    if facts.silent_ms is not None:
        age = strings.statement_old(strings.age_words(facts.silent_ms / 1000))
        yield age[:1].upper() + age[1:]
    if facts.stated_ms:
        yield strings.stated(_clock(facts.stated_ms, now_ms))


def _backup_line(facts: BackupFacts, now_ms: int) -> str:
    """Says of when the last backup is, and what stood in the way of the next."""
    if not facts.ok_ms:
        text = strings.BACKUP_NEVER + ("" if facts.folder else " (onestop backup THƯ-MỤC --daily)")
    else:
        days = (local(now_ms).date() - local(facts.ok_ms).date()) // timedelta(days=1)
        text = strings.backup_made(days)
    mark = f"{strings.WARNING_MARK} " if facts.is_old else ""
    why = f"; {reason_text(facts.error)}" if facts.error else ""
    return f"{mark}{text}{why}"


def _unsent(facts: SyncFacts, now_ms: int) -> str:
    if not facts.unsent:
        files = facts.unsent_files[0]
        return strings.sync_files(files) if files else strings.SYNC_ALL_SENT
    if facts.oldest_unsent_ms is None:
        return strings.sync_unsent(facts.unsent)
    age = strings.age_words((now_ms - facts.oldest_unsent_ms) / 1000)
    return strings.sync_unsent_since(facts.unsent, age)


def _clock(at_ms: int, now_ms: int) -> str:
    at: datetime = local(at_ms)
    return f"{at:%H:%M}" if at.date() == local(now_ms).date() else f"{at:%H:%M %d/%m/%Y}"


def _parent_line(parent: ParentFacts, now_ms: int) -> str:
    where = f" ({parent.unit_name})" if parent.unit_name else ""
    last = strings.sync_last(_clock(parent.ok_ms, now_ms)) if parent.ok_ms else strings.SYNC_NEVER
    why = f"; {parent_error(parent.error)}" if parent.error else ""
    return f"  {parent.name}{where}: {last}{why}"


def sync_lines(result: SyncResult) -> Iterator[str]:
    """Yields what a synchronisation came to."""
    yield (
        f"Đã đồng bộ với {result.parent}: gửi {result.sent}, được xác nhận {result.acked}, "
        f"nhận {result.received} ({result.round_trips} lượt, {result.bytes_up + result.bytes_down} byte)"
    )
    if result.chunks_up or result.chunks_down:
        yield f"  Tệp đính kèm: gửi {result.chunks_up} phần, nhận {result.chunks_down} phần"
    if result.was_rolled_back:
        yield f"{strings.WARNING_MARK} Máy chủ đã mất dữ liệu từng nhận; mọi ghi chép đã được gửi lại."
    if not result.is_complete:
        yield f"{strings.WARNING_MARK} Chưa xong trong thời gian cho phép; hãy đồng bộ lần nữa."
    yield from _outcome_lines("Cấp trên", result.refused)
    yield from _outcome_lines("Máy này", result.rejected)


def _outcome_lines(where: str, outcomes: tuple[tuple[bytes, str, str], ...]) -> Iterator[str]:
    for event, code, reason in outcomes[:_MAX_SHOWN]:
        yield f"  {strings.WARNING_MARK} {where}: {event.hex()[:_SHORT_ID]} {outcome_text(code, reason)}"
    if len(outcomes) > _MAX_SHOWN:
        yield f"  {strings.WARNING_MARK} {where}: còn {len(outcomes) - _MAX_SHOWN} ghi chép khác như vậy"


def bundle_lines(facts: BundleFacts, *, is_import: bool) -> Iterator[str]:
    """Yields what making or taking a bundle came to."""
    if is_import:
        yield f"Đã nhập {facts.path}: {facts.stored} ghi chép mới, {facts.acks} xác nhận"
        yield f"  Trả lời máy gửi bằng: onestop export NƠI-GHI --to {facts.sender.hex()}"
    else:
        yield f"Đã xuất {facts.path}: {facts.events} ghi chép, {facts.size_bytes} byte"
        yield f"  Mở được bởi: {', '.join(facts.recipients)}"
    if facts.chunks:
        yield f"  Tệp đính kèm: {facts.chunks} phần"
    if facts.parts:
        yield f"  {len(facts.parts)} tệp, nhập lần lượt theo số: {', '.join(facts.parts)}"
    if facts.left_out:
        yield f"  {strings.WARNING_MARK} {facts.left_out} phần chưa biết thuộc hồ sơ nào:"
        yield "    hãy nhập gói có số nhỏ hơn trước, rồi nhập lại gói này."
    if facts.has_more:
        yield f"  {strings.WARNING_MARK} Chưa hết: khi gói này được trả lời, hãy làm gói tiếp theo."
    if facts.was_rolled_back:
        yield f"  {strings.WARNING_MARK} Máy chủ đã mất dữ liệu từng nhận; mọi ghi chép sẽ được gửi lại."
    yield from _outcome_lines("Không có hiệu lực", facts.refused)
    yield from _outcome_lines("Không lưu", facts.rejected)


def notice_lines(notice: NoticeFacts) -> Iterator[str]:
    """Yields one change after the fact."""
    what = "; ".join(line.label for line in notice.lines)
    name = _name(notice.code, notice.doc)
    yield f"{show_time(notice.at_ms)}  {name}  {notice.title}"
    yield f"  {notice.who or 'chưa rõ ai'}: {what}"
    yield f"  trước: {STANDING_LABELS[notice.before]}; nay: {STANDING_LABELS[notice.after]}"


def limit_line(procedure: Procedure) -> str:
    """Says a procedure's time limit and fee, and what of them is not certain."""
    from onestop_sync.dossier.catalogue_text import fee_text, limit_text
    from onestop_sync.dossier.labels import one_line

    said = f" (nguồn ghi: {procedure.limit_text_vi})" if procedure.limit_text_vi else ""
    limit = limit_text(procedure.limit) or f"không rõ, cán bộ cho ngày hẹn{said}"
    unsure = "" if procedure.limit is None or procedure.limit_certainty == "sourced" else " (cần kiểm tra)"
    fee = procedure.fee
    checked = "" if fee.certainty == "sourced" else " (cần kiểm tra)"
    condition = f": {one_line(fee.condition_vi)}" if fee.kind == "free_if" else ""
    return f"Thời hạn: {limit}{unsure}; phí: {fee_text(fee)}{condition}{checked}"


def procedure_lines(procedure: Procedure) -> Iterator[str]:
    """Yields a procedure and its checklist."""
    yield f"{procedure.code}  {procedure.name_vi}"
    yield f"    {limit_line(procedure)}"
    for document in procedure.documents:
        condition = f" ({document.condition_vi})" if document.condition_vi else ""
        yield f"    - {document.name_vi}{condition}"

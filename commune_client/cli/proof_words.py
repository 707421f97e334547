"""What a proof came to, in Vietnamese: lines for the command and the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from commune_client import strings
from commune_client.messages import NOTES, PROBLEMS, STANDING_LABELS, reason_text
from onestop_sync.dossier.labels import ROLE_LABELS, one_line, step_label
from onestop_sync.dossier.timeline import lines_of, show_time
from onestop_sync.keys import fingerprint
from onestop_sync.report import Acked, Link, Problem, Proven, Report
from onestop_sync.tombstone import Tombstone
from onestop_sync.verification import StoreReport

__all__ = ["NOT_LEGAL", "erased_lines", "report_lines", "store_lines"]

NOT_LEGAL: Final = (
    "Chữ ký ở đây chứng minh nguồn gốc và sự toàn vẹn của ghi chép; đó không phải chữ ký số theo Luật Giao"
    " dịch điện tử, và thời gian là giờ của máy người ký."
)
_SHORT: Final = 12
"""Hex digits of an id that are shown."""


def report_lines(report: Report) -> Iterator[str]:
    """Yields the proof of one dossier."""
    yield _verdict(is_proven=report.is_proven, what="Hồ sơ")
    yield f"Gốc của tỉnh (root): {fingerprint(report.anchor)}   bản công bố số {report.version}"
    if report.exporter:
        made = report.exporter
        unit = _unit(report, made.unit)
        yield f"Tệp do máy {one_line(made.name)} ({unit}) xuất lúc {show_time(made.made_ms)}, có ký tên"
    if report.tombstone:
        yield from erased_lines(report.tombstone)
    for problem in report.problems:
        yield _problem(problem)
    for code, subject in report.notes:
        yield f"  {strings.WARNING_MARK} {NOTES[code]}{_id(subject)}"
    for proven in report.events:
        yield ""
        yield from _event(report, proven)
    yield ""
    if report.fingerprint:
        yield f"Kết quả cuối (SHA-256): {report.fingerprint.hex()}"
    yield NOT_LEGAL


def _verdict(*, is_proven: bool, what: str) -> str:
    words = "chứng minh được toàn bộ, từ khóa gốc của tỉnh" if is_proven else "CHƯA chứng minh được hết"
    return f"{what}: {words}"


def _unit(report: Report, unit: str) -> str:
    return one_line(report.units.get(unit, unit))


def _problem(problem: Problem) -> str:
    detail = f" ({one_line(problem.detail)})" if problem.detail else ""
    return f"  {strings.ERROR_MARK} {PROBLEMS[problem.code]}{_id(problem.subject)}{detail}"


def _id(subject: bytes) -> str:
    return f": {subject.hex()[:_SHORT]}" if subject else ""


def _event(report: Report, proven: Proven) -> Iterator[str]:
    event = proven.event
    who = one_line(proven.chain[0].name) if proven.chain else "chưa rõ ai"
    yield f"{event.id.hex()[:_SHORT]}  {show_time(event.header.time_ms)}  {who}"
    for line in lines_of(proven.ops):
        yield f"    {line.label}{': ' if line.text else ''}{line.text}"
    if not proven.ops:
        yield "    (không còn nội dung)"
    label = STANDING_LABELS[str(proven.standing)] if proven.standing else "chưa xác định được"
    code, _, detail = proven.reason.partition(": ")
    why = f": {reason_text(code)}" if code else ""
    yield f"    Hiệu lực: {label}{why}{f' ({one_line(detail)})' if detail else ''}"
    for depth, link in enumerate(proven.chain):
        yield _link(report, link, depth)
    for acked in proven.acks:
        yield _ack(report, acked)


def _link(report: Report, link: Link, depth: int) -> str:
    roles = ", ".join(ROLE_LABELS.get(role, role) for role in link.roles) or "máy"
    by = f"chứng thư {link.certificate.hex()[:_SHORT]}" if link.certificate else "do gốc của tỉnh nêu tên"
    lead = "Người ký" if not depth else "  chứng nhận bởi"
    who = f"{one_line(link.name)}, {_unit(report, link.unit)}, {roles}"
    return f"    {lead}: {who}; {by}; khóa {fingerprint(link.key)}"


def _ack(report: Report, acked: Acked) -> str:
    unit = _unit(report, acked.unit)
    return f"    Đã nhận: {one_line(acked.name)} ({unit}) lúc {show_time(acked.at_ms)}, có ký xác nhận"


def erased_lines(tombstone: Tombstone) -> Iterator[str]:
    """Yields what stays of an erased dossier."""
    yield f"Đã xóa theo quy định lúc {show_time(tombstone.erased_ms)}: {one_line(tombstone.why)}"
    row = tombstone.row
    name = one_line(str(row.get("ten_thu_tuc") or row.get("ma_thu_tuc") or ""))
    yield f"  Trong sổ còn: {one_line(tombstone.label) or tombstone.doc.hex()}  {name}".rstrip()
    if row.get("buoc"):
        yield f"  Bước cuối: {step_label(str(row['buoc']))}"
    for key, label in (("tiep_nhan_luc", "Tiếp nhận"), ("han_tra", "Hẹn trả"), ("tra_luc", "Trả kết quả")):
        if type(row.get(key)) is int:
            yield f"  {label}: {show_time(row[key])}"


def store_lines(report: StoreReport) -> Iterator[str]:
    """Yields the proof of a whole store."""
    yield _verdict(is_proven=report.is_proven, what="Kho dữ liệu")
    yield f"Gốc của tỉnh (root): {fingerprint(report.anchor)}   bản công bố số {report.version}"
    yield f"{report.documents} hồ sơ ({report.erased} đã xóa theo quy định)"
    if report.snapshots:
        yield f"{report.snapshots} hồ sơ theo ảnh chụp có chữ ký của tỉnh, chưa tải lịch sử: chưa chứng minh"
    yield f"{report.trail} dòng nhật ký thao tác"
    yield f"{report.events} ghi chép trong {report.logs} nhật ký; {report.refused} ghi chép không có hiệu lực"
    yield f"{report.waiting} hồ sơ có ghi chép đang chờ"
    for problem in report.problems:
        yield _problem(problem)
    for odd in report.odd_logs:
        who = one_line(odd.name) or "chưa rõ ai"
        holes = ", ".join(f"{first}–{last}" for first, last in odd.holes)
        facts = [f"dùng trên hai máy ở số {', '.join(map(str, odd.forks))}"] if odd.forks else []
        facts += [f"thiếu số {holes}"] if holes else []
        yield f"  {strings.WARNING_MARK} Nhật ký {odd.log.hex()[:_SHORT]} của {who}: {'; '.join(facts)}"
    yield NOT_LEGAL

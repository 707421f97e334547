"""What the commands about the office as a whole print: plain values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from commune_client import strings
from commune_client.cli.rows import row_lines
from commune_client.due_words import why_words
from onestop_sync.dossier.labels import CHARGE_LABELS, money, one_line
from onestop_sync.dossier.timeline import show_time

if TYPE_CHECKING:
    from commune_client.desk.office_facts import AskedFacts, DossierFees, Each, HandoverRow, Settlement, Why
    from onestop_sync.dossier.charges import Settled

__all__ = [
    "asked_lines",
    "each_lines",
    "fees_lines",
    "handover_lines",
    "settlement_lines",
    "why_lines",
]


def handover_lines(rows: Sequence[HandoverRow], *, is_giving: bool) -> Iterator[str]:
    """Yields the list of what is to be handed over, or to be received, by when."""
    what = "bàn giao" if is_giving else "nhận bàn giao"
    command = "onestop handover --all" if is_giving else "onestop receive --all"
    if not rows:
        yield f"Không có hồ sơ nào cần {what}."
        return
    yield f"Danh sách {what}, {len(rows)} hồ sơ (ký cả danh sách: {command})"
    for number, row in enumerate(rows, 1):
        mark = strings.ERROR_MARK if row.is_late else " "
        by = f"  trước {show_time(row.by_ms)}" if row.by_ms else ""
        yield from row_lines(f"{number:>3} {mark} {row.code:<28} {row.step_label:<20}{by} ", row.title)


def each_lines(done: Iterable[Each], said: Mapping[bytes, str]) -> Iterator[str]:
    """Yields what became of each dossier."""
    for each in done:
        yield f"{each.code or each.doc.hex()}: {said.get(each.doc) or each.step_label}"


def asked_lines(found: Sequence[AskedFacts]) -> Iterator[str]:
    """Yields which agencies have not answered: who asked whom, by when, and who is late."""
    if not found:
        yield "Không có đơn vị nào còn phải trả lời ý kiến."
    for each in found:
        until = f"hạn {show_time(each.until_ms)}" if each.until_ms else "không rõ hạn"
        late = f" {strings.ERROR_MARK} quá hạn" if each.is_late else ""
        mine = " (đơn vị mình)" if each.is_ours else ""
        yield f"{each.code}  {each.unit_name}{mine}: {until}{late}; chủ trì: {each.lead_name}"
        yield f"    {one_line(each.content)}"


def fees_lines(found: DossierFees) -> Iterator[str]:
    """Yields the fees of a dossier and what is open."""
    for charge in found.charges:
        receipt = f", biên lai {charge.receipt}" if charge.receipt else ""
        reason = f" ({charge.reason})" if charge.reason else ""
        kind = CHARGE_LABELS[str(charge.kind)]
        yield f"  {show_time(charge.at_ms)}  {kind} {money(charge.amount_vnd)}{receipt}{reason}"
    balance = found.balance
    yield (
        f"Phải nộp {money(balance.due)}, miễn {money(balance.waived)}, đã nộp {money(balance.paid)},"
        f" còn {money(balance.open)}"
    )


def settlement_lines(found: Settlement) -> Iterator[str]:
    """Yields what came in in a period, by procedure, and what is still open."""
    first, last = ("/".join(reversed(day.split("-"))) for day in (found.first, found.last))
    yield f"Phí, lệ phí từ {first} đến {last}"
    for row in found.rows:
        yield f"  {row.procedure:<12} {_settled(row)}  {row.name}"
    yield f"  {'Cộng':<12} {_settled(found.total)}"
    if found.open_codes:
        yield f"Còn phải thu: {', '.join(found.open_codes)}"


def _settled(row: Settled) -> str:
    return (
        f"{row.dossiers:>4} hồ sơ {row.receipts:>4} biên lai  phải nộp {money(row.due_vnd)},"
        f" miễn {money(row.waived_vnd)}, đã nộp {money(row.paid_vnd)}, còn {money(row.open_vnd)}"
    )


def why_lines(why: Why) -> Iterator[str]:
    """Yields why a dossier is due when it is."""
    yield why.code
    yield from why_words(why)

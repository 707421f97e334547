"""``doctor``: whether the store is sound; with ``--rebuild``, what it shows is made again from the events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from commune_client import strings
from commune_client.cli.codes import DONE, REFUSED
from commune_client.cli.session import Session

if TYPE_CHECKING:
    from onestop_sync.doctor import Fault, Health

__all__ = ["doctor"]

_EVERY: Final = 20
_SHOWN: Final = 20
_WORDS: Final = {
    "database": "tệp cơ sở dữ liệu bị hỏng",
    "event": "ghi chép bị hỏng: nội dung không khớp mã băm đã ký",
    "scan": "tệp đính kèm bị hỏng",
    "state": "nội dung hiển thị không khớp các ghi chép",
    "list": "dòng trong danh sách không khớp",
    "search": "chỉ mục tìm kiếm không khớp",
    "report": "dòng trong báo cáo không khớp",
    "waiting": "danh sách ghi chép đang chờ không khớp",
    "summary": "nội dung theo ảnh chụp không phải điều tỉnh đã ký",
}


def doctor(session: Session) -> int:
    """Checks, or makes again and checks; 0 when all is well."""
    with session.desk() as desk:
        made = desk.rebuild(_progress(session, "dựng lại")) if session.arguments.rebuild else 0
        health = desk.check_health(_progress(session, "kiểm tra"))
    facts = {"rebuilt": made, **health.to_json()}
    session.show(facts, [*_lines(health, made)])
    return REFUSED if health.faults else DONE


def _lines(health: Health, made: int) -> Iterator[str]:
    if made:
        yield f"Đã dựng lại {made} tài liệu từ các ghi chép; không ghi chép nào bị sửa."
    yield (
        f"Đã kiểm tra {health.documents} tài liệu, {health.events} ghi chép, {health.chunks} phần đính kèm."
    )
    if health.summaries:
        yield f"{health.summaries} hồ sơ có theo ảnh chụp có chữ ký của tỉnh; lịch sử tải dần khi đồng bộ."
    if not health.faults:
        yield "Kho dữ liệu tốt."
        return
    for kind, count in Counter(fault.kind for fault in health.faults).items():
        yield f"{strings.ERROR_MARK} {count} × {_WORDS[kind]}"
    for fault in health.faults[:_SHOWN]:
        yield f"    {fault.kind}  {fault.doc.hex()[:16]}"
    yield from _advice(health.faults)


def _advice(faults: tuple[Fault, ...]) -> Iterator[str]:
    if any(fault.is_derived for fault in faults):
        yield "Chạy `onestop doctor --rebuild` để dựng lại phần hiển thị. Ghi chép còn nguyên."
    if not all(fault.is_derived for fault in faults):
        yield (
            "Ghi chép hoặc tệp bị hỏng không dựng lại được: sao chép cả thư mục này ra nơi khác, khôi phục từ"
            " bản sao lưu (onestop restore), rồi đồng bộ. Đừng xóa gì; báo người quản trị."
        )


def _progress(session: Session, what: str) -> Callable[[int, int], None]:
    told = [0]

    def tell(done: int, total: int) -> None:
        part = done * _EVERY // max(total, 1)
        if part > told[0]:
            told[0] = part
            session.tell(f"Đã {what} {done}/{total} tài liệu")

    return tell

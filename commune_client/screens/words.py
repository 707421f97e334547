"""Every Vietnamese sentence of the screens, beside those that all widgets share (`commune_client.strings`).

Constants are fixed words; functions take plain values and return one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

# --- Unlocking and locking ---

OFFICE: Final = "BỘ PHẬN TIẾP NHẬN VÀ TRẢ KẾT QUẢ"
PRODUCT: Final = "MỘT CỬA"
OFFICER: Final = "Cán bộ"
UNLOCK_WITH: Final = "Mật khẩu"
READING_OFFICERS: Final = "đang đọc danh sách cán bộ"
UNLOCK_HINT: Final = "Enter: mở   Tab: đổi ô   Ctrl+Q: thoát"
UNLOCK_EMPTY: Final = "Hãy gõ mật khẩu"
OFFICER_MISSING: Final = "Hãy chọn cán bộ"
OPENING: Final = "Đang mở kho hồ sơ"
NOT_SET_UP: Final = "Thư mục này chưa có kho hồ sơ. Enter: kích hoạt máy bằng mã trên tờ được phát."
KEYS_UNREADABLE: Final = "Thư mục này chưa có kho hồ sơ đọc được. Hãy báo người quản trị."
ACTIVATE: Final = "KÍCH HOẠT MÁY BẰNG MÃ"
ACTIVATE_HINT: Final = "Enter: tiếp   Tab: đổi ô   Esc: quay lại   Ctrl+Q: thoát"
SERVER: Final = "Máy chủ"
ACTIVATION_CODE: Final = "Mã kích hoạt"
CODE_HELP: Final = "Gõ như trên tờ giấy, hoặc quét hình vuông bằng đầu đọc. Tắt bộ gõ tiếng Việt khi gõ mã."
ASKING: Final = "Đang hỏi máy chủ"
UNIT: Final = "Đơn vị"
MACHINE: Final = "Máy"
UNLOCK_NEW: Final = "Đặt mật khẩu"
AGAIN: Final = "Gõ lại"
NO_OFFICER: Final = "Mã này không ghi tên cán bộ nào. Hãy báo người quản trị."
COMPARE_SHEET: Final = (
    "Đơn vị, máy và tên phải đúng như trên tờ giấy; khác thì nhấn Esc và báo quản trị. "
    "Mật khẩu ít nhất 8 ký tự, chỉ mình anh/chị biết."
)
UNLOCK_SHORT: Final = "Mật khẩu cần ít nhất 8 ký tự"
UNLOCK_DIFFERS: Final = "Hai lần gõ mật khẩu không giống nhau"
ACTIVATING: Final = "Đang tạo khóa và kích hoạt máy"
WAITING_FOR_APPROVAL: Final = (
    "Mã đúng. Yêu cầu đang chờ quản trị duyệt; khóa đã được giữ. Nhấn Enter ở ô cuối để hỏi lại."
)
NEXT_OFFICER: Final = "Đã xong cho {}. Người tiếp theo chọn tên và đặt mật khẩu; Esc nếu chưa có mặt."
ACTIVATED: Final = "Máy đã được kích hoạt. Hãy mở bằng mật khẩu vừa đặt."
ACTIVATE_AGAIN: Final = "F2: kích hoạt máy bằng mã"
LOCKED: Final = "Màn hình đã khóa. Những gì đang gõ vẫn còn nguyên; việc đồng bộ vẫn chạy được."
QUIT_TITLE: Final = "Khóa hoặc thoát"
LOCK: Final = "Khóa màn hình"
LOCK_HELP: Final = "những gì đang gõ vẫn còn"
QUIT: Final = "Thoát chương trình"
QUIT_HELP: Final = "bản nháp đã lưu trên máy"


LINE_EMPTY: Final = "Còn ô chưa gõ"
WORKING: Final = "Đang làm"
CHANGING: Final = "Đổi mật khẩu"
OLD_WORD: Final = "Mật khẩu hiện nay"
NEW_WORD: Final = "Mật khẩu mới"
NEW_WORD_AGAIN: Final = "Gõ lại mật khẩu mới"
WORD_SHORT: Final = "Mật khẩu mới cần ít nhất 8 ký tự"
WORDS_DIFFER: Final = "Hai lần gõ mật khẩu mới không giống nhau"
WORD_CHANGED: Final = "Đã đổi mật khẩu. Mật khẩu cũ không mở được nữa"
BACKUP: Final = "Sao lưu"
BACKUP_FOLDER: Final = "USB hoặc thư mục"
BACKUP_ABOUT: Final = (
    "Chưa chọn nơi sao lưu. Gõ đường dẫn của USB hoặc thư mục.\n"
    "Từ nay mỗi ngày tự sao lưu vào đó; bản sao lưu được mã hóa."
)
BACKUP_RUNNING: Final = "Đang sao lưu, có thể làm việc tiếp"
NO_FOLDER: Final = "Không thấy thư mục đó. Hãy cắm USB và kiểm tra đường dẫn"
DISMISS: Final = "Bỏ cán bộ khỏi máy này"
NO_COLLEAGUES: Final = "Trên máy này không có cán bộ nào khác"
BUSY_LINE: Final = "Đang đồng bộ hoặc sao lưu, hãy thử lại sau một chút"


def passphrase_about(name: str) -> str:
    """Say whose passphrase is changed."""
    return f"Đổi mật khẩu của {name} trên máy này. Khóa ký không đổi."


def dismiss_about(name: str) -> str:
    """Say what the removal of an officer does."""
    return (
        f"{name} sẽ không mở được máy này nữa. Kho dữ liệu nhận khóa mới; hồ sơ không đổi.\n"
        "Chứng nhận của người đó do quản trị thu hồi riêng. Gõ mật khẩu của mình để đồng ý."
    )


def dismissed(name: str, *, is_waiting: bool) -> str:
    """Say that an officer was removed, and what is still to be done."""
    if is_waiting:
        return f"Đã bỏ {name}. Chương trình khác đang mở kho: khóa mới có hiệu lực ở lần mở sau"
    return f"Đã bỏ {name}; kho dữ liệu có khóa mới. Hãy sao lưu lại và hủy các bản cũ"


def sign_about(label: str, name: str) -> str:
    """Say what is signed, and by whom."""
    return f"{label}: gõ mật khẩu của {name} để ký."


def backed_up(folder: str) -> str:
    """Say where the backup is."""
    return f"Đã sao lưu và kiểm tra: {folder}"


def who(name: str, unit: str) -> str:
    """Say who works, and where."""
    return f"{name} · {unit}" if unit else name


def unsent_left(count: int) -> str:
    """Say what stays to be sent after leaving."""
    return f"{count} việc chưa gửi vẫn giữ trên máy" if count else ""


# --- Lists ---

SEARCH: Final = "Tìm"
SEARCH_HELP: Final = "tên, mã, thủ tục, số căn cước, điện thoại; không cần gõ dấu"
NOTHING_FOUND: Final = "Không có hồ sơ nào khớp. Esc: xóa ô tìm"
NOTHING_FOUND_HERE: Final = "Không có hồ sơ nào khớp ở mục đang xem. Esc: xóa ô tìm; Esc lần nữa: xem tất cả"
LIST: Final = "Danh sách hồ sơ"
LIST_EMPTY: Final = "Chưa có hồ sơ nào. F2: tiếp nhận hồ sơ mới"
LIST_EMPTY_FILTERED: Final = "Không có hồ sơ nào ở mục này. 1: xem tất cả"
FILTERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "all": "Tất cả",
        "mine": "Việc của tôi",
        "conflict": "Xung đột",
        "unsent": "Chưa gửi",
        "overdue": "Quá hạn",
        "step": "Theo bước",
    }
)
CODE: Final = "Mã hồ sơ"
APPLICANT: Final = "Người nộp – thủ tục"
STEP: Final = "Bước"
DUE: Final = "Hạn trả"
CHOOSE_STEP: Final = "Xem hồ sơ ở bước nào"
DRAFT_CODE: Final = "(chưa cấp)"
JUST_OVERDUE: Final = "!! quá giờ hẹn"
CONFLICT_MARK: Final = "X"
WAITING_MARK: Final = "?"
SHORT_STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "draft": "Mới lập",
        "incomplete": "Chờ bổ sung",
        "refused": "Từ chối",
        "accepted": "Đã tiếp nhận",
        "given": "Chờ TĐ nhận",
        "sent": "Chờ đơn vị nhận",
        "appraisal": "Đang thẩm định",
        "supplement": "Chờ bổ sung",
        "payment": "Chờ nộp phí",
        "approval": "Chờ phê duyệt",
        "approved": "Đã phê duyệt",
        "rejected": "Không đủ ĐK",
        "stopped": "Dừng xử lý",
        "result_given": "Chờ nhận KQ",
        "notice_given": "Chờ nhận TB",
        "result_ready": "Chờ trả KQ",
        "notice_ready": "Chờ trả TB",
        "returned": "Đã trả KQ",
        "withdrawn": "Đã rút",
    }
)


def shown(count: int, *, has_more: bool) -> str:
    """Say how many lines are here."""
    return f"{count}+ hồ sơ" if has_more else f"{count} hồ sơ"


def unseen_notices(count: int) -> str:
    """Say that something changed after the fact."""
    return f"{count} thay đổi chưa xem: F7"


# --- Intake ---

INTAKE: Final = "Tiếp nhận hồ sơ"
CHOOSE_PROCEDURE: Final = "Tiếp nhận: chọn thủ tục"
PROCEDURE: Final = "Thủ tục"
PROCEDURE_HELP: Final = "gõ vài chữ của tên thủ tục, hoặc mã"
LIMIT: Final = "Thời hạn"
DRAFT: Final = "Bản nháp"
CODE_SHORT: Final = "Mã"
PRESS_TO_ACCEPT: Final = "Đã hết các mục. Ctrl+S: kiểm tra và tiếp nhận"
PRESS_TO_SIGN: Final = "Đã hết các mục. Ctrl+S: ký và ghi"
ACCEPTING: Final = "Đang tiếp nhận"
APPLICANT_ALONE: Final = "Người nộp"
DELIVERED: Final = "Đã đi đến"
MINE_HEAD: Final = "Của tôi"
NOTHING_TO_EDIT: Final = "Ở bước này anh/chị không có mục nào được sửa"
NO_PROCEDURE: Final = "Không có thủ tục nào khớp"
KEPT: Final = "đã lưu nháp"
KEEPING: Final = "đang lưu nháp"
NOT_KEPT: Final = "CHƯA LƯU ĐƯỢC NHÁP"
DISCARD_TITLE: Final = "Bỏ bản nháp này?"
DISCARD: Final = "Bỏ bản nháp, không lấy lại được"
KEEP_DRAFT: Final = "Giữ lại, quay về"
DISCARDED: Final = "Đã bỏ bản nháp"
NO_LIMIT: Final = "Danh mục không ghi thời hạn: hãy nhập ngày hẹn trả"


def no_limit(said: str) -> str:
    """Say that an official gives the date, and what the source prints.

    Args:
        said: That; empty when it prints nothing.
    """
    return f"{NO_LIMIT} (nguồn ghi: {said})" if said else NO_LIMIT


DUE_FIELD: Final = "Ngày hẹn trả"
DUE_FIELD_HELP: Final = "thủ tục này không có thời hạn trong danh mục; ví dụ 05/09/2026"
PAPERS: Final = "Giấy tờ đã nhận"
ATTACHMENTS: Final = "Tệp đính kèm"
ATTACH: Final = "Đính kèm tệp"
SAVE_ATTACHMENT: Final = "Lưu tệp ra ngoài"
ATTACH_PATH: Final = "Đường dẫn tệp"
ATTACH_PATH_HELP: Final = "Ví dụ ~/Scan/can-cuoc.jpg; phím -> nhận phần gợi ý"
ATTACH_PAPER: Final = "Là giấy tờ"
ATTACH_OTHER: Final = "(giấy tờ khác)"
ATTACH_SHRINK: Final = "Thu nhỏ ảnh"
ATTACH_AS_IS: Final = "Giữ nguyên"
ATTACH_SMALLER: Final = "Thu nhỏ, bỏ thông tin nơi chụp"
ATTACH_WHICH: Final = "Tệp đính kèm"
SAVE_PATH: Final = "Lưu vào"
SAVE_PATH_HELP: Final = "Thư mục hoặc tên tệp mới; tệp lưu ra không còn được mã hóa"
PRINT: Final = "In biểu mẫu"
PRINT_DAY: Final = "In hàng loạt"
PRINT_FORM: Final = "Biểu mẫu"
PRINT_MANNER: Final = "Cách in"
PRINT_MANNERS: Final = (
    ("a5", "PDF, khổ A5"),
    ("two", "PDF, hai tờ A5 trên một A4"),
    ("double", "PDF, 2 liên trên một A4"),
    ("text", "Chữ thường 80 cột, cho máy in kim"),
)
PRINT_REGISTER_MANNERS: Final = (
    ("a5", "PDF, khổ A4 ngang"),
    ("text", "Chữ thường 80 cột, cho máy in kim"),
)
PRINT_PATH: Final = "Ghi vào thư mục"
PRINT_PATH_HELP: Final = "Tên tệp không có tên người; tệp không được mã hóa, in xong hãy xóa"
PRINT_SEND: Final = "Gửi máy in"
PRINT_SENDS: Final = (("no", "Không, chỉ ghi tệp"), ("yes", "Có"))
PRINT_DAY_FIELD: Final = "Tiếp nhận ngày"
PRINT_DAY_ABOUT: Final = "In một mẫu cho mọi hồ sơ đơn vị tiếp nhận trong một ngày, vào một tệp."
PRINT_NONE: Final = "Hồ sơ này chưa có biểu mẫu nào để in"
PRINT_NO_DOSSIERS: Final = "Ngày đó đơn vị không tiếp nhận hồ sơ nào"
PRESS_TO_PRINT: Final = "Ctrl+S: in"
OFFER_RECEIPT: Final = "Ctrl+P: in Giấy tiếp nhận hồ sơ và hẹn trả kết quả"
REGISTER: Final = "Sổ theo dõi hồ sơ"
REGISTER_YEAR: Final = "Năm"
REGISTER_ABOUT: Final = "Xem sổ của năm nào?"
REGISTER_WRONG_YEAR: Final = "Năm gồm bốn chữ số, ví dụ 2026"
REGISTER_READING: Final = "Đang đọc sổ"
REGISTER_CLOSE: Final = "Khóa sổ"
REGISTER_CLOSED: Final = "Đã khóa sổ"
REGISTER_REASON: Final = "Lý do thiếu số"
REGISTER_NO_REASON: Final = "không thiếu số nào"
PAPER_OPTIONAL: Final = "nếu có"
VERIFIED: Final = "Cần xác minh"
VERIFIED_YES: Final = "Có, áp dụng thời hạn dài hơn"
ACCEPTED: Final = "Đã tiếp nhận"
RECEIVED_AT: Final = "Tiếp nhận lúc"
DUE_AT: Final = "Hẹn trả kết quả"
WHY_DUE: Final = "Vì sao ngày này"
NO_DUE: Final = "không hẹn ngày"
CONFIRM_DATE_TITLE: Final = "Hôm nay có đúng là"
CONFIRM_DATE_WHY: Final = "Ngày giờ của máy không khớp với các hồ sơ đã có; mã và hạn trả tính theo ngày này."
CONFIRM_DATE: Final = "Đúng, hôm nay là"
WRONG_DATE: Final = "Không đúng: quay lại, chỉnh ngày giờ của máy rồi tiếp nhận"


def not_complete(count: int) -> str:
    """Say that something must be mended first."""
    return f"{count} mục có dấu !! cần sửa trước"


def maybe_accepted(code: str) -> str:
    """Say that a draft may have become a dossier before the power went."""
    return f"! Có thể bản nháp này đã được tiếp nhận: mã {code}. Nếu đúng, F12 để bỏ nháp"


def more_fields(count: int) -> str:
    """Say that an event wrote more than is shown."""
    return f"và {count} mục nữa"


def now_written(value: object) -> str:
    """Say what somebody else has just written to a field."""
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return f"Người khác vừa ghi: {text}. Ghi lần nữa là giữ bản của anh/chị"


def fee(amount: Any) -> str:
    """Say a procedure's fee, as far as the catalogue knows it.

    Args:
        amount: An `onestop_sync.dossier.fees.Fee`.
    """
    match str(amount.kind):
        case "free":
            return "miễn phí"
        case "free_if":
            return "miễn phí có điều kiện"
        case "per_unit":
            price = f"{amount.amount_vnd:,}".replace(",", ".")
            return f"lệ phí {price} đ/{amount.unit_vi}"
        case "province":
            return "lệ phí theo quy định của tỉnh"
    return ""


ONLY_IF_POSTED: Final = "khi nhận qua bưu chính: địa chỉ nhận"
CONTENT_HELP: Final = "để trống: ghi theo tên thủ tục"
LIST_HELP: Final = "mỗi dòng một mục"
ID_HELP: Final = "căn cước 12 số; tổ chức: mã số thuế 10 hoặc 13 số"
CHOICE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "truc_tiep": "Trực tiếp tại Bộ phận Một cửa",
        "buu_chinh": "Qua bưu chính công ích",
        "truc_tuyen": "Trực tuyến",
        "ca_nhan": "Cá nhân",
        "to_chuc": "Tổ chức, doanh nghiệp",
    }
)


def intake_of(procedure: str) -> str:
    """Say what is being taken in."""
    return f"Tiếp nhận: {procedure}"


def draft_of(applicant: str, procedure: str) -> str:
    """Name a draft."""
    return f"{applicant or '(chưa có tên)'} – {procedure}"


def expected_due(when: str) -> str:
    """Say when a dossier accepted now would be due."""
    return f"nếu tiếp nhận bây giờ: hẹn trả {when}"


_LIMITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "working_hours": "{} giờ làm việc",
        "working_days": "{} ngày làm việc",
        "calendar_days": "{} ngày",
        "same_day": "trong ngày",
    }
)


def limit(kind: str, amount: int) -> str:
    """Say a statutory time limit."""
    if kind == "same_day" and amount:
        return f"trong ngày, thêm {amount} ngày làm việc"
    return _LIMITS.get(kind, kind + " {}").format(amount)


SKIPPED: Final[Mapping[str, str]] = MappingProxyType(
    {"holiday": "nghỉ lễ", "day_off": "nghỉ theo thông báo", "counted_compensatory": "làm bù"}
)
DUE_CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {"tiep_nhan": "khi tiếp nhận", "bo_sung": "khi nhận bổ sung", "gia_han": "khi gia hạn"}
)


def counted(limit_words: str, start: str, cause: str) -> str:
    """Say from when and by which limit a due date was counted."""
    return f"{limit_words}, tính từ {start} ({cause})"


def given(start: str, cause: str) -> str:
    """Say that an official gave the date."""
    return f"Cán bộ ghi ngày hẹn lúc {start} ({cause})"


def by_rule(profile: str, calendar: int) -> str:
    """Say by which law and calendar."""
    return f"Theo {profile}; lịch nghỉ bản {calendar}"


def skipped_days(days: str) -> str:
    """Say which days off were on the way."""
    return f"Ngày nghỉ, ngày làm bù đã tính: {days}"


def unannounced(years: str) -> str:
    """Say that days off were not announced yet."""
    return f"! Chưa có thông báo ngày nghỉ của {years}: ngày hẹn có thể phải xem lại"


def before(when: str) -> str:
    """Say what the appointment was before."""
    return f"Ngày hẹn trước: {when}"


# --- A dossier ---

DOSSIER: Final = "Hồ sơ"
PROOF: Final = "Xác minh"
FIELDS: Final = "Thông tin"
TIMELINE: Final = "Quá trình xử lý (mỗi mục là một việc đã ký)"
NOTES: Final = "Ghi chú"
EDIT: Final = "Sửa thông tin"
ADD_NOTE: Final = "Thêm ghi chú"
VOID: Final = "Hủy hồ sơ"
LATEST: Final = "Việc gần nhất"
WROTE: Final = "Ghi mục"
DRAFTED: Final = "Lập bản nháp"
HELD_BY: Final = "đang ở"
IS_VOID: Final = "ĐÃ HỦY"
UNKNOWN_AUTHOR: Final = "(chưa rõ người ký)"
NEEDS_NEWER: Final = "(cần phiên bản chương trình mới hơn)"
PRINT_BLOCKED: Final = "Chưa in được biểu mẫu: còn mục chưa giải quyết"
ASKED_AGENCY: Final = "Lấy ý kiến"
LATE: Final = "quá hạn"
WHY: Final = "Vì sao ngày này?"
STEPS: Final = "Các bước"
STEP_NOW: Final = "đang làm"
STEP_DONE: Final = "xong"
TO_GIVE: Final = "Cần bàn giao"
TO_RECEIVE: Final = "Chờ ký nhận"
HAND_BY: Final = "Bàn giao trước"
NOTHING_TO_HAND: Final = "Không có hồ sơ nào"
MARK_FIRST: Final = "Hãy đánh dấu hồ sơ (Enter), hoặc cả danh sách (0)"
AGENCIES: Final = "Đơn vị được hỏi chưa trả lời"
ASKED_UNIT: Final = "Đơn vị được hỏi"
LEAD: Final = "Chủ trì"
NOBODY_ASKED: Final = "Không có đơn vị nào còn phải trả lời"
FEES: Final = "Phí, lệ phí"
NOTE_FEE: Final = "Ghi phí, lệ phí"
FEE_KIND: Final = "Việc"
FEE_KINDS: Final = (
    ("phai_nop", "Phải nộp"),
    ("da_nop", "Đã nộp"),
    ("mien", "Miễn"),
    ("huy", "Hủy, hoàn lại"),
)
FEE_UNITS: Final = "Số trang, bản"
FEE_COPIES: Final = "Mấy bản như thế"
FEE_AMOUNT: Final = "Số tiền (đồng)"
FEE_RECEIPT: Final = "Số biên lai"
FEE_REASON: Final = "Lý do miễn, hủy"


def marked(count: int, total: int) -> str:
    """Say how many lines are marked."""
    return f"đã đánh dấu {count} trong {total} hồ sơ"


def signed_list(count: int, total: int) -> str:
    """Say how many dossiers were signed for."""
    return f"Đã ký {count} trong {total} hồ sơ."


PAPER_GONE: Final = "không còn"


def originals_copies(originals: int, copies: int) -> str:
    """Say how much of a document is here."""
    parts = [f"{originals} bản chính"] if originals else []
    parts += [f"{copies} bản sao"] if copies else []
    return ", ".join(parts) or PAPER_GONE


def settle_count(count: int) -> str:
    """Say how many things are open on a dossier."""
    return f"{count} mục chưa thống nhất: F8 để giải quyết"


# --- Doing something ---

REASON: Final = "Lý do"
CONTENT: Final = "Nội dung"
TO_UNIT: Final = "Chuyển đến"
ASK_UNIT: Final = "Hỏi đơn vị"
PAPERS_WANTED: Final = "Giấy tờ cần nộp thêm"
NEW_DUE: Final = "Ngày hẹn mới"
UNTIL: Final = "Trả lời trước ngày"
RESULT: Final = "Kết quả giải quyết"
OPINION: Final = "Ý kiến"
RECEIVER: Final = "Người nhận kết quả"
NOTE: Final = "Ghi chú"
CONFIRM: Final = "Enter: ký và ghi   Esc: thôi"
NOTHING_CHANGED: Final = "Không có gì thay đổi"
OLD_TEXT_BACK: Final = "Đã lấy lại những gì gõ dở lần trước"
CHANGED_MEANWHILE: Final = "Hồ sơ vừa có thay đổi của người khác. Hãy xem lại; những gì đã gõ vẫn còn"


def done(label: str, step: str) -> str:
    """Say that something was done, and where the dossier stands now."""
    return f"+ {label}: đã ký và lưu trên máy. Hồ sơ: {step}"


# --- Conflicts ---

CONFLICTS: Final = "Xung đột và việc chờ quyết định"
NO_CONFLICTS: Final = "Không có xung đột nào"
RESOLVE: Final = "Giải quyết"
FIELD: Final = "Mục"
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "conflict": "ghi khác nhau",
        "late": "ghi muộn, chờ nhận",
        "task": "xử lý khác nhau",
        "void": "hủy và sửa cùng lúc",
    }
)
EXPLAIN_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "conflict": "Hai người ghi mục này khác nhau khi chưa thấy bản của nhau. Chưa bản nào bị bỏ.",
        "late": "Có người ghi mục này sau khi hồ sơ đã chuyển cho người khác mà không biết. Nhận hay không?",
        "task": "Hai người xử lý bước này khác nhau khi chưa thấy việc của nhau.",
        "void": "Hồ sơ bị hủy trong khi người khác đang sửa.",
    }
)
BASE: Final = "Ban đầu"
BASE_STEP: Final = "Bước chung cuối"
NOW: Final = "Đang dùng"
MINE: Final = "của tôi"
CHOOSE: Final = "Chọn"
OTHER_VALUE: Final = "Giá trị khác, gõ ở ô dưới"
TYPED_VALUE: Final = "Giá trị gõ"
KEEP_NOW: Final = "Giữ giá trị đang dùng, không nhận bản ghi muộn"
ADOPT: Final = "Nhận"
KEEP_VOID: Final = "Giữ việc hủy hồ sơ"
LIFT_VOID: Final = "Bỏ việc hủy, hồ sơ tiếp tục"
RESOLVED: Final = "+ Đã giải quyết và lưu trên máy"
CANNOT_SETTLE: Final = "Anh/chị xem được nhưng không quyết định được mục này"
EMPTY: Final = "(trống)"
TYPED_NEEDED: Final = "Hãy gõ giá trị, hoặc chọn mục khác"

# --- Sync ---

OUTBOX: Final = "Chưa gửi và tình trạng đồng bộ"
ALL_SENT: Final = "Mọi việc đã gửi hết"
UNSENT_DOSSIERS: Final = "Hồ sơ có việc chưa gửi"
PARENTS: Final = "Cấp trên"
NO_PARENTS: Final = "chưa đặt địa chỉ máy chủ cấp trên"
NEVER: Final = "chưa liên lạc"
ANSWERED: Final = "trả lời"
NO_ANSWER: Final = "không có đường truyền"
OFFLINE_CALM: Final = "Chưa có đường truyền. Mọi việc đã lưu trên máy và sẽ gửi khi có mạng."
SYNCING: Final = "Đang đồng bộ"
SYNC_RUNNING: Final = "Đang đồng bộ, hãy đợi một chút"
LAST_CHANGE: Final = "Sửa lúc"
REFUSED_UP: Final = "! Cấp trên không nhận {} việc; xem ở F7 và trong hồ sơ"
ROLLED_BACK: Final = "! Máy chủ cấp trên vừa khôi phục từ bản cũ; máy này đã gửi lại những gì thiếu"


def synced(sent: int, received: int, unsent: int, files: int) -> str:
    """Say what a sync came to."""
    left = [f"{count} {what}" for count, what in ((unsent, "chờ gửi"), (files, "tệp chờ gửi")) if count]
    tail = f"còn {', '.join(left)}" if left else "đã gửi hết"
    return f"+ Đồng bộ xong: gửi {sent}, nhận {received}; {tail}"


def unsent_since(count: int, since: str, age: str) -> str:
    """Say how many events wait and since when."""
    return f"{count} việc chưa gửi, lâu nhất từ {since} ({age})"


def unsent_files(count: int, size: str) -> str:
    """Say how many attachments wait, and how large they are."""
    return f"{count} tệp đính kèm chưa gửi xong ({size})"


# --- Notices ---

NOTICES: Final = "Thay đổi sau khi đã làm"
NO_NOTICES: Final = "Không có thay đổi nào chưa xem"
ALL_SEEN: Final = "Đã đánh dấu đã xem"
WHEN: Final = "Lúc"
WHAT: Final = "Việc"
CHANGE: Final = "Thay đổi"

# --- The audit trail ---

TRAIL_ALL: Final = "Nhật ký của đơn vị"
TRAIL_OWN: Final = "Nhật ký của tôi"
TRAIL_EMPTY: Final = "Chưa có dòng nhật ký nào"
TRAIL_WHO: Final = "Cán bộ"
TRAIL_ABOUT: Final = "Hồ sơ, chi tiết"
TRAIL_NO_DOSSIER: Final = "Dòng này không nói về một hồ sơ có trên máy"
BY_MACHINE: Final = "Khóa của máy ký, vì lúc đó chưa ai mở khóa"
BY_OFFICER: Final = "Cán bộ ký"

# --- Reports, and difficulties ---

REPORT: Final = "Báo cáo"
REPORT_EMPTY: Final = "Không có hồ sơ nào trong kỳ"
FIELD_OF_WORK: Final = "Lĩnh vực"
TOTAL: Final = "Tổng cộng"
REPORT_HEADS: Final = ("Nhận", "Cũ", "Xong", "Quá", "Đang", "Quá")
COLUMN: Final = "Cột"
FIGURE: Final = "Số hồ sơ"
ENDED: Final = "Xong"
NO_DOSSIERS: Final = "Không có hồ sơ nào"
WRITE_REPORT: Final = "Ghi báo cáo ra tệp"
WRITE_REPORT_ABOUT: Final = "Đuôi tệp chọn dạng: .xlsx, .pdf, .csv, .json hoặc .txt."
FILE: Final = "Tệp"
WRITTEN_TO: Final = "Đã ghi vào {}"
OFFICER_MARKS: Final = "Điểm của từng cán bộ"
OFFICER_MARKS_ABOUT: Final = (
    "Tính trên những hồ sơ giải quyết xong trong kỳ mà cán bộ có ký một việc (Thông tư 01/2018, Điều 15)."
    " Chỉ lãnh đạo xem được; không ghi vào báo cáo đã chốt."
)
FREEZE: Final = "Chốt báo cáo"
FREEZE_ABOUT: Final = (
    "Báo cáo được ký và gửi lên cấp trên. Lần sau là bản bổ sung, nêu hồ sơ nào thay đổi và vì thao tác nào"
    " đến muộn."
)
FROZEN: Final = "Đã chốt: {}"
DIFFICULTIES: Final = "Khó khăn, vướng mắc; đôn đốc, hướng dẫn"
NO_DIFFICULTIES: Final = "Chưa có khó khăn, vướng mắc nào. Phím 1 ghi mới."
NEW_DIFFICULTY: Final = "Ghi khó khăn, vướng mắc"
NEW_DIFFICULTY_ABOUT: Final = "Ghi được cả khi không có mạng; gửi lên cấp trên khi đồng bộ."
SHORT_NAME: Final = "Tên ngắn"
PROPOSAL: Final = "Đề xuất"
ANSWER: Final = "Trả lời"
REMIND: Final = "Nhắc"
REOPEN: Final = "Hỏi lại"
DONE_SO: Final = "Đã ghi: {}"
SEND_ON: Final = "Chuyển lên, chuyển nơi khác"
SEND_ON_ABOUT: Final = "Nơi nhận gõ theo tên hoặc mã đơn vị. Chỉ lãnh đạo chuyển được, và phải nêu lý do."
COMPLAINTS: Final = "Phản ánh, kiến nghị"
NO_COMPLAINTS: Final = "Chưa có phản ánh, kiến nghị nào. Phím 1 ghi mới."
NEW_COMPLAINT: Final = "Ghi phản ánh, kiến nghị"
NEW_COMPLAINT_ABOUT: Final = (
    "Ghi đúng lời người dân. Không nêu tên cũng được. Lãnh đạo nhận xử lý, hẹn ngày và trả lời."
)
ABOUT_DOSSIER: Final = "Về hồ sơ"
ABOUT_DOSSIER_HELP: Final = "Mã hồ sơ được phản ánh, nếu có"
SENDER: Final = "Người gửi"
SENDER_HELP: Final = "Để trống nếu không nêu tên"
PHONE: Final = "Điện thoại"
CAME: Final = "Nhận lúc"
ANSWER_UNTIL: Final = "Trả lời trước ngày"
ANSWER_UNTIL_SHORT: Final = "Hẹn trả lời"
TAKE_COMPLAINT: Final = "Nhận xử lý phản ánh"
DISMISS_COMPLAINT: Final = "Không thụ lý phản ánh"
FORWARD_COMPLAINT: Final = "Chuyển phản ánh đến đơn vị khác"
TO_UNIT_HELP: Final = "Tên hoặc mã đơn vị"
VERDICT: Final = "Kết luận"
FOUNDED: Final = "dung"
VERDICTS: Final = ((FOUNDED, "Phản ánh đúng"), ("khong_dung", "Đã xác minh: không đúng, hoặc vu cáo"))
PRESS_TO_WRITE: Final = "Đã hết các mục. Ctrl+S: ghi"
IMPORT_REGISTER: Final = "Nhập sổ cũ"
IMPORT_REGISTER_ABOUT: Final = (
    "Tệp ánh xạ (.json) nói mỗi cột của sổ là gì. Chưa có thì gõ tên một tệp mới: chương trình viết sẵn bản"
    " đề xuất để xem và sửa. Sau đó chạy thử: chưa ghi gì vào kho."
)
TABLE_FILE: Final = "Tệp sổ (.xlsx, .csv)"
MAPPING_FILE: Final = "Tệp ánh xạ (.json)"
IMPORT_READY: Final = "Ctrl+S: nhập tất cả các dòng trên, trong một lần ghi."
IMPORT_NOT_GOOD: Final = "Chưa nhập được: hãy sửa các dòng sai trong tệp, lưu tệp, rồi Ctrl+S để thử lại."
BAD_LINE: Final = "Dòng"
INSPECT: Final = "Ghi kết quả kiểm tra niêm yết"
INSPECT_ABOUT: Final = (
    "Chỉ số 6: thủ tục được công khai ra sao ở bảng niêm yết và trên mạng. Lần ghi cuối trong kỳ được tính."
)
MARK: Final = "Điểm"
INSPECTION_FOUND: Final = "Đã thấy gì"
INSPECTED_UNIT: Final = "Đơn vị"
INSPECTED_UNIT_HELP: Final = "mã hoặc tên đơn vị được kiểm tra; để trống: đơn vị mình"
INSPECTED: Final = "Đã ghi kết quả kiểm tra."
RATING: Final = "Người nộp đánh giá"
RATING_HELP: Final = "Mức độ hài lòng, nếu người nộp đánh giá; ghi rồi không sửa được"
RATING_WORDS: Final = "Lời người nộp viết thêm"
RATE: Final = "Ghi đánh giá"

# --- Help and palette ---

HELP: Final = "Trợ giúp"
PALETTE: Final = "Mọi lệnh"
IN_PALETTE: Final = "(F10)"
PALETTE_HELP: Final = "gõ vài chữ của việc muốn làm, không cần dấu"
KEYS_HERE: Final = "Trên màn hình này"
KEYS_EVERYWHERE: Final = "Ở mọi nơi"
KEYS_LISTS: Final = (
    "Trong danh sách: mũi tên, PgUp, PgDn, Home, End; Enter mở; phím số chọn bộ lọc hoặc việc."
)
KEYS_FORMS: Final = (
    "Trong biểu mẫu: Tab, Enter sang ô sau; Shift+Tab về ô trước. Gõ tiếng Việt như bình thường."
)
MARKS_TITLE: Final = "Các dấu"
MARKS: Final = (
    ("!!", "quá hạn, hoặc phải sửa"),
    ("!", "hạn trả hôm nay, hoặc cần chú ý"),
    ("~", "sắp đến hạn"),
    ("X", "có xung đột, F8 để giải quyết"),
    ("?", "còn chờ dữ liệu từ nơi khác"),
)
LEVELS_TITLE: Final = "Việc đã đi đến đâu"
OFFLINE_HELP: Final = (
    "Không có mạng vẫn làm việc bình thường: tiếp nhận, cấp mã, bàn giao, phê duyệt đều lưu ngay trên máy. "
    "Khi có mạng, F5 gửi đi. Dòng cuối màn hình luôn cho biết còn bao nhiêu việc chưa gửi và từ bao giờ."
)
SIGNATURE_HELP: Final = (
    "Chữ ký của chương trình chứng minh ai đã ghi và nội dung không bị sửa; đó không phải là chữ ký số "
    "theo luật."
)

HOW_TO_LEAVE: Final = "Ctrl+Q: khóa màn hình hoặc thoát"


def attached(name: str, size: str) -> str:
    """Says that a file was attached."""
    return f"Đã đính kèm {name} ({size}); sẽ gửi sau các ghi chép."


def printed(count: int, again: int, path: str, *, is_sent: bool, failed: int) -> str:
    """Say what printing came to, and that the file lies open."""
    more = f", trong đó in lại {again}" if again else ""
    left = f" {failed} hồ sơ chưa in được: xem từng hồ sơ." if failed else ""
    sent = " Máy in đã nhận." if is_sent else ""
    return f"Đã ghi {count} tờ{more} vào {path}.{sent}{left} Tệp không được mã hóa: in xong hãy xóa"


def close_about(year: int) -> str:
    """Say what closing a register does."""
    return (
        f"Khóa sổ năm {year}: chốt số cuối của từng quyển; sau đó không ai sửa được việc khóa sổ.\n"
        "Hồ sơ đến sau thì khóa sổ bổ sung. Gõ mật khẩu của mình để ký."
    )


AWAITING: Final = "Ghi chép chờ lãnh đạo xác nhận"
NOTHING_AWAITS: Final = "Không có ghi chép nào chờ lãnh đạo xác nhận."
WHO_WROTE: Final = "Người ghi"
NO_CODE_YET: Final = "(chưa có mã)"
COUNTERSIGN: Final = "Xác nhận"
NOT_MINE_TO_VOUCH: Final = "! Cần lãnh đạo của đơn vị xác nhận, không phải người ghi"
COUNTERSIGNED: Final = "Đã xác nhận {} ghi chép; từ nay có hiệu lực"


def countersign_about(count: int) -> str:
    """Say what a countersignature does."""
    return (
        f"Xác nhận {count} ghi chép nằm sau mốc thu hồi của khóa đã ký. Từ đó ghi chép có hiệu lực\n"
        "ở mọi nơi, và không rút lại được. Chỉ xác nhận việc đã đối chiếu.\n"
        "Ghi lý do và gõ mật khẩu của mình để ký."
    )


def saved_to(path: str) -> str:
    """Says where an attachment was saved, and that it lies open there."""
    return f"Đã lưu ra {path}. ! Tệp này không còn được mã hóa: dùng xong hãy xóa."


def scored(labels: Mapping[int, str]) -> tuple[tuple[str, str], ...]:
    """Make the choices of a mark: what is stored, and what is read."""
    return tuple((str(mark), f"{label} ({mark} điểm)") for mark, label in labels.items())

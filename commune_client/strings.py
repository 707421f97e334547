"""Every Vietnamese sentence that the client shows, in one place.

Widgets and screens import this module and hold no words of their own. Constants are fixed words; functions
take plain values and return one line. Words are the administration's own (hồ sơ, tiếp nhận, trả kết quả).
"""

from __future__ import annotations

_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S

# --- Working with a form ---

REQUIRED_MARK = "*"
ERROR_MARK = "!!"
WARNING_MARK = "!"
OK_MARK = "+"
FORM_HINT = "Tab: ô sau | Shift+Tab: ô trước | Enter: ô sau"
MULTILINE_HINT = "Enter: xuống dòng | Tab: ô sau | Shift+Tab: ô trước"
CHOICE_HINT = "Phím số hoặc dấu cách: chọn | Enter: ô sau"
LONG_CHOICE_HINT = "Gõ chữ đầu: tìm | Dấu cách: chọn | Enter: ô sau"
LONG_CHECKLIST_HINT = "Gõ chữ đầu: tìm | Dấu cách: đánh dấu, bỏ dấu | Enter: ô sau"
CHECKLIST_HINT = "Phím số hoặc dấu cách: đánh dấu, bỏ dấu | Enter: ô sau"

FIELD_REQUIRED = "Phải nhập mục này"
CHOICE_REQUIRED = "Phải chọn một mục"
CHECKLIST_REQUIRED = "Phải đánh dấu ít nhất một mục"
CHOICE_UNKNOWN = "Mục đã chọn không có trong danh sách"
CUT_MARK = "~"  # last of a text that did not fit: ASCII, so that every terminal draws it
DATE_INVALID = "Ngày không đúng, ví dụ đúng: 05/09/2026"
BORN_INVALID = "Ngày sinh không đúng, ví dụ đúng: 05/09/1990; chỉ biết năm thì gõ 1990"
BORN_HINT = "ngày/tháng/năm; chỉ biết năm thì gõ năm"
DATE_HINT = "ngày/tháng/năm, ví dụ 05/09/2026"
PHONE_INVALID = "Số điện thoại gồm 10 hoặc 11 chữ số, bắt đầu bằng số 0"
PHONE_HINT = "10 chữ số, ví dụ 0912 345 678"
ID_INVALID = "Số căn cước gồm 12 chữ số (chứng minh cũ: 9 chữ số)"
ID_HINT = "12 chữ số"


def limit_count(length: int, limit: int) -> str:
    """Say how much of a limited field is used, and by how much it is over."""
    over = length - limit
    if over > 0:
        return f"{ERROR_MARK} {length}/{limit}, quá {over} ký tự"
    return f"{length}/{limit}"


def text_too_long(length: int, limit: int) -> str:
    """Say that a field holds more than its limit."""
    return f"Dài quá {length - limit} ký tự (tối đa {limit})"


def text_refused(length: int, limit: int) -> str:
    """Say that text was not inserted because it would not fit, and that nothing was cut."""
    return f"Chưa nhận: thành {length} ký tự, tối đa {limit}. Nội dung cũ giữ nguyên"


def form_errors(count: int) -> str:
    """Say how many fields of a form must be mended."""
    return f"{ERROR_MARK} Còn {count} mục cần sửa"


# --- Due dates ---

DUE_TODAY = "hôm nay"
DUE_NONE = "không hẹn ngày"
DUE_PAUSED = "tạm dừng"
DUE_DONE = "đã xong"


def due_left(days: int) -> str:
    """Say how many days are left before the due date."""
    return f"còn {days} ngày"


def due_over(days: int) -> str:
    """Say how many days the due date has passed."""
    return f"quá {days} ngày"


# --- The sync line ---

SYNC_ONLINE = "Trực tuyến"
SYNC_OFFLINE = "Ngoại tuyến"
SYNC_UNKNOWN = "Chưa kết nối"
SYNC_NEVER = "chưa đồng bộ"
SYNC_ALL_SENT = "đã gửi hết"
PUBLISHED_OLD = "! công bố của tỉnh quá hạn"
SYNC_FINDINGS = "! cấp trên không khớp (F6)"
BACKUP_NEVER = "chưa sao lưu"
CLOCK_WARNING = "! kiểm tra ngày giờ máy"
KINDS = {
    "certificate": "chứng nhận", "trail": "nhật ký", "report": "báo cáo", "difficulty": "khó khăn, vướng mắc",
    "register_closing": "khóa sổ theo dõi", "phan_anh": "phản ánh", "so_cu": "mục sổ cũ",
    "kiem_tra": "kiểm tra niêm yết",
}  # fmt: skip
"""Types of documents other than dossiers, by name."""
SEPARATOR = " | "


def sync_files(count: int) -> str:
    """Say how many attachments no parent has confirmed."""
    return f"{count} tệp chờ gửi"


def sync_unsent(count: int) -> str:
    """Say how many events wait to be sent."""
    return f"{count} chờ gửi"


def sync_unsent_since(count: int, age: str) -> str:
    """Say how many events wait, and for how long the oldest has waited."""
    return f"{count} chờ gửi, lâu nhất {age}"


def sync_conflicts(count: int) -> str:
    """Say how many conflicts wait for a person."""
    return f"{count} xung đột"


def sync_last(when: str) -> str:
    """Say when the last completed sync was."""
    return f"lần cuối {when}"


def sync_progress(done: int, total: int) -> str:
    """Say how far a running sync has come, in counted events."""
    return f"đang gửi {done}/{total}"


def backup_made(days: int) -> str:
    """Say of which day the last backup is.

    Args:
        days: Days since; a negative number is of a clock that went back.
    """
    words = {0: "hôm nay", 1: "hôm qua"}
    return f"sao lưu: {words.get(days, f'{days} ngày trước' if days > 0 else 'ngày không rõ')}"


def statement_old(age: str) -> str:
    """Say for how long there was contact without a statement from the province."""
    return f"chưa có xác nhận của tỉnh từ {age}"


def findings(count: int) -> str:
    """Say that something that those above have signed does not fit together; calmly: nothing is lost here."""
    return f"Cấp trên có {count} điểm không khớp; ở đây không mất gì. Báo người quản trị: onestop proof TỆP"


def stated(when: str) -> str:
    """Say when the province made its newest statement."""
    return f"Xác nhận gần nhất của tỉnh: {when}"


def published_old(since: str) -> str:
    """Say that what the province has published has expired, and what that means.

    Args:
        since: A day, as officials read it.
    """
    return (
        f"{WARNING_MARK} Bản công bố của tỉnh đã quá hạn từ {since}: chưa chứng nhận được cán bộ, máy mới;"
        " mọi việc khác vẫn làm bình thường. Hãy đồng bộ; nếu vẫn còn, báo người quản trị của tỉnh."
    )


def age_words(age_s: float) -> str:
    """Say a span of time in its largest unit.

    Args:
        age_s: Seconds; a negative span (a clock that went back) counts as zero.
    """
    seconds = max(int(age_s), 0)
    if seconds < _MINUTE_S:
        return "dưới 1 phút"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} phút"
    if seconds < 2 * _DAY_S:
        return f"{seconds // _HOUR_S} giờ"
    return f"{seconds // _DAY_S} ngày"

"""What each command takes; tables and small functions, no handler is imported."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["ARGUMENTS", "ROLES"]

ROLES: Final = ("tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao", "quan_tri")
"""Roles that can be asked for."""
ONLY: Final = ("conflict", "waiting", "unsent", "overdue")

Adder = Callable[[ArgumentParser], None]


def _codes(parser: ArgumentParser) -> None:
    parser.add_argument("codes", metavar="MÃ", nargs="+", help="mã hồ sơ, hoặc các số cuối (0007)")


def _code(parser: ArgumentParser) -> None:
    parser.add_argument("code", metavar="MÃ", help="mã hồ sơ, hoặc các số cuối (0007)")


def _reason(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="LÝ-DO", required=True, help="lý do")


def _content(parser: ArgumentParser) -> None:
    parser.add_argument("--content", metavar="NỘI-DUNG", required=True, help="nội dung, ghi đầy đủ")


def _with_reason(parser: ArgumentParser) -> None:
    _codes(parser)
    _reason(parser)


def _form(parser: ArgumentParser) -> None:
    """Adds what fills in a form."""
    for flag, what in _FIELD_FLAGS:
        parser.add_argument(flag, metavar="…", help=what)
    parser.add_argument(
        "--set", metavar="MỤC=GIÁ-TRỊ", action="append", default=[],
        help="mục khác, ví dụ --set 'truong_rieng/Họ tên con=Nguyễn An' (dùng được nhiều lần)",
    )  # fmt: skip
    parser.add_argument(
        "--paper", metavar="GIẤY-TỜ[=CHÍNH/SAO]", action="append", default=[],
        help="giấy tờ đã nhận, ví dụ --paper 'Tờ khai=1/0' (dùng được nhiều lần)",
    )  # fmt: skip


def _attach(parser: ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("files", metavar="TỆP", type=Path, nargs="+", help="bản quét, ảnh (đến 125 MB)")
    parser.add_argument("--paper", metavar="GIẤY-TỜ", default="", help="là bản quét của giấy tờ nào")
    parser.add_argument(
        "--shrink", action="store_true", help="thu nhỏ ảnh trước khi đính kèm, bỏ thông tin nơi chụp"
    )


def _attachment(parser: ArgumentParser) -> None:
    parser.add_argument("verb", choices=("save", "fetch"), help="save: lưu ra tệp; fetch: xin tải về")
    _code(parser)
    parser.add_argument("name", metavar="TÊN", help="tên tệp đính kèm, hoặc một phần của tên")
    parser.add_argument(
        "file", metavar="TỆP", type=Path, nargs="?", help="lưu vào đâu (mặc định: thư mục hiện tại)"
    )


_FIELD_FLAGS: Final = (
    ("--name", "người nộp"),
    ("--id", "số định danh"),
    ("--address", "địa chỉ"),
    ("--phone", "điện thoại"),
    ("--email", "thư điện tử"),
    ("--birth", "ngày sinh, ví dụ 05/09/1990"),
    ("--request-text", "nội dung yêu cầu"),
)


def _init(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--unit", metavar="ĐƠN-VỊ", required=True, help="mã đơn vị do quản trị cho biết (unit id)"
    )
    parser.add_argument(
        "--machine", metavar="TÊN-MÁY", required=True, help="tên máy, ví dụ 'Máy tiếp nhận 1'"
    )
    _roles(parser)
    _by_code(parser)
    parser.add_argument(
        "--parent", metavar="ĐỊA-CHỈ", action="append", default=[],
        help="địa chỉ máy chủ cấp trên, theo thứ tự thử (dùng được nhiều lần)",
    )  # fmt: skip
    _request(parser)


def _roles(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--role", metavar="VAI-TRÒ", action="append", default=[], choices=ROLES,
        help=f"vai trò xin chứng nhận: {', '.join(ROLES)} (dùng được nhiều lần; có --code thì không cần)",
    )  # fmt: skip


def _request(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--request",
        metavar="TỆP",
        type=Path,
        help="tệp xin chứng nhận sẽ ghi ra (mặc định: trong thư mục kho)",
    )
    parser.add_argument("--text", action="store_true", help="in cả yêu cầu dạng chữ, để dán vào thư")
    parser.add_argument(
        "--show-qr", action="store_true", help="vẽ mã QR của đơn vị và dấu vân tay trên màn hình"
    )
    parser.add_argument("--qr", metavar="TỆP", type=Path, help="ghi cả yêu cầu thành ảnh QR (.svg hoặc .png)")


def _by_code(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--code",
        metavar="MÃ",
        default="",
        help="mã kích hoạt trên tờ được phát (hoặc biến ONESTOP_ENROL_CODE)",
    )


def _server(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--server",
        metavar="ĐỊA-CHỈ",
        action="append",
        help="địa chỉ máy chủ trên tờ kích hoạt (dùng được nhiều lần)",
    )


def _enrol(parser: ArgumentParser) -> None:
    parser.add_argument("answer", metavar="TỆP", type=Path, nargs="?", help="tệp trả lời của quản trị")
    _server(parser)
    _by_code(parser)
    parser.add_argument("--ca", metavar="TỆP", type=Path, help="tệp PEM của nơi cấp chứng thư máy chủ")
    parser.add_argument(
        "--proxy", metavar="ĐỊA-CHỈ", help="proxy; '' theo cài đặt của máy, none là không dùng"
    )
    parser.add_argument(
        "--fingerprint", metavar="DẤU", default="",
        help="dấu vân tay khóa gốc của tỉnh do quản trị đọc cho (root key fingerprint)",
    )  # fmt: skip


def _officer(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="TÊN", help="tên cán bộ mới")
    _roles(parser)
    _by_code(parser)
    _server(parser)
    _request(parser)
    _new_passphrase(parser)


def _new_passphrase(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--new-passphrase-file", metavar="TỆP", type=Path,
        help="tệp chứa mật khẩu mới (hoặc biến ONESTOP_NEW_PASSPHRASE)",
    )  # fmt: skip


def _dismiss(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="TÊN", help="tên cán bộ thôi làm việc trên máy này")


def _backup(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", metavar="THƯ-MỤC", nargs="?", type=Path, help="USB hoặc thư mục (mặc định: nơi đã đặt)"
    )
    parser.add_argument("--daily", action="store_true", help="từ nay mỗi ngày tự sao lưu vào đó")
    parser.add_argument(
        "--keep", metavar="SỐ", type=int, help="giữ bao nhiêu bản của máy này (mặc định 7), dùng cùng --daily"
    )


def _restore(parser: ArgumentParser) -> None:
    parser.add_argument("backup", metavar="BẢN-SAO-LƯU", type=Path, help="thư mục onestop-… trên USB")
    parser.add_argument(
        "--replace", action="store_true", help="thay kho đang có trong thư mục; kho đó được giữ bên cạnh"
    )
    parser.add_argument(
        "--forgotten", action="store_true", help="không ai nhớ mật khẩu: khôi phục rồi xin tỉnh mở"
    )


def _recovery(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="VIỆC", choices=("request", "take"), help="request: xin; take: nhận")
    parser.add_argument("path", metavar="TỆP", type=Path, help="tệp xin sẽ ghi ra, hoặc tệp trả lời của tỉnh")
    parser.add_argument(
        "--role", metavar="VAI-TRÒ", action="append", choices=ROLES, default=[],
        help=f"vai trò xin chứng nhận khi nhận: {', '.join(ROLES)}",
    )  # fmt: skip
    _request(parser)
    _new_passphrase(parser)


def _login(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--parent", metavar="ĐỊA-CHỈ", action="append", help="thay địa chỉ cấp trên (dùng được nhiều lần)"
    )
    parser.add_argument("--ca", metavar="TỆP", type=Path, help="tệp PEM của nơi cấp chứng thư máy chủ")
    parser.add_argument(
        "--proxy", metavar="ĐỊA-CHỈ", help="proxy; '' theo cài đặt của máy, none là không dùng"
    )
    parser.add_argument(
        "--find-hub", metavar="0|1", type=int, choices=(0, 1),
        help="1: tự tìm máy chủ của xã trong mạng nội bộ (mặc định); 0: không",
    )  # fmt: skip
    parser.add_argument(
        "--statement-days",
        metavar="SỐ",
        type=int,
        help="báo khi chưa có xác nhận của tỉnh quá số ngày này (3)",
    )
    parser.add_argument(
        "--lock-after", metavar="PHÚT", type=int, help="tự khóa màn hình sau bao nhiêu phút; 0: không tự khóa"
    )
    parser.add_argument("--print-folder", metavar="THƯ-MỤC", help="nơi ghi tệp in; để trống '': hỏi mỗi lần")
    parser.add_argument(
        "--printer",
        metavar="LỆNH",
        help="lệnh in, ví dụ 'lp -d may1'; system: của hệ điều hành; '': không in",
    )
    parser.add_argument(
        "--sync-every",
        metavar="PHÚT",
        type=int,
        help="tự đồng bộ sau mỗi bao nhiêu phút; 0: không",
    )


def _procedures(parser: ArgumentParser) -> None:
    parser.add_argument("words", metavar="TỪ", nargs="*", help="từ cần tìm, gõ không dấu cũng được")


def _intake(parser: ArgumentParser) -> None:
    parser.add_argument("what", metavar="THỦ-TỤC", nargs="?", default="", help="mã thủ tục, hoặc mã bản nháp")
    _form(parser)
    parser.add_argument("--all-papers", action="store_true", help="đã nhận đủ giấy tờ theo danh mục")
    parser.add_argument("--verified", action="store_true", help="phải xác minh (thời hạn dài hơn, nếu có)")
    parser.add_argument("--due", metavar="NGÀY", help="ngày hẹn, khi danh mục chưa có thời hạn: 05/09/2026")
    parser.add_argument("--draft", action="store_true", help="chỉ lưu bản nháp, chưa cấp mã")
    parser.add_argument(
        "--from-json", metavar="TỆP", type=Path,
        help='tệp JSON, một hồ sơ hoặc danh sách: {"procedure_code", "fields", "attachments"}; -: stdin',
    )  # fmt: skip
    _from_portal(parser, "hồ sơ nộp trên cổng dịch vụ công: lập bản nháp, mỗi hồ sơ một lần theo mã của cổng")
    parser.add_argument(
        "--confirm-date", metavar="NGÀY", help="xác nhận ngày hôm nay khi máy báo nghi ngờ đồng hồ"
    )


def _from_portal(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("--from-portal", metavar="TỆP", type=Path, help=f"tệp JSON {what}; -: stdin")
    _portal_name(parser)


def _portal_name(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--portal-name", metavar="TÊN", default="Cổng dịch vụ công", help="tên cổng, dùng với --from-portal"
    )


def _import_register(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="TỆP", type=Path, help="sổ cũ: .xlsx, hoặc .csv (UTF-8)")
    parser.add_argument(
        "--mapping", metavar="TỆP", type=Path, required=True,
        help='tệp JSON: {"columns": {"Tiêu đề": "tên trường"}, "dates", "procedures", "returned", "sheet"}',
    )  # fmt: skip
    parser.add_argument(
        "--propose", action="store_true",
        help="viết sẵn bản đề xuất vào tệp ánh xạ mới, theo tiêu đề của sổ; không nhập gì",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="chạy thử: chỉ báo dòng sai, không ghi gì")


def _export_data(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="THƯ-MỤC", type=Path, help="thư mục mới, chưa có")
    parser.add_argument("--yes", action="store_true", help="đã hiểu là xuất dữ liệu cá nhân không mã hóa")


def _post(parser: ArgumentParser) -> None:
    parser.add_argument("dossier", metavar="MÃ", nargs="+", help="mã hồ sơ, một hoặc nhiều")
    parser.add_argument("--out", metavar="TỆP", type=Path, help="ghi ra tệp mới: .html hoặc .csv")
    parser.add_argument("--title", metavar="CHỮ", default="Danh sách niêm yết", help="tiêu đề của trang")
    parser.add_argument(
        "--fields",
        metavar="TỆP",
        type=Path,
        help="tệp JSON: chỉ niêm yết các trường này, trong số tỉnh cho phép",
    )


def _rate(parser: ArgumentParser) -> None:
    parser.add_argument("dossier", metavar="MÃ", nargs="?", default="")
    parser.add_argument("score", metavar="ĐIỂM", type=int, nargs="?", choices=(0, 1, 2), help="0, 1 hoặc 2")
    parser.add_argument("--words", metavar="CHỮ", help="lời người nộp viết thêm")
    _from_portal(
        parser, "đánh giá trên cổng, hoặc của thiết bị tại quầy: ghi vào hồ sơ, mỗi đánh giá một lần"
    )


def _inspect(parser: ArgumentParser) -> None:
    parser.add_argument(
        "score", metavar="ĐIỂM", type=int, nargs="?", choices=(0, 1, 2), help="0, 1 hoặc 2; không ghi: xem"
    )
    parser.add_argument("--found", metavar="NỘI-DUNG", default="", help="đã thấy gì khi kiểm tra")
    parser.add_argument(
        "--unit", metavar="ĐƠN-VỊ", default="", help="đơn vị được kiểm tra (mặc định: đơn vị mình)"
    )


def _complaint(parser: ArgumentParser) -> None:
    parser.add_argument("complaint", metavar="MÃ", nargs="?", default="", help="mã phản ánh, hoặc phần đầu")
    parser.add_argument(
        "--about", metavar="MÃ-HỒ-SƠ", default="", help="hồ sơ được phản ánh; khi xem: để lọc"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--new", metavar="NỘI-DUNG", help="ghi một phản ánh mới")
    what.add_argument("--due", metavar="NGÀY", help="nhận xử lý, hẹn ngày trả lời")
    what.add_argument("--answer", metavar="NỘI-DUNG", help="trả lời")
    what.add_argument("--dismiss", metavar="LÝ-DO", help="không thụ lý, có lý do")
    what.add_argument("--forward", metavar="LÝ-DO", help="chuyển đơn vị khác, với --to và lý do")
    what.add_argument(
        "--from-portal", metavar="TỆP", type=Path,
        help="tệp JSON phản ánh, kiến nghị gửi trên cổng: ghi lại, mỗi phản ánh một lần; -: stdin",
    )  # fmt: skip
    _portal_name(parser)
    parser.add_argument("--to", metavar="ĐƠN-VỊ", default="", help="với --forward: chuyển đến đơn vị nào")
    parser.add_argument("--unfounded", action="store_true", help="với --answer: đã xác minh là không đúng")
    parser.add_argument("--sender", metavar="TÊN", default="", help="với --new: người phản ánh, nếu nêu tên")
    parser.add_argument("--phone", metavar="SỐ", default="", help="với --new: điện thoại")


def _old_register(parser: ArgumentParser) -> None:
    parser.add_argument("words", metavar="TỪ", nargs="*", help="mã, tên, số căn cước; gõ không dấu cũng được")


def _list(parser: ArgumentParser) -> None:
    _procedures(parser)
    parser.add_argument("--step", metavar="BƯỚC", default="", help="chỉ hồ sơ ở bước này, ví dụ appraisal")
    parser.add_argument("--only", choices=ONLY, default="", help="xung đột, đang chờ, chưa gửi, quá hạn")
    parser.add_argument("--new", action="store_true", help="mới nhất trước (mặc định: gần đến hạn trước)")
    parser.add_argument("--limit", metavar="SỐ", type=int, default=200, help="số dòng (mặc định 200)")
    parser.add_argument(
        "--after", metavar="DÒNG", default="", help="trang tiếp theo: giá trị 'after' của trang trước"
    )


def _print(parser: ArgumentParser) -> None:
    parser.add_argument(
        "codes", metavar="MÃ", nargs="*", help="mã hồ sơ, hoặc các số cuối (0007); nhiều mã thì vào một tệp"
    )
    parser.add_argument(
        "--form", metavar="MẪU", default="",
        help="số của mẫu (01) hoặc tên: receipt, supplement, refusal, apology, stop, control_slip",
    )  # fmt: skip
    parser.add_argument(
        "--day", metavar="NGÀY", default="", help="mọi hồ sơ đơn vị tiếp nhận ngày này: 05/09/2026"
    )
    parser.add_argument("--list", action="store_true", help="chỉ xem hồ sơ có những mẫu nào để in")
    parser.add_argument("--copies", metavar="SỐ", type=int, default=1, help="số bản mỗi tờ (mặc định 1)")
    parser.add_argument("--two-up", action="store_true", help="hai tờ A5 trên một tờ A4")
    _out(parser)


def _out(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--out", metavar="NƠI-GHI", type=Path, help="thư mục, hoặc tệp mới (mặc định: thư mục đã chọn)"
    )
    parser.add_argument(
        "--text", action="store_true", help="chữ thường 80 cột, cho máy in kim; không phải PDF"
    )
    parser.add_argument("--form-feed", action="store_true", help="sang trang sau mỗi tờ, dùng cùng --text")
    parser.add_argument("--printer", action="store_true", help="gửi tới máy in sau khi ghi tệp")


def _register(parser: ArgumentParser) -> None:
    parser.add_argument("year", metavar="NĂM", type=int, help="năm của sổ")
    parser.add_argument("--volume", metavar="QUYỂN", default="", help="chỉ một quyển (mặc định: mọi quyển)")
    parser.add_argument("--print", action="store_true", help="ghi sổ ra tệp để in")
    parser.add_argument("--close", action="store_true", help="khóa sổ: lãnh đạo ký, khi năm đã hết")
    parser.add_argument("--reason", metavar="LÝ-DO", default="", help="vì sao sổ thiếu số, khi khóa sổ")
    _out(parser)


def _verify(parser: ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "what", metavar="MÃ", nargs="?", default="", help="mã hồ sơ trong kho, hoặc một tệp chứng cứ"
    )
    what.add_argument("--all", action="store_true", help="mọi nhật ký và hồ sơ của kho này")
    parser.add_argument(
        "--root", metavar="DẤU", default="",
        help="dấu vân tay gốc của tỉnh để so, khi xác minh một tệp (root fingerprint)",
    )  # fmt: skip


def _doctor(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="dựng lại nội dung, danh sách, chỉ mục từ các ghi chép, rồi kiểm tra",
    )


def _evidence(parser: ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("path", metavar="TỆP", type=Path, help="tệp chứng cứ sẽ ghi ra")


def _edit(parser: ArgumentParser) -> None:
    _code(parser)
    _form(parser)


def _note(parser: ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("text", metavar="GHI-CHÚ", help="nội dung ghi chú")


def _appraise(parser: ArgumentParser) -> None:
    _codes(parser)
    parser.add_argument("--opinion", metavar="Ý-KIẾN", default="", help="ý kiến thẩm định")
    _result(parser)


def _result(parser: ArgumentParser) -> None:
    parser.add_argument("--result", metavar="KẾT-QUẢ", default="", help="kết quả giải quyết")


def _approve(parser: ArgumentParser) -> None:
    _codes(parser)
    _result(parser)


def _supplement(parser: ArgumentParser) -> None:
    _with_reason(parser)
    _content(parser)
    parser.add_argument("--paper", metavar="GIẤY-TỜ", action="append", default=[], help="giấy tờ cần bổ sung")


def _supply(parser: ArgumentParser) -> None:
    _codes(parser)
    parser.add_argument(
        "--paper", metavar="GIẤY-TỜ[=CHÍNH/SAO]", action="append", default=[], help="giấy tờ đã bổ sung"
    )


def _ask_payment(parser: ArgumentParser) -> None:
    _codes(parser)
    _content(parser)


def _extend(parser: ArgumentParser) -> None:
    _with_reason(parser)
    parser.add_argument(
        "--due", metavar="NGÀY", required=True, help="ngày hẹn mới: 05/09/2026 hoặc 05/09/2026 10:30"
    )


def _transfer(parser: ArgumentParser) -> None:
    _codes(parser)
    _to(parser)


def _to(parser: ArgumentParser) -> None:
    parser.add_argument("--to", metavar="ĐƠN-VỊ", required=True, help="đơn vị nhận: mã, mã cơ quan hoặc tên")


def _hand(parser: ArgumentParser) -> None:
    parser.add_argument(
        "codes", metavar="MÃ", nargs="*", help="mã hồ sơ, hoặc các số cuối (0007); không có: xem danh sách"
    )
    parser.add_argument("--all", action="store_true", help="ký cả danh sách, mỗi hồ sơ một chữ ký")


def _asked(parser: ArgumentParser) -> None:
    parser.add_argument("--late", action="store_true", help="chỉ những đơn vị đã quá hạn")


def _fee(parser: ArgumentParser) -> None:
    _code(parser)
    parser.add_argument(
        "kind", metavar="VIỆC", nargs="?", default="", choices=("", "due", "paid", "waived", "back"),
        help="due: phải nộp; paid: đã nộp; waived: miễn; back: hủy hoặc hoàn lại; không có: chỉ xem",
    )  # fmt: skip
    parser.add_argument("--units", metavar="SỐ", type=int, default=0, help="số trang, bản, trường hợp")
    parser.add_argument("--copies", metavar="SỐ", type=int, default=1, help="số bản, mỗi bản chừng ấy trang")
    parser.add_argument("--amount", metavar="ĐỒNG", type=int, help="số tiền, khi danh mục không tính được")
    parser.add_argument("--receipt", metavar="SỐ", default="", help="số biên lai")
    parser.add_argument("--reason", metavar="LÝ-DO", default="", help="lý do miễn, hủy hoặc hoàn lại")


def _fees(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--from", dest="first", metavar="NGÀY", default="", help="từ ngày (mặc định: quý này)"
    )
    parser.add_argument("--to", dest="last", metavar="NGÀY", default="", help="đến hết ngày")


def _ask(parser: ArgumentParser) -> None:
    _code(parser)
    parser.add_argument(
        "--to", metavar="ĐƠN-VỊ", action="append", required=True,
        help="đơn vị được hỏi: mã, mã cơ quan hoặc tên; dùng nhiều lần để hỏi nhiều đơn vị cùng lúc",
    )  # fmt: skip
    _content(parser)
    parser.add_argument("--until", metavar="NGÀY", required=True, help="hạn trả lời: 05/09/2026")


def _answer(parser: ArgumentParser) -> None:
    _codes(parser)
    parser.add_argument("--opinion", metavar="Ý-KIẾN", required=True, help="ý kiến của đơn vị")


def _return(parser: ArgumentParser) -> None:
    _codes(parser)
    parser.add_argument(
        "--receiver", metavar="TÊN", default="", help="người nhận kết quả (mặc định: người nộp)"
    )


def _conflicts(parser: ArgumentParser) -> None:
    parser.add_argument(
        "code", metavar="MÃ", nargs="?", default="", help="một hồ sơ; để trống: mọi hồ sơ có xung đột"
    )


def _resolve(parser: ArgumentParser) -> None:
    _code(parser)
    parser.add_argument("key", metavar="MỤC", nargs="?", default="", help="mục cần giải quyết, nếu có nhiều")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--choose", metavar="BÊN", help="chọn giá trị của một bên: số thứ tự hoặc mã ghi chép")
    way.add_argument("--value", metavar="GIÁ-TRỊ", help="giá trị khác, gõ vào")
    way.add_argument("--keep", action="store_true", help="giữ giá trị hiện tại, không nhận ghi chép muộn")
    _reason(parser)


def _countersign(parser: ArgumentParser) -> None:
    parser.add_argument(
        "names", metavar="MÃ", nargs="*", help="mã hồ sơ (mọi ghi chép đang chờ của hồ sơ), hoặc mã ghi chép"
    )
    parser.add_argument("--why", dest="reason", metavar="LÝ-DO", default="", help="lý do xác nhận")
    parser.add_argument("--list", action="store_true", help="xem những ghi chép đang chờ xác nhận")


def _notices(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="cả những thông báo đã xem")
    parser.add_argument("--seen", action="store_true", help="đánh dấu là đã xem")


def _export(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="NƠI-GHI", type=Path, help="tệp, hoặc thư mục của USB")
    parser.add_argument(
        "--to", metavar="MÁY", action="append", default=[],
        help="máy hoặc đơn vị được mở gói (mặc định: máy của đơn vị mình và cấp trên)",
    )  # fmt: skip


def _import(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="TỆP", type=Path, help="gói dữ liệu")


def _audit(parser: ArgumentParser) -> None:
    parser.add_argument("--by", metavar="TÊN", default="", help="chỉ của cán bộ có tên này")
    parser.add_argument("--day", metavar="NGÀY", default="", help="chỉ ngày này: 05/09/2026")
    parser.add_argument("--dossier", metavar="MÃ", default="", help="chỉ việc trên hồ sơ này")
    parser.add_argument("--limit", metavar="SỐ", type=int, default=200, help="số dòng (mặc định 200)")
    parser.add_argument(
        "--export", metavar="TỆP", type=Path,
        help="ghi mọi dòng ra tệp mới: JSON nếu tên tệp kết thúc bằng .json, nếu không là CSV",
    )  # fmt: skip


def _proof(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="TỆP", type=Path, help="tệp sẽ ghi, hoặc tệp cần kiểm tra")
    parser.add_argument("--check", action="store_true", help="kiểm tra tệp; không cần kho dữ liệu, mật khẩu")


def _report(parser: ArgumentParser) -> None:
    parser.add_argument(
        "period", metavar="KỲ", nargs="?", default="",
        help="Q1/2026, 2026, hoặc 01/02/2026-28/02/2026 (mặc định: quý hiện tại)",
    )  # fmt: skip
    parser.add_argument(
        "--unit", metavar="ĐƠN-VỊ", default="", help="mã hoặc tên đơn vị (mặc định: đơn vị mình)"
    )
    parser.add_argument("--tier", action="store_true", help="cả các đơn vị cấp dưới (Biểu II.06b)")
    parser.add_argument(
        "--column", metavar="CỘT", type=int, choices=range(3, 14),
        help="liệt kê hồ sơ của một cột, từ 3 đến 13",
    )  # fmt: skip
    parser.add_argument(
        "--freeze", action="store_true",
        help="lãnh đạo ký, chốt báo cáo; lần sau là bản bổ sung, nêu gì thay đổi và vì sao",
    )  # fmt: skip
    parser.add_argument("--frozen", action="store_true", help="xem các báo cáo đã chốt")
    parser.add_argument(
        "--officers", action="store_true", help="lãnh đạo xem điểm đánh giá của từng cán bộ trong kỳ"
    )
    parser.add_argument("--field", metavar="LĨNH-VỰC", default="", help="với --column: chỉ lĩnh vực này")
    parser.add_argument(
        "--out", metavar="TỆP", type=Path, help="ghi ra tệp mới: .xlsx, .pdf, .csv, .json hoặc .txt"
    )


def _difficulty(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what", metavar="VIỆC", nargs="?", default="list",
        choices=["new", "list", "show", "take", "answer", "pass", "close", "reopen", "remind"],
        help="list xem (mặc định), new ghi mới, show một cái, take tiếp thu, answer trả lời,"
        " pass chuyển cấp khác, close kết thúc, reopen hỏi lại, remind nhắc",
    )  # fmt: skip
    parser.add_argument("id", metavar="MÃ", nargs="?", default="", help="mã trong danh sách")
    parser.add_argument("--title", metavar="CHỮ", default="", help="với new: tên ngắn")
    parser.add_argument("--text", metavar="CHỮ", default="", help="nội dung, trả lời, lý do hoặc lời nhắc")
    parser.add_argument("--proposal", metavar="CHỮ", default="", help="với new: đề xuất")
    parser.add_argument(
        "--kind", default="kho_khan", choices=["kho_khan", "don_doc", "kiem_tra", "huong_dan"],
        help="với new: khó khăn (mặc định), đôn đốc, kiểm tra, hướng dẫn",
    )  # fmt: skip
    parser.add_argument("--to", metavar="ĐƠN-VỊ", default="", help="gửi đơn vị nào (mặc định: cấp trên)")
    parser.add_argument("--due", metavar="NGÀY", default="", help="với new: cần trả lời trước ngày này")
    parser.add_argument("--open", action="store_true", help="với list: chỉ những cái chưa xong")


def _hub(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--host", metavar="ĐỊA-CHỈ", default="127.0.0.1", help="địa chỉ nghe (mặc định 127.0.0.1)"
    )
    parser.add_argument(
        "--port", metavar="CỔNG", type=int, default=8420, help="cổng (mặc định 8420; 0: cổng trống)"
    )

    parser.add_argument(
        "--interval", metavar="GIÂY", type=float, default=15.0,
        help="cách bao lâu đồng bộ với cấp trên một lần, giây (mặc định 15)",
    )  # fmt: skip


def _nothing(parser: ArgumentParser) -> None:
    del parser


ARGUMENTS: Final[dict[str, Adder]] = {
    "init": _init,
    "enrol": _enrol,
    "officer": _officer,
    "login": _login,
    "passphrase": _new_passphrase,
    "dismiss": _dismiss,
    "backup": _backup,
    "restore": _restore,
    "recovery": _recovery,
    "procedures": _procedures,
    "intake": _intake,
    "list": _list,
    "show": _code,
    "print": _print,
    "register": _register,
    "verify": _verify,
    "doctor": _doctor,
    "evidence": _evidence,
    "edit": _edit,
    "note": _note,
    "attach": _attach,
    "attachments": _code,
    "attachment": _attachment,
    **dict.fromkeys(("handover", "receive"), _hand),
    "pay": _codes,
    **dict.fromkeys(
        ("refuse", "decline", "send-back", "reject", "stop", "withdraw", "void", "pass"), _with_reason
    ),
    "appraise": _appraise,
    "supplement": _supplement,
    "supply": _supply,
    "ask-payment": _ask_payment,
    "approve": _approve,
    "extend": _extend,
    "transfer": _transfer,
    "ask": _ask,
    "asked": _asked,
    "fee": _fee,
    "fees": _fees,
    "why": _code,
    "answer": _answer,
    "return": _return,
    "conflicts": _conflicts,
    "resolve": _resolve,
    "countersign": _countersign,
    "sync": _nothing,
    "status": _nothing,
    "notices": _notices,
    "export": _export,
    "import": _import,
    "audit": _audit,
    "export-data": _export_data,
    "post": _post,
    "rate": _rate,
    "complaint": _complaint,
    "inspect": _inspect,
    "import-register": _import_register,
    "old-register": _old_register,
    "proof": _proof,
    "report": _report,
    "difficulty": _difficulty,
    "hub": _hub,
}
"""Command → what adds its arguments."""

"""What went wrong, in Vietnamese: what happened, that nothing is lost, and what to do next.

The library's errors carry stable codes and English text; here each code has its sentence. Nothing is
imported of the library: codes are words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

__all__ = [
    "ERRORS",
    "FINDING_LABELS",
    "ISSUES",
    "LEVEL_LABELS",
    "NOTES",
    "OUTCOMES",
    "PROBLEMS",
    "REASONS",
    "STANDING_LABELS",
    "Message",
    "explain",
    "explain_unexpected",
    "outcome_text",
    "parent_error",
    "problem_text",
    "reason_text",
    "stated_words",
]


class Message(NamedTuple):
    """One message to an official.

    Attributes:
        what: What happened.
        todo: What is safe, and what to do next.
    """

    what: str
    todo: str

    @property
    def text(self) -> str:
        """All of it on one line."""
        return f"{self.what} {self.todo}".strip()


class _Problem(Protocol):
    """What `onestop_sync.dossier.checks.Problem` has."""

    @property
    def code(self) -> Any: ...

    @property
    def key(self) -> str: ...

    @property
    def detail(self) -> str: ...


_UNCHANGED: Final = "Chưa có gì thay đổi."
_SAFE: Final = "Những gì đã lưu vẫn còn nguyên."
_KEPT: Final = "Hồ sơ vẫn được giữ trên máy này và sẽ được gửi sau."

ERRORS: Final[Mapping[str, Message]] = {
    "error": Message("Chương trình gặp lỗi.", f"{_SAFE} Hãy báo người quản trị, kèm tệp nhật ký."),
    "local": Message("Máy này chưa làm được việc đó.", f"{_SAFE} Hãy thử lại, hoặc báo người quản trị."),
    "invalid_input": Message("Nội dung nhập chưa đúng.", f"{_UNCHANGED} Hãy sửa rồi thử lại."),
    "unready": Message("Hồ sơ chưa đủ điều kiện.", f"{_UNCHANGED} Hãy sửa rồi thử lại"),
    "not_allowed": Message("Không thực hiện được việc này.", f"{_UNCHANGED} Hãy mở lại hồ sơ để xem."),
    "not_found": Message("Không tìm thấy.", "Hãy kiểm tra lại mã, hoặc đồng bộ trước rồi tìm lại."),
    "clock_suspect": Message(
        "Ngày giờ của máy không khớp với hồ sơ đã có.",
        f"{_UNCHANGED} Hãy xác nhận ngày hôm nay, hoặc chỉnh lại đồng hồ máy, rồi thử lại.",
    ),
    "store": Message(
        "Kho dữ liệu trên máy chưa làm được việc này.", f"{_SAFE} Hãy đóng các chương trình khác rồi mở lại."
    ),
    "store_missing": Message(
        "Chưa có kho dữ liệu ở thư mục này.",
        "Hãy kiểm tra thư mục (--store), hoặc khởi tạo máy bằng lệnh `onestop init`.",
    ),
    "store_exists": Message(
        "Thư mục này đã có kho dữ liệu.",
        "Kho đó vẫn nguyên vẹn. Hãy chọn thư mục khác nếu muốn khởi tạo mới.",
    ),
    "store_busy": Message(
        "Kho dữ liệu đang được chương trình khác sử dụng.", f"{_UNCHANGED} Hãy thử lại sau giây lát."
    ),
    "store_full": Message("Ổ đĩa đã đầy.", f"{_SAFE} Hãy giải phóng dung lượng ổ đĩa rồi lưu lại."),
    "store_failing": Message(
        "Ổ đĩa báo lỗi; thay đổi vừa rồi chưa được lưu.",
        f"{_SAFE} Hãy đóng chương trình, kiểm tra ổ đĩa, sao lưu ra nơi khác, rồi mở lại.",
    ),
    "store_damaged": Message(
        "Không đọc được tệp dữ liệu.",
        "Hãy giữ nguyên tệp đó, báo người quản trị, và khôi phục bản sao lưu vào thư mục khác.",
    ),
    "store_too_new": Message(
        "Kho dữ liệu do phiên bản mới hơn của chương trình tạo ra.",
        "Kho dữ liệu vẫn nguyên vẹn. Hãy cập nhật chương trình.",
    ),
    "wrong_passphrase": Message(
        "Mật khẩu không đúng.", f"{_UNCHANGED} Hãy kiểm tra phím Caps Lock và bộ gõ tiếng Việt rồi thử lại."
    ),
    "too_many_tries": Message(
        "Đã gõ sai mật khẩu nhiều lần.",
        f"{_UNCHANGED} Hãy chờ rồi thử lại; tắt máy mở lại không rút ngắn được thời gian chờ.",
    ),
    "backup_failed": Message(
        "Chưa sao lưu hoặc khôi phục được.",
        "Kho dữ liệu vẫn nguyên. Hãy kiểm tra USB hoặc thư mục rồi thử lại.",
    ),
    "upstream": Message("Cấp trên chưa nhận được.", _KEPT),
    "unreachable": Message(
        "Chưa liên lạc được với cấp trên.", f"{_KEPT} Có thể tiếp tục làm việc như bình thường."
    ),
    "upstream_refused": Message(
        "Máy chủ cấp trên từ chối yêu cầu đồng bộ.",
        "Hồ sơ vẫn được giữ trên máy này. Hãy báo người quản trị của cấp trên.",
    ),
    "upstream_malformed": Message(
        "Địa chỉ này trả lời, nhưng không phải máy chủ của hệ thống.",
        "Hồ sơ vẫn được giữ trên máy này. Hãy kiểm tra địa chỉ máy chủ, proxy, hoặc trang đăng nhập mạng.",
    ),
    "upstream_rolled_back": Message(
        "Máy chủ cấp trên đã mất dữ liệu từng nhận.",
        "Hồ sơ trên máy này còn đủ và được gửi lại. Hãy báo người quản trị của cấp trên.",
    ),
    "bundle_rejected": Message(
        "Tệp này không phải gói dữ liệu gửi cho máy này, hoặc đã hỏng.",
        "Chưa có gì được nhập. Hãy kiểm tra lại USB, hoặc xuất lại gói.",
    ),
    "format": Message("Dữ liệu không đúng định dạng.", f"{_UNCHANGED} Hãy lấy lại dữ liệu từ nơi gửi."),
    "signature_invalid": Message(
        "Chữ ký không đúng: dữ liệu đã bị sửa hoặc giả mạo.", f"{_UNCHANGED} Hãy lấy lại dữ liệu từ nơi gửi."
    ),
    "signature_unchecked": Message(
        "Chưa kiểm tra được chữ ký vì chưa có chứng thư.", "Hãy đồng bộ để nhận chứng thư rồi thử lại."
    ),
}
"""Error code → message; a test holds that every code of the library is here."""

REASONS: Final[Mapping[str, str]] = {
    "export_all": "Chỉ lãnh đạo hoặc quản trị của đơn vị được xuất mọi dữ liệu.",
    "masked": "Chỉ cán bộ làm việc với hồ sơ được xem hoặc xuất phần này.",
    "score": "Điểm đánh giá là 0, 1 hoặc 2.",
    "filed_elsewhere": "Hồ sơ nộp cho đơn vị khác: hãy gửi tệp cho đơn vị đó.",
    "table": "Không đọc được bảng: cần tệp .xlsx, hoặc .csv mã UTF-8, không quá 100.000 dòng.",
    "column": "Bảng thiếu một cột mà tệp ánh xạ nêu: hãy so lại tiêu đề cột.",
    "column_twice": "Bảng có hai cột cùng tiêu đề mà tệp ánh xạ nêu: hãy đổi tên một cột.",
    "encoding": (
        "Chữ trong tệp không phải Unicode: trong Excel hãy lưu dạng «CSV UTF-8» hoặc .xlsx; chữ phông cũ "
        "(TCVN3, VNI) phải chuyển mã sang Unicode trước."
    ),
    "not_in_force": "Thủ tục này hôm nay không có hiệu lực: hãy chọn thủ tục khác.",
    "asked_before": "Đơn vị này đã được hỏi về hồ sơ này: xem ý kiến đã trả lời, hoặc ghi thêm ghi chú.",
    "register_taken": "Một mã trong sổ vừa được nhập bằng chương trình khác. Hãy chạy thử lại.",
    "authority": "Khóa của cán bộ chưa được quản trị chứng nhận, hoặc chứng nhận không còn hiệu lực.",
    "origin": "Hồ sơ không bắt đầu từ một lần tiếp nhận hợp lệ.",
    "creator": "Vai trò của cán bộ không được lập hồ sơ.",
    "unit": "Hồ sơ đang do đơn vị khác giữ.",
    "owner": "Ở bước này, mục đó do người khác phụ trách.",
    "step": "Hồ sơ không ở bước có thể làm việc này.",
    "role": "Cán bộ không có vai trò để làm việc này.",
    "once_extended": "Hồ sơ đã hẹn lại một lần: quy định chỉ cho hẹn lại một lần.",
    "once_supplemented": "Hồ sơ đã yêu cầu bổ sung một lần: quy định chỉ cho yêu cầu một lần.",
    "argument": "Còn thiếu nội dung bắt buộc (lý do, nội dung hoặc ngày).",
    "disputed": "Bước xử lý đang tranh chấp: lãnh đạo phải giải quyết trước.",
    "conflict": "Mục này đang có xung đột: phải giải quyết, kèm lý do.",
    "void": "Hồ sơ đã bị hủy.",
    "unknown": "Phiên bản này không biết mục hoặc việc đó.",
    "value": "Giá trị không hợp với mục đó.",
    "person": "Người đã thẩm định hồ sơ không được phê duyệt hồ sơ đó.",
    "names": "Có ghi chép mới mà người giải quyết chưa xem.",
    "final": "Nhật ký đã ghi thì không ai sửa hay hủy được.",
    "missing": "Đang chờ ghi chép trước đó của hồ sơ.",
    "newer": "Cần phiên bản mới hơn của chương trình.",
    "period": "Kỳ báo cáo gõ chưa đúng. Hãy gõ Q1/2026, 2026, hoặc 01/02/2026-28/02/2026.",
    "running": "Kỳ báo cáo chưa kết thúc. Hãy chốt sau ngày cuối kỳ.",
    "unchanged": "Không có gì đến muộn làm thay đổi báo cáo đã chốt.",
    "rating_words": "Lời người nộp viết thêm dài quá 2.000 chữ.",
    "inspection": "Cần chọn điểm 0, 1 hoặc 2, và ghi đã thấy gì (không quá 2.000 chữ).",
    "inspection_unit": "Chỉ lãnh đạo đơn vị đó, hoặc đơn vị cấp trên, ghi kết quả kiểm tra của đơn vị.",
    "officer_marks": "Chỉ lãnh đạo đơn vị được xem điểm của từng cán bộ.",
    "format": "Tên tệp phải kết thúc bằng .xlsx, .pdf, .csv, .json hoặc .txt.",
    "locked": "Màn hình đang khóa. Hãy mở khóa bằng mật khẩu.",
    "expired": "Chứng nhận của cán bộ, hoặc bản công bố của tỉnh, không còn hiệu lực vào hôm nay.",
    "confirm": "Phải gõ lại mật khẩu để ký quyết định này.",
    "self": "Không ai tự bỏ mình. Hãy để cán bộ khác trên máy này làm.",
    "no_backup_folder": "Chưa chọn nơi sao lưu. Hãy dùng `onestop backup THƯ-MỤC --daily`.",
    "reserve": "Ổ đĩa đã đầy. Máy vừa mở phần dự trữ: hãy lưu lại ngay.",
    "backup_full": "USB hoặc thư mục sao lưu đã đầy. Hãy dọn bớt, hoặc dùng USB khác.",
    "backup_missing": "Không thấy USB hoặc thư mục sao lưu. Hãy cắm USB rồi thử lại.",
    "backup_refused": "Không ghi được vào USB hoặc thư mục sao lưu. Hãy gỡ khóa chống ghi của USB.",
    "backup_damaged": "Bản sao lưu đã hỏng. Hãy dùng bản khác, hoặc USB khác.",
    "backup_none": "Thư mục này không phải bản sao lưu, hoặc sao lưu chưa xong.",
    "backup_note": "USB không ghi được. Hãy chép bản sao lưu sang ổ đĩa, rồi khôi phục từ đó.",
    "no_recovery": "Máy này chưa niêm phong khóa cho tỉnh. Hãy khôi phục từ bản sao lưu.",
    "recovery_key": "Máy này niêm phong cho khóa khôi phục khác của tỉnh.",
    "serials_exhausted": (
        "Máy này đã dùng hết số hồ sơ trong ngày. Hãy tiếp nhận trên máy khác của xã; không có máy khác thì "
        "ghi sổ giấy, hôm sau nhập bằng `onestop import-register`, và xin quản trị dải số rộng hơn."
    ),
    "no_block": "Máy này không còn dải số hồ sơ. Hãy xin quản trị cấp chứng nhận mới có dải số.",
    "no_agency_code": "Đơn vị chưa có mã cơ quan. Hãy báo người quản trị.",
    "no_parents": "Chưa khai địa chỉ cấp trên. Hãy dùng `onestop login --parent ĐỊA-CHỈ`.",
    "root": "Tệp trả lời thuộc một tỉnh khác.",
    "machine": "Tệp trả lời dành cho máy khác.",
    "blocks": "Dải số hồ sơ đã cấp cho máy khác.",
    "proxy": "Proxy trong cài đặt của máy tính (HTTPS_PROXY) không dùng được. "
    "Hãy sửa lại, hoặc khai proxy bằng `onestop login --proxy`.",
    "address": "Địa chỉ máy chủ không đúng, ví dụ đúng: https://may-chu.example.vn:8420",
    "officer": "Chưa rõ cán bộ nào. Hãy nêu tên bằng --officer, hoặc chọn mặc định bằng `onestop login`.",
    "name": "Tên cán bộ, tên máy và mã đơn vị cần từ 1 đến 200 ký tự.",
    "taken": "Trên máy này đã có cán bộ tên như vậy.",
    "passphrase": "Mật khẩu cần ít nhất 8 ký tự.",
    "no_passphrase": "Chưa có mật khẩu. Hãy dùng --passphrase-file, hoặc biến môi trường ONESTOP_PASSPHRASE.",
    "no_new_passphrase": "Chưa có mật khẩu mới: --new-passphrase-file, hoặc biến ONESTOP_NEW_PASSPHRASE.",
    "file": "Không đọc hoặc ghi được tệp đó. Hãy kiểm tra đường dẫn và quyền truy cập.",
    "json": "Tệp JSON không đúng dạng. Xem `onestop intake --help`.",
    "mapping": 'Tệp ánh xạ cần là JSON có "columns": mỗi cột của sổ là một trường, mỗi trường một lần, '
    "và phải có ma_ho_so, ma_thu_tuc, nguoi_nop, tiep_nhan_luc. Xem `onestop import-register --help`.",
    "mapping_proposed": "Chưa có tệp ánh xạ: bản đề xuất đã được ghi vào đó. Hãy mở xem, sửa chỗ chưa đúng, "
    "rồi Ctrl+S lần nữa để chạy thử.",
    "columns_unknown": "Không nhận ra cột nào của sổ theo tiêu đề. Hãy xem dòng tiêu đề của tệp.",
    "settings": "Tệp cấu hình config.json không đọc được. Hồ sơ vẫn an toàn; hãy chuyển tệp đó đi chỗ khác.",
    "recipients": "Chưa biết máy nào để niêm phong gói. Hãy nêu bằng --to, hoặc đồng bộ một lần.",
    "code_slip": "Gõ nhầm một ký tự của mã kích hoạt. Hãy so từng nhóm với tờ giấy; chưa mất lần thử nào.",
    "code_length": "Mã kích hoạt có 5 nhóm, mỗi nhóm 5 ký tự. Hãy gõ đủ; chưa mất lần thử nào.",
    "code_letters": "Mã kích hoạt bị gõ thành chữ có dấu. Hãy tắt bộ gõ tiếng Việt (Unikey) rồi gõ lại mã.",
    "code_wrong": "Máy chủ không biết mã kích hoạt này. Hãy xem lại địa chỉ máy chủ và mã, hoặc xin mã mới.",
    "code_busy": "Có quá nhiều lần thử mã sai trong giờ này. Hãy thử lại sau một giờ, hoặc dùng tệp qua USB.",
    "code_tries": "Mã kích hoạt đã bị thử sai quá 5 lần nên không dùng được nữa. Hãy xin quản trị mã mới.",
    "code_expired": "Mã kích hoạt đã hết hạn, hoặc đã bị hủy. Hãy xin quản trị mã mới.",
    "code_used": "Mã này đã được dùng cho một máy khác. Nếu không phải máy của xã, hãy báo ngay quản trị.",
    "code_unit": "Mã kích hoạt dành cho đơn vị khác.",
    "code_officer": "Mã kích hoạt không có tên cán bộ này. Hãy xem tên trên tờ được phát.",
    "code_maker": "Mã này không do quản trị hiện nay của đơn vị lập. Hãy xin quản trị mã khác.",
    "code_taken": "Cán bộ này đã có khóa theo mã này. Không phải chính người đó làm thì báo ngay quản trị.",
    "code_answer": "Câu trả lời không do nơi cấp mã làm ra. Hãy xem lại địa chỉ máy chủ và mã; báo quản trị.",
    "code_foreign": "Mã kích hoạt do máy chủ khác lập ra.",
    "code_ring": "Các máy chủ cấp trên trỏ vòng tròn vào nhau. Hãy báo quản trị.",
    "files": "Bản quét của hồ sơ chưa tới đủ. Hãy đồng bộ, chờ bản quét tới rồi làm lại.",
    "attachment_too_large": "Tệp lớn hơn 125 MB. Hãy quét với độ phân giải thấp hơn, hoặc chia nhỏ.",
    "attachment_empty": "Tệp không có nội dung.",
    "attachment_changed": "Tệp bị thay đổi trong khi đọc. Hãy đóng chương trình đang ghi tệp rồi thử lại.",
    "attachment_name": "Tên tệp đính kèm cần từ 1 đến 200 ký tự.",
    "attachment_image": "Tệp này không phải ảnh thu nhỏ được. Hãy đính kèm nguyên bản.",
    "attachment_incomplete": "Tệp chưa tải đủ về máy này. Đã ghi yêu cầu: hãy đồng bộ rồi mở lại.",
    "attachment_none": "Hồ sơ không có tệp đính kèm tên như vậy.",
    "attachment_exists": "Đã có tệp tên như vậy. Hãy chọn tên hoặc thư mục khác.",
    "fingerprint": "Dấu vân tay không khớp với khóa gốc của tỉnh. Hãy hỏi lại người quản trị qua điện thoại.",
    "no_hub": "Máy này chưa được chứng nhận làm máy chủ của xã. Hãy xin quản trị duyệt lại với --serves.",
    "not_request": "Tệp này không phải tệp xin chứng nhận (enrol.request), hoặc đã hỏng khi chép.",
    "not_answer": "Tệp này không phải tệp trả lời của quản trị, hoặc đã hỏng khi chép.",
    "not_evidence": "Tệp này không phải tệp chứng cứ.",
    "not_proof": "Tệp này không phải tệp bằng chứng của `onestop proof`, hoặc đã hỏng.",
    "not_enrolled": "Máy này đang chờ quản trị chứng nhận. Khi có tệp trả lời: `onestop enrol TỆP`.",
    "unreadable": "Không đọc được tệp đó trên USB.",
    "stick": "Không ghi được gói lên USB hoặc thư mục đó. Hãy kiểm tra đường dẫn, khóa chống ghi, chỗ trống.",
    "too_large": "Tệp lớn hơn mọi gói dữ liệu có thể có.",
    "not_bundle": "Tệp này không phải gói dữ liệu.",
    "partial": "Gói dữ liệu chép chưa hết.",
    "damaged": "Gói dữ liệu đã hỏng.",
    "foreign": "Gói dữ liệu thuộc một tỉnh khác.",
    "own": "Gói này do chính máy này xuất ra. Hãy mang sang máy nhận.",
    "other": "Gói này niêm phong cho máy khác, máy này không mở được.",
    "stranger": "Máy làm ra gói này chưa được chứng nhận trong tuyến của đơn vị.",
    "stranger_news": (
        "Máy làm ra gói này không ở trong tuyến của đơn vị. Đã nhận bản công bố mới của tỉnh có trong gói;"
        " ngoài ra chưa nhập gì. Hãy xuất gói cho đơn vị cấp trên hiện nay."
    ),
    "repeated": "Gói này đã được nhập trước đó. Không thiếu gì.",
    "old": "Đã nhập một gói mới hơn của máy đó. Không thiếu gì.",
    "late": "Người phụ trách mới chưa xem ghi chép này.",
    "revoked": "Khóa của máy hoặc cán bộ này đã bị thu hồi.",
    "countersign": "Nằm sau mốc thu hồi: chờ lãnh đạo xác nhận (`onestop countersign`).",
    "not_beyond": "Không có ghi chép nào như vậy đang chờ xác nhận. Xem `onestop countersign --list`.",
    "not_head": "Chỉ lãnh đạo của đơn vị đó, không phải người ghi, mới xác nhận được.",
    "no_form": "Hồ sơ không có biểu mẫu đó ở bước này, hoặc quy định của hồ sơ không có mẫu đó.",
    "print_conflict": "Chưa in được: mục sẽ in đang có xung đột. Hãy giải quyết trước (F8).",
    "printer": "Máy in không nhận tệp. Tệp vẫn được giữ: in tay, hoặc xem `onestop login --printer`.",
    "print_folder": "Chưa chọn nơi ghi tệp in. Hãy nêu --out, hoặc `onestop login --print-folder`.",
    "year_open": "Năm chưa hết nên chưa khóa sổ được. Hãy khóa sổ từ ngày 01 tháng 01 năm sau.",
    "year_empty": "Chưa có hồ sơ nào trong sổ của năm đó, hoặc không có quyển đó.",
    "year_closed": "Sổ của năm đó đã khóa, và không có hồ sơ nào đến sau.",
    "register_gaps": "Sổ thiếu số hoặc trùng số. Hãy đồng bộ mọi máy của xã, hoặc nêu lý do (--reason).",
    "erased": "Hồ sơ đã được xóa theo quy định; chỉ còn dòng trong sổ (xem `onestop verify`).",
    "history": "Hồ sơ này mới chỉ có theo ảnh chụp của tỉnh. Hãy đồng bộ để tải lịch sử rồi làm lại.",
}
"""Reason code → sentence: why something is refused, or for what it waits."""

OUTCOMES: Final[Mapping[str, str]] = {
    "waiting": "đang chờ chứng nhận hoặc ghi chép khác",
    "refused": "đã lưu nhưng không có hiệu lực",
    "malformed": "không đúng định dạng, không lưu",
    "forged": "chữ ký sai, không lưu",
    "withheld": "thiếu nội dung do bị cắt trên đường chuyển, chưa lưu",
    "unknown_log": "chưa có chứng nhận của người ký, chưa lưu",
    "quota": "quá nhiều ghi chép chưa có chứng nhận, chưa lưu",
}
"""Code of what became of an event at the other side → words."""

STANDING_LABELS: Final[Mapping[str, str]] = {
    "stands": "có hiệu lực",
    "superseded": "đã được ghi lại sau đó",
    "conflict": "đang xung đột",
    "late": "ghi muộn, chờ người phụ trách xem",
    "overruled": "không áp dụng: người phụ trách đã ghi khác",
    "refused": "không có hiệu lực",
    "waiting": "đang chờ",
}
"""What became of an event."""

FINDING_LABELS: Final[Mapping[str, str]] = {
    "rolled_back": "Máy cấp trên không còn biết điều chính nó đã ký: kho dữ liệu đã bị đưa về bản cũ",
    "restored": "Máy cấp trên đã ký trong hai lần lập kho: kho dữ liệu đã được khôi phục",
    "rewritten": "Máy cấp trên đã ký nhận hai nội dung khác nhau ở cùng một chỗ",
    "went_back": "Tỉnh xác nhận ít hơn những gì trước đó đã ký nhận",
    "equivocated": "Tỉnh đã ký hai bản xác nhận khác nhau mang cùng một số",
    "misstated": "Ảnh chụp có chữ ký của tỉnh khác với điều các ghi chép của hồ sơ cho thấy",
    "withheld": "Có dữ liệu tỉnh đã gửi mà chưa tới máy này",
    "gap": "Có một bản xác nhận của tỉnh chưa tới máy này",
}
"""What was found out about those above, by kind."""

PROBLEMS: Final[Mapping[str, str]] = {
    "publication": "bản công bố của tỉnh không đúng, tính từ khóa gốc",
    "malformed": "ghi chép hỏng, hoặc nội dung không phải nội dung đã ký",
    "forged": "chữ ký sai: ghi chép đã bị sửa, hoặc do khóa khác ký",
    "foreign": "ghi chép thuộc hồ sơ khác",
    "no_log": "thiếu ghi chép mở đầu nhật ký của người ký, nên chưa kiểm tra được chữ ký",
    "no_authority": "thiếu chứng thư dẫn lên khóa gốc",
    "no_chain": "thiếu phần đầu ghi chép để biết việc này trước hay sau khi khóa bị cắt",
    "no_parent": "thiếu ghi chép đứng trước",
    "no_body": "thiếu nội dung, mà không có bia xóa nào nêu lý do",
    "newer": "cần phiên bản mới hơn của chương trình",
    "type": "chương trình không biết loại hồ sơ này",
    "empty": "không có ghi chép nào của hồ sơ",
    "ack_forged": "xác nhận của cấp trên hỏng hoặc bị giả mạo",
    "ack_stranger": "xác nhận do máy không có quyền ký, hoặc thiếu chứng thư của máy đó",
    "claim": "lời khai của máy xuất tệp không đúng",
    "left_out": "máy xuất tệp đã có ghi chép này, nhưng trong tệp không có",
    "put_in": "máy xuất tệp không có ghi chép này",
    "not_erased": "hồ sơ đã xóa, nhưng nội dung ghi chép vẫn còn",
    "projection": "điều máy đang hiện khác với điều các ghi chép cho thấy",
    "broken": "nhật ký đứt: ghi chép không nối vào ghi chép trước",
    "head": "đầu nhật ký mà kho ghi nhớ không phải ghi chép cuối",
    "summary": "điều máy hiện theo ảnh chụp không phải điều tỉnh đã ký",
}
"""What is not proven, by the codes of `onestop_sync.report.PROBLEMS`."""

NOTES: Final[Mapping[str, str]] = {
    "fork": "khóa này từng được dùng trên hai máy cùng lúc: hai ghi chép cùng một chỗ",
    "ack_short": "có xác nhận của cấp trên, nhưng thiếu phần nối để chứng minh cho ghi chép này",
    "no_claim": "không máy nào ký tên cho danh sách ghi chép: có thể thiếu ghi chép về sau",
    "not_buried": "bia xóa có nêu ghi chép này, nhưng ở đây không có",
}
"""What is to be known, by the codes of `onestop_sync.report.NOTES`."""

LEVEL_LABELS: Final[Mapping[str, str]] = {
    "here": "chỉ ở máy này",
    "hub": "đã tới máy chủ của xã",
    "district": "đã tới huyện",
    "province": "đã tới tỉnh",
}
"""How far an event has got."""

ISSUES: Final[Mapping[str, str]] = {
    "missing": "còn thiếu",
    "missing_paper": "còn thiếu giấy tờ này",
    "not_text": "phải là chữ",
    "too_long": "dài quá {detail} ký tự",
    "id_number": "số không đúng: cá nhân 9 hoặc 12 chữ số, tổ chức 10 hoặc 13 chữ số",
    "phone": "số điện thoại gồm 10 hoặc 11 chữ số, bắt đầu bằng số 0",
    "email": "địa chỉ thư điện tử không đúng",
    "date": "ngày không đúng, ví dụ đúng: 05/09/1990",
    "future": "ngày ở tương lai",
    "count": "số lượng không đúng",
    "choice": "phải là một trong: {detail}",
    "unknown_field": "không có mục này, hoặc không nhập trực tiếp được",
    "code": "mã hồ sơ không đúng quy tắc",
    "not_in_force": "không còn hiệu lực hôm nay ({detail})",
    "no_limit": "danh mục chưa có thời hạn: cán bộ phải cho ngày hẹn",
    "uncertain_calendar": "lịch nghỉ chưa được công bố ({detail}): ngày hẹn có thể phải tính lại",
    "no_due": "hồ sơ chưa có ngày hẹn",
    "not_later": "phải sau ngày {detail}",
    "not_worked": "cơ quan không làm việc ngày {detail}",
    "no_extension": "quy định của hồ sơ này không cho hẹn lại",
    "after_due": "sau ngày hẹn trả của hồ sơ ({detail})",
    "late_notice": "quá hạn thông báo theo quy định ({detail})",
}
"""What is wrong with a field → words after its name."""

_FIELDS: Final[Mapping[str, str]] = {
    "ly_do": "Lý do",
    "noi_dung": "Nội dung",
    "han_moi": "Ngày hẹn mới",
    "han": "Hạn trả lời",
    "to": "Đơn vị nhận",
    "so_tien": "Số tiền",
    "so_luong": "Số lượng",
    "so_ban": "Số bản",
    "bien_lai": "Số biên lai",
}


def stated_words(day: str) -> str:
    """Returns that a dossier is shown as the province signed it, and what to do when more is needed.

    Args:
        day: When it was signed, as it is shown.
    """
    return (
        f"Theo ảnh chụp có chữ ký của tỉnh lúc {day}; lịch sử chưa có trên máy này. Chưa in hay ghi thêm"
        " được: lịch sử sẽ về khi đồng bộ, không cần nhập lại gì."
    )


def reason_text(code: str) -> str:
    """Returns why something is refused or waits; an unknown code as it is."""
    return REASONS.get(code, code)


def outcome_text(code: str, reason: str) -> str:
    """Returns what became of an event at the other side, and why."""
    why = REASONS.get(reason, reason)
    what = OUTCOMES.get(code, code)
    return f"{what}: {why}" if why else what


def parent_error(code: str) -> str:
    """Returns why the last exchange with a parent failed; empty after a success."""
    if code == "revoked":
        return _REVOKED.what
    return ERRORS.get(code, ERRORS["upstream"]).what if code else ""


def problem_text(problem: _Problem) -> str:
    """Returns one line on what is wrong with a field: its name, and what to mend."""
    words = ISSUES.get(str(problem.code), str(problem.code))
    return f"{_label(problem.key)}: {words.format(detail=_detail(problem.detail))}"


def _label(key: str) -> str:
    from onestop_sync.dossier.labels import field_label

    label = field_label(key)
    return _FIELDS.get(key, label) if label == key else label


def _detail(text: str) -> str:
    """Turns ISO dates into the order that officials read."""
    return " ".join(_day(word) for word in text.split())


def _day(word: str) -> str:
    parts = word.split("-")
    is_date = [len(part) for part in parts] == [4, 2, 2] and all(part.isdigit() for part in parts)
    return "/".join(reversed(parts)) if is_date else word


def explain(error: Exception) -> Message:
    """Returns what to tell an official about an error of the library, or of the desk.

    Args:
        error: An `OnestopError`; of anything else the message says only that it was unexpected.
    """
    message = ERRORS.get(getattr(error, "code", ""), ERRORS["error"])
    details: Mapping[str, Any] = getattr(error, "details", {})
    reason = str(details.get("reason", ""))
    problems = getattr(error, "problems", ())
    if problems:
        return Message(message.what, f"{message.todo}: " + "; ".join(map(problem_text, problems)) + ".")
    if details.get("code") == "revoked":
        return _REVOKED
    if reason in _NOTHING_TO_DO:
        return Message(REASONS[reason], _NOT_IMPORTED)
    if reason == "reserve":
        return Message(REASONS[reason], f"{_SAFE} Sau đó hãy dọn ổ đĩa.")
    if reason == "code_slip":
        return Message(REASONS[reason], f"Nhóm thứ {details.get('group')} chưa đúng.")
    if reason == "print_conflict" and (fields := details.get("fields")):
        return Message(_conflicted(list(map(str, fields))), _SETTLE)
    if reason in REASONS:
        column = f" Cột: {details['column']}." if "column" in details else ""
        says_all = getattr(error, "code", "") in _BY_REASON or reason.startswith("code_")
        return Message(REASONS[reason] + column, _UNCHANGED if says_all else message.todo)
    return Message(message.what + _extra(details), message.todo)


def _conflicted(fields: list[str]) -> str:
    """Names what is in conflict and would be printed."""
    more = f" và {len(fields) - _MOST_FIELDS} mục nữa" if len(fields) > _MOST_FIELDS else ""
    return f"Chưa in, chưa ký gì: đang có xung đột ở {', '.join(fields[:_MOST_FIELDS])}{more}."


_MOST_FIELDS: Final = 5
_SETTLE: Final = (
    "Hãy giải quyết, kèm lý do, rồi làm lại: F8 trên màn hình, hoặc `onestop conflicts` và `onestop resolve`."
)
_REVOKED: Final = Message(
    "Máy chủ cấp trên báo khóa của máy này đã bị thu hồi, nên không đồng bộ nữa.",
    "Những gì đã ghi vẫn được giữ trên máy này. Hãy báo người quản trị của đơn vị để được cấp khóa mới.",
)
"""What a parent says to a machine whose key was cut off."""

_BY_REASON: Final = frozenset(
    {"invalid_input", "not_allowed", "not_found", "store_damaged", "store_missing", "backup_failed"}
)
"""Codes whose reason says itself what to do next."""
_NOTHING_TO_DO: Final = frozenset({"own", "repeated", "old"})
"""Reasons for which a bundle is not taken although nothing is wrong with it."""
_NOT_IMPORTED: Final = "Chưa có gì được nhập."


def _extra(details: Mapping[str, Any]) -> str:
    """Returns the facts that help and are no personal data."""
    if wait_s := details.get("wait_s"):
        return f" Phải chờ {_wait(int(str(wait_s)))} mới được thử lại."
    if code := details.get("code"):
        return f" Mã: {code}."
    if codes := details.get("codes"):
        return " Có nhiều hồ sơ: " + ", ".join(map(str, codes)) + "."
    if unit := details.get("unit"):
        return f" Đơn vị: {unit}."
    if day := details.get("today"):
        return f" Máy đang ghi ngày {_day(str(day))}."
    return ""


def _wait(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    words = [f"{minutes} phút"] * bool(minutes) + [f"{rest} giây"] * bool(rest)
    return " ".join(words)


def explain_unexpected(log_name: str) -> Message:
    """Returns what to tell an official when the program itself is at fault.

    Args:
        log_name: File in which the details are.
    """
    return Message(
        "Chương trình gặp lỗi không lường trước.",
        f"{_SAFE} Hãy thử lại; nếu vẫn lỗi, gửi tệp {log_name} cho người quản trị "
        "(tệp không chứa dữ liệu cá nhân).",
    )

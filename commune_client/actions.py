"""Everything that an official can do, in one table: the key, the words, and the command that does the same.

The key line at the foot of each screen, the help screen, the palette and the command line's help are all made
from it, so none of them can name what another does not know. No letter alone is a key: in Telex a lone `w`
becomes `ư`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ACTIONS", "COMMANDS", "EVERYWHERE", "Action", "Command", "action", "actions_on"]

EVERYWHERE: Final = ""
"""Value of `Action.screen` for what works on every screen once the store is open."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Attributes:
        name: Its stable name.
        key: The key, as Textual writes it; empty for what only a command does.
        label: Two or three Vietnamese words, for the line of keys.
        help: One Vietnamese sentence.
        command: The `onestop` command that does the same; empty when none does.
        screen: The only screen that has it; `EVERYWHERE` for all.
    """

    name: str
    key: str
    label: str
    help: str
    command: str = ""
    screen: str = EVERYWHERE

    @property
    def key_name(self) -> str:
        """The key as officials read it on the keyboard: ``F5``, ``Ctrl+Q``."""
        parts = self.key.split("+")
        return "+".join(_KEY_NAMES.get(part, part.capitalize()) for part in parts)


_KEY_NAMES: Final = {"escape": "Esc", "delete": "Del", "pageup": "PgUp", "pagedown": "PgDn"}

ACTIONS: Final[tuple[Action, ...]] = (
    # On every screen.
    Action("help", "f1", "Trợ giúp", "Xem các phím và cách làm trên màn hình này"),
    Action("intake", "f2", "Tiếp nhận", "Tiếp nhận hồ sơ mới, hoặc mở lại bản nháp", "intake"),
    Action(
        "search", "f3", "Tìm", "Tìm theo tên, mã, thủ tục, số căn cước, điện thoại; gõ không dấu cũng được"
    ),
    Action("list", "f4", "Danh sách", "Về danh sách hồ sơ", "list"),
    Action("sync", "f5", "Đồng bộ", "Gửi việc đã làm lên cấp trên và nhận việc về", "sync"),
    Action(
        "outbox", "f6", "Chưa gửi", "Xem việc nào chưa gửi, từ bao giờ, và cấp trên nào đã liên lạc", "status"
    ),
    Action("notices", "f7", "Thông báo", "Xem những thay đổi xảy ra sau khi đã làm", "notices"),
    Action("conflicts", "f8", "Xung đột", "Xem và giải quyết những chỗ hai người ghi khác nhau", "conflicts"),
    Action("palette", "f10", "Lệnh", "Chọn một việc trong danh sách mọi việc"),
    Action("quit", "ctrl+q", "Khóa, thoát", "Khóa màn hình, hoặc thoát chương trình"),
    Action("back", "escape", "Quay lại", "Về màn hình trước; những gì đã gõ vẫn còn"),
    Action(
        "handover", "", "Bàn giao", "Xem danh sách cần bàn giao, chờ nhận, và ký cả danh sách", "handover"
    ),
    Action("agencies", "", "Chờ ý kiến", "Xem đơn vị nào được hỏi mà chưa trả lời, ai trễ hạn", "asked"),
    Action("trail", "", "Nhật ký", "Xem ai đã mở khóa, xem, tìm, in, xuất dữ liệu hoặc bị từ chối", "audit"),
    Action("report", "", "Báo cáo", "Xem báo cáo của kỳ, mở từng số liệu, ghi ra tệp, chốt", "report"),
    Action(
        "difficulties",
        "",
        "Khó khăn",
        "Ghi, gửi cấp trên, trả lời khó khăn, vướng mắc, đôn đốc",
        "difficulty",
    ),
    Action("complaints", "", "Phản ánh", "Ghi, xem, trả lời phản ánh, kiến nghị của người dân", "complaint"),
    Action(
        "import_register",
        "",
        "Nhập sổ cũ",
        "Nhập sổ theo dõi cũ từ tệp XLSX, CSV: chạy thử, xem dòng sai, rồi mới ghi",
        "import-register",
    ),
    Action(
        "awaiting",
        "",
        "Xác nhận",
        "Lãnh đạo xem, xác nhận ghi chép nằm sau mốc thu hồi của một khóa",
        "countersign",
    ),
    Action("passphrase", "", "Đổi mật khẩu", "Đổi mật khẩu của mình trên máy này", "passphrase"),
    Action("backup", "", "Sao lưu", "Sao lưu kho dữ liệu ngay, ra USB hoặc thư mục đã chọn", "backup"),
    Action("remove_officer", "", "Bỏ cán bộ", "Bỏ một cán bộ khỏi máy này", "dismiss"),
    Action("register", "", "Sổ theo dõi", "Xem, in, khóa sổ theo dõi hồ sơ của một năm", "register"),
    # On one screen.
    Action("choose", "enter", "Chọn", "Chọn dòng có dấu >", "", "pick"),
    Action("open", "enter", "Mở", "Mở hồ sơ đang chọn", "show", "list"),
    Action("print", "ctrl+p", "In", "In một mẫu cho mọi hồ sơ tiếp nhận trong một ngày", "print", "list"),
    Action(
        "save", "ctrl+s", "Tiếp nhận", "Kiểm tra và tiếp nhận hồ sơ: cấp mã và hẹn ngày", "intake", "intake"
    ),
    Action("discard", "f12", "Bỏ nháp", "Bỏ bản nháp đang mở", "", "intake"),
    Action(
        "not_accept",
        "ctrl+r",
        "Chưa nhận",
        "Yêu cầu bổ sung khi tiếp nhận, hoặc từ chối, có lý do",
        "",
        "intake",
    ),
    Action("save", "ctrl+s", "Ghi", "Ghi những chỗ đã sửa", "edit", "edit"),
    Action(
        "timeline",
        "tab",
        "Quá trình",
        "Xem quá trình xử lý: ai làm gì, lúc nào; Tab lần nữa về đầu",
        "",
        "dossier",
    ),
    Action("print", "ctrl+p", "In", "In một biểu mẫu của hồ sơ: PDF hoặc chữ thường", "print", "dossier"),
    Action("edit", "0", "Sửa", "Sửa thông tin của hồ sơ", "edit", "dossier"),
    Action(
        "verify",
        "",
        "Xác minh",
        "Kiểm tra chữ ký của từng ghi chép, từ khóa gốc của tỉnh",
        "verify",
        "dossier",
    ),
    Action("why", "", "Vì sao ngày này?", "Xem ngày hẹn được tính thế nào, từng ngày một", "why", "dossier"),
    Action("mark", "enter", "Đánh dấu", "Đánh dấu hồ sơ để ký, hoặc bỏ dấu", "", "handover"),
    Action("mark_all", "0", "Cả danh sách", "Đánh dấu mọi hồ sơ, hoặc bỏ hết dấu", "", "handover"),
    Action(
        "save", "ctrl+s", "Ký", "Ký bàn giao hoặc ký nhận những hồ sơ đã đánh dấu", "handover", "handover"
    ),
    Action("next", "enter", "Hồ sơ khác", "Tiếp nhận hồ sơ khác", "intake", "accepted"),
    Action("print", "ctrl+p", "In", "In Giấy tiếp nhận và hẹn trả kết quả", "print", "accepted"),
    Action("open", "0", "Mở hồ sơ", "Mở hồ sơ vừa tiếp nhận", "show", "accepted"),
    Action("open", "enter", "Mở", "Mở các cột của dòng đang chọn", "report", "report"),
    Action("earlier", "1", "Kỳ trước", "Xem kỳ trước", "report", "report"),
    Action("later", "2", "Kỳ sau", "Xem kỳ sau", "report", "report"),
    Action("tier", "3", "Cả cấp dưới", "Tính cả các đơn vị cấp dưới, hoặc thôi", "report", "report"),
    Action("write", "4", "Ghi tệp", "Ghi báo cáo ra tệp .xlsx, .pdf, .csv, .json", "report", "report"),
    Action("freeze", "5", "Chốt", "Ký, chốt báo cáo; lần sau là bản bổ sung", "report", "report"),
    Action("officers", "6", "Cán bộ", "Lãnh đạo xem điểm của từng cán bộ trong kỳ", "report", "report"),
    Action(
        "inspect",
        "7",
        "Kiểm tra",
        "Lãnh đạo ghi kết quả kiểm tra niêm yết thủ tục (chỉ số 6)",
        "inspect",
        "report",
    ),
    Action("open", "enter", "Mở", "Xem các hồ sơ của số liệu, rồi mở hồ sơ", "report", "figures"),
    Action("one", "1", "Xác nhận", "Xác nhận ghi chép đang chọn, có lý do", "countersign", "awaiting"),
    Action(
        "all_of_dossier",
        "2",
        "Cả hồ sơ",
        "Xác nhận mọi ghi chép đang chờ của hồ sơ đó",
        "countersign",
        "awaiting",
    ),
    Action("new", "1", "Ghi mới", "Ghi khó khăn, vướng mắc và gửi cấp trên", "difficulty", "difficulties"),
    Action("take_up", "2", "Tiếp thu", "Tiếp thu việc đang chọn", "difficulty", "difficulties"),
    Action("answer", "3", "Trả lời", "Trả lời việc đang chọn", "difficulty", "difficulties"),
    Action("remind", "4", "Nhắc", "Nhắc nơi đang giữ việc", "difficulty", "difficulties"),
    Action("close", "5", "Kết thúc", "Kết thúc việc đã được trả lời", "difficulty", "difficulties"),
    Action("reopen", "6", "Hỏi lại", "Hỏi lại nơi đã trả lời", "difficulty", "difficulties"),
    Action(
        "pass_on",
        "7",
        "Chuyển lên",
        "Chuyển việc lên cấp trên, hoặc sang nơi khác",
        "difficulty",
        "difficulties",
    ),
    Action("new", "1", "Ghi mới", "Ghi phản ánh, kiến nghị của người dân", "complaint", "complaints"),
    Action("take_up", "2", "Nhận xử lý", "Nhận xử lý, hẹn ngày trả lời", "complaint", "complaints"),
    Action("answer", "3", "Trả lời", "Trả lời, nêu phản ánh đúng hay không", "complaint", "complaints"),
    Action("refuse", "4", "Không thụ lý", "Không thụ lý, có lý do", "complaint", "complaints"),
    Action("forward", "5", "Chuyển", "Chuyển đơn vị có thẩm quyền, có lý do", "complaint", "complaints"),
    Action("settle", "enter", "Giải quyết", "Xem từng bản ghi và giải quyết", "resolve", "conflicts"),
    Action("all_seen", "0", "Đã xem hết", "Đánh dấu đã xem mọi thay đổi", "", "notices"),
    Action("save", "ctrl+s", "Giải quyết", "Ghi giá trị đã chọn cùng lý do", "resolve", "conflict"),
    Action("save", "ctrl+s", "Ký và ghi", "Ký việc này và ghi vào hồ sơ", "", "act"),
    Action("save", "ctrl+s", "In", "Ghi tệp in, và gửi tới máy in nếu đã chọn", "print", "print"),
    Action("print", "ctrl+p", "In sổ", "Ghi sổ ra tệp để in, khổ A4", "register", "register"),
    Action("close", "ctrl+s", "Khóa sổ", "Khóa sổ của năm đã hết: lãnh đạo ký", "register", "register"),
    Action("save", "ctrl+s", "Ghi", "Ghi những gì vừa điền", "", "form"),
    Action("save", "ctrl+s", "Nhập", "Nhập cả sổ trong một lần ghi", "import-register", "import_register"),
    Action("save", "ctrl+s", "Đồng ý", "Làm việc đang hỏi, với những gì vừa gõ", "", "asked"),
)
"""In the order of the keyboard; a name stands once for each screen that has it."""


def action(name: str, screen: str = EVERYWHERE) -> Action:
    """Returns an action by name: the screen's own, or the one that works everywhere.

    Raises:
        KeyError: There is none.
    """
    for wanted in (screen, EVERYWHERE):
        for item in ACTIONS:
            if (item.name, item.screen) == (name, wanted):
                return item
    raise KeyError(name)


def actions_on(screen: str) -> tuple[Action, ...]:
    """Returns what can be done on a screen: its own actions first, then those of every screen."""
    own = tuple(item for item in ACTIONS if item.screen == screen != EVERYWHERE)
    return own + tuple(item for item in ACTIONS if item.screen == EVERYWHERE)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of ``onestop``.

    Attributes:
        name: What is typed.
        help: One Vietnamese sentence, the English term in parentheses where there is one.
        workflow: The actions of the dossier's workflow that it takes.
    """

    name: str
    help: str
    workflow: tuple[str, ...] = ()


COMMANDS: Final[tuple[Command, ...]] = (
    # The machine and its people.
    Command("init", "Tạo khóa cho máy và cán bộ, ghi tệp xin chứng nhận (enrolment request)"),
    Command("enrol", "Nhận tệp trả lời của quản trị và mở kho dữ liệu (enrolment answer)"),
    Command("officer", "Thêm một cán bộ làm việc trên máy này, ghi tệp xin chứng nhận"),
    Command("login", "Chọn cán bộ mặc định, đổi địa chỉ cấp trên, kiểm tra mật khẩu"),
    Command("passphrase", "Đổi mật khẩu của cán bộ"),
    Command("dismiss", "Bỏ một cán bộ khỏi máy này; kho dữ liệu nhận khóa mới (remove an officer)"),
    Command("backup", "Sao lưu kho dữ liệu ra USB hoặc thư mục (backup)"),
    Command("restore", "Khôi phục kho dữ liệu từ bản sao lưu (restore)"),
    Command("recovery", "Khi mọi người quên mật khẩu: xin tỉnh mở lại máy (recovery)"),
    # The counter.
    Command("procedures", "Xem danh mục thủ tục và giấy tờ cần nộp"),
    Command("intake", "Tiếp nhận hồ sơ: cấp mã và hẹn ngày trả", ("accept",)),
    Command("import-register", "Nhập sổ theo dõi hồ sơ cũ từ tệp XLSX hoặc CSV, chạy thử trước (dry run)"),
    Command("refuse", "Từ chối tiếp nhận hồ sơ, có lý do", ("refuse",)),
    # Looking.
    Command("list", "Xem danh sách hồ sơ"),
    Command("old-register", "Tìm trong sổ cũ đã nhập"),
    Command("show", "Xem một hồ sơ và quá trình xử lý có chữ ký"),
    Command("why", "Xem vì sao ngày hẹn là ngày đó, từng ngày một"),
    Command("print", "In biểu mẫu của hồ sơ: PDF hoặc chữ thường, một hay nhiều hồ sơ"),
    Command("register", "Xem, in và khóa sổ theo dõi hồ sơ của năm (register)"),
    Command("verify", "Xác minh hồ sơ, cả kho, hoặc tệp chứng cứ: ai ký gì, theo chứng thư nào"),
    Command("doctor", "Kiểm tra kho dữ liệu có hỏng không; --rebuild: dựng lại phần hiển thị"),
    Command("evidence", "Xuất tệp chứng cứ của một hồ sơ (evidence file); tệp có dữ liệu cá nhân"),
    # Working.
    Command("edit", "Sửa thông tin hoặc giấy tờ của hồ sơ"),
    Command("note", "Ghi chú vào hồ sơ (ghi chú không sửa, không xóa)"),
    Command("attach", "Đính kèm bản quét, ảnh chụp vào hồ sơ"),
    Command("attachments", "Xem tệp đính kèm của hồ sơ: đủ ở đâu, còn thiếu gì"),
    Command("attachment", "Lưu một tệp đính kèm ra ngoài, hoặc xin tải về"),
    Command("handover", "Xem danh sách cần bàn giao, hoặc ký bàn giao cho bước sau", ("give", "give_result")),
    Command(
        "receive", "Xem danh sách chờ nhận, hoặc ký nhận hồ sơ được bàn giao, được chuyển đến", ("receive",)
    ),
    Command("decline", "Trả lại hồ sơ được bàn giao, có lý do", ("decline",)),
    Command("appraise", "Thẩm định xong, trình phê duyệt", ("submit",)),
    Command("send-back", "Trả lại thẩm định, có lý do", ("send_back",)),
    Command("supplement", "Yêu cầu bổ sung, một lần và đầy đủ", ("ask_at_intake", "ask_supplement")),
    Command("supply", "Nhận giấy tờ bổ sung", ("supply",)),
    Command("ask-payment", "Yêu cầu thực hiện nghĩa vụ tài chính", ("ask_payment",)),
    Command("fee", "Xem hoặc ghi phí, lệ phí của hồ sơ: phải nộp, đã nộp, miễn"),
    Command("fees", "Xem phí, lệ phí đã thu trong quý, để quyết toán"),
    Command("pay", "Xác nhận đã thực hiện nghĩa vụ tài chính", ("pay",)),
    Command("approve", "Phê duyệt hồ sơ", ("approve",)),
    Command("reject", "Quyết định không giải quyết, có lý do", ("reject",)),
    Command("extend", "Hẹn lại ngày trả kết quả, một lần, có lý do", ("extend",)),
    Command("stop", "Dừng xử lý hồ sơ, có lý do", ("stop",)),
    Command("withdraw", "Công dân rút hồ sơ", ("withdraw",)),
    Command("void", "Hủy hồ sơ lập nhầm, có lý do; không xóa gì"),
    Command("transfer", "Chuyển hồ sơ sang đơn vị khác (liên thông)", ("transfer",)),
    Command("ask", "Lấy ý kiến một hoặc nhiều đơn vị cùng lúc, có hạn trả lời", ("ask",)),
    Command("asked", "Xem đơn vị nào được hỏi mà chưa trả lời, đơn vị nào trễ hạn"),
    Command("answer", "Trả lời ý kiến mà đơn vị mình được hỏi", ("answer",)),
    Command("pass", "Báo việc được hỏi không thuộc thẩm quyền, có lý do", ("pass",)),
    Command("return", "Trả kết quả cho người nộp", ("return",)),
    Command("rate", "Ghi đánh giá của người nộp về việc giải quyết hồ sơ"),
    Command("complaint", "Ghi, xem, trả lời phản ánh, kiến nghị của người dân"),
    # Disagreements.
    Command("conflicts", "Xem những chỗ hai người ghi khác nhau"),
    Command("resolve", "Giải quyết một xung đột, có lý do"),
    Command("countersign", "Lãnh đạo xác nhận ghi chép nằm sau mốc thu hồi (countersignature)"),
    # The line.
    Command("sync", "Đồng bộ với cấp trên: gửi việc đã làm, nhận việc về"),
    Command("status", "Xem còn bao nhiêu việc chưa gửi, từ bao giờ, vì sao"),
    Command("notices", "Xem những thay đổi xảy ra sau khi đã làm"),
    Command("export", "Xuất gói dữ liệu niêm phong ra USB (bundle)"),
    Command("import", "Nhập gói dữ liệu từ USB (bundle)"),
    Command("export-data", "Xuất mọi dữ liệu ra thư mục, định dạng mở (JSON Lines, CSV); có dữ liệu cá nhân"),
    Command("post", "Lập danh sách niêm yết công khai, chỉ gồm các trường được phép"),
    Command("audit", "Xem hoặc xuất nhật ký: ai đã xem, in, xuất, mở khóa, bị từ chối (audit trail)"),
    Command("report", "Báo cáo theo kỳ (Biểu II.06a, II.06b), hồ sơ của từng số liệu, hoặc ghi ra tệp"),
    Command("inspect", "Kết quả kiểm tra niêm yết, công khai thủ tục (chỉ số 6): ghi, xem"),
    Command("difficulty", "Khó khăn, vướng mắc: ghi, gửi cấp trên, theo dõi, trả lời, đôn đốc"),
    Command("proof", "Ghi bằng chứng khi cấp trên không khớp (proof), hoặc kiểm tra tệp bằng chứng"),
    Command("hub", "Phục vụ các máy khác của xã từ kho dữ liệu này"),
)
"""Every command, in the order of the work; what `Action.command` names is here."""

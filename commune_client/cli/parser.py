"""How ``onestop`` is typed: made from the registry of actions; every word of it Vietnamese."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from commune_client.actions import COMMANDS, Command
from commune_client.cli.codes import UsageFault
from commune_client.desk.place import default_folder

__all__ = ["HANDLERS", "build_parser"]

_HERE: Final = "commune_client.cli"
HANDLERS: Final[dict[str, str]] = {
    **dict.fromkeys(
        (command.name for command in COMMANDS), f"{_HERE}.work:run"
    ),  # the commands that take an action of the workflow
    "init": f"{_HERE}.setup:init",
    "enrol": f"{_HERE}.setup:enrol",
    "officer": f"{_HERE}.setup:officer",
    "login": f"{_HERE}.setup:login",
    "passphrase": f"{_HERE}.safekeeping:passphrase",
    "dismiss": f"{_HERE}.safekeeping:dismiss",
    "backup": f"{_HERE}.safekeeping:backup",
    "restore": f"{_HERE}.safekeeping:restore",
    "recovery": f"{_HERE}.safekeeping:recovery",
    "procedures": f"{_HERE}.reading:procedures",
    "list": f"{_HERE}.reading:list_",
    "show": f"{_HERE}.reading:show",
    "verify": f"{_HERE}.proving:verify",
    "doctor": f"{_HERE}.doctor:doctor",
    "evidence": f"{_HERE}.proving:evidence",
    "intake": f"{_HERE}.intake:intake",
    "import-register": f"{_HERE}.old_register:import_register",
    "old-register": f"{_HERE}.old_register:old_register",
    "conflicts": f"{_HERE}.disputes:conflicts",
    "resolve": f"{_HERE}.disputes:resolve",
    "countersign": f"{_HERE}.countersign:countersign",
    "sync": f"{_HERE}.line:sync",
    "status": f"{_HERE}.line:status",
    "notices": f"{_HERE}.line:notices",
    "export": f"{_HERE}.line:export",
    "import": f"{_HERE}.line:import_",
    "export-data": f"{_HERE}.open_data:export_data",
    "post": f"{_HERE}.posting:post",
    **{name: f"{_HERE}.voices:{name}" for name in ("rate", "complaint", "inspect")},
    "audit": f"{_HERE}.audit:audit",
    "proof": f"{_HERE}.proof:proof",
    "report": f"{_HERE}.report:report",
    "difficulty": f"{_HERE}.difficulty:difficulty",
    **{name: f"{_HERE}.attachments:{name}" for name in ("attach", "attachments", "attachment")},
    "print": f"{_HERE}.printing:print_",
    "register": f"{_HERE}.printing:register",
    "hub": f"{_HERE}.hub:hub",
    **dict.fromkeys(("handover", "receive"), f"{_HERE}.together:hand"),
    **{name: f"{_HERE}.together:{name}" for name in ("ask", "asked", "fee", "fees", "why")},
}
"""Command → the function that does it."""

_EPILOG: Final = """\
Không có lệnh: mở màn hình làm việc (khi chạy trong cửa sổ dòng lệnh).

mã thoát (exit codes):
  0  xong
  1  bị từ chối, có nêu lý do; chưa có gì thay đổi
  2  gõ lệnh chưa đúng
  3  không liên lạc được; việc đã làm vẫn được giữ trên máy

mật khẩu (passphrase): gõ khi được hỏi, hoặc --passphrase-file TỆP, hoặc biến môi trường ONESTOP_PASSPHRASE.
"""

_TRANSLATED: Final = (
    (r"the following arguments are required: (.*)", r"còn thiếu: \1"),
    (r"unrecognized arguments: (.*)", r"không hiểu: \1"),
    (r"argument (.*): expected one argument", r"\1: cần một giá trị"),
    (r"argument (.*): expected at least one argument", r"\1: cần ít nhất một giá trị"),
    (r"argument LỆNH: invalid choice: (.*?) \(choose from .*\)", r"không có lệnh \1"),
    (r"argument .*: invalid choice: (.*?) \(choose from (.*)\)", r"không có \1; có thể chọn: \2"),
    (r"argument (.*): invalid .* value: (.*)", r"\1: giá trị không đúng: \2"),
    (r"argument (.*): not allowed with argument (.*)", r"không dùng \1 cùng với \2"),
    (r"one of the arguments (.*) is required", r"cần một trong: \1"),
    (r"ambiguous option: (.*) could match (.*)", r"\1 chưa rõ: có thể là \2"),
    (r"argument (.*): ignored explicit argument (.*)", r"\1 không nhận giá trị \2"),
)
"""What argparse complains of → the same in Vietnamese."""

_LONGEST: Final = 300
"""Characters of a complaint; what was typed wrongly, and is in it, can have any length."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that keeps its lines."""

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """Begins in Vietnamese."""
        super().add_usage(usage, actions, groups, "cách dùng: " if prefix is None else prefix)


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process, and speaks Vietnamese."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(add_help=False, formatter_class=_Help, allow_abbrev=False, **settings)
        self._positionals.title = "tham số"
        self._optionals.title = "tùy chọn"
        self.add_argument("-h", "--help", action="help", help="xem trợ giúp này")

    def error(self, message: str) -> NoReturn:
        """Says what is wrong.

        Raises:
            UsageFault: Always.
        """
        for pattern, words in _TRANSLATED:
            if re.fullmatch(pattern, message):
                message = re.sub(pattern, words, message)
                break
        if len(message) > _LONGEST:
            message = f"{message[:_LONGEST]}…"
        raise UsageFault(f"{message}. Xem `{self.prog} --help`.")


def build_parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Returns a parser of the commands that the arguments may name, or of all, to list them.

    Building all of them would take longer than anything else before the first paint.

    Args:
        arguments: What was typed.
    """
    parser = _Parser(
        prog="onestop",
        description="Hồ sơ một cửa, làm được cả khi mất mạng (offline-first one-stop dossiers).",
        epilog=_EPILOG,
    )
    _common(parser, is_top=True)
    commands = parser.add_subparsers(dest="command", metavar="LỆNH", title="lệnh", parser_class=_Parser)
    is_listed = any(typed == "--help" or typed.startswith("-h") for typed in arguments)
    for command in COMMANDS:
        is_named = command.name in arguments
        if is_named or is_listed:
            about = _who_may(command) if is_named and is_listed else ""
            sub = commands.add_parser(
                command.name, help=command.help, description=f"{command.help}.", epilog=about or None
            )
            if is_named:
                _own(sub, command.name)
    return parser


def _who_may(command: Command) -> str:
    """Says of a command that takes an action of the workflow: who may, and at which step."""
    from onestop_sync.dossier.labels import ROLE_LABELS, STEP_LABELS
    from onestop_sync.dossier.workflow import AGENCY_TASK, MAIN_TASK, base_step

    lines = []
    for action in command.workflow:
        taken = [t for task in (MAIN_TASK, AGENCY_TASK) for t in task.transitions if t.action == action]
        roles = ", ".join(ROLE_LABELS[role] for role in ROLE_LABELS if any(role in t.roles for t in taken))
        steps = {base_step(step) for t in taken for step in t.sources}
        at = ", ".join(label for step, label in STEP_LABELS.items() if step in steps)
        lines.append(f"ai được làm: {roles}\nkhi hồ sơ ở bước: {at}")
    return "\n".join(dict.fromkeys(lines))


def _own(parser: argparse.ArgumentParser, name: str) -> None:
    """Adds what a command takes."""
    from commune_client.cli.arguments import ARGUMENTS

    add: Callable[[argparse.ArgumentParser], None] = ARGUMENTS[name]
    add(parser)
    _common(parser, is_top=False)


def _common(parser: argparse.ArgumentParser, *, is_top: bool) -> None:
    """Adds what every command takes, before or after its name."""
    unset: Any = argparse.SUPPRESS
    group = parser.add_argument_group("chung")
    group.add_argument(
        "--store", metavar="THƯ-MỤC", type=Path, default=default_folder() if is_top else unset,
        help="thư mục kho dữ liệu (mặc định: biến ONESTOP_STORE)",
    )  # fmt: skip
    group.add_argument(
        "--officer",
        metavar="TÊN",
        default="" if is_top else unset,
        help="cán bộ làm việc (mặc định: xem login)",
    )
    group.add_argument(
        "--passphrase-file", metavar="TỆP", type=Path, default=None if is_top else unset,
        help="tệp chứa mật khẩu ở dòng đầu",
    )  # fmt: skip
    group.add_argument(
        "--json", action="store_true", default=False if is_top else unset, help="in kết quả dạng JSON"
    )

"""The audit trail in Vietnamese: what an entry says, for the screen and for ``onestop audit``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from commune_client.actions import COMMANDS
from commune_client.messages import REASONS
from onestop_sync.dossier.forms.kinds import FORM_LABELS, REGISTER

if TYPE_CHECKING:
    from commune_client.desk.facts import AuditLine

__all__ = ["AUDIT_LABELS", "audit_detail"]

AUDIT_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "login": "Mở khóa",
        "lock": "Khóa màn hình",
        "logout": "Thoát",
        "command": "Chạy lệnh",
        "wrong_passphrase": "Sai mật khẩu",
        "read": "Xem hồ sơ",
        "list": "Xem danh sách",
        "search": "Tìm kiếm",
        "print": "In biểu mẫu",
        "export": "Xuất gói dữ liệu",
        "import": "Nhập gói dữ liệu",
        "sync": "Đồng bộ",
        "refused": "Bị từ chối",
        "audit": "Xem nhật ký",
        "audit_export": "Xuất nhật ký",
    }
)
"""Kind of entry → what it is called."""
_ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        action: command.help
        for command in COMMANDS
        for action in (*command.workflow, command.name.replace("-", "_"))
    }
)
"""What was tried → the sentence of the command that does it."""


def audit_detail(line: AuditLine) -> str:
    """Returns what an entry says besides who, when and what: how often, how much, which command, and why."""
    parts: list[str] = []
    if line.what == "refused":
        action, _, reason = line.code.partition(":")
        parts += [_ACTIONS.get(action, action), REASONS.get(reason, reason)]
    elif line.what == "command":
        parts.append(f"onestop {line.code}")
    elif line.what == "print":
        form, _, which = line.code.partition(":")
        parts += [FORM_LABELS.get(form, form), which if form == REGISTER else ""]
    elif line.code:
        parts.append(line.code)
    if line.lines:
        parts.append(f"{line.lines} dòng")
    if line.times > 1:
        parts.append(f"{line.times} lần")
    return "; ".join(part for part in parts if part)

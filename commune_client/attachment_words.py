"""An attachment in words: how large it is, what it shows, and where all of it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from onestop_sync.dossier.labels import size_words

if TYPE_CHECKING:
    from commune_client.desk.attachment_facts import Attachment

__all__ = ["attachment_text", "is_alert"]

_WHOLE: Final[Mapping[str, str]] = {
    "here": "chỉ có ở máy này",
    "hub": "đủ ở máy chủ của xã",
    "district": "đủ ở huyện",
    "province": "đủ ở tỉnh",
}
"""How far all of an attachment has got."""


def attachment_text(attachment: Attachment) -> str:
    """Returns everything that an official may want to know of an attachment, on one line."""
    found = [size_words(attachment.size_bytes)]
    if attachment.paper:
        found.append(attachment.paper)
    if attachment.is_damaged:
        return "; ".join([*found, "! không khớp với hồ sơ, không dùng được"])
    found.append(_where(attachment))
    if not attachment.is_here:
        found.append(_coming(attachment))
    return "; ".join(found)


def is_alert(attachment: Attachment) -> bool:
    """Tells whether somebody should look: it is damaged, or nowhere whole as far as is known here."""
    return attachment.is_damaged or not attachment.level


def _where(attachment: Attachment) -> str:
    if attachment.level == "here" and attachment.sent:
        return f"đang gửi {attachment.sent}/{attachment.chunks}"
    return _WHOLE.get(attachment.level, "! chưa biết nơi nào có đủ")


def _coming(attachment: Attachment) -> str:
    many = f"{attachment.here}/{attachment.chunks}" if attachment.here else ""
    if attachment.is_wanted:
        return f"đang tải về máy này {many}".rstrip()
    return f"máy này mới có {many}" if many else "chưa tải về máy này"

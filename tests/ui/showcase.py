"""All widgets on one screen, with Vietnamese text: for the tests' pictures, and to look at.

Run `python -m tests.ui.showcase` in a terminal of 80 by 24; Ctrl+Q quits, F9 checks the form.
"""

from datetime import UTC, datetime
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from commune_client.theme import use_theme
from commune_client.widgets.due_label import DueKind, DueLabel, DueState
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue, FormField
from commune_client.widgets.sync_status import SyncState, SyncStatus

FIELDS = [
    FormField("applicant", "Họ và tên người nộp", required=True, help="Như trên thẻ căn cước", limit=80),
    FormField("identity", "Số căn cước", kind="id", required=True),
    FormField("born", "Ngày sinh", kind="date"),
    FormField("phone", "Điện thoại", kind="phone"),
    FormField("address", "Địa chỉ thường trú", kind="multiline", required=True, limit=300),
    FormField(
        "returned",
        "Nơi nhận kết quả",
        kind="choice",
        required=True,
        options=(("counter", "Tại Bộ phận Một cửa"), ("post", "Qua bưu chính công ích")),
    ),
    FormField(
        "papers",
        "Thành phần hồ sơ",
        kind="checklist",
        required=True,
        options=(
            ("form", "Tờ khai theo mẫu"),
            ("birth", "Giấy chứng sinh hoặc văn bản của người làm chứng xác nhận về việc sinh"),
            ("id", "Bản sao căn cước"),
        ),
    ),
]
VALUES: dict[str, FieldValue] = {
    "applicant": "Nguyễn Thị Hường",
    "identity": "001199012345",
    "born": "1999-09-05",
    "address": "Thôn Đoài, xã Đông Phương",
    "papers": ("form",),
}
SYNC = SyncState(
    online=False,
    unsent=7,
    oldest_unsent_age_s=2 * 3600,
    conflicts=1,
    last_sync_at=datetime(2026, 9, 5, 1, 12, tzinfo=UTC),
)
DUE = [DueState(3), DueState(1), DueState(0), DueState(-2), DueState(None), DueState(2, DueKind.PAUSED)]


class Showcase(App[None]):
    """The widgets."""

    CSS = """
    #due { height: 1; }
    #due DueLabel { margin: 0 3 0 0; }
    """
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f9", "check", "Kiểm tra")]

    def __init__(self, values: dict[str, FieldValue] | None = None) -> None:
        """Make the app.

        Args:
            values: First values of the form; None for the usual ones.
        """
        super().__init__()
        use_theme(self)
        self.first_values = VALUES if values is None else values
        self.changes: list[tuple[str, FieldValue]] = []
        self.submitted = 0

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        with Horizontal(id="due"):
            for state in DUE:
                yield DueLabel(state)
        yield FieldForm(FIELDS, self.first_values)
        yield SyncStatus()

    def on_mount(self) -> None:
        """Show the sync state."""
        self.query_one(SyncStatus).state = SYNC

    def action_check(self) -> None:
        """Check the form."""
        self.query_one(FieldForm).check_fields()

    def on_field_form_changed(self, event: FieldForm.Changed) -> None:
        """Keep what a caller would save as a draft."""
        self.changes.append((event.name, event.value))

    def on_field_form_submitted(self) -> None:
        """Count."""
        self.submitted += 1


if __name__ == "__main__":
    Showcase().run()

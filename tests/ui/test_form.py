"""The form on the screen, with a pilot at the keys."""

import pytest
from textual.app import App, ComposeResult
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import TextArea

from commune_client import strings
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue, FormField
from commune_client.widgets.vn_input import VnInput
from commune_client.widgets.vn_text_area import VnTextArea
from tests.ui.screens import assert_golden, screen_text
from tests.ui.showcase import FIELDS, Showcase

SMALL, LARGE = (80, 24), (120, 40)


def form_of(pilot: Pilot[None]) -> FieldForm:
    """Return the form on the screen."""
    return pilot.app.query_one(FieldForm)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
async def test_pictures(size: tuple[int, int]) -> None:
    """The widgets look as their pictures, filled in and after a check, in both sizes."""
    app = Showcase()
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert_golden(app, f"form-{size[0]}")
        await pilot.press("f9")
        await pilot.pause()
        assert_golden(app, f"form-checked-{size[0]}")


async def test_empty_picture() -> None:
    """An empty form shows where its fields are, without any colour."""
    app = Showcase({})
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert_golden(app, "form-empty-80")


async def test_typing_before_the_first_tab() -> None:
    """What is typed before the first Tab goes to the first field."""
    app = Showcase({})
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*"Lê Văn")
        assert form_of(pilot).values()["applicant"] == "Lê Văn"


async def test_every_change_is_told_once() -> None:
    """Each change gives one message with the value, and showing the form gives none."""
    app = Showcase({})
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert app.changes == []
        await pilot.press("L", "ê", "enter", "0")
        assert app.changes == [("applicant", "L"), ("applicant", "Lê"), ("identity", "0")]


async def test_moving_by_keys() -> None:
    """Enter, arrows and Tab go through the fields, digits and Space mark, Enter at the end submits."""
    app = Showcase({})
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("enter", "down", "down", "up", "tab", "tab", "a", "enter", "b", "tab")
        await pilot.press("2", "enter", "space", "down", "down", "space", "1", "enter")
        await pilot.pause()
        values = form_of(pilot).values()
        assert (values["address"], values["returned"], values["papers"]) == ("a\nb", "post", ("id",))
        assert app.submitted == 1
        await pilot.press("shift+tab")
        assert app.focused is not None
        assert app.focused.id == "field-returned"


async def test_check_and_mend() -> None:
    """A check tells every fault, goes to the first, and a fault goes away as it is mended."""
    app = Showcase({"phone": "12"})
    async with app.run_test(size=SMALL) as pilot:
        errors = form_of(pilot).check_fields()
        await pilot.pause()
        assert set(errors) == {"applicant", "identity", "phone", "address", "returned", "papers"}
        assert errors["phone"] == strings.PHONE_INVALID
        assert app.focused is not None
        assert app.focused.id == "field-applicant"
        assert strings.form_errors(6) in screen_text(app)
        await pilot.press("A")
        await pilot.pause()
        assert strings.form_errors(5) in screen_text(app)


async def test_setting_values() -> None:
    """The caller can set every kind of field and put its own errors beside them."""
    app = Showcase({})
    new: dict[str, FieldValue] = {
        "applicant": "Lê",
        "born": "2001-02-03",
        "address": "Thôn",
        "returned": "post",
        "papers": ("id",),
    }
    async with app.run_test(size=LARGE) as pilot:
        form = form_of(pilot)
        for name, value in new.items():
            form.set_value(name, value)
        form.show_errors({"applicant": "Đã có người khác sửa", "unknown": "x"})
        await pilot.pause()
        assert {name: form.cleaned()[name] for name in new} == new
        assert form.values()["born"] == "03/02/2001"
        assert "!! Đã có người khác sửa" in screen_text(app)


async def test_refused_paste_is_told() -> None:
    """A paste of 10,000 characters is not inserted, not cut, and told; what was there stays."""
    app = Showcase()
    async with app.run_test(size=SMALL) as pilot:
        for field, text in ((app.query_one(VnInput), "Nguyễn Thị Hường"), (app.query_one(VnTextArea), None)):
            field.focus()
            await pilot.pause()
            before = form_of(pilot).values()
            app.post_message(Paste("ư" * 10_000))
            await pilot.pause()
            assert form_of(pilot).values() == before
            assert text is None or before["applicant"] == text
            assert "Chưa nhận" in screen_text(app)


async def test_typing_past_the_limit() -> None:
    """Letters past the limit are kept, counted and found by the check: an input method stays in step."""
    app = Showcase({"applicant": "a" * 79})
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("end", "b", "c")
        await pilot.pause()
        assert "!! 81/80, quá 1 ký tự" in screen_text(app)
        assert form_of(pilot).check_fields()["applicant"] == strings.text_too_long(81, 80)


async def test_long_form_scrolls() -> None:
    """In a form longer than the screen the field in focus is in sight."""
    fields = [FormField(f"f{number}", f"Mục {number}") for number in range(40)]
    app = Showcase({})
    async with app.run_test(size=SMALL) as pilot:
        await form_of(pilot).remove()
        await app.mount(FieldForm([*fields, FIELDS[-1]]), before="SyncStatus")
        await pilot.press(*["tab"] * 42)
        app.query_one("#field-papers").focus()
        await pilot.press("3")
        await pilot.pause()
        assert "[x] 3 Bản sao căn cước" in screen_text(app)


async def test_same_name_twice() -> None:
    """Two fields of one name are refused."""
    with pytest.raises(ValueError, match="same name"):
        FieldForm([FormField("a", "A"), FormField("a", "B")])


async def test_no_letter_is_a_command() -> None:
    """No widget binds a plain letter, and function keys belong to the screens."""
    app = Showcase()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        ours = list(app.query("VnInput, VnTextArea, OptionField"))
        keys = {key for widget in ours for key in widget._bindings.key_to_bindings}
        assert not [key for key in keys if len(key) == 1 and key.isalpha()]
        assert not [key for key in keys if key[0] == "f" and key[1:].isdecimal()]


async def test_nothing_blinks() -> None:
    """No field wakes the machine to blink its cursor."""
    app = Showcase()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert not any(field.cursor_blink for field in app.query(VnInput))
        assert not any(field.cursor_blink for field in app.query(TextArea))


async def test_text_area_undo() -> None:
    """A composed letter can be undone and redone in a larger field."""
    app = Showcase({})
    async with app.run_test(size=SMALL) as pilot:
        area = app.query_one(VnTextArea)
        area.focus()
        await pilot.pause()
        app.post_message(Paste("Đu\u031bo\u031b\u0300ng"))
        await pilot.pause()
        assert area.text == "Đường"
        await pilot.press("ctrl+z")
        assert area.text == ""
        await pilot.press("ctrl+y")
        assert area.text == "Đường"


class Units(App[None]):
    """A form that asks for one of more units than there are digits."""

    def compose(self) -> ComposeResult:
        """Lay the form out."""
        names = ["Tỉnh Sông Vàng", *(f"Xã Số {n}" for n in range(20)), "Xã Khe Trầu", "Xã Tân Sơn Đông"]
        yield FieldForm([FormField("to", "Nơi nhận", "choice", options=[(n, n) for n in names])])


async def test_letters_find_a_line_in_a_long_list() -> None:
    """Among a province's units letters go to a name, as they are typed or composed; Space marks it."""
    app = Units()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        assert strings.LONG_CHOICE_HINT[:20] in screen_text(app)
        await pilot.press(*"kh", "space")
        assert form_of(pilot).values()["to"] == "Xã Khe Trầu"
        await pilot.press(*"tă", "backspace", "â", "n", "space")  # as Telex writes it, after another name
        assert form_of(pilot).values()["to"] == "Xã Tân Sơn Đông"
        await pilot.press("2", *"qq", "down", "space")
        assert form_of(pilot).values()["to"] == "Xã Số 1"

"""Vietnamese typed with an input method arrives as it was typed."""

import unicodedata
from pathlib import Path

import pytest

from tests.pty.telex import BACKSPACES, TYPINGS, burst
from tests.pty.terminal import Terminal

NAMES = {b"\x7f": "del", b"\x08": "bs"}
TAB = b"\t"
DOWN = b"\x1b[B"
LEFT = b"\x1b[D"
PASTE = b"\x1b[200~%s\x1b[201~"


@pytest.mark.parametrize("backspace", BACKSPACES, ids=NAMES.get)
@pytest.mark.parametrize("kind", ["input", "area"])
def test_one_burst(tmp_path: Path, kind: str, backspace: bytes) -> None:
    """Every word typed in Telex, all its keys in a single write, gives exactly that word."""
    fields = [kind] * len(TYPINGS)
    with Terminal(tmp_path / "out.json", *fields) as terminal:
        terminal.type(*(burst(steps, backspace) + TAB for steps in TYPINGS.values()))
        assert terminal.finish() == list(TYPINGS)


@pytest.mark.parametrize("backspace", BACKSPACES, ids=NAMES.get)
@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_split_bursts(tmp_path: Path, backspace: bytes, size: int) -> None:
    """Writes that end inside a letter's bytes or between Backspace and letter change nothing."""
    with Terminal(tmp_path / "out.json", "input", "area") as terminal:
        for word in ("tiếng Việt", "được"):
            sent = burst(TYPINGS[word], backspace) + TAB
            terminal.type(*(sent[start : start + size] for start in range(0, len(sent), size)))
        assert terminal.finish() == ["tiếng Việt", "được"]


@pytest.mark.parametrize("backspace", BACKSPACES, ids=NAMES.get)
@pytest.mark.parametrize("kind", ["stock", "stock-area"])
def test_stock_widgets_lose_the_order(tmp_path: Path, kind: str, backspace: bytes) -> None:
    """The same burst comes out wrong in Textual's own widgets: the cure is needed, the tests can fail."""
    with Terminal(tmp_path / "out.json", kind) as terminal:
        terminal.type(burst(TYPINGS["tiếng Việt"], backspace))
        assert terminal.finish() != ["tiếng Việt"]


def test_tab_and_arrows_in_a_burst(tmp_path: Path) -> None:
    """Tab and arrows keep their place among letters: what follows a Tab goes to the next field."""
    sent = burst(TYPINGS["được"], b"\x7f") + TAB + burst(TYPINGS["ương"], b"\x08") + LEFT + LEFT + b"x"
    with Terminal(tmp_path / "out.json", "input", "area", "input") as terminal:
        terminal.type(sent + TAB + "cuối".encode())
        assert terminal.finish() == ["được", "ươxng", "cuối"]


def test_a_whole_form_in_one_burst(tmp_path: Path) -> None:
    """A form filled in without a pause takes each key in the field where it belongs."""
    sent = burst(TYPINGS["Nguyễn Thị Hường"], b"\x7f") + b"\r" + b"2" + DOWN
    with Terminal(tmp_path / "out.json", "form") as terminal:
        terminal.type(sent + burst(TYPINGS["được"], b"\x7f"))
        # The first is the form, the others are the fields within it.
        assert terminal.finish()[0] == {"name": "Nguyễn Thị Hường", "copy": ["b"], "note": "được"}


@pytest.mark.parametrize("kind", ["input", "area"])
def test_decomposed_paste(tmp_path: Path, kind: str) -> None:
    """Decomposed text that is pasted, or typed with its marks as keys, is stored composed."""
    word = "Đặng Thị Hường"
    decomposed = unicodedata.normalize("NFD", word).encode()
    with Terminal(tmp_path / "out.json", kind, kind) as terminal:
        terminal.type(PASTE % decomposed, TAB, decomposed)
        assert terminal.finish() == [word, word]


def test_pasted_lines(tmp_path: Path) -> None:
    """A paste of several lines becomes one line in a one-line field, and keeps its lines in a larger one."""
    pasted = PASTE % "Thôn Đoài\r\nxã Đông\r".encode()
    with Terminal(tmp_path / "out.json", "input", "area") as terminal:
        terminal.type(pasted, TAB, pasted)
        assert terminal.finish() == ["Thôn Đoài xã Đông", "Thôn Đoài\nxã Đông\n"]


def test_screen_shows_what_was_typed(tmp_path: Path) -> None:
    """The letters on the screen are those of the value."""
    with Terminal(tmp_path / "out.json", "input") as terminal:
        terminal.type(burst(TYPINGS["Nguyễn Thị Hường"], b"\x7f"))
        assert "Nguyễn Thị Hường" in "\n".join(terminal.screen.display)
        terminal.finish()


@pytest.mark.parametrize(
    "env", [{"NO_COLOR": "1"}, {"TERM": "xterm"}, {"TERM": "linux"}], ids=["no-colour", "16", "linux"]
)
def test_poor_terminals(tmp_path: Path, env: dict[str, str]) -> None:
    """Letters differ from their background without colours and with sixteen."""
    with Terminal(tmp_path / "out.json", "input", env=env) as terminal:
        terminal.type("Đường".encode())
        cell = next(
            line[column]
            for line in terminal.screen.buffer.values()
            for column in sorted(line)
            if line[column].data == "Đ"
        )
        assert (cell.fg, cell.bg) not in [("default", "white"), ("black", "default")]
        assert cell.fg != cell.bg
        terminal.finish()

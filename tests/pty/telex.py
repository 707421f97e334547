"""What Unikey sends to a terminal while somebody types in Telex: letters, and Backspaces that mend them.

An input method shows what it believes is in the field. When a key changes the syllable, it erases from the
first letter that differs and types the new tail, all in one burst.
"""

BACKSPACES = (b"\x7f", b"\x08")
"""DEL and BS: terminals send the one or the other."""

# Each keystroke with the text that the input method believes is in the field after it.
TYPINGS: dict[str, list[tuple[str, str]]] = {
    "tiếng Việt": [
        ("t", "t"), ("i", "ti"), ("e", "tie"), ("e", "tiê"), ("n", "tiên"), ("g", "tiêng"), ("s", "tiếng"),
        (" ", "tiếng "), ("V", "tiếng V"), ("i", "tiếng Vi"), ("e", "tiếng Vie"), ("e", "tiếng Viê"),
        ("j", "tiếng Việ"), ("t", "tiếng Việt"),
    ],
    "được": [
        ("d", "d"), ("d", "đ"), ("u", "đu"), ("w", "đư"), ("o", "đưo"), ("w", "đươ"),
        ("c", "đươc"), ("j", "được"),
    ],
    "ương": [("w", "ư"), ("o", "ưo"), ("n", "ươn"), ("g", "ương")],
    "Nguyễn Thị Hường": [
        ("N", "N"), ("g", "Ng"), ("u", "Ngu"), ("y", "Nguy"), ("e", "Nguye"), ("e", "Nguyê"), ("n", "Nguyên"),
        ("x", "Nguyễn"), (" ", "Nguyễn "), ("T", "Nguyễn T"), ("h", "Nguyễn Th"), ("i", "Nguyễn Thi"),
        ("j", "Nguyễn Thị"), (" ", "Nguyễn Thị "), ("H", "Nguyễn Thị H"), ("u", "Nguyễn Thị Hu"),
        ("o", "Nguyễn Thị Huo"), ("w", "Nguyễn Thị Hươ"), ("n", "Nguyễn Thị Hươn"), ("g", "Nguyễn Thị Hương"),
        ("f", "Nguyễn Thị Hường"),
    ],
    "Đặng Quỳnh": [
        ("D", "D"), ("D", "Đ"), ("a", "Đa"), ("w", "Đă"), ("n", "Đăn"), ("g", "Đăng"), ("j", "Đặng"),
        (" ", "Đặng "), ("Q", "Đặng Q"), ("u", "Đặng Qu"), ("y", "Đặng Quy"), ("n", "Đặng Quyn"),
        ("h", "Đặng Quynh"), ("f", "Đặng Quỳnh"),
    ],
}  # fmt: skip


def burst(steps: list[tuple[str, str]], backspace: bytes) -> bytes:
    """Return all bytes of a typing, as one burst."""
    before = ""
    sent = b""
    for _, after in steps:
        sent += change(before, after, backspace)
        before = after
    return sent


def change(before: str, after: str, backspace: bytes) -> bytes:
    """Return the bytes of a change: Backspaces over the tail that differs, then letters."""
    same = 0
    while same < min(len(before), len(after)) and before[same] == after[same]:
        same += 1
    return backspace * (len(before) - same) + after[same:].encode()

"""Makes a slightly wrong input of a valid one, in the terms of its form.

A flipped bit is refused at the first check of a strict format. So values are taken apart, changed as values,
and put together well-formed; now and then bytes are changed as bytes.
"""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import cbor2

from tests.fuzz.target import Form

__all__ = ["mutate"]

_NUMBERS: Final = (
    0, 1, -1, 2, 23, 24, 255, 256, 2**31 - 1, 2**31, 2**32, 2**53 - 1, 2**53, -(2**53), 2**63 - 1, 2**63,
    -(2**63), 2**64, 10**400, 10**5000,
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "\0", "\x1b[31m", "\n", "\ufeff", "\u202e", "e\u0301", "\ud800", "\U0010ffff", "Đức", "²", "٣",
    "9" * 5000, "-1", "1e999", "0x10", "NaN", "2026-02-30", "0000-00-00", "99/99/9999", "25:99", "../x", "=1",
    "%", "{}", "a" * 70, "a" * 5000, ",", ";", '"', "'", "None", "true", "--help", "--", "-", "@x",
    "20260230250000",
)  # fmt: skip
_LEAVES: Final[tuple[Any, ...]] = (
    None, True, False, *_NUMBERS, *_TEXTS, b"", b"\0", bytes(16), bytes(32), bytes(64), b"\xff" * 80, 1.5,
    float("inf"), float("-inf"), float("nan"), [], {}, [[]], [None], {"": None},
)  # fmt: skip
_DEEPEST: Final = 40
_MOST_BYTES: Final = 1 << 16


def mutate(form: Form, data: bytes, dice: random.Random) -> bytes:
    """Returns another input, of one to three changes."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        change = _bytes if dice.random() < _RAW[form] else _BY_FORM[form]
        with suppress(Exception):  # what was broken before may not come apart again: then it stays as it is
            changed = change(data, dice)
            data = changed if len(changed) <= _MOST_BYTES else data
    return data


# ---- bytes


def _bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((1, 1, 2, 4, 8, 32)))
    match dice.randrange(6):
        case 0 if data:
            changed = bytearray(data)
            changed[at % len(data)] ^= 1 << dice.randrange(8)
            return bytes(changed)
        case 1:
            return data[:at] + dice.randbytes(dice.choice((1, 2, 4, 8))) + data[at:]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:end] + data[at:end] + data[end:]
        case 4:
            return data[:at]
        case _:
            return data[:at] + dice.choice((b"\x00", b"\xff", b"\x7f\xff\xff\xff")) + data[end:]


# ---- trees: CBOR and JSON


def _cbor(data: bytes, dice: random.Random) -> bytes:
    mark, data = _split_mark(data)
    return mark + _cbor_dumps(_change(_loads(data), dice))


def _split_mark(data: bytes) -> tuple[bytes, bytes]:
    """Splits off what stands before the value: a packet's byte, a file's first line."""
    if data[:1] == b"\0":
        return data[:1], data[1:]
    head, line, rest = data.partition(b"\n")
    return (
        (head + line, rest)
        if line and head.isascii() and head[:1].isalpha() and len(head) < 40
        else (b"", data)
    )


def _loads(data: bytes) -> Any:
    try:
        return cbor2.loads(data)
    except Exception as error:  # cbor2 lets several kinds through
        raise ValueError("not CBOR") from error


def _cbor_dumps(value: Any) -> bytes:
    try:
        return cbor2.dumps(value, canonical=True)
    except Exception as error:
        raise ValueError("cannot be CBOR") from error


def _json(data: bytes, dice: random.Random) -> bytes:
    text = json.dumps(_change(json.loads(data), dice), ensure_ascii=dice.random() < 0.5)
    if dice.random() < 0.1:
        text = re.sub(
            r'"\w+"', dice.choice(re.findall(r'"\w+"', text) or ['""']), text, count=dice.randrange(1, 4)
        )
    if dice.random() < 0.02:
        text = re.sub(r'"\w+"(?=[,}\]])', "[" * 20_000 + "]" * 20_000, text, count=1)
    return text.encode("utf-8", errors="surrogatepass")


def _change(value: Any, dice: random.Random) -> Any:
    """Returns a tree with one change at one of its places."""
    places = list(_places(value))
    path = dice.choice(places)
    other = dice.choice(places)
    return _at(value, path, lambda old: _new(old, _get(value, other), dice))


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    if len(path) > _DEEPEST:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _places(item, (*path, key))


def _get(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _at(value: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _at(copy[path[0]], path[1:], change)
    return copy


def _new(old: Any, other: Any, dice: random.Random) -> Any:
    choice = dice.randrange(8)
    if choice < 2:
        return dice.choice(_LEAVES)
    if choice == 2:
        return other
    if choice == 3:
        return _deep(dice) if dice.random() < 0.2 else [old]
    match old:
        case bool():
            return not old
        case int():
            return old + dice.choice((-1, 1, 2**31, 2**53, -(2**53)))
        case str():
            return _new_text(old, dice)
        case bytes():
            return _new_bytes(old, dice)
        case list():
            return _new_list(old, other, dice)
        case dict():
            return _new_dict(old, other, dice)
    return other


def _deep(dice: random.Random) -> Any:
    value: Any = 0
    for _ in range(dice.choice((14, 15, 16, 17, 18, 40, 2000))):
        value = [value]
    return value


def _new_text(old: str, dice: random.Random) -> str:
    at = dice.randrange(len(old) + 1)
    return dice.choice(
        (old[:at], old[:at] + dice.choice(_TEXTS) + old[at:], old * 2, old.upper(), old + "\0")
    )


def _new_bytes(old: bytes, dice: random.Random) -> bytes:
    """Changes bytes; where they are a value themselves, mostly that."""
    if dice.random() < 0.8:
        with suppress(ValueError):
            if old[:1] in {b"{", b"["}:
                return _json(old, dice)
            if old[:1] >= b"\x80":
                return _cbor_dumps(_change(_loads(old), dice))
    return _bytes(old, dice)


def _new_list(old: list[Any], other: Any, dice: random.Random) -> list[Any]:
    at = dice.randrange(len(old) + 1)
    match dice.randrange(5):
        case 0:
            return old[:at] + old[at + 1 :]
        case 1:
            return [*old[:at], other, *old[at:]]
        case 2:
            return [*old, *old]
        case 3 if old:
            return [*old, *[old[at % len(old)]] * dice.choice((1, 70, 1100))]
        case _:
            return old[::-1]


def _new_dict(old: dict[Any, Any], other: Any, dice: random.Random) -> dict[Any, Any]:
    if not old or dice.random() < 0.3:
        return {**old, dice.choice((*_TEXTS, "x")): other}
    gone = dice.choice(list(old))
    rest = {key: item for key, item in old.items() if key != gone}
    return rest if dice.random() < 0.6 else {**rest, dice.choice((*_TEXTS, *old)): old[gone]}


# ---- tables, words, archives


def _table(data: bytes, dice: random.Random) -> bytes:
    lines = data.decode("utf-8", errors="surrogateescape").split("\n")
    at = dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, dice.choice(lines))
        case 2:
            lines[at] = lines[at].replace(*dice.choice(((",", ";"), (";", ","), (",", '"'), (",", "\t"))))
        case _:
            cells = re.split(r"([,;\t=])", lines[at])
            cells[dice.randrange(len(cells))] = dice.choice(
                (*_TEXTS, *re.split(r"[,;\t\n]", "\n".join(lines[:40])))
            )
            lines[at] = "".join(cells)
    return _to_bytes("\n".join(lines))


def _words(data: bytes, dice: random.Random) -> bytes:
    words = data.decode("utf-8", errors="surrogateescape").split("\0")
    at = dice.randrange(len(words))
    match dice.randrange(5):
        case 0:
            del words[at]
        case 1:
            words.insert(at, dice.choice((*_TEXTS, *words)).replace("\0", ""))
        case 2:
            words[at] = words[at].replace("=", " ") if "=" in words[at] else f"{words[at]}=1"
        case _:
            words[at] = dice.choice((*_TEXTS, _new_text(words[at], dice))).replace("\0", "")
    return _to_bytes("\0".join(words))


def _to_bytes(text: str) -> bytes:
    with suppress(UnicodeEncodeError):
        return text.encode("utf-8", errors="surrogateescape")
    return text.encode("utf-8", errors="surrogatepass")


def _zip(data: bytes, dice: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    name = dice.choice(sorted(parts))
    match dice.randrange(6):
        case 0:
            del parts[name]
        case 1:
            parts[name] = parts[dice.choice(sorted(parts))]
        case _:
            parts[name] = _xml(parts[name], dice)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for each, content in parts.items():
            new.writestr(each, content)
    return out.getvalue()


def _xml(data: bytes, dice: random.Random) -> bytes:
    """Changes a number, a text or a tag of a part of a workbook."""
    found = list(re.finditer(rb'(?<=")[^"<>]*(?=")|(?<=>)[^<>]+(?=<)|<[^<>]*>', data))
    if not found:
        return _bytes(data, dice)
    match = dice.choice(found)
    new = dice.choice(
        (*(t.encode("utf-8", "replace") for t in _TEXTS), b"99999999999", b"s", b"A1048577", match[0] * 2)
    )
    return data[: match.start()] + new + data[match.end() :]


_BY_FORM: Final[dict[Form, Callable[[bytes, random.Random], bytes]]] = {
    Form.BYTES: _bytes,
    Form.CBOR: _cbor,
    Form.JSON: _json,
    Form.TABLE: _table,
    Form.WORDS: _words,
    Form.ZIP: _zip,
}
_RAW: Final = {
    Form.BYTES: 1.0,
    Form.CBOR: 0.1,
    Form.JSON: 0.1,
    Form.TABLE: 0.1,
    Form.WORDS: 0.02,
    Form.ZIP: 0.1,
}
"""How often bytes are changed as bytes."""

"""Targets: what somebody types after ``onestop`` and ``onestop-server``, and what commands read of it."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Final

from commune_client.cli import values
from commune_client.cli.codes import UsageFault
from commune_client.cli.parser import build_parser as build_onestop
from onestop_sync.errors import OnestopError
from server_stub import commands, console, options
from server_stub.cli import build_parser as build_server
from tests.fuzz.target import Form, Run, Target
from tests.hygiene.test_docs import command_lines, documents, prose_and_code

__all__ = ["TARGETS"]

_USAGE: Final = 2


def _to_words(data: bytes) -> list[str]:
    """Returns arguments as the system gives them: half characters where bytes are no UTF-8, no NUL."""
    return data.decode("utf-8", errors="surrogateescape").split("\0")


def _ends_well(parse: Callable[[list[str]], object], words: list[str]) -> None:
    """Parses; ending by itself is only for help, and for wrong usage that was told."""
    said = StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            parse(words)
    except SystemExit as end:
        _check_end(end.code, said.getvalue())


def _check_end(code: object, said: str) -> None:
    assert code in {0, None, _USAGE}
    assert said.strip()
    if code == _USAGE:
        raise UsageFault(said)


def _onestop(data: bytes) -> None:
    words = _to_words(data)
    _ends_well(build_onestop(words).parse_args, words)


def _server() -> Run:
    parser = build_server()
    return lambda data: _ends_well(parser.parse_args, _to_words(data))


def _lines(program: str) -> list[bytes]:
    """Returns the command lines that the documents show."""
    found = [
        "\0".join(words[1:]).encode()
        for path in documents()
        for block in prose_and_code(path)[1]
        for words in command_lines(block)
        if words[0] == program
    ]
    return sorted(set(found))


def _of_parser(read: Callable[[str], object]) -> Callable[[str], object]:
    """Returns a reader that argparse calls: to it a `ValueError` is wrong usage."""

    def reading(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise UsageFault(str(error)) from error

    return reading


_READERS: Final[tuple[Callable[[str], object], ...]] = (
    console.day_of, console.moment_of, _of_parser(options.port), _of_parser(options.seconds),
    values.parse_day, values.parse_paper, values.whole, values.field_key,
    lambda text: values.typed_value("so_luong", text),
    lambda text: commands._blocks(Namespace(no_blocks=False, blocks=text)),
)  # fmt: skip


def _typed(data: bytes) -> None:
    """A value: whichever command reads it takes it, or says in its words what is wrong."""
    text = data.decode("utf-8", errors="surrogateescape")
    told: list[Exception] = []
    for read in _READERS:
        try:
            read(text)
        except (UsageFault, OnestopError, ArgumentTypeError) as error:
            told.append(error)
    if len(told) >= len(_READERS) - 3:
        raise told[0]


TARGETS: Final = (
    Target(
        "onestop",
        Form.WORDS,
        lambda: _onestop,
        lambda: _lines("onestop"),
        ("commune_client.cli.parser",),
        is_slow=True,
        refusals=(UsageFault,),
    ),
    Target(
        "onestop-server",
        Form.WORDS,
        _server,
        lambda: _lines("onestop-server"),
        ("server_stub.options",),
        is_slow=True,
        refusals=(UsageFault,),
    ),
    Target(
        "typed_values",
        Form.TABLE,
        lambda: _typed,
        lambda: [
            b"2026-09-05",
            b"05/09/2026",
            b"2026-07-01 14:30",
            b"8420",
            b"1-500,501-1000",
            "Tờ khai=1/2".encode(),
            b"30.5",
        ],
        ("commune_client.cli.values", "server_stub.console", "server_stub.options"),
        refusals=(UsageFault, ArgumentTypeError),
    ),
)

"""Where ``onestop`` begins and ends: parses, runs one command, and says in one message what went wrong.

Nothing is imported before a command needs it: the screen waits for every line of this.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from commune_client.cli.codes import DONE, REFUSED, USAGE, UsageFault, exit_code
from commune_client.cli.parser import HANDLERS, build_parser

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from onestop_sync.keys import KeyCost

__all__ = ["main"]

_INTERRUPTED: Final = 130
"""What a shell reports of a program that Ctrl+C ended."""


def main(
    argv: Sequence[str] | None = None,
    *,
    clock: Callable[[], int] | None = None,
    cost: KeyCost | None = None,
) -> int:
    """Runs one command.

    Args:
        argv: Arguments; those of the process when ``None``.
        clock: Returns milliseconds since 1970 UTC; the machine's clock when ``None``.
        cost: What one guess of a passphrase costs, for keys that are made; the library's own when ``None``.

    Returns:
        0 done, 1 refused with a reason, 2 wrong usage, 3 offline or unreachable with the work kept.
    """
    _speak_utf8()
    arguments = list(sys.argv[1:] if argv is None else argv)
    is_json = "--json" in arguments
    try:
        parsed = build_parser(arguments).parse_args(arguments)
    except UsageFault as fault:
        return _wrong_usage(fault, is_json=is_json)
    except SystemExit as done:  # argparse printed the help
        return int(done.code or DONE)
    parsed.clock, parsed.cost = clock, cost
    if argv is None:
        _tell_places_only(parsed.store)
    return _run(parsed, is_json=is_json)


def _tell_places_only(folder: Path) -> None:
    """Has this process keep the places of a mistake and print nothing of it: its words may name a citizen."""
    from onestop_sync.guard import install

    def report(kind: str, where: list[str]) -> None:
        from commune_client.cli.complaint import keep_uncaught

        keep_uncaught(folder, kind, where)

    install(report)


def _speak_utf8() -> None:
    """Makes Vietnamese come out whole on a console that was not made for it."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


def _run(parsed: Namespace, *, is_json: bool) -> int:
    try:
        return _command(parsed)
    except UsageFault as fault:
        return _wrong_usage(fault, is_json=is_json)
    except KeyboardInterrupt:
        print("\nĐã dừng. Những gì đã lưu vẫn còn nguyên.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return DONE
    except Exception as error:  # noqa: BLE001 - one message, never a traceback
        return _refuse(error, parsed, is_json=is_json)


def _command(parsed: Namespace) -> int:
    if not parsed.command:
        return _open_screen(parsed)
    from commune_client.cli.session import Session

    session = Session(parsed)
    module, _, name = HANDLERS[parsed.command].partition(":")
    handler: Callable[[Session], int] = getattr(import_module(module), name)
    return handler(session)


def _open_screen(parsed: Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        build_parser(["--help"]).print_help()
        return DONE
    screens = import_module("commune_client.screens")
    result: int = screens.run(parsed.store, parsed.officer or None)
    return result


def _wrong_usage(fault: UsageFault, *, is_json: bool) -> int:
    if is_json:
        _print_error({"code": "usage", "what": str(fault)})
    print(f"onestop: {fault}", file=sys.stderr)
    return USAGE


def _refuse(error: Exception, parsed: Namespace, *, is_json: bool) -> int:
    """Says why a command was not done; of what nobody foresaw, keeps the place in a log."""
    from commune_client.cli.complaint import complain
    from onestop_sync.errors import OnestopError

    folder: Path = parsed.store
    message, facts = complain(error, folder)
    if is_json:
        _print_error(facts)
    print(f"onestop: {message.text}", file=sys.stderr)
    if isinstance(error, OnestopError):
        return exit_code(error.code)
    return USAGE if isinstance(error, OSError) else REFUSED


def _print_error(facts: Mapping[str, Any]) -> None:
    import json

    print(json.dumps({"error": facts}, ensure_ascii=False))


def _forget_output() -> None:
    """Leaves quietly when the reader of a pipe has gone."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

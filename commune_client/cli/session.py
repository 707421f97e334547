"""What a command works with: the machine's folder, the officer, the passphrase, and a way to show things."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from commune_client.cli.codes import UsageFault
from commune_client.cli.plain import plain
from commune_client.desk.place import Place
from commune_client.messages import REASONS

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from onestop_sync.keyring import Secrets

__all__ = ["Session"]

PASSPHRASE: Final = "ONESTOP_PASSPHRASE"  # noqa: S105 - the name of a variable
NEW_PASSPHRASE: Final = "ONESTOP_NEW_PASSPHRASE"  # noqa: S105 - the same


class Session:
    """One run of one command.

    Attributes:
        arguments: What was typed.
        place: The machine's folder.
    """

    def __init__(self, arguments: Namespace) -> None:
        self.arguments = arguments
        self.place = Place(arguments.store, clock=arguments.clock, cost=arguments.cost)

    def show(self, data: object, lines: Iterable[str]) -> None:
        """Prints the result: as JSON where that was asked for, otherwise as lines."""
        if self.arguments.json:
            text = json.dumps(plain(data), ensure_ascii=False, indent=2)
            print("".join(char if char.isprintable() or char == "\n" else _escaped(char) for char in text))
            return
        for line in lines:
            print("".join(char for char in line if char.isprintable()))

    def tell(self, line: str) -> None:
        """Says something beside the result."""
        print(line, file=sys.stderr)

    # ---- who

    def officer(self) -> str:
        """Returns whose passphrase opens the store.

        Raises:
            StoreMissing: The machine was never set up.
            UsageFault: Several work here, and none was named or chosen.
        """
        if not self.place.is_set_up:
            from onestop_sync.errors import StoreMissing

            raise StoreMissing(f"There is no store in {self.place.folder}.")
        if self.arguments.officer:
            return self._named(str(self.arguments.officer))
        found = self.place.default_officer()
        if not found:
            raise UsageFault(REASONS["officer"])
        return found

    def _named(self, name: str) -> str:
        officers = self.place.officers()
        if name not in officers:
            raise UsageFault(f"không có cán bộ {name!r} trên máy này; có: {', '.join(officers)}.")
        return name

    def passphrase(self, question: str) -> str:
        """Returns the passphrase: from the file, the environment, or typed.

        Raises:
            UsageFault: There is none, and nobody to ask.
        """
        path: Path | None = self.arguments.passphrase_file
        return _passphrase(path, PASSPHRASE, question, is_new=False)

    def new_passphrase(self, question: str, path: Path | None, variable: str = NEW_PASSPHRASE) -> str:
        """Returns a passphrase that is chosen now; typed twice when it is typed.

        Raises:
            UsageFault: There is none, or the two differ.
        """
        return _passphrase(path, variable, question, is_new=True)

    def secrets(self) -> Secrets:
        """Unlocks the officer's keys."""
        officer = self.officer()
        return self.place.secrets(officer, self.passphrase(f"Mật khẩu của {officer}: "))

    def desk(self) -> Desk:
        """Opens the store with the officer signed in; use it with ``with``."""
        from commune_client.desk.desk import open_desk

        return open_desk(self.place, self.secrets(), command=self.arguments.command or "")


def _escaped(char: str) -> str:
    """Returns a character as JSON may name it: outside of its strings there is nothing that needs it."""
    return json.dumps(char)[1:-1]


def _passphrase(path: Path | None, variable: str, question: str, *, is_new: bool) -> str:
    if path is not None:
        found = _first_line(path)
    elif variable in os.environ:
        found = os.environ[variable]
    elif sys.stdin.isatty():
        found = _typed(question, is_new=is_new)
    else:
        raise UsageFault(REASONS["no_new_passphrase" if variable == NEW_PASSPHRASE else "no_passphrase"])
    from onestop_sync.codec import nfc

    try:
        return nfc(found.encode().decode())
    except UnicodeEncodeError:
        raise UsageFault("mật khẩu có ký tự hỏng (không phải UTF-8).") from None


def _first_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageFault(f"tệp mật khẩu {path.name} không phải UTF-8.") from None
    return lines[0] if lines else ""


def _typed(question: str, *, is_new: bool) -> str:
    from getpass import getpass

    found = getpass(question)
    if is_new and getpass("Gõ lại mật khẩu: ") != found:
        raise UsageFault("Hai lần gõ mật khẩu không giống nhau. Chưa có gì thay đổi.")
    return found

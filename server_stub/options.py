"""Options that several commands of ``onestop-server`` take."""

from __future__ import annotations

import argparse
import os
from typing import TypeAlias

from server_stub import settings

__all__ = ["Verbs", "add_common", "add_parents", "add_publishing", "port", "seconds"]

# What add_subparsers returns has no public name, and takes no parameter when the program runs.
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_parents(parser: argparse.ArgumentParser) -> None:
    """Adds which parents there are, and how they are reached."""
    parser.add_argument(
        "--parent", action="append", default=[], metavar="URL", help="a parent; again for the next one to try"
    )
    parser.add_argument(
        "--ca", metavar="FILE", help="PEM of the authority that signed the parents' certificates"
    )
    parser.add_argument(
        "--proxy",
        metavar="URL",
        default="",
        help="proxy to the parents; without it the one of HTTPS_PROXY; 'none': no proxy",
    )


def add_common(parser: argparse.ArgumentParser, *, is_needed: bool = True) -> None:
    """Adds which store, who unlocks it, and how the result is printed.

    Args:
        parser: The command's.
        is_needed: Whether the command does nothing without a store.
    """
    folder = os.environ.get(settings.FOLDER)
    parser.add_argument(
        "--folder",
        default=folder,
        required=is_needed and not folder,
        help=f"the server's folder (or {settings.FOLDER})",
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get(settings.DATABASE) or None,
        help=f"SQLAlchemy URL, postgresql+psycopg://… (or {settings.DATABASE}; default: an encrypted file)",
    )
    parser.add_argument(
        "--holder", default=settings.HOLDER, help=f"who unlocks it (default: {settings.HOLDER})"
    )
    parser.add_argument("--passphrase-file", metavar="FILE", help="file whose first line is the passphrase")
    parser.add_argument(
        "--types",
        action="append",
        metavar="MODULE:NAME",
        help="document type, again for more (default: those of the one-stop domain)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_publishing(parser: argparse.ArgumentParser) -> None:
    """Adds where the publishing key is, and that nothing may be published without being looked at."""
    parser.add_argument(
        "--publishing-key", metavar="FILE", help="the publishing key (default: publishing.key in the folder)"
    )
    parser.add_argument(
        "--publishing-passphrase-file",
        metavar="FILE",
        help="its passphrase, when it is not the one that unlocks the folder",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
    parser.add_argument("--yes", action="store_true", help="publish without asking")


def port(text: str) -> int:
    """Reads a port.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - TCP's own number
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def seconds(text: str) -> float:
    """Reads a pause, seconds.

    Raises:
        ArgumentTypeError: It is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0.1 <= value <= 86400:  # noqa: PLR2004 - a tenth of a second to a day
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 86400")
    return value

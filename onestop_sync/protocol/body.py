"""The body of a parent's answer, read as a whole before any of it is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor
from onestop_sync.protocol.packets import parse_cursor
from onestop_sync.storage.arrive import Outcome


class Body(NamedTuple):
    """What an answer says.

    Attributes:
        nonce: For the next request.
        cursor: Where to go on.
        has_more: Whether the parent has more for this machine.
        was_reset: Whether the parent lost what the machine had seen, and begins anew.
        acks: Signed acks.
        outcomes: Verdicts on events without effect.
        items: Items of the feed: number and frames.
        root_version: Version of the root that the parent knows.
        version: Version of its publication.
        files: What is newer of it, or ``None``.
    """

    nonce: bytes
    cursor: Cursor
    has_more: bool
    was_reset: bool
    acks: list[Any]
    outcomes: list[Outcome]
    items: list[tuple[int, Any]]
    root_version: int
    version: int
    files: object


def read_body(body: object) -> Body:
    """Reads the body of an answer.

    Raises:
        FormatError: Malformed.
    """
    match body:
        case [bytes(nonce), list(cursor), bool(has_more), list() | None as lost, list(acks), list(bad),
              list(items), [int(root), int(version), dict() | None as files]]:  # fmt: skip
            was_reset = parse_cursor(lost) is not None
            outcomes = list(map(_outcome, bad))
            return Body(
                nonce,
                _cursor(cursor),
                has_more,
                was_reset,
                acks,
                outcomes,
                _pairs(items),
                root,
                version,
                files,
            )
        case _:
            raise FormatError("The answer is not one of this protocol.")


def parts(data: bytes) -> Sequence[Any]:
    """Decodes the head or the rest of an answer.

    Raises:
        FormatError: Not a list.
    """
    match codec.decode(data):
        case list(found):
            return found
    raise FormatError("The answer is not one of this protocol.")


def _cursor(value: object) -> Cursor:
    cursor = parse_cursor(value)
    if cursor is None:
        raise FormatError("The answer is malformed.")
    return cursor


def _pairs(items: list[Any]) -> list[tuple[int, Any]]:
    pairs = [(i[0], i[1]) for i in items if isinstance(i, list) and len(i) == 2]  # noqa: PLR2004
    if len(pairs) != len(items):
        raise FormatError("The answer is malformed.")
    return pairs


def _outcome(row: object) -> Outcome:
    match row:
        case [bytes(event), str(code), str(reason)]:
            return Outcome(event, code, reason)
    raise FormatError("A verdict of the parent is malformed.")

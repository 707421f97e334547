"""A frozen report as a document: the figures as they were, signed by the unit's head, never changed again.

It is written in parts, because an event holds 64 KiB, and then signed: the signature names how many parts
there are and the hash of them all. What comes in late makes another document, which names the one that it
supplements and says what changed and why.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from onestop_sync import codec
from onestop_sync.dossier.roles import ADMIN, HEAD
from onestop_sync.errors import FormatError
from onestop_sync.event import Op
from onestop_sync.schema import MAIN, DocumentType, Field, Summary, Task, Transition
from onestop_sync.search_text import fold_text
from onestop_sync.state import State

__all__ = ["REPORT", "content_of", "is_signed", "sign_op", "split"]

_SIGNERS: Final = frozenset({HEAD, ADMIN})
_MAKING: Final = "making"
_SIGNED: Final = "signed"
_OWNERS: Final = MappingProxyType({_MAKING: _SIGNERS})
_PART_BYTES: Final = 40 * 1024
_MOST_BYTES: Final = 64 * 2**20
"""Largest content that is unpacked."""
_FIGURES: Final = 11
PARTS: Final = "phan"


def split(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Returns the parts of a report's content: register key → bytes."""
    packed = zlib.compress(codec.encode(dict(content)), 9)
    cuts = range(0, len(packed), _PART_BYTES)
    return {f"{PARTS}/{n:04d}": packed[at : at + _PART_BYTES] for n, at in enumerate(cuts, 1)}


def sign_op(parts: Mapping[str, bytes]) -> Op:
    """Returns the transition that signs parts."""
    return ["act", MAIN, "sign", {"so_phan": len(parts), "bam": _hash(parts)}]


def _hash(parts: Mapping[str, bytes]) -> bytes:
    return hashlib.sha256(b"".join(parts[key] for key in sorted(parts))).digest()


def is_signed(state: State) -> bool:
    """Tells whether a report is whole and signed."""
    task = state.tasks.get(MAIN)
    return task is not None and task.step == _SIGNED and not state.is_void


def content_of(state: State) -> dict[str, Any]:
    """Returns what a signed report says.

    Raises:
        FormatError: It is not signed yet, or its parts are not those that were signed.
    """
    task = state.tasks.get(MAIN)
    signed = task.course[-1].kept if task and task.course and is_signed(state) else None
    found = {key: state.value(key) for key in state.registers if key.startswith(f"{PARTS}/")}
    parts = {key: value for key, value in found.items() if isinstance(value, bytes)}
    if signed is None or [len(parts), _hash(parts)] != list(signed):
        raise FormatError("The report is not signed, or lacks a part.")
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(b"".join(parts[key] for key in sorted(parts)), _MOST_BYTES)
        content = codec.decode(data)
    except zlib.error:
        raise FormatError("The report's parts cannot be read.") from None
    if not isinstance(content, dict) or reader.unconsumed_tail or not _is_whole(content):
        raise FormatError("The report's parts cannot be read.")
    return content


def _is_whole(content: Mapping[str, Any]) -> bool:
    """Tells whether a content has what is read of it; whoever signed it may have written anything."""
    has_words = all(isinstance(content.get(key), str) for key in ("unit", "period", "heads"))
    has_numbers = all(type(content.get(key)) is int for key in ("version", "made_ms"))
    total, logs, changes = (content.get(key) for key in ("total", "logs", "changes"))
    return (
        has_words
        and has_numbers
        and type(content.get("is_tier")) is bool
        and isinstance(total, list)
        and len(total) == _FIGURES
        and all(type(n) is int for n in total)
        and isinstance(logs, list)
        and all(_is_head(log) for log in logs)
        and _is_loose(content.get("loose", []))
        and isinstance(changes, list)
        and all(_is_change(change) for change in changes)
    )


def _is_head(log: object) -> bool:
    match log:
        case [bytes(), int()]:
            return True
    return False


def _is_loose(loose: object) -> bool:
    if not isinstance(loose, list):
        return False
    for each in loose:
        match each:
            case [bytes(), list(parts)] if all(_is_part(part) for part in parts):
                continue
        return False
    return True


def _is_part(part: object) -> bool:
    match part:
        case [int(), int()]:
            return True
    return False


def _is_change(change: object) -> bool:
    match change:
        case [str(), bytes(), list(before), list(after), list(late)]:
            columns = [
                len(found) in {0, 2} and all(type(n) is int for n in found) for found in (before, after)
            ]
            return all(columns) and all(_is_late(each) for each in late)
    return False


def _is_late(late: object) -> bool:
    match late:
        case [str(), str(), int(), int()]:
            return True
    return False


def _kept(ops: Any) -> Any:
    """Keeps beside the signature what it names."""
    for op in ops:
        match op:
            case ["act", _, "sign", {"so_phan": int(count), "bam": bytes(digest)}]:
                return [count, digest]
    return None


def _summarise(state: State) -> Summary:
    """Lists a report by form, period and version; at most the text that its author gave."""
    task = state.tasks.get(MAIN)
    label = state.value("ten")
    shown = label if isinstance(label, str) else ""
    return Summary(label=shown, title=shown, step=task.step if task else _MAKING, search=fold_text(shown))


REPORT: Final = DocumentType(
    "report",
    fields=(
        Field("ten", task=MAIN, owners=_OWNERS, max_chars=200),
        Field(PARTS, "map", MAIN, _OWNERS),
    ),
    tasks=(
        Task(
            MAIN,
            _MAKING,
            (
                Transition(
                    "sign", frozenset({_MAKING}), _SIGNED, _SIGNERS, needs=("so_phan", "bam"), seals=True
                ),
            ),
        ),
    ),
    creators=_SIGNERS,
    voiders=_SIGNERS,
    summarise=_summarise,
    keeps=_kept,
)

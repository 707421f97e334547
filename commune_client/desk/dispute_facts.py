"""What a desk says of disagreements: plain values, see `facts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from onestop_sync.dossier.timeline import Line

__all__ = ["Dispute", "DisputeSide", "NoticeFacts"]


class DisputeSide(NamedTuple):
    """One side of something that a person must settle.

    Attributes:
        event: Event that wrote it; of a branch, the first.
        value: What it wrote; of a branch the action's Vietnamese name.
        text: The value as one line.
        kind: ``live``, ``late``, ``branch`` or ``against`` (an edit that did not know of the void).
        node: Of a branch, what a settlement names it by.
    """

    event: bytes
    value: Any
    text: str
    kind: str
    node: bytes
    who: str
    unit: str
    unit_name: str
    at_ms: int
    level: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Dispute:
    """Something that a person must settle.

    Attributes:
        key: Register key, ``task:<name>`` or ``_void``.
        kind: ``conflict`` (different values), ``late`` (a write that waits to be adopted or declined),
            ``task`` (different actions) or ``void``.
        base: What every side had seen; of a task, the name of the last common step.
        base_text: The same as one line; empty for nothing.
        now: What stands at present, ``None`` for nothing; of a late write, the owner's value.
        is_legal: A form prints it, so printing waits.
        why_not: Reason code why the signed-in officer cannot settle it; empty when they can.
    """

    doc: bytes
    code: str
    key: str
    label: str
    kind: str
    base: Any
    base_text: str
    now: Any
    now_text: str
    sides: tuple[DisputeSide, ...]
    is_legal: bool
    why_not: str


class NoticeFacts(NamedTuple):
    """Something that changed after it had been shown.

    Attributes:
        n: Number to mark it as seen.
        before: Standing before, as a code.
        after: Standing after.
        lines: What the event wrote.
    """

    n: int
    doc: bytes
    code: str
    title: str
    event: bytes
    who: str
    lines: tuple[Line, ...]
    before: str
    after: str
    at_ms: int

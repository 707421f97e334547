"""The one place where what people do at a desk is noted: a table of its methods, and what each comes to.

A method that writes is a signed event already, so that only its refusals are noted. What a method asks of
another one is not noted again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from commune_client.desk.base import Base
from onestop_sync.errors import NotAllowed

__all__ = ["WATCHED", "watched"]

_WRITES: Final = (
    "new_draft", "save_draft", "intake", "intake_new", "ask_at_intake", "refuse", "act", "edit", "note",
    "handover", "receive", "decline", "appraise", "send_back", "approve", "reject", "stop", "withdraw",
    "void", "return_result", "ask_payment", "pay", "transfer", "supplement", "supply", "extend",
    "ask_agencies", "charge", "answer", "pass_on", "resolve", "choose", "decline_late", "settle", "lift_void",
    "countersign", "attach", "fetch_attachments", "print_forms", "print_register", "close_register",
    "take_filed", "take_filed_complaint", "take_filed_rating", "rate", "hand_over_each", "receive_each",
    "complain", "inspect", "take_complaint", "answer_complaint", "dismiss_complaint", "forward_complaint",
    "freeze_report", "write_difficulty", "act_on_difficulty",
)  # fmt: skip
_READS: Final = (
    "show", "draft", "missing_papers", "form", "conflicts", "conflict", "attachments", "old_entry", "why",
    "fees",
)  # fmt: skip
_LISTS: Final = (
    "dossiers", "notices", "awaiting", "old_entries", "complaints", "asked", "to_give", "to_receive",
    "report_dossiers", "officer_marks",
)  # fmt: skip
WATCHED: Final[Mapping[str, str]] = {
    **dict.fromkeys(_READS, "read"),
    **dict.fromkeys(_LISTS, "list"),
    **dict.fromkeys(_WRITES, ""),
    "audit": "audit",
    "settlement": "list",
    "sync": "sync",
    "export": "export",
    "export_data": "export",
    "posting": "read",
    "write_posting": "export",
    "save_attachment": "export",
    "import_": "import",
    "import_register": "import",
    "verify": "read",
    "printable": "read",
    "register": "list",
    "write_evidence": "export",
    "write_report": "export",
}
"""Method of a desk → what is noted when it has succeeded; empty: its refusals only."""
_FIRST: Final = frozenset({"export"})
"""What is noted before it happens, and does not happen unnoted."""
_NO_CODE: Final = re.compile(r"[^a-z0-9_.-]")
_DOC_BYTES: Final = 16

Class = TypeVar("Class", bound=type[Base])


def watched(kind: Class) -> Class:
    """Has the methods of a desk note what they do."""
    for name, what in WATCHED.items():
        setattr(kind, name, _noting(getattr(kind, name), name, what))
    return kind


def _noting(method: Callable[..., Any], name: str, what: str) -> Callable[..., Any]:
    @wraps(method)
    def call(desk: Base, *arguments: Any, **named: Any) -> Any:
        with desk.notebook.inside() as is_outermost:
            if not is_outermost:
                return method(desk, *arguments, **named)
            if what in _FIRST:
                desk.notebook.now(what, _doc(arguments, named))
            try:
                result = method(desk, *arguments, **named)
            except NotAllowed as error:
                _note_refusal(desk, name, arguments, named, error)
                raise
            if what and what not in _FIRST:
                _note(desk, what, arguments, named, result)
            return result

    return call


def _note(
    desk: Base, what: str, arguments: tuple[Any, ...], named: Mapping[str, Any], result: object
) -> None:
    """Notes what was done; of a search, that there was one and what it showed, never the words."""
    rows = getattr(result, "rows", result)
    lines = len(rows) if isinstance(rows, list | tuple) and what in {"list", "audit"} else 0
    if what == "list" and _has_words(arguments, named):
        what = "search"
    desk.notebook.add(what, _doc(arguments, named), lines=lines)


def _has_words(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
    words = named.get("search", arguments[0] if arguments else "")
    return isinstance(words, str) and bool(words.strip())


def _note_refusal(
    desk: Base, name: str, arguments: tuple[Any, ...], named: Mapping[str, Any], error: NotAllowed
) -> None:
    """Notes what was tried and why it was refused, both as codes."""
    action = str(named.get("action", arguments[1] if len(arguments) > 1 else "")) if name == "act" else name
    reason = str(error.details.get("reason", "")) or error.code
    desk.notebook.add("refused", _doc(arguments, named), code=f"{_plain(action)}:{_plain(reason)}")


def _doc(arguments: tuple[Any, ...], named: Mapping[str, Any]) -> bytes:
    """Returns the dossier that a call was about: its first argument, where that is an id."""
    doc = named.get("doc", arguments[0] if arguments else b"")
    return doc if isinstance(doc, bytes) and len(doc) == _DOC_BYTES else b""


def _plain(code: str) -> str:
    """Returns a code as an entry may hold it, whatever a caller gave."""
    return _NO_CODE.sub("", code)[:32]

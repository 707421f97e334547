"""``docs/errors.md``, made from the library's errors and the client's messages.

    python -m commune_client.errors_document > docs/errors.md

A test holds the file equal to what this prints.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from commune_client.cli.codes import exit_code
from commune_client.desk.base import Unready
from commune_client.messages import ERRORS, OUTCOMES, REASONS, STANDING_LABELS
from onestop_sync import errors, state

__all__ = ["OTHER_REASONS", "errors_document"]

OTHER_REASONS: Final[Mapping[str, str]] = {
    "missing": "An event that it stands on is not here yet.",
    "newer": "A newer version of the program wrote it.",
    "once_extended": "A new appointment was given before, and only one is.",
    "once_supplemented": "A supplement was asked for after appraisal before, and it is asked for once.",
    "locked": "The screen is locked.",
    "expired": "The officer's certificate is not valid today, or what the province published has expired.",
    "confirm": "A decision on a screen needs the passphrase anew.",
    "self": "Nobody removes themselves from a machine.",
    "no_backup_folder": "No folder for backups was chosen.",
    "backup_full": "The stick or folder of the backup is full.",
    "backup_missing": "The stick or folder of the backup is not there.",
    "backup_refused": "The stick or folder of the backup cannot be written.",
    "backup_damaged": "The backup is not what was written.",
    "backup_none": "The folder is not a backup, or not a whole one.",
    "backup_note": "The stick cannot note that it was restored from.",
    "no_recovery": "The machine's keys were never sealed to a recovery key.",
    "recovery_key": "The machine's keys are sealed to another recovery key.",
    "serials_exhausted": "All serials of this machine for the day are used.",
    "no_block": "The machine's certificate holds no block of serials that it may still use.",
    "no_agency_code": "The unit has no agency code.",
    "no_parents": "No parent's address is set.",
    "root": "The enrolment answer is of another province.",
    "machine": "The enrolment answer is for another machine.",
    "blocks": "A serial block is another machine's already, or none is left.",
    "address": "An address is not that of a server.",
    "officer": "It is not clear which officer works.",
    "passphrase": "The passphrase is too short.",
    "no_passphrase": "There is no passphrase, and nobody to ask.",
    "no_new_passphrase": "There is no new passphrase, and nobody to ask.",
    "file": "A file cannot be read or written.",
    "export_all": "Only the head or an administrator exports everything.",
    "masked": "Only who works on dossiers sees or exports this.",
    "score": "A rating is 0, 1 or 2.",
    "filed_elsewhere": "A dossier from a portal is for another unit.",
    "table": "A table cannot be read, or is too large.",
    "column": "A table lacks a column that the mapping names.",
    "column_twice": "A table has two columns of a heading that the mapping names.",
    "encoding": "A table's letters are of another encoding than Unicode.",
    "not_in_force": "The procedure has ended, or has not begun.",
    "asked_before": "A unit is asked once about a dossier.",
    "register_taken": "Another program took a code of the register meanwhile.",
    "json": "A JSON file is not of the expected shape.",
    "mapping": "The file that says what the columns of a register mean is none, or leaves out a field.",
    "mapping_proposed": "There was no mapping of columns; one was proposed, to be looked at.",
    "columns_unknown": "No heading of the register is understood.",
    "settings": "The machine's settings cannot be read.",
    "recipients": "It is not known to which machines to seal the bundle.",
    "code_slip": "A group of the one-time code is mistyped; nothing was sent.",
    "code_length": "The one-time code is too short or too long; nothing was sent.",
    "code_letters": "The one-time code was typed with Vietnamese typing on; nothing was sent.",
    "code_wrong": "No server in reach knows this one-time code.",
    "code_busy": "Too many wrong codes were tried in this hour.",
    "code_tries": "The one-time code ended after five wrong tries.",
    "code_expired": "The one-time code's time is over, or it was cancelled.",
    "code_used": "Another machine has used the one-time code.",
    "code_unit": "The one-time code is for another unit.",
    "code_officer": "The one-time code names no such officer.",
    "code_maker": "No present administrator of the unit has signed what the one-time code allows.",
    "code_taken": "Another key was certified under this officer's name by the one-time code.",
    "code_answer": "Whoever answered does not know the one-time code.",
    "code_foreign": "The one-time code was made with another machine's keys.",
    "code_ring": "The servers' parents form a ring.",
    "period": "What was named is no period of a report.",
    "running": "The period of the report is not over yet.",
    "unchanged": "Nothing that came in late changes the report.",
    "rating_words": "The words of a rating are too long.",
    "inspection": "An inspection needs a mark 0, 1 or 2, and what was found.",
    "inspection_unit": "Only the unit itself and those above it inspect a unit.",
    "officer_marks": "Only the head of the unit sees the marks of single officers.",
    "format": "A report is not written in that format.",
    "fingerprint": "The province's root key is not the one that was read out.",
    "not_request": "The file is no request for enrolment.",
    "not_answer": "The file is no administrator's answer to such a request.",
    "not_evidence": "The file is no evidence file.",
    "not_proof": "The file is no proof that parents disagree.",
    "not_enrolled": "The machine waits for the administrator's answer.",
    "unreadable": "The bundle's file cannot be read.",
    "too_large": "The file is larger than any bundle.",
    "not_bundle": "The file is not a bundle.",
    "partial": "The bundle was not copied to its end.",
    "damaged": "The bundle is damaged.",
    "foreign": "The bundle is of another province.",
    "own": "This machine made the bundle itself.",
    "other": "The bundle is sealed to other machines.",
    "stranger": "The machine that made the bundle is not certified for our line.",
    "stranger_news": "Such a bundle, from which a newer publication of the province was taken all the same.",
    "repeated": "The bundle was imported before.",
    "old": "A newer bundle was imported before, and this one brings nothing more.",
    "reserve": "The disk was full; room that was held back for this is free now, once.",
    "no_form": "There is no such form of the dossier at this step, or under its legal profile.",
    "print_conflict": "What the form prints, or the register holds, is in conflict; `details` names it.",
    "printer": "The printer's command did not take the file, which is kept.",
    "print_folder": "No folder for printed files was named or chosen.",
    "year_open": "A year's register is closed when the year is over.",
    "year_empty": "Nothing of that year's register, or of that volume, is here.",
    "year_closed": "The year's register is closed, and nothing came later.",
    "register_gaps": "Numbers of the register are missing or doubled, and no reason was given.",
    "erased": "The document was erased by law; only its row in the register is kept.",
    "history": "The province's snapshot alone tells of the document: its events come with the next sync.",
    "late": "It had not seen a handover; the new owner has not looked at it yet.",
    "revoked": "The key was cut off by the province.",
    "countersign": "It lies beyond a cut: the head of the unit has not vouched for it.",
    "not_beyond": "Nothing of that name waits for a countersignature.",
    "not_head": "Only the head of that unit, who did not write it, countersigns.",
}
"""Reason codes besides those of `onestop_sync.state.Reason`, whose own docstrings are used."""

_OUTCOMES: Final[Mapping[str, str]] = {
    "waiting": "stored; waits for a certificate or another event",
    "refused": "stored, without effect; the reason says why",
    "malformed": "not stored: not an event",
    "forged": "not stored: the signature is wrong",
    "withheld": "not stored: somebody on the way left out what it says",
    "unknown_log": "not stored: the log's first event is not here",
    "quota": "not stored now: too many events without authority from one machine",
}
_STANDINGS: Final[Mapping[str, str]] = {
    "stands": "it is what the document says",
    "superseded": "somebody who had seen it wrote again",
    "conflict": "somebody who had not seen it wrote otherwise; a person settles it",
    "erased": "The document was erased by law; only its row in the register is kept.",
    "late": "it had not seen a handover; the new owner adopts or declines it",
    "overruled": "it had not seen a handover, and the new owner has written the field",
    "refused": "it was not allowed; the reason says why",
    "waiting": "what it needs is not here yet",
}

_HEAD: Final = """\
# Errors, reasons and standings

Made by `python -m commune_client.errors_document` from the code; a test holds the two equal. Codes are
stable: scripts and other interfaces may rely on them. No message holds a passphrase, a key, or personal data.

## Errors

Every error of the library is an `OnestopError` with a `code`, a sentence on what happened, and one on what
to do next. *Exit* is the exit code of `onestop`; `onestop-server` exits 3 for `unreachable` and 1 for all
others.
Wrong usage exits 2.
"""
_REASONS_HEAD: Final = """\
## Reasons

`details["reason"]` of an error says why more closely. The first fourteen are also verdicts on events of
others: such an event is kept and shown, and takes no effect.
"""
_OUTCOMES_HEAD: Final = """\
## What became of an event at the other side

`SyncReport.outcomes` and `rejected`, and the lines below `onestop sync`, name each event that took no effect.
"""
_STANDINGS_HEAD: Final = """\
## Standings

What became of an event, given everything that is here. It may change when something arrives; when it changes
after it could have been seen, `onestop notices` says so.
"""


def errors_document() -> str:
    """Returns the document, from its title to its last line."""
    return "\n".join(
        [
            _HEAD,
            *_table(("Code", "Exit", "What happened, and what to do", "Trên màn hình"), _errors()),
            "",
            _REASONS_HEAD,
            *_table(("Reason", "Meaning", "Trên màn hình"), _reasons()),
            "",
            _OUTCOMES_HEAD,
            *_table(("Code", "Meaning", "Trên màn hình"), _labels(_OUTCOMES, OUTCOMES)),
            "",
            _STANDINGS_HEAD,
            *_table(("Standing", "Meaning", "Trên màn hình"), _labels(_STANDINGS, STANDING_LABELS)),
            "",
        ]
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row("---" for _ in head)
    for row in rows:
        yield _row(row)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _errors() -> Iterator[tuple[str, ...]]:
    for kind in _kinds():
        text = inspect.cleandoc(kind.__doc__ or "").split("\n", 1)[0]
        todo = kind.default_todo
        yield f"`{kind.code}`", str(exit_code(kind.code)), f"{text} *{todo}*", ERRORS[kind.code].text


def _kinds() -> Iterator[type[errors.OnestopError]]:
    """Yields every kind of error, each below its parent, as the tree in `errors` has them."""
    stack: list[type[errors.OnestopError]] = [errors.OnestopError]
    here = {errors.__name__, Unready.__module__}
    while stack:
        kind = stack.pop()
        yield kind
        stack += [sub for sub in reversed(kind.__subclasses__()) if sub.__module__ in here]


def _reasons() -> Iterator[tuple[str, ...]]:
    verdicts = _verdicts()
    for code, meaning in {**verdicts, **OTHER_REASONS}.items():
        yield f"`{code}`", meaning, REASONS[code]


def _verdicts() -> dict[str, str]:
    """Returns each reason of `state.Reason` with the docstring below it."""
    (tree,) = ast.parse(inspect.getsource(state.Reason)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, below in zip(tree.body, tree.body[1:], strict=False):
        match statement, below:
            case ast.Assign(value=ast.Constant(value=str(code))), ast.Expr(value=ast.Constant(str(text))):
                found[code] = text
    return found


def _labels(meanings: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    return ((f"`{code}`", meanings[code], label) for code, label in labels.items())


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    print(errors_document(), end="")

"""A proof against somebody above: signed papers that contradict each other, and what proves their signers.

A file that can be read without a program: an explanation, then the papers between two lines.

    report = check(data)           # on another machine, without a store
    report.root                    # compare its fingerprint with the one that the province published
    report.cases[0].is_proven      # what does not hang on the word of whoever wrote the file

What is proven: that one machine, certified as a server from the root down, signed two things that cannot both
be true of an honest one that lost nothing. What is withheld is not proven so: that something did not arrive
cannot be signed by anybody. The file names what is missing, and the province's own copy tells whether it is.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast, get_args

from onestop_sync import codec, keys
from onestop_sync.acks import Acks, check_acks, parse_acks
from onestop_sync.answer import KeptAnswer
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.event import parse, parse_genesis, verify
from onestop_sync.publication import Publication
from onestop_sync.snapshot import Snapshot, check_snapshot, parse_snapshot, parse_summary, summary_hash
from onestop_sync.statement import Statement, check_statement, parse_statement
from onestop_sync.storage.findings import Finding, Kind, is_less
from onestop_sync.trust import Authority, Trust

__all__ = ["MAX_BYTES", "Case", "Report", "check", "explain", "nodes_of", "pack"]

MAX_BYTES: Final = 16 * 2**20
"""Largest file that is looked at."""
_BEGIN: Final = "-----BEGIN ONESTOP PROOF-----"
_END: Final = "-----END ONESTOP PROOF-----"
_WIDTH: Final = 76

_MEANING: Final[Mapping[Kind, str]] = {
    "rolled_back": "does not know what its own signed answer had given: its store was put back, untold",
    "restored": "signed in two epochs: its store was put back, and it says so itself",
    "rewritten": "acknowledged two different events at one place of a log",
    "went_back": "states less of a log than it had stated or acknowledged before",
    "equivocated": "made two different statements with one number",
    "misstated": "signed of a finished document what its events do not come to",
    "withheld": "states that it sent events which have not arrived",
    "gap": "made a statement before this one which has not arrived",
}


class Case(NamedTuple):
    """One thing that was found out.

    Attributes:
        kind: See `Finding.kind`.
        signer: Name of the machine that signed, as certified.
        unit: Name of its unit.
        about: Id of the unit of which the papers speak.
        is_proven: Whether the papers alone prove that the signer contradicted itself. False for what is
            withheld, or misstated: there they prove what the province says, and the rest is the word of the
            file's writer, or follows from the document's own evidence file.
        missing: What has not arrived, of what is withheld; the document that is misstated.
        what: One English sentence.
    """

    kind: Kind
    signer: str
    unit: str
    about: str
    is_proven: bool
    missing: tuple[bytes, ...]
    what: str


class Report(NamedTuple):
    """What a proof comes to.

    Attributes:
        root: The province's root, from which the signers are proven: compare it.
        cases: What was found out.
    """

    root: bytes
    cases: tuple[Case, ...]


_Said = Acks | Statement | KeptAnswer | Snapshot


class _Paper(NamedTuple):
    """A paper whose signature was checked."""

    node: bytes
    author: Authority
    said: _Said
    data: bytes


# ------------------------------------------------------------------------------------------------- the file


def nodes_of(papers: Iterable[tuple[str, bytes]]) -> set[bytes]:
    """Returns the logs of the machines that signed papers, as the papers name them.

    Raises:
        FormatError: One is malformed.
    """
    return {_parse(kind, data).node for kind, data in papers if kind != "summary"}


def pack(
    root: bytes, trust: bytes, frames: Sequence[Any], findings: Sequence[Finding], explanation: str
) -> bytes:
    """Returns a proof.

    Args:
        root: The province's root.
        trust: What the province published, as it travels.
        frames: Certificates and geneses that prove the signers.
        findings: What was found out.
        explanation: What a person reads first.
    """
    cases: list[codec.Value] = [
        [f.kind, [[kind, data] for kind, data in f.papers], list(f.missing)] for f in findings
    ]
    packed = base64.b64encode(codec.encode([1, root, trust, list(frames), cases])).decode()
    lines = [explanation.rstrip(), "", _BEGIN, *textwrap.wrap(packed, _WIDTH), _END, ""]
    return "\n".join(lines).encode()


def explain(findings: Sequence[Finding]) -> str:
    """Returns an English explanation of what a proof holds."""
    lines = [
        "Proof of what a machine above has signed. Check it with: onestop-server proof --check FILE",
        "It holds signed papers and certificates; no dossier and no applicant.",
        "",
    ]
    for i, finding in enumerate(findings, 1):
        lines.append(f"{i}. The machine with the key {keys.fingerprint(finding.key)}")
        lines.append(f"   {_MEANING[finding.kind]} (unit {finding.unit}).")
        lines += [f"   missing: {each.hex()}" for each in finding.missing]
    return "\n".join(lines)


def check(data: bytes) -> Report:
    """Checks a proof, from the root that it names.

    Raises:
        FormatError: It is no proof, or a paper in it is not what it claims to be.
        SignatureInvalid: Something in it is not signed by whom it names.
    """
    match codec.decode(_unwrap(data)):
        case [1, bytes(root), bytes(trust), list(frames), list(cases)]:
            known = _trust(root, trust, frames)
            return Report(root, tuple(_case(known, case) for case in cases))
    raise _no_proof()


def _no_proof() -> FormatError:
    return FormatError(
        "The file is not a proof, or was damaged.",
        todo="Give the file that `onestop proof` wrote.",
        reason="not_proof",
    )


def _unwrap(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise FormatError("The file is too large for a proof.")
    text = data.decode("utf-8", errors="replace")
    _, begins, rest = text.rpartition(_BEGIN)
    body, ends, _ = rest.partition(_END)
    if not begins or not ends:
        raise _no_proof()
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError as error:  # not ASCII, or not base64
        raise _no_proof() from error


def _trust(root: bytes, data: bytes, frames: Iterable[object]) -> Trust:
    """Reads who may sign, from the root down: the one place that knows how."""
    trust = Trust(Publication.check(data, root).document)
    for frame in frames:
        event = parse(frame)
        genesis = parse_genesis(event) if event.is_genesis else trust.genesis(event.log)
        if genesis is None:
            raise FormatError("A certificate in the proof hangs on a log that is not in it.")
        verify(event, genesis.key)
        trust.add(event)
    return trust


# ------------------------------------------------------------------------------------------------ the papers


def _parse(kind: str, data: bytes) -> _Said:
    match kind:
        case "ack":
            return parse_acks(data)[0]
        case "statement":
            return parse_statement(data)[0]
        case "answer":
            return KeptAnswer.parse(data)
        case "snapshot":
            return parse_snapshot(data)[0]
    raise FormatError("The proof holds a paper of an unknown kind.")


def _paper(trust: Trust, row: object) -> _Paper:
    match row:
        case [str(kind), bytes(data)]:
            said = _parse(kind, data)
        case _:
            raise FormatError("The proof holds a paper of an unknown kind.")
    author = trust.authority(said.node)
    if not isinstance(author, Authority) or not author.certificate.serves:
        raise FormatError("A paper is by a machine that the proof does not prove to be a server.")
    _check_signature(said, data, author.key)
    _check_reach(trust, said, author)
    return _Paper(said.node, author, said, data)


def _check_signature(said: _Said, data: bytes, key: bytes) -> None:
    if isinstance(said, Acks):
        check_acks(data, key)
    elif isinstance(said, Statement):
        check_statement(data, key)
    elif isinstance(said, Snapshot):
        check_snapshot(data, key)
    elif not keys.verify(key, said.signed, said.signature):
        raise SignatureInvalid("An answer is not signed by the machine that it names.")


def _check_reach(trust: Trust, said: _Said, author: Authority) -> None:
    """Refuses a paper on a unit of which its signer may not speak."""
    if isinstance(said, KeptAnswer):
        return
    unit = author.certificate.unit
    is_above = trust.document.is_over(unit, said.unit)
    if not is_above or (isinstance(said, Statement | Snapshot) and trust.document.units[unit].parent):
        raise FormatError("A paper speaks of a unit that is not its signer's to speak of.")


def _case(trust: Trust, row: object) -> Case:
    match row:
        case [str(name), [_, *_] as rows, list(missing)] if name in get_args(Kind):
            kind = cast("Kind", name)
            told = [data for each in rows if (data := _summary(each))]
            papers = [_paper(trust, each) for each in rows if not _summary(each)]
            _check_summaries(papers, told)
            missing += [parse_summary(data).doc for data in told]
        case _:
            raise FormatError("The proof is malformed.")
    is_claim = kind in {"misstated", "withheld", "gap"}
    if not (_names(papers, missing) if is_claim else _contradicts(kind, papers)):
        raise FormatError("The papers in the proof do not show what it claims.")
    author = papers[-1].author
    unit = trust.document.units[author.certificate.unit].name
    signer = author.certificate.name
    what = f"{signer} ({unit}) {_MEANING[kind]}."
    return Case(kind, signer, unit, _about(trust, papers), not is_claim, tuple(missing), what)


def _summary(row: object) -> bytes:
    """Returns what a snapshot names by its hash, which bears no signature itself; empty of other papers."""
    match row:
        case ["summary", bytes(data)]:
            return data
    return b""


def _check_summaries(papers: Sequence[_Paper], found: Sequence[bytes]) -> None:
    named = {
        digest for paper in papers if isinstance(paper.said, Snapshot) for _, digest in paper.said.entries
    }
    if not {summary_hash(data) for data in found} <= named:
        raise FormatError("The proof holds a summary that nobody has signed.")


def _about(trust: Trust, papers: Sequence[_Paper]) -> str:
    said = papers[-1].said
    if isinstance(said, KeptAnswer):
        asked = trust.genesis(said.machine)
        return asked.unit if asked is not None else ""
    return said.unit


def _names(papers: Sequence[_Paper], missing: Sequence[Any]) -> bool:
    """Tells whether a statement names all that is said to be missing."""
    if len(papers) != 1 or not missing:
        return False
    if not all(isinstance(each, bytes) for each in missing):
        return False
    said = papers[0].said
    if isinstance(said, Snapshot):
        return {*missing} <= {doc for doc, _ in said.entries}
    if not isinstance(said, Statement):
        return False
    return {*missing} <= {*said.foreign, said.prev}


def _contradicts(kind: str, papers: Sequence[_Paper]) -> bool:
    if len(papers) != 2 or papers[0].author.key != papers[1].author.key:  # noqa: PLR2004 - one against another
        return False
    first, second = papers[0].said, papers[1].said
    match kind:
        case "rolled_back":
            return _denies(first, second) and _epoch(first) == _epoch(second)
        case "restored":
            if isinstance(first, KeptAnswer) or isinstance(second, KeptAnswer):
                return _denies(first, second) and _epoch(first) != _epoch(second)
            return _epoch(first) != _epoch(second)
        case "rewritten":
            return _rewrites(first, second)
        case "equivocated":
            return _equivocates(first, second, is_other=papers[0].data != papers[1].data)
        case _:
            return isinstance(second, Statement) and _goes_back(first, second)


def _epoch(said: _Said) -> object:
    if isinstance(said, Snapshot):
        raise FormatError("A snapshot proves nothing of its author's store.")
    return said.cursors[0][0] if isinstance(said, KeptAnswer) else said.epoch


def _denies(first: object, second: object) -> bool:
    return isinstance(first, KeptAnswer) and isinstance(second, KeptAnswer) and second.denies(first)


def _rewrites(first: object, second: object) -> bool:
    if not (isinstance(first, Acks) and isinstance(second, Acks) and first.epoch == second.epoch):
        return False
    heads = {(log, seq): head for log, seq, head in first.logs}
    return any(heads.get((log, seq), head) != head for log, seq, head in second.logs)


def _equivocates(first: object, second: object, *, is_other: bool) -> bool:
    if not (isinstance(first, Statement) and isinstance(second, Statement) and is_other):
        return False
    return (first.unit, first.epoch, first.k) == (second.unit, second.epoch, second.k)


def _goes_back(first: object, later: Statement) -> bool:
    """Tells whether a statement names less of a log than something that was signed before it."""
    if isinstance(first, Acks):
        before, heads = first.after, first.logs
    elif isinstance(first, Statement):
        before, heads = first.k, first.heads
    else:
        return False
    if (first.unit, first.epoch) != (later.unit, later.epoch) or before >= later.k:
        return False
    named: dict[bytes, tuple[int, bytes]] = {log: (seq, head) for log, seq, head in later.heads}
    return any(log in named and is_less(named[log], (seq, head)) for log, seq, head in heads)

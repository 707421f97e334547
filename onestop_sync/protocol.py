"""The protocol without its transport: what a machine asks, and what its parent answers.

One idempotent request, signed by the machine's key for this parent and bound to the nonce of the last
answer, so that a copied one opens nothing:

    request = [payload, machine log, signature]     signature over PAE(REQUEST_KIND, payload)
    payload = [1, parent, nonce, cursor or null, echo, max_bytes, published, [frame, …], [proof, …]]
    published = [version, root version, [wanted file, …], files or null]    of what the machine has
    answer  = [1, "answer", head, rest, signature]
                       over PAE(ANSWER_KIND, SHA-256(request) + machine log + SHA-256(rest) + head)

A parent that was restored may know less of what the province publishes than its machines; they give it back.

An answer is signed, and bound to the request that it answers, so that an old one, or one that a relay has
changed or shortened, moves nothing. Its head, what the parent says of its own store, can be proven without
the rest, and is kept until the next one: a parent that does not know its own cursor has contradicted itself.

The first request of all names no parent and carries the machine's own proof and nothing else; it is answered
by a *challenge*, in which the parent proves who it is before it is told anything. Everything else is an
*answer*: signed acks, a verdict for each event that takes no effect, items of the feed, and where to go on.

`Requester` and `Responder` hold this; they move bytes and a store, and do no I/O of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import zstandard

from onestop_sync import codec, exchange, fetch, keys
from onestop_sync.answer import KeptAnswer, answer_bytes
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    OnestopError,
    SignatureInvalid,
    StoreError,
    UpstreamMalformed,
    UpstreamRefused,
)
from onestop_sync.event import EVENT_KIND
from onestop_sync.exchange import Cursor
from onestop_sync.publication import TARGET, Incomplete, check_files
from onestop_sync.storage import feed
from onestop_sync.storage.arrive import Outcome
from onestop_sync.store import Store
from onestop_sync.tombstone import is_tombstones
from onestop_sync.trust import Authority

__all__ = ["LIMITS", "Limits", "Requester", "Responder", "SyncReport", "open_packet", "pack_packet"]

REQUEST_KIND: Final = "onestop/sync/1"
CHUNKS_KIND: Final = "onestop/chunks/1"
CHALLENGE_KIND: Final = "onestop/challenge/1"
VERSION: Final = 1
HTTP_FORBIDDEN: Final = 403
_MAX_REFUSALS: Final = 3
_BEGINNING: Final = Cursor(b"", 0, feed.START)
_NODE_BYTES: Final = 16
_HEAD_PARTS: Final = 4
_EVENTS_AFTER: Final = 4
"""Steps of attachments after which the events come first again."""
_COMPRESS_FROM: Final = 200
"""Smaller packets do not gain by compression, bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may cost.

    Attributes:
        packet_bytes: Largest packet after decompression.
        batch_bytes: Bytes of events in one request.
        batch_events: Events in one request.
        answer_bytes: Bytes of feed in one answer.
    """

    packet_bytes: int = 8 * 2**20
    batch_bytes: int = 512 * 1024
    batch_events: int = 1000
    answer_bytes: int = 512 * 1024


LIMITS: Final = Limits()


@dataclass(slots=True)
class SyncReport:
    """What an exchange came to.

    Attributes:
        parent: Name of the parent.
        sent: Events offered.
        received: Events taken.
        acked: Events offered that the parent has stored.
        round_trips: Requests that were answered.
        bytes_up: Bytes of requests, without HTTP's.
        bytes_down: Bytes of answers, without HTTP's.
        outcomes: The parent's word on events of ours that take no effect there.
        rejected: What the parent sent that was not stored here.
        was_rolled_back: The parent had lost what it acknowledged; everything was offered again.
        chunks_up: Chunks of attachments that were sent.
        chunks_down: Chunks of attachments that came.
    """

    parent: str = ""
    sent: int = 0
    received: int = 0
    acked: int = 0
    round_trips: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    rejected: list[Outcome] = field(default_factory=list)
    was_rolled_back: bool = False
    chunks_up: int = 0
    chunks_down: int = 0


# ------------------------------------------------------------------------------------------------ packets


def pack_packet(value: codec.Value) -> bytes:
    """Encodes a packet: a byte that says how, and canonical CBOR, compressed when that gains."""
    plain = codec.encode(value)
    if len(plain) >= _COMPRESS_FROM:
        small = zstandard.ZstdCompressor(level=3).compress(plain)
        if len(small) < len(plain):
            return b"\x01" + small
    return b"\x00" + plain


def open_packet(data: bytes, limits: Limits = LIMITS) -> Any:
    """Decodes a packet.

    Raises:
        FormatError: Not a packet, or larger than the limit once it is decompressed.
    """
    if data[:1] == b"\x00" and len(data) <= limits.packet_bytes:
        return codec.decode(data[1:])
    if data[:1] != b"\x01":
        raise FormatError("The data is not a packet of this protocol.")
    # The declared size of a zstd frame is the sender's to choose, so what comes out is counted.
    plain = bytearray()
    reader = zstandard.ZstdDecompressor(max_window_size=2**23).stream_reader(data[1:])
    try:
        while chunk := reader.read(64 * 1024):
            plain += chunk
            if len(plain) > limits.packet_bytes:
                raise FormatError("A packet is larger than the protocol allows.")
    except zstandard.ZstdError as error:
        raise FormatError("A packet cannot be decompressed.") from error
    return codec.decode(bytes(plain))


class _Published(NamedTuple):
    """Which publication a machine has, and which files of a newer one it lacks."""

    version: int
    root: int
    wanted: tuple[str, ...] = ()
    files: Mapping[str, bytes] | None = None
    """What the parent lacks."""

    def to_row(self) -> codec.Value:
        """Returns it as it travels."""
        files: codec.Value = dict(self.files) if self.files else None
        return [self.version, self.root, list(self.wanted), files]


class _Request(NamedTuple):
    parent: bytes
    nonce: bytes
    cursor: Cursor | None
    echo: bool
    max_bytes: int
    published: _Published
    frames: list[Any]
    introduction: list[Any]

    def sign(self, machine: keys.Signer, log: bytes) -> bytes:
        cursor: codec.Value = list(self.cursor) if self.cursor else None
        head: list[codec.Value] = [
            VERSION,
            self.parent,
            self.nonce,
            cursor,
            self.echo,
            self.max_bytes,
            self.published.to_row(),
        ]
        payload = codec.encode([*head, self.frames, self.introduction])
        return pack_packet([payload, log, machine.sign(codec.pae(REQUEST_KIND, payload))])


def _sign_ask(ask: fetch.Ask, machine: keys.Signer, log: bytes) -> bytes:
    payload = codec.encode(ask.to_row())
    return pack_packet([payload, log, machine.sign(codec.pae(CHUNKS_KIND, payload))])


def _parse_request(data: bytes, limits: Limits) -> tuple[_Request | fetch.Ask, bytes, bytes, bytes]:
    match open_packet(data, limits):
        case [bytes(payload), bytes(log), bytes(signature)]:
            pass
        case _:
            raise FormatError("A request is malformed.")
    value = codec.decode(payload)
    ask = fetch.parse_ask(value)
    if ask is not None:
        return ask, log, codec.pae(CHUNKS_KIND, payload), signature
    match value:
        case [
            1,
            bytes(parent),
            bytes(nonce),
            cursor,
            bool(echo),
            int(max_bytes),
            [int(version), int(root), list(wanted), dict() | None as files],
            list(frames),
            list(intro),
        ] if all(isinstance(name, str) for name in wanted):
            published = _Published(version, root, tuple(wanted), check_files(files) if files else None)
            request = _Request(
                parent, nonce, _parse_cursor(cursor), echo, max_bytes, published, frames, intro
            )
            return request, log, codec.pae(REQUEST_KIND, payload), signature
    raise FormatError("A request is malformed.")


def _parse_cursor(value: object) -> Cursor | None:
    match value:
        case None:
            return None
        case [bytes(epoch), int(n), bytes(digest)] if n >= 0:
            return Cursor(epoch, n, digest)
    raise FormatError("A cursor is malformed.")


# ----------------------------------------------------------------------------------------------- the parent


class Responder:
    """The parent's side: answers requests from its store. Stateless between requests but for the store.

    Args:
        store: A store that serves.
        limits: What one exchange may cost.
    """

    def __init__(self, store: Store, limits: Limits = LIMITS) -> None:
        self.store = store
        self.limits = limits

    def respond(self, data: bytes) -> tuple[int, bytes]:
        """Answers one request.

        Returns:
            An HTTP status and a packet. 200 an answer or challenge; 400 malformed; 401 a challenge, because
            the nonce is not the last one; 403 not a machine of ours; 503 the store cannot take more now.
        """
        try:
            request, log, signed, signature = _parse_request(data, self.limits)
            if isinstance(request, fetch.Ask):
                return self._respond_ask(data, request, log, signed, signature)
            return self._respond(data, request, log, signed, signature)
        except FormatError as error:
            return 400, self._error("malformed", error)
        except NotAllowed as error:
            is_revoked = error.details.get("reason") == "revoked"
            return 403, self._error("revoked" if is_revoked else "not_allowed", error)
        except StoreError as error:
            return 503, self._error(error.code, error)

    def _error(self, code: str, error: OnestopError) -> bytes:
        return pack_packet([VERSION, "error", [code, error.what]])

    def _respond(
        self, data: bytes, request: _Request, log: bytes, signed: bytes, signature: bytes
    ) -> tuple[int, bytes]:
        self.store.refresh_trust()  # another process may have published: a key that was cut off, say
        node = self.store.machine_log
        if request.parent and request.parent != node[:_NODE_BYTES]:
            raise NotAllowed("The request is for another server.")
        # Nothing is stored, not even a nonce, for somebody who has not proven to be a machine of ours.
        key, unit = self._machine(log, request.introduction)
        if not keys.verify(key, signed, signature):
            raise NotAllowed("The request is not signed by the machine that it names.")
        if not request.parent:
            self.store.receive(request.introduction, log)
            return 401, self._challenge(node, request.nonce, log)
        taken = self._take(request, log)
        if taken is not None and request.published.files:
            with suppress(FormatError, SignatureInvalid):  # whatever a machine brings delays nothing
                self.store.take_files(request.published.files)
        if taken is None:
            return 401, self._challenge(node, b"", log)
        nonce, outcomes = taken
        parts = self._answer(request, log, unit, nonce, outcomes)
        return 200, _pack_answer(self.store.machine, data, log, parts)

    def _respond_ask(
        self, data: bytes, ask: fetch.Ask, log: bytes, signed: bytes, signature: bytes
    ) -> tuple[int, bytes]:
        """Answers on attachments, as `_respond` does on events; here nobody introduces himself."""
        store = self.store
        node = store.machine_log
        if ask.parent != node[:_NODE_BYTES]:
            raise NotAllowed("The request is for another server.")
        key, unit = self._machine(log, [])
        if not keys.verify(key, signed, signature):
            raise NotAllowed("The request is not signed by the machine that it names.")

        def work() -> fetch.Answer | None:
            with store.writing():
                nonce = exchange.rotate_nonce(store, log, ask.nonce)
                limit = self.limits.answer_bytes
                return fetch.respond(store, ask, unit, nonce, limit) if nonce is not None else None

        answer = store.retrying(work)
        if answer is None:
            return 401, self._challenge(node, b"", log)
        return 200, _pack_answer(store.machine, data, log, answer.to_row())

    def _take(self, request: _Request, log: bytes) -> tuple[bytes, list[Outcome]] | None:
        """Stores what a request brings, once for each nonce; ``None`` when the nonce is not the last one."""
        store = self.store
        proofs, events = store.prepare(request.introduction), store.prepare(request.frames)

        def work() -> tuple[bytes, list[Outcome]] | None:
            with store.writing():
                nonce = exchange.rotate_nonce(store, log, request.nonce)
                if nonce is None:
                    return None
                store.append(proofs, log)
                return nonce, store.append(events, log)[0]

        return store.retrying(work)

    def _machine(self, log: bytes, introduction: list[Any]) -> tuple[bytes, str]:
        """Returns the key and unit of the machine that asks; nothing is stored before that is known."""
        authority = self.store.authority(log)
        if not isinstance(authority, Authority):
            authority = exchange.introduced(self.store, introduction, log)
        if not isinstance(authority, Authority) or authority.certificate.kind != "machine":
            raise NotAllowed("This machine is not certified here.")
        unit = authority.certificate.unit
        if self.store.trust.document.is_cut_off(authority.key):
            raise NotAllowed("The key of this machine was cut off.", reason="revoked")
        if unit not in self.store.below:
            raise NotAllowed("This machine belongs to no unit of this server.")
        return authority.key, unit

    def _challenge(self, node: bytes, theirs: bytes, log: bytes) -> bytes:
        """Proves who we are, and gives the nonce for the next request."""
        nonce = self.store.retrying(lambda: exchange.rotate_nonce(self.store, log, None))
        proof = self.store.machine.sign(codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, log])))
        introduction = self.store.introduction(node) if theirs else []
        return pack_packet([VERSION, "challenge", [node, nonce, theirs, proof, introduction]])

    def _answer(
        self, request: _Request, log: bytes, unit: str, nonce: bytes, outcomes: list[Outcome]
    ) -> list[Any]:
        store = self.store
        bad = [[o.id, o.code, str(o.reason)] for o in outcomes if o.code and o.id]
        was_reset = request.cursor is not None and not exchange.is_cursor_good(store, unit, request.cursor)
        cursor = None if was_reset else request.cursor
        budget = min(max(request.max_bytes, 1), self.limits.answer_bytes)
        page = exchange.read_feed(store, unit, cursor, log, budget, echo=request.echo)
        offered = [event_id(frame) for frame in request.frames if _is_frame(frame)]
        logs = {item.log for item in page.items if item.log}
        acks = exchange.acknowledge(store, offered, logs, unit, everything=cursor is None)
        publication, asked = store.publication, request.published
        is_old = (asked.root, asked.version) < publication.rank
        return [
            nonce,
            list(page.cursor),
            page.has_more,
            list(request.cursor) if was_reset and request.cursor else None,
            acks,
            bad,
            [[item.kind, item.payload] for item in page.items],
            [*publication.rank, publication.newer_than(asked.root, asked.wanted) if is_old else None],
        ]


# ----------------------------------------------------------------------------------------------- the machine


class Requester:
    """The machine's side of one exchange with one parent.

    Ask `next_request` for bytes to send until it returns ``None``; give each answer to `take_answer`. After
    a failure of the transport, make a new one: everything that counted is in the store.

    Args:
        store: The machine's store.
        parent: Name under which the parent's state is kept, its address usually.
        limits: What one exchange may cost.
    """

    def __init__(self, store: Store, parent: str, limits: Limits = LIMITS) -> None:
        self.store = store
        self.parent = parent
        self.limits = limits
        self.report = SyncReport(parent)
        self._log = store.machine_log
        self._knows = exchange.load_parent(store, parent)
        self._asked = b""
        self._sent = b""
        # Whoever was challenged may share its keys with a copied disk: what "it" brought may be news to it.
        self._echo = self._knows.cursor is None or not self._knows.nonce
        self._is_done = False
        self._has_more = False
        self._refusals = 0
        self._offered: list[bytes] = []
        self._introduced: list[bytes] = []
        self._skip: frozenset[bytes] = frozenset()
        self._wanted: tuple[str, ...] = ()
        self._gives_back = self._gave_back = False
        self._fetcher = fetch.Fetcher(store)
        self._asks = 0
        self._is_asking = False

    def next_request(self) -> bytes | None:
        """Returns the next request, or ``None`` when both sides have what they may have."""
        knows = self._knows
        self._is_asking = self._is_done and bool(knows.nonce)
        if self._is_asking:
            limits = self.limits
            ask = self._fetcher.next_ask(knows.node, knows.nonce, limits.batch_bytes, limits.answer_bytes)
            if ask is None:
                return None
            data = self._sent = _sign_ask(ask, self.store.machine, self._log)
            self.report.bytes_up += len(data)
            return data
        if self._knows.node and self._knows.nonce:
            request = self._sync_request()
        else:
            self._asked = self.store.rng(exchange.NONCE_BYTES)
            request = _Request(
                b"",
                self._asked,
                None,
                echo=False,
                max_bytes=0,
                published=_Published(0, 0),
                frames=[],
                introduction=self.store.introduction(self._log),
            )
        data = self._sent = request.sign(self.store.machine, self._log)
        self.report.bytes_up += len(data)
        return data

    def _sync_request(self) -> _Request:
        store, knows = self.store, self._knows
        found = exchange.pending(
            store, knows.node, self.limits.batch_bytes, self.limits.batch_events, self._skip
        )
        self._has_more = found.has_more
        self._offered = [event for event, _ in found.events]
        self._introduced = found.new_logs
        introduction = [frame for log in found.new_logs for frame in store.introduction(log)]
        return _Request(
            knows.node[:_NODE_BYTES], knows.nonce, knows.cursor, self._echo, self.limits.answer_bytes,
            self._published(), [frame for _, frame in found.events], introduction,
        )  # fmt: skip

    def take_answer(self, status: int, data: bytes) -> None:
        """Takes the parent's answer; what it says is stored when this returns.

        Args:
            status: HTTP status, for messages only.
            data: The packet.

        Raises:
            UpstreamRefused: The parent said no.
            UpstreamMalformed: It is not an answer of this protocol, or not by whom it claims.
            StoreError: The disk or database refused; the exchange can be repeated.
        """
        self.report.round_trips += 1
        self.report.bytes_down += len(data)
        try:
            self._take(status, open_packet(data, self.limits))
        except (FormatError, SignatureInvalid) as error:
            raise UpstreamMalformed("The answer is not one of this protocol.", status=status) from error

    def _take(self, status: int, packet: object) -> None:
        match packet:
            case [
                1,
                "challenge",
                [bytes(node), bytes(nonce), bytes(theirs), bytes(proof), list(introduction)],
            ]:
                self._take_challenge(node, nonce, theirs, proof, introduction)
            case [1, "answer", bytes(head), bytes(rest), bytes(proof)]:
                signed = self._check_answer(head, rest, proof)
                if self._is_asking:
                    self._take_chunks(fetch.parse_answer([*_parts(head), *_parts(rest)]))
                else:
                    self._take_body([*_parts(head), *_parts(rest)], signed)
            case [1, "error", [str(code), str(what)]]:
                self._take_error(status, code, what)
            case _:
                raise FormatError("The answer is not one of this protocol.")

    def _check_answer(self, head: bytes, rest: bytes, proof: bytes) -> bytes:
        """Returns what is kept of an answer that the parent signed: its head, and what proves it."""
        node = self._knows.node
        authority = self.store.authority(node)
        kept = KeptAnswer(node, self._log, _hash(self._sent), _hash(rest), head, proof)
        if not isinstance(authority, Authority) or not keys.verify(authority.key, kept.signed, proof):
            raise SignatureInvalid("The answer is not the parent's answer to this request.")
        return kept.pack()

    def _take_body(self, body: object, signed: bytes) -> None:
        match body:
            case [bytes(nonce), list(cursor), bool(has_more), list() | None as lost, list(acks), list(bad),
                  list(items), [int(root), int(version), dict() | None as files]]:  # fmt: skip
                # All of it is read before any of it is taken.
                outcomes, was_reset = list(map(_outcome, bad)), _parse_cursor(lost) is not None
                answer = exchange.Answer(nonce, _cursor(cursor), acks, _pairs(items), was_reset, signed)
                self._take_publication(files)
                if any(is_tombstones(name.removeprefix(TARGET)) for name in self._wanted):
                    # What was erased comes without content: not before its tombstone is here. It comes again.
                    start, has_more = self._knows.cursor or _BEGINNING, True
                    answer = answer._replace(cursor=start, items=(), signed=b"")
                self._echo &= has_more or was_reset
                self._take_items(answer)
                self._count(outcomes, was_reset=was_reset)
                self._is_done = not (has_more or self._has_more or was_reset)
                theirs, ours = (root, version), self.store.publication.rank
                self._gives_back = theirs < ours and not self._gave_back
                self._is_done &= theirs <= ours and not self._gives_back
            case _:
                raise FormatError("The answer is not one of this protocol.")

    def _take_chunks(self, answer: fetch.Answer) -> None:
        """Takes a step of the attachments; what was written meanwhile goes before the next."""
        fetcher, knows = self._fetcher, self._knows
        fetcher.take(answer, knows.node, self.parent)
        self._knows = knows._replace(nonce=answer.nonce)
        self._refusals = 0
        self.report.chunks_up, self.report.chunks_down = fetcher.sent, fetcher.received
        self._asks += 1
        is_news = bool(exchange.pending(self.store, knows.node, 1, 1, self._skip).events)
        self._is_done = not (is_news or self._asks % _EVENTS_AFTER == 0)

    def _published(self) -> _Published:
        held = self.store.publication
        self._gave_back |= self._gives_back
        files = held.files if self._gives_back else None
        self._gives_back = False
        return _Published(held.version, held.root_version, self._wanted, files)

    def _take_publication(self, files: object) -> None:
        """Takes what is newer of the publication, or notes which files of it are still wanted."""
        if files is None:
            return
        asked, self._wanted = self._wanted, ()
        try:
            self.store.take_files(check_files(files))
        except Incomplete as error:
            if not set(error.names).isdisjoint(asked):
                raise  # it does not send what it names: asking again would never end
            self._wanted = error.names

    def _take_challenge(
        self, node: bytes, nonce: bytes, theirs: bytes, proof: bytes, introduction: list[object]
    ) -> None:
        """Takes the nonce of a challenge from the parent that is expected, or learns who the parent is."""
        self._refuse_again("nonce", "The parent does not take this machine's requests.")
        if theirs != self._asked or (not theirs and node != self._knows.node):
            self._knows = self._knows._replace(nonce=b"")  # an old answer, or another server: ask who it is
            return
        if theirs:
            self.store.receive(introduction)
        authority = self.store.authority(node)
        signed = codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, self._log]))
        if not isinstance(authority, Authority) or not keys.verify(authority.key, signed, proof):
            raise FormatError("The parent cannot prove that it belongs to this province.")
        certificate = authority.certificate
        document = self.store.trust.document
        is_cut = document.is_cut_off(authority.key, certificate.unit)
        if is_cut or not certificate.serves or not document.is_over(certificate.unit, self.store.unit):
            raise UpstreamRefused("That server is not a parent of this machine's unit.", code="not_parent")
        self._echo = True
        self._asked = b""
        self._knows = exchange.meet_parent(self.store, self.parent, node, nonce)

    def _take_items(self, answer: exchange.Answer) -> None:
        taken = exchange.take(self.store, self._knows, answer, self._introduced)
        self._knows = exchange.load_parent(self.store, self.parent)._replace(nonce=answer.nonce)
        self.report.received += taken.stored
        self.report.rejected += taken.rejected

    def _count(self, outcomes: list[Outcome], *, was_reset: bool) -> None:
        report = self.report
        not_stored = {o.id for o in outcomes if not o.is_stored}
        report.outcomes += outcomes
        report.was_rolled_back |= was_reset
        report.sent += len(self._offered)
        report.acked += sum(i not in not_stored for i in self._offered)
        # What the parent will not store is not offered again in this exchange: it holds up no other.
        self._skip |= not_stored.intersection(self._offered)
        self._offered = []
        self._refusals = 0

    def _take_error(self, status: int, code: str, what: str) -> None:
        is_final = status != HTTP_FORBIDDEN or not self._knows.nonce or code == "revoked"
        self._refuse_again(code, f"The parent refused: {what}", status=status, is_final=is_final)
        # It may have been rolled back, and know us no more: begin anew, with an introduction.
        self._knows = self._knows._replace(nonce=b"")

    def _refuse_again(self, code: str, what: str, *, status: int = 0, is_final: bool = False) -> None:
        self._refusals += 1
        if is_final or self._refusals > _MAX_REFUSALS:
            raise UpstreamRefused(what, code=code, status=status)


def _pack_answer(signer: keys.Signer, request: bytes, log: bytes, parts: Sequence[codec.Value]) -> bytes:
    """Returns the packet of an answer: what it says of the parent's own store first."""
    head, rest = codec.encode(list(parts[:_HEAD_PARTS])), codec.encode(list(parts[_HEAD_PARTS:]))
    proof = signer.sign(answer_bytes(_hash(request), log, _hash(rest), head))
    return pack_packet([VERSION, "answer", head, rest, proof])


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _parts(data: bytes) -> list[Any]:
    match codec.decode(data):
        case list(parts):
            return parts
    raise FormatError("The answer is not one of this protocol.")


def _cursor(value: object) -> Cursor:
    cursor = _parse_cursor(value)
    if cursor is None:
        raise FormatError("The answer is malformed.")
    return cursor


def _pairs(items: list[Any]) -> list[tuple[int, Any]]:
    pairs = [(i[0], i[1]) for i in items if isinstance(i, list) and len(i) == 2]  # noqa: PLR2004
    if len(pairs) != len(items):
        raise FormatError("The answer is malformed.")
    return pairs


def event_id(frame: list[Any]) -> bytes:
    """Returns the id of the event in a frame."""
    return hashlib.sha256(codec.pae(EVENT_KIND, frame[0])).digest()


def _is_frame(frame: object) -> bool:
    return isinstance(frame, list) and bool(frame) and isinstance(frame[0], bytes)


def _outcome(row: object) -> Outcome:
    match row:
        case [bytes(event), str(code), str(reason)]:
            return Outcome(event, code, reason)
    raise FormatError("A verdict of the parent is malformed.")

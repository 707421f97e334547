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

from onestop_sync import brief, codec, exchange, fetch, keys
from onestop_sync.answer import KeptAnswer, answer_bytes
from onestop_sync.compact import Block, Unknown, event_id
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    OnestopError,
    SignatureInvalid,
    StoreError,
    UpstreamMalformed,
    UpstreamRefused,
)
from onestop_sync.exchange import Cursor
from onestop_sync.publication import TARGET, Incomplete, check_files
from onestop_sync.storage import feed
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.feed import digest_at
from onestop_sync.storage.held import StoredEvents, machines_with
from onestop_sync.store import Store
from onestop_sync.tombstone import is_tombstones
from onestop_sync.trust import Authority, Certificate

__all__ = ["LIMITS", "Limits", "Requester", "Responder", "SyncReport", "open_packet", "pack_packet"]

REQUEST_KIND: Final = "onestop/sync/1"
CHUNKS_KIND: Final = "onestop/chunks/1"
CHALLENGE_KIND: Final = "onestop/challenge/1"
VERSION: Final = 1
_BRIEF: Final = {brief.MARK, brief.AGAIN, brief.SIGNED}
_NO_SECRET: Final = brief.Secret(b"", b"")
"""Of an answer that is signed and sealed: nothing in it is proven by a secret that both share."""
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
    logs: tuple[bytes, ...] = ()
    """Of which the machine wants to hear what is stored; only where requests are brief."""
    is_first: bool = False
    """It bears no nonce: it is sealed, and taken from a machine that never asked before."""

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
            the nonce is not the last one; 403 not a machine of ours; 409 ask in plain; 503 the store
            cannot take more now.
        """
        try:
            if data[:1] == brief.MARK:
                return self._respond_briefly(data)
            if data[:1] == brief.FIRST:
                return self._respond_first(data)
            request, log, signed, signature = _parse_request(data, self.limits)
            if isinstance(request, fetch.Ask):
                return self._respond_ask(data, request, log, signed, signature)
            return self._respond(data, request, log, signed, signature)
        except Unknown as error:
            return 409, self._error("plain", error)
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
            return 401, self._challenge(node, request.nonce, log, request.introduction)
        parts = self._accept(request, log, unit, brief.digest(data))
        if parts is None:
            return 401, self._challenge(node, b"", log)
        return 200, _pack_answer(self.store.machine, data, log, parts)

    def _accept(self, request: _Request, log: bytes, unit: str, digest: bytes) -> list[Any] | None:
        """Takes what a request of a proven machine brings, and returns what it is answered."""
        taken = self._take(request, log, digest)
        if taken is None:
            return None
        if request.published.files:
            with suppress(FormatError, SignatureInvalid):  # whatever a machine brings delays nothing
                self.store.take_files(request.published.files)
        return self._answer(request, log, unit, *taken)

    def _respond_briefly(self, data: bytes) -> tuple[int, bytes]:
        """Answers a request of which much was left out; nothing is stored before its proof was checked.

        Raises:
            Unknown: It cannot be put back, or its proof fails: whether it was forged, copied, or leans on
                what this store has not got, is told by the plain one.
        """
        self.store.refresh_trust()  # another process may have published: a key that was cut off, say
        with self.store.reading() as connection:
            asking = machines_with(connection, brief.log_prefix(data))
            if not asking:
                raise Unknown("Nobody here asked before whose log begins so.")
            opened = brief.open_request(data, self.limits.packet_bytes, StoredEvents(connection))
        for asker in asking:
            line = self._line(asker.log, asker.nonce, opened.n)
            if line is None:
                continue
            if opened.is_proven(line):
                return self._answer_briefly(data, opened, line)
            if asker.taken and opened.is_proven(line._replace(nonce=asker.before)):
                # It tells again what the lost answer told: a copy of the last request moves nothing.
                return 401, brief.Challenge(asker.nonce, asker.taken).write(line, data)
        raise Unknown("The request cannot be understood without what it leaves out.")

    def _answer_briefly(self, data: bytes, opened: brief.Opened, line: brief.Line) -> tuple[int, bytes]:
        asked = opened.request
        request = _Request(
            line.node[:_NODE_BYTES], line.nonce, line.cursor, asked.echo,
            asked.max_bytes or self.limits.answer_bytes, _Published(asked.version, asked.root),
            asked.frames, asked.introduction, asked.logs,
        )  # fmt: skip
        parts = self._accept(request, line.machine, line.unit, brief.digest(data))
        if parts is None:  # somebody was faster with a copy
            raise Unknown("The request was answered already.")
        return 200, self._brief_answer(data, opened, line, parts)

    def _respond_first(self, data: bytes) -> tuple[int, bytes]:
        """Answers the first request of a machine that sealed it to the servers that it knows.

        Raises:
            Unknown: It is sealed to others, or the machine asked here before: a copy is told nothing.
        """
        store, node = self.store, self.store.machine_log
        store.refresh_trust()
        first = brief.open_first(data, store.seal_seed, self.limits.packet_bytes)
        asked, log = first.opened.request, first.log
        key, unit = self._machine(log, asked.introduction)
        if not keys.verify(key, first.signed, first.signature):
            raise NotAllowed("The request is not signed by the machine that it names.")
        request = _Request(
            node[:_NODE_BYTES], b"", None, asked.echo, asked.max_bytes or self.limits.answer_bytes,
            _Published(asked.version, asked.root), asked.frames, asked.introduction, is_first=True,
        )  # fmt: skip
        parts = self._accept(request, log, unit, brief.digest(data))
        if parts is None:
            raise Unknown("The machine asked here before.")
        line = brief.Line(log, node, unit, b"", None, _NO_SECRET)
        answer = self._brief_answer(data, first.opened, line, parts)
        introduction = [frame for frame in store.introduction(node) if frame not in asked.introduction]
        packet = pack_packet([VERSION, "first", [node, introduction, answer]])
        return 200, brief.seal_answer(first.key, packet, store.rng)

    def _line(self, log: bytes, nonce: bytes, n: int | None) -> brief.Line | None:
        """Returns what this store knows of the line to a machine, as the machine should know it."""
        store, node = self.store, self.store.machine_log
        _, unit = self._machine(log, [])
        authority = store.authority(log)
        assert isinstance(authority, Authority)
        secret = brief.shared_secret(store.seal_seed, authority.certificate.seal, log, node)
        cursor = None
        if n is not None:
            with store.reading() as connection:
                digest = digest_at(connection, unit, n)
            cursor = Cursor(store.epoch, n, digest or b"")
        return brief.Line(log, node, unit, nonce, cursor, secret) if secret else None

    def _brief_answer(self, data: bytes, opened: brief.Opened, line: brief.Line, parts: list[Any]) -> bytes:
        nonce, cursor, has_more, lost, *rest = parts
        brought, asked = opened.block, opened.request
        if line.cursor is None:
            brought = _with_proofs(self.store, brought, line)
        said = brief.Answer(nonce, Cursor(*cursor), has_more, *rest)
        if lost is None:
            # More than a block holds: the store has taken it, so it is said in plain.
            with suppress(FormatError):
                what = brief.Asked(data, (asked.root, asked.version), brought)
                return said.write(line, what, self.store.machine)
        return _pack_answer(self.store.machine, data, line.machine, parts)

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
                nonce = exchange.rotate_nonce(store, log, ask.nonce, brief.digest(data))
                limit = self.limits.answer_bytes
                return fetch.respond(store, ask, unit, nonce, limit) if nonce is not None else None

        answer = store.retrying(work)
        if answer is None:
            return 401, self._challenge(node, b"", log)
        return 200, _pack_answer(store.machine, data, log, answer.to_row())

    def _take(self, request: _Request, log: bytes, digest: bytes) -> tuple[bytes, list[Outcome]] | None:
        """Stores what a request brings, once for each nonce; ``None`` when the nonce is not the last one."""
        store = self.store
        proofs, events = store.prepare(request.introduction), store.prepare(request.frames)

        def work() -> tuple[bytes, list[Outcome]] | None:
            with store.writing():
                nonce = exchange.rotate_nonce(store, log, request.nonce, digest, is_first=request.is_first)
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

    def _challenge(self, node: bytes, theirs: bytes, log: bytes, known: Sequence[Any] = ()) -> bytes:
        """Proves who we are, without frames that are ``known``, and gives the nonce for the next request."""
        nonce = self.store.retrying(lambda: exchange.rotate_nonce(self.store, log, None))
        proof = self.store.machine.sign(codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, log])))
        proofs = self.store.introduction(node) if theirs else []
        introduction = [frame for frame in proofs if frame not in known]
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
        offered = [event_id(frame[0]) for frame in request.frames if _is_frame(frame)]
        logs = {item.log for item in page.items if item.log}.union(request.logs)
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
        is_brief: Leave out of requests what the parent has (`brief`), as long as it understands them.
    """

    def __init__(self, store: Store, parent: str, limits: Limits = LIMITS, *, is_brief: bool = False) -> None:
        self.store = store
        self.parent = parent
        self.is_brief = is_brief
        self.limits = limits
        self.report = SyncReport(parent)
        self._log = store.machine_log
        self._knows = exchange.load_parent(store, parent)
        self._asked = b""
        self._sent = b""
        self._line: brief.Line | None = None
        self._brought = Block([], [], [])
        self._had = (0, 0)
        self._shown: frozenset[bytes] = frozenset()
        self._is_cut = False
        self._readers = _servers_above(store) if is_brief and not self._knows.node else []
        self._key = b""
        self._lost = b""
        self._unsure: tuple[bytes, ...] = ()
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
        if self._is_cut and self._line is None:
            self._is_cut = False
            return self._sent  # a plain request is sent again as it was
        self._line = None
        self._is_asking = self._is_done and bool(knows.nonce)
        if self._is_asking:
            limits = self.limits
            ask = self._fetcher.next_ask(knows.node, knows.nonce, limits.batch_bytes, limits.answer_bytes)
            if ask is None:
                return None
            data = self._sent = _sign_ask(ask, self.store.machine, self._log)
            self.report.bytes_up += len(data)
            return data
        self._key = b""
        if self._knows.node and self._knows.nonce:
            request = self._sync_request()
        elif self._readers:
            data = self._sent = self._first_request()
            self.report.bytes_up += len(data)
            return data
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
        data = self._sent = self._written(request)
        self.report.bytes_up += len(data)
        return data

    @property
    def has_more(self) -> bool:
        """Whether the last request and its answer did not hold all that there was."""
        return not self._is_done

    def was_cut(self) -> None:
        """Says that the last request was not answered, and may or may not have arrived.

        What it brought is not sent again at once: the next request asks for what is stored.
        """
        self._is_cut = True
        if self._line is not None:
            self._lost = brief.digest(self._sent)
            self._unsure = tuple(log for log, _, _ in self._brought.ends) or self._unsure

    def _written(self, request: _Request) -> bytes:
        """Returns the packet: brief, where both sides can put back what is left out."""
        line = self._common_line() if self.is_brief and request.parent else None
        published = request.published
        if line is None or published.wanted or published.files:
            return request.sign(self.store.machine, self._log)
        budget = request.max_bytes if request.max_bytes != LIMITS.answer_bytes else 0
        asked = brief.Request(
            request.echo, budget, published.version, published.root, request.introduction, request.frames,
            request.logs,
        )  # fmt: skip
        with self.store.reading() as connection:
            data, block = asked.write(line, StoredEvents(connection, line.node))
        self._line, self._brought, self._had = line, block, (published.root, published.version)
        return data

    def _first_request(self) -> bytes:
        """Returns a request that brings everything at once, sealed to the servers that may be there."""
        store = self.store
        request = self._sync_request()
        published = request.published
        shown = [*store.introduction(self._log), *request.introduction]
        proofs = [frame for n, frame in enumerate(shown) if frame not in shown[:n]]
        asked = brief.Request(request.echo, 0, published.version, published.root, proofs, request.frames)
        data, self._key, self._brought = brief.write_first(
            asked, self._log, store.machine, self._readers, store.rng
        )
        self._had = (published.root, published.version)
        return data

    def _common_line(self) -> brief.Line | None:
        store, knows = self.store, self._knows
        authority = store.authority(knows.node)
        seal = authority.certificate.seal if isinstance(authority, Authority) else b""
        secret = brief.shared_secret(store.seal_seed, seal, self._log, knows.node)
        if secret is None:
            return None
        return brief.Line(self._log, knows.node, store.unit, knows.nonce, knows.cursor, secret)

    def _sync_request(self) -> _Request:
        store, knows = self.store, self._knows
        if self._is_cut and self.is_brief and knows.cursor is not None:
            return self._question()
        found = exchange.pending(
            store, knows.node, self.limits.batch_bytes, self.limits.batch_events, self._skip
        )
        self._has_more = found.has_more
        self._offered = [event for event, _ in found.events]
        self._introduced = found.new_logs
        proofs = [frame for log in found.new_logs for frame in store.introduction(log)]
        # What the first contact brought is stored there already.
        introduction = [frame for frame in proofs if event_id(frame[0]) not in self._shown]
        return _Request(
            knows.node[:_NODE_BYTES], knows.nonce, knows.cursor, self._echo, self.limits.answer_bytes,
            self._published(), [frame for _, frame in found.events], introduction,
        )  # fmt: skip

    def _question(self) -> _Request:
        """Returns a request that brings nothing, after one of which nobody knows whether it arrived."""
        knows = self._knows
        self._has_more, self._offered, self._introduced = True, [], []
        return _Request(
            knows.node[:_NODE_BYTES], knows.nonce, knows.cursor, self._echo, self.limits.answer_bytes,
            self._published(), [], [], self._unsure,
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
            if data[:1] == brief.FIRST and self._key:
                self._take_first(status, brief.open_first_answer(self._key, data))
            elif data[:1] in _BRIEF:
                self._take_brief(data)
            else:
                self._take(status, open_packet(data, self.limits))
        except (FormatError, SignatureInvalid) as error:
            if self._line is not None and data[:1] in _BRIEF:
                # Changed on the way, or the two do not believe the same: nothing moved, and plain words help.
                self._refuse_again("plain", "The parent's answers cannot be read.")
                self.is_brief = False
                return
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

    def _take_first(self, status: int, data: bytes) -> None:
        """Takes the answer to the first request, and learns by it who the parent is."""
        match open_packet(data, self.limits):
            case [1, "first", [bytes(node), list(introduction), bytes(answer)]]:
                pass
            case _:
                raise FormatError("The answer is not one of this protocol.")
        store = self.store
        store.receive(introduction)
        certificate = self._certified(node).certificate
        if certificate.seal not in self._readers:
            raise FormatError("The answer is by another server than the request was sealed to.")
        self._knows = exchange.meet_parent(store, self.parent, node, b"")
        if answer[:1] != brief.SIGNED:
            self._take(status, open_packet(answer, self.limits))
            return
        self._line = brief.Line(self._log, node, store.unit, b"", None, _NO_SECRET)
        self._take_brief(answer)

    def _certified(self, node: bytes) -> Authority:
        """Returns by which authority a parent speaks.

        Raises:
            FormatError: By none that is known here.
            UpstreamRefused: It is no parent of this machine's unit.
        """
        authority = self.store.authority(node)
        if not isinstance(authority, Authority):
            raise FormatError("The parent cannot prove that it belongs to this province.")
        if not _is_parent(self.store, authority.certificate):
            raise UpstreamRefused("That server is not a parent of this machine's unit.", code="not_parent")
        return authority

    def _take_brief(self, data: bytes) -> None:
        line = self._line
        authority = self.store.authority(self._knows.node)
        if line is None or not isinstance(authority, Authority):
            raise FormatError("The answer leaves out what was not left out of the request.")
        if data[:1] == brief.AGAIN:
            self._take_again(brief.read_challenge(data, line, self._sent))
            return
        brought = self._brought
        if line.cursor is None:
            brought = _with_proofs(self.store, brought, line)
        asked = brief.Asked(self._sent, self._had, brought)
        found = brief.read_answer(data, self.limits.packet_bytes, line, asked, authority.key)
        body = [
            found.nonce, list(found.cursor), found.has_more, None, found.acks, found.verdicts,
            found.items, found.published,
        ]  # fmt: skip
        # Without a signature the cursor is where the last signed answer put it.
        self._take_body(body, found.signed or self._knows.answer)

    def _take_again(self, found: brief.Challenge) -> None:
        """Takes the nonce of a challenge from a parent that took a request under the last one."""
        self._refuse_again("nonce", "The parent does not take this machine's requests.")
        # If it was our own, nobody else has brought anything under our name.
        self._echo |= found.taken not in {self._lost, brief.digest(self._sent)}
        self._knows = exchange.meet_parent(self.store, self.parent, self._knows.node, found.nonce)

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
            self._shown = frozenset(event_id(frame[0]) for frame in self.store.introduction(self._log))
        authority = self.store.authority(node)
        signed = codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, self._log]))
        if not isinstance(authority, Authority) or not keys.verify(authority.key, signed, proof):
            raise FormatError("The parent cannot prove that it belongs to this province.")
        self._certified(node)
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
        self._is_cut, self._unsure = False, ()
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
        if self._key and code in {"plain", "malformed"}:
            self._readers = []  # another server, an older one, or one that was asked before: say who asks
            return
        if self._line is not None and code in {"plain", "malformed"}:
            self.is_brief = False  # an older parent, or one that has something else than was believed
            return
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


def _is_parent(store: Store, certificate: Certificate) -> bool:
    """Tells whether a machine may be a parent of this one."""
    document = store.trust.document
    if document.is_cut_off(certificate.key, certificate.unit) or not certificate.serves:
        return False
    return document.is_over(certificate.unit, store.unit)


def _servers_above(store: Store) -> list[bytes]:
    """Returns the X25519 keys of the servers that may be a parent; none when they are too many to seal to."""
    found: set[bytes] = set()
    for _, certificate in store.trust.certificates():
        if certificate.serves and certificate.key != store.machine.public:
            best = store.trust.best_certificate(certificate.key)
            if best and best[1].seal and _is_parent(store, best[1]):
                found.add(best[1].seal)
    return sorted(found) if len(found) <= brief.MOST_READERS else []


def _with_proofs(store: Store, brought: Block, line: brief.Line) -> Block:
    """Returns what a request brought with what the two have shown each other at first contact."""
    return brought.with_frames([*store.introduction(line.machine), *store.introduction(line.node)])


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


def _is_frame(frame: object) -> bool:
    return isinstance(frame, list) and bool(frame) and isinstance(frame[0], bytes)


def _outcome(row: object) -> Outcome:
    match row:
        case [bytes(event), str(code), str(reason)]:
            return Outcome(event, code, reason)
    raise FormatError("A verdict of the parent is malformed.")

"""The machine's side of one exchange with one parent."""

from __future__ import annotations

from typing import Any, Final

from onestop_sync import brief, codec, exchange, fetch, keys, past, present
from onestop_sync.answer import KeptAnswer
from onestop_sync.compact import Block, event_id
from onestop_sync.errors import (
    FormatError,
    SignatureInvalid,
    UpstreamMalformed,
    UpstreamRefused,
)
from onestop_sync.exchange import Cursor
from onestop_sync.protocol.above import is_parent, parent_authority, servers_above
from onestop_sync.protocol.body import parts, read_body
from onestop_sync.protocol.news import News
from onestop_sync.protocol.packets import (
    CHALLENGE_KIND,
    LIMITS,
    NO_SECRET,
    NODE_BYTES,
    PUBLISHED_PURPOSE,
    Ask,
    Limits,
    Request,
    SyncReport,
    open_packet,
    sha256,
    sign_ask,
    with_proofs,
)
from onestop_sync.storage import feed
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.held import StoredEvents
from onestop_sync.store import Store
from onestop_sync.trust import Authority

_BRIEF: Final = {brief.MARK, brief.AGAIN, brief.SIGNED}
HTTP_FORBIDDEN: Final = 403
_MAX_REFUSALS: Final = 3
_BEGINNING: Final = Cursor(b"", 0, feed.START)
_EVENTS_AFTER: Final = 4
"""Steps of attachments after which the events come first again."""


class Requester:
    """The machine's side of one exchange with one parent.

    Ask `next_request` for bytes to send until it returns ``None``; give each answer to `take_answer`. After
    a failure of the transport, make a new one: everything that counted is in the store.

    Args:
        store: The machine's store.
        parent: Name under which the parent's state is kept, its address usually.
        limits: What one exchange may cost.
        is_brief: Leave out of requests what the parent has (`brief`), as long as it understands them.
        is_wary: Ask who is there before anything is told, also where somebody was met before: the address
            is from an announcement, which anybody can make.
    """

    def __init__(
        self,
        store: Store,
        parent: str,
        limits: Limits = LIMITS,
        *,
        is_brief: bool = False,
        is_wary: bool = False,
    ) -> None:
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
        self._readers = servers_above(store) if is_brief and not self._knows.node else []
        self._key = b""
        self._lost = b""
        self._unsure: tuple[bytes, ...] = ()
        # Whoever was challenged may share its keys with a copied disk: what "it" brought may be news to it.
        self._echo = self._knows.cursor is None or not self._knows.nonce
        if is_wary:
            self._knows = self._knows._replace(nonce=b"")
        self._is_done = False
        self._has_more = False
        self._refusals = 0
        self._offered: list[bytes] = []
        self._introduced: list[bytes] = []
        self._skip: frozenset[bytes] = frozenset()
        self._news = News(store)
        self._fetcher = fetch.Fetcher(store)
        self._start = present.load(store, parent)
        self._past: list[past.Mirrorer | past.Historian] = [
            past.Mirrorer(store, parent),
            past.Historian(store),
        ]
        self._asking: past.Mirrorer | past.Historian | fetch.Fetcher | None = None
        self._asks = 0

    def next_request(self) -> bytes | None:
        """Returns the next request, or ``None`` when both sides have what they may have."""
        knows = self._knows
        if self._is_cut and self._line is None:
            self._is_cut = False
            return self._sent  # a plain request is sent again as it was
        self._line = None
        if self._is_done and knows.nonce:
            return self._next_ask()
        self._asking = None
        self._key = b""
        if self._knows.node and self._knows.nonce:
            request = self._sync_request()
        elif self._readers:
            data = self._sent = self._first_request()
            self.report.bytes_up += len(data)
            return data
        else:
            self._asked = self.store.rng(exchange.NONCE_BYTES)
            request = Request(
                b"",
                self._asked,
                None,
                echo=False,
                max_bytes=0,
                published=self._news.asked(),
                frames=[],
                introduction=self.store.introduction(self._log),
            )
        data = self._sent = self._written(request)
        self.report.bytes_up += len(data)
        return data

    def _next_ask(self) -> bytes | None:
        """Returns a request for what is behind a snapshot, or for attachments: the events are through."""
        node, nonce, limits = self._knows.node, self._knows.nonce, self.limits
        ask: Ask | None = None
        for each in self._past:
            ask, self._asking = each.next_ask(node, nonce, limits.answer_bytes), each
            if ask is not None:
                break
        if ask is None:
            self._asking = self._fetcher
            ask = self._fetcher.next_ask(node, nonce, limits.batch_bytes, limits.answer_bytes)
        if ask is None:
            return None
        data = self._sent = sign_ask(ask, self.store.machine, self._log)
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
        self._refusals = 0  # whatever the parent says next is the line's doing, however often it happens
        if self._line is not None:
            self._lost = brief.digest(self._sent)
            self._unsure = tuple(log for log, _, _ in self._brought.ends) or self._unsure

    def _written(self, request: Request) -> bytes:
        """Returns the packet: brief, where both sides can put back what is left out."""
        is_brief = self.is_brief and request.start is None
        line = self._common_line() if is_brief and request.parent else None
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
        budget = 0 if self._start is None else request.max_bytes
        asked = brief.Request(request.echo, budget, published.version, published.root, proofs, request.frames)
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

    def _sync_request(self) -> Request:
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
        most = self.limits.answer_bytes
        if knows.cursor is None:
            self._start = present.begin(store, self.parent)
            most = most if self._start is None else min(most, present.TASTE)
        return Request(
            knows.node[:NODE_BYTES], knows.nonce, knows.cursor, self._echo, most,
            self._news.offered(), [frame for _, frame in found.events], introduction,
            start=self._start if knows.cursor is not None else None,
        )  # fmt: skip

    def _question(self) -> Request:
        """Returns a request that brings nothing, after one of which nobody knows whether it arrived."""
        knows = self._knows
        self._has_more, self._offered, self._introduced = True, [], []
        return Request(
            knows.node[:NODE_BYTES], knows.nonce, knows.cursor, self._echo, self.limits.answer_bytes,
            self._news.offered(), [], [], self._unsure,
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
                if isinstance(self._asking, fetch.Fetcher):
                    self._take_chunks(fetch.parse_answer([*parts(head), *parts(rest)]))
                elif self._asking is not None:
                    self._take_past(self._asking, [*parts(head), *parts(rest)])
                else:
                    self._take_body([*parts(head), *parts(rest)], signed)
            case [1, "published", bytes(sealed)] if self._news.is_behind:
                self._take_news(sealed)
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
        certificate = parent_authority(store, node).certificate
        if certificate.seal not in self._readers:
            raise FormatError("The answer is by another server than the request was sealed to.")
        self._knows = exchange.meet_parent(store, self.parent, node, b"")
        if answer[:1] != brief.SIGNED:
            self._take(status, open_packet(answer, self.limits))
            return
        self._line = brief.Line(self._log, node, store.unit, b"", None, NO_SECRET)
        self._take_brief(answer)

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
            brought = with_proofs(self.store, brought, line)
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
        kept = KeptAnswer(node, self._log, sha256(self._sent), sha256(rest), head, proof)
        if not isinstance(authority, Authority) or not keys.verify(authority.key, kept.signed, proof):
            raise SignatureInvalid("The answer is not the parent's answer to this request.")
        return kept.pack()

    def _take_body(self, data: object, signed: bytes) -> None:
        body = read_body(data)
        cursor, items, has_more = body.cursor, body.items, body.has_more
        self._news.take(body.files)
        if self._news.lacks_tombstones:
            # What was erased comes without content: not before its tombstone is here. It comes again.
            cursor, items, has_more, signed = self._knows.cursor or _BEGINNING, [], True, b""
        self._echo &= has_more or body.was_reset
        answer = exchange.Answer(body.nonce, cursor, body.acks, items, body.was_reset, signed)
        self._take_items(answer, has_more=has_more)
        self._count(body.outcomes, was_reset=body.was_reset)
        self._is_done = not (has_more or self._has_more or body.was_reset)
        self._is_done &= self._news.is_level(body.root_version, body.version)

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

    def _take_past(self, asker: past.Mirrorer | past.Historian, found: list[Any]) -> None:
        """Takes a step of what is behind a snapshot."""
        match found:
            case [bytes(nonce), *rest]:
                pass
            case _:
                raise FormatError("The answer is not one of this protocol.")
        asker.take(rest)
        self._knows = exchange.meet_parent(self.store, self.parent, self._knows.node, nonce)
        self._refusals = 0
        if isinstance(asker, past.Historian):
            self.report.histories = asker.received

    def _catches_up(self) -> bool:
        """Decides to ask for what is published, once: we may only not have heard of a new tree."""
        if not self._news.catch_up():
            return False
        self._refusals = 0
        self._readers = []
        self._knows = self._knows._replace(nonce=b"")
        return True

    def _take_news(self, sealed: bytes) -> None:
        """Takes what is published from whoever answers: it proves itself, and tells who the parent may be."""
        self._refuse_again("behind", "The parent does not send all of what it publishes.")
        files = keys.open_sealed(self.store.seal_seed, sealed, PUBLISHED_PURPOSE)
        self._news.take_sealed(open_packet(files, self.limits))
        self._refusals *= self._news.is_behind

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
        if not isinstance(authority, Authority) and self._catches_up():
            return
        if not isinstance(authority, Authority) or not keys.verify(authority.key, signed, proof):
            raise FormatError("The parent cannot prove that it belongs to this province.")
        if not is_parent(self.store, authority.certificate) and self._catches_up():
            return
        parent_authority(self.store, node)
        self._news.caught_up()
        self._echo = True
        self._asked = b""
        self._knows = exchange.meet_parent(self.store, self.parent, node, nonce)

    def _take_items(self, answer: exchange.Answer, *, has_more: bool) -> None:
        store, is_begun = self.store, self._start is not None and self._knows.cursor is not None
        if is_begun:
            answer = answer._replace(is_in_turn=False)
            is_good = present.take(store, self.parent, answer.items)
        taken = exchange.take(store, self._knows, answer, self._introduced)
        if is_begun:
            present.note_sent(store, self._knows.node, answer.items)
        if self._start is not None:
            self._go_on(is_through=not has_more or (is_begun and not is_good), was_reset=answer.was_reset)
        self._knows = exchange.load_parent(self.store, self.parent)._replace(nonce=answer.nonce)
        self.report.received += taken.stored
        self.report.rejected += taken.rejected

    def _go_on(self, *, is_through: bool, was_reset: bool) -> None:
        """Goes on beginning from snapshots: with those that are here now, or as every other machine."""
        if is_through and not was_reset:
            present.finish(self.store, self.parent)
        self._start = (
            present.begin(self.store, self.parent) if was_reset else present.load(self.store, self.parent)
        )

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
        if code == "malformed" and self._is_misunderstood():
            return
        if code == "not_allowed" and not self._knows.nonce and self._catches_up():
            return
        is_final = status != HTTP_FORBIDDEN or not self._knows.nonce or code == "revoked"
        self._refuse_again(code, f"The parent refused: {what}", status=status, is_final=is_final)
        # It may have been rolled back, and know us no more: begin anew, with an introduction.
        self._knows = self._knows._replace(nonce=b"")

    def _is_misunderstood(self) -> bool:
        """Tells whether the parent is older than what it was asked for, and does without that."""
        if isinstance(self._asking, past.Mirrorer | past.Historian):
            self._asking.give_up()
        elif self._asking is None and self._start is not None and self._knows.cursor is not None:
            present.finish(self.store, self.parent)
            self._start = None
        else:
            return False
        return True

    def _refuse_again(self, code: str, what: str, *, status: int = 0, is_final: bool = False) -> None:
        self._refusals += 1
        if is_final or self._refusals > _MAX_REFUSALS:
            raise UpstreamRefused(what, code=code, status=status)

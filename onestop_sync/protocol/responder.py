"""The parent's side: answers requests from its store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from onestop_sync import brief, codec, exchange, keys, present
from onestop_sync.compact import Unknown, event_id
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    OnestopError,
    SignatureInvalid,
    StoreError,
)
from onestop_sync.exchange import Cursor
from onestop_sync.protocol.packets import (
    CHALLENGE_KIND,
    LIMITS,
    NO_SECRET,
    NODE_BYTES,
    PUBLISHED_PURPOSE,
    VERSION,
    Ask,
    Limits,
    Published,
    Request,
    pack_answer,
    pack_packet,
    parse_request,
    with_proofs,
)
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.feed import digest_at
from onestop_sync.storage.held import StoredEvents, machines_with
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate


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
            request, log, signed, signature = parse_request(data, self.limits)
            if not isinstance(request, Request):
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
        self, data: bytes, request: Request, log: bytes, signed: bytes, signature: bytes
    ) -> tuple[int, bytes]:
        self.store.refresh_trust()  # another process may have published: a key that was cut off, say
        node = self.store.machine_log
        if request.parent and request.parent != node[:NODE_BYTES]:
            raise NotAllowed("The request is for another server.")
        # Nothing is stored, not even a nonce, for somebody who has not proven to be a machine of ours.
        authority = self._certified(log, request.introduction)
        if not keys.verify(authority.key, signed, signature):
            raise NotAllowed("The request is not signed by the machine that it names.")
        if not request.parent and (news := self._newer(request.published, authority.certificate)):
            return 200, news
        unit = self._unit(authority)
        if not request.parent:
            self.store.receive(request.introduction, log)
            return 401, self._challenge(node, request.nonce, log, request.introduction)
        parts = self._accept(request, log, unit, brief.digest(data))
        if parts is None:
            return 401, self._challenge(node, b"", log)
        return 200, pack_answer(self.store.machine, data, log, parts)

    def _accept(self, request: Request, log: bytes, unit: str, digest: bytes) -> list[Any] | None:
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
        request = Request(
            line.node[:NODE_BYTES], line.nonce, line.cursor, asked.echo,
            asked.max_bytes or self.limits.answer_bytes, Published(asked.version, asked.root),
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
        request = Request(
            node[:NODE_BYTES], b"", None, asked.echo, asked.max_bytes or self.limits.answer_bytes,
            Published(asked.version, asked.root), asked.frames, asked.introduction, is_first=True,
        )  # fmt: skip
        parts = self._accept(request, log, unit, brief.digest(data))
        if parts is None:
            raise Unknown("The machine asked here before.")
        line = brief.Line(log, node, unit, b"", None, NO_SECRET)
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
            brought = with_proofs(self.store, brought, line)
        said = brief.Answer(nonce, Cursor(*cursor), has_more, *rest)
        if lost is None:
            # More than a block holds: the store has taken it, so it is said in plain.
            with suppress(FormatError):
                what = brief.Asked(data, (asked.root, asked.version), brought)
                return said.write(line, what, self.store.machine)
        return pack_answer(self.store.machine, data, line.machine, parts)

    def _respond_ask(
        self, data: bytes, ask: Ask, log: bytes, signed: bytes, signature: bytes
    ) -> tuple[int, bytes]:
        """Answers a request for something else than events; here nobody introduces himself."""
        store = self.store
        node = store.machine_log
        if ask.parent != node[:NODE_BYTES]:
            raise NotAllowed("The request is for another server.")
        key, unit = self._machine(log, [])
        if not keys.verify(key, signed, signature):
            raise NotAllowed("The request is not signed by the machine that it names.")

        def work() -> list[codec.Value] | None:
            with store.writing():
                nonce = exchange.rotate_nonce(store, log, ask.nonce, brief.digest(data))
                limit = self.limits.answer_bytes
                return ask.respond(store, unit, nonce, limit) if nonce is not None else None

        answer = store.retrying(work)
        if answer is None:
            return 401, self._challenge(node, b"", log)
        return 200, pack_answer(store.machine, data, log, answer)

    def _take(self, request: Request, log: bytes, digest: bytes) -> tuple[bytes, list[Outcome]] | None:
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
        authority = self._certified(log, introduction)
        return authority.key, self._unit(authority)

    def _certified(self, log: bytes, introduction: list[Any]) -> Authority:
        """Returns by which authority a machine of this province asks."""
        authority = self.store.authority(log)
        if not isinstance(authority, Authority):
            authority = exchange.introduced(self.store, introduction, log)
        if not isinstance(authority, Authority) or authority.certificate.kind != "machine":
            raise NotAllowed("This machine is not certified here.")
        if self.store.trust.document.is_cut_off(authority.key):
            raise NotAllowed("The key of this machine was cut off.", reason="revoked")
        return authority

    def _unit(self, authority: Authority) -> str:
        """Returns for which of our units a machine asks."""
        unit = authority.certificate.unit
        if unit not in self.store.below:
            raise NotAllowed("This machine belongs to no unit of this server.")
        return unit

    def _newer(self, asked: Published, machine: Certificate) -> bytes | None:
        """Returns what is published for a machine that says it has something older; ``None`` when it has not.

        It need not be of one of our units: as long as it has not heard of the new tree, neither side may know
        that it is. It is sealed to the key that its certificate names: a copy of its request opens nothing.
        """
        held = self.store.publication
        if asked.root < 1 or (asked.root, asked.version) >= held.rank or not machine.seal:
            return None
        files = pack_packet(dict(held.newer_than(asked.root, asked.wanted)))
        return pack_packet([VERSION, "published", keys.seal_to(machine.seal, files, PUBLISHED_PURPOSE)])

    def _challenge(self, node: bytes, theirs: bytes, log: bytes, known: Sequence[Any] = ()) -> bytes:
        """Proves who we are, without frames that are ``known``, and gives the nonce for the next request."""
        nonce = self.store.retrying(lambda: exchange.rotate_nonce(self.store, log, None))
        proof = self.store.machine.sign(codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, log])))
        proofs = self.store.introduction(node) if theirs else []
        introduction = [frame for frame in proofs if frame not in known]
        return pack_packet([VERSION, "challenge", [node, nonce, theirs, proof, introduction]])

    def _answer(
        self, request: Request, log: bytes, unit: str, nonce: bytes, outcomes: list[Outcome]
    ) -> list[Any]:
        store = self.store
        bad = [[o.id, o.code, str(o.reason)] for o in outcomes if o.code and o.id]
        was_reset = request.cursor is not None and not exchange.is_cursor_good(store, unit, request.cursor)
        cursor = None if was_reset else request.cursor
        budget = min(max(request.max_bytes, 1), self.limits.answer_bytes)
        page = self._page(request, log, unit, cursor, budget)
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

    def _page(
        self, request: Request, log: bytes, unit: str, cursor: exchange.Cursor | None, budget: int
    ) -> exchange.FeedPage:
        """Returns what a machine gets of its feed: all of it in order, or what a new one begins with."""
        if request.start is None:
            return exchange.read_feed(self.store, unit, cursor, log, budget, echo=request.echo)
        return present.read_page(self.store, unit, cursor, request.start, (log, budget, request.echo))


def _is_frame(frame: object) -> bool:
    return isinstance(frame, list) and bool(frame) and isinstance(frame[0], bytes)

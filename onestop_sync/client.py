"""Sync with a parent over HTTP: httpx and tenacity around `protocol.Requester`.

    sync(store, [Parent("http://192.168.1.5:8420"), Parent("https://huyen.example.vn", ca=path)])

Parents are tried in order (the hub first, then the district) until one answers. What was sent and not
answered is sent again: the protocol's requests can be repeated. A caller that syncs often keeps its `Lines`,
and with them one open connection to each parent.

The library is imported without httpx and tenacity; both are loaded by the first sync.
"""

from __future__ import annotations

import random
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import urlsplit

from onestop_sync import exchange
from onestop_sync.errors import InvalidInput, Unreachable, UpstreamError, UpstreamMalformed
from onestop_sync.pace import Pace
from onestop_sync.protocol import LIMITS, Limits, Requester, SyncReport
from onestop_sync.proxies import DIRECT, proxy_for
from onestop_sync.store import Store

if TYPE_CHECKING:
    import httpx
    import tenacity

__all__ = [
    "CONTENT_TYPE",
    "SYNC_PATH",
    "Circuit",
    "Lines",
    "Parent",
    "Patience",
    "WireReport",
    "is_reachable",
    "post",
    "sync",
]

SYNC_PATH: Final = "/v1/sync"
CONTENT_TYPE: Final = "application/cbor"
_PASSING: Final = frozenset({429, 502, 503, 504})
"""Statuses of a server, or of a proxy before it, that may be better in a moment."""

_UNTYPED: Final = 415
_FIRST: Final = {b"\x00", b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"}
"""First bytes of packets: how an answer that names no type is told from somebody else's."""


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a parent is reached.

    Attributes:
        url: ``http://`` or ``https://``, host, and a port and path where needed.
        ca: PEM file of the authority that signed the server's TLS certificate; the system's when ``None``.
        proxy: URL of a proxy; empty for the computer's own, "none" for none (`proxies`).
        found: Of one that nobody configured, but that announced itself (`nearby`): the name under which the
            store keeps what it knows of it. It is asked who it is each time before it is told anything.
    """

    url: str
    ca: Path | None = None
    proxy: str = ""
    found: str = ""

    def __post_init__(self) -> None:
        _check_url(self.url)
        if self.proxy and self.proxy != DIRECT:
            _check_url(self.proxy)

    @property
    def name(self) -> str:
        """Under which the store keeps what it knows of this parent."""
        return self.found or self.url.rstrip("/")

    @property
    def through(self) -> str:
        """URL of the proxy that stands before it; empty for none."""
        return proxy_for(self.url, self.proxy)

    @property
    def endpoint(self) -> str:
        """Where requests go."""
        return self.url.rstrip("/") + SYNC_PATH


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or any(c.isspace() for c in url):
        raise InvalidInput(f"{url[:100]!r} is not an address such as https://may-chu.example.vn:8420.")


class Patience(NamedTuple):
    """How long to wait, and how often to try again, on a line that may be thin.

    Attributes:
        tries: How often one request is sent before the parent counts as unreachable.
        first_s: Longest pause before the second try, seconds; it doubles from there. Each is drawn at random
            below its bound, so that a hundred machines do not come back at once.
        most_s: Longest pause of all.
        connect_s: To wait for a connection.
        answer_s: To wait for the next bytes of an answer, on a line of which nothing is known yet.
        busy_s: Longest wait that a server's ``Retry-After`` is given within one sync.
    """

    tries: int = 3
    first_s: float = 0.25
    most_s: float = 4.0
    connect_s: float = 5.0
    answer_s: float = 60.0
    busy_s: float = 10.0


PATIENCE: Final = Patience()


@dataclass(slots=True)
class WireReport(SyncReport):
    """What a sync over HTTP came to.

    Attributes:
        wire_up: Bytes of requests with HTTP's own, without TLS's and TCP's.
        wire_down: Bytes of answers, the same.
        is_complete: Both sides have what they may have; false when the time was up before.
    """

    wire_up: int = 0
    wire_down: int = 0
    is_complete: bool = True


@dataclass(slots=True)
class Circuit:
    """A parent that does not answer: passed over for a while that doubles, then tried once.

    Attributes:
        failures: How often in a row it did not.
        opens_at: Until when others come first, by the monotonic clock.
    """

    failures: int = 0
    opens_at: float = 0.0

    def fail(self) -> None:
        """Notes that it did not answer."""
        self.failures += 1
        pause = min(_PASSED_OVER_S * 2 ** min(self.failures - 1, 10), _MOST_PASSED_OVER_S)
        self.opens_at = time.monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


_WELL: Final = Circuit()
_PASSED_OVER_S: Final = 5.0
_MOST_PASSED_OVER_S: Final = 60.0


class Lines:
    """Connections to parents, one for each, kept open between syncs.

    Args:
        http: Makes the client for a parent; for tests, and for integrators with a client of their own.
    """

    def __init__(self, http: Callable[[Parent], httpx.Client] | None = None) -> None:
        self._make = http or _client
        self._open: dict[Parent, httpx.Client] = {}
        self.typed: set[Parent] = set()
        """Parents that want the type of a request named; a proxy may, so behind one it always is."""
        self.circuits: dict[Parent, Circuit] = {}

    def to(self, parent: Parent) -> httpx.Client:
        """Returns the client that holds the connection to ``parent``."""
        if parent not in self._open:
            self._open[parent] = self._make(parent)
        return self._open[parent]

    def order(self, parents: Sequence[Parent]) -> list[Parent]:
        """Returns parents in the order in which to try them: those that were just found down come last."""
        now = time.monotonic()
        is_open = {parent: self.circuits.get(parent, _WELL).opens_at > now for parent in parents}
        return sorted(parents, key=is_open.__getitem__)

    def note(self, parent: Parent, *, is_up: bool) -> None:
        """Notes whether a parent answered."""
        if is_up:
            self.circuits.pop(parent, None)
        else:
            self.circuits.setdefault(parent, Circuit()).fail()

    def close(self) -> None:
        """Closes all connections."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_reachable(parent: Parent, wait_s: float = 2.0) -> bool:
    """Tells whether somebody takes connections at a parent's address, or at the proxy before it: no more.

    It costs two packets, so it may be asked every few seconds while a line is down.
    """
    parts = urlsplit(parent.through or parent.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), wait_s).close()
    except OSError:
        return False
    return True


def _client(parent: Parent) -> httpx.Client:
    import httpx

    # A context is expensive to make, and of no use without TLS.
    verify: ssl.SSLContext | bool = False
    if parent.url.startswith("https:"):
        try:
            verify = ssl.create_default_context(cafile=parent.ca)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput("The file of the certificate authority cannot be read as PEM.") from error
    return httpx.Client(
        verify=verify,
        proxy=parent.through or None,
        trust_env=False,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=300),
    )


def sync(
    store: Store,
    parents: Sequence[Parent],
    *,
    lines: Lines | None = None,
    limits: Limits = LIMITS,
    patience: Patience = PATIENCE,
    deadline_s: float = 600.0,
) -> WireReport:
    """Brings the store and the first parent that answers to the same state.

    Args:
        store: The machine's store; other programs may use it meanwhile.
        parents: In the order in which they are tried.
        lines: Open connections to use, and to leave open.
        limits: What one request may cost.
        patience: How long to wait and how often to try.
        deadline_s: No request is begun after so many seconds; what was exchanged until then counts.

    Raises:
        Unreachable: Nobody answered.
        UpstreamRefused: Somebody answered, and said no.
        UpstreamMalformed: Somebody answered who does not speak this protocol.
        StoreError: The disk or database refused; the sync can be repeated.
        NotAllowed: This machine is not enrolled.
    """
    if lines is None:
        with Lines() as own:
            return sync(store, parents, lines=own, limits=limits, patience=patience, deadline_s=deadline_s)
    failures: list[UpstreamError] = []
    end = time.monotonic() + deadline_s
    for parent in lines.order(parents):
        try:
            report = _Exchange(store, parent, lines, limits, patience, end).run()
            lines.note(parent, is_up=True)
        except UpstreamError as error:
            lines.note(parent, is_up=not isinstance(error, Unreachable))
            is_revoked = error.details.get("code") == "revoked"
            exchange.note_failure(store, parent.name, "revoked" if is_revoked else error.code)
            failures.append(error)
        else:
            return report
    # A parent that answered tells more than one that did not.
    told = [error for error in failures if not isinstance(error, Unreachable)]
    raise (told or failures or [Unreachable("No parent is named for this machine.")])[0]


def post(
    parent: Parent,
    path: str,
    body: bytes,
    *,
    limits: Limits = LIMITS,
    patience: Patience = PATIENCE,
    deadline_s: float = 120.0,
) -> tuple[int, bytes]:
    """Sends one request of this protocol beside sync, which may be repeated; returns status and body.

    Args:
        parent: Where to.
        path: Path of the endpoint.
        body: What to send.
        limits: How large the answer may be.
        patience: How long to wait and how often to try.
        deadline_s: No try is begun after so many seconds.

    Raises:
        Unreachable: Nobody answered.
        UpstreamMalformed: Somebody answered who does not speak this protocol.
    """
    with Lines() as lines:
        end = time.monotonic() + deadline_s
        return _Line(parent, lines, path, limits.packet_bytes, patience, end).ask(body)


class _Line:
    """A line to one parent: sends a request until it is answered."""

    def __init__(
        self,
        parent: Parent,
        lines: Lines,
        path: str,
        packet_bytes: int,
        patience: Patience,
        end: float,
    ) -> None:
        self.parent = parent
        self.lines = lines
        self.client = lines.to(parent)
        self._is_proxied = bool(parent.through)
        self.pace = Pace()
        self.endpoint = parent.url.rstrip("/") + path
        self.packet_bytes = packet_bytes
        self.patience = patience
        self.end = end
        self.wire_up = 0
        self.wire_down = 0

    def ask(self, body: bytes) -> tuple[int, bytes]:
        """Sends a request until it is answered; returns status and body.

        Raises:
            Unreachable: It was not.
            UpstreamMalformed: By something that does not speak this protocol.
        """
        status, answer = self._ask(body)
        if status == _UNTYPED and not self._is_typed:
            self.lines.typed.add(self.parent)
            return self._ask(body)
        return status, answer

    def _ask(self, body: bytes) -> tuple[int, bytes]:
        import httpx
        import tenacity

        patience = self.patience
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(patience.tries)
            | tenacity.stop_before_delay(max(0.0, self.end - time.monotonic())),
            wait=_Wait(patience),
            retry=tenacity.retry_if_exception(_is_passing),
            reraise=True,
        )
        waiting: bytes | None = body

        def send() -> tuple[int, bytes]:
            nonlocal waiting
            data, waiting = waiting if waiting is not None else self.again(body), None
            try:
                return self._send(data)
            except (_Busy, httpx.TransportError):
                self.was_cut()
                raise

        try:
            return retrying(send)
        except _Busy as error:
            if error.is_ours:
                return error.status, error.body
            raise Unreachable(
                f"A proxy before {self.parent.name} answered {error.status}.", retry_after_s=error.after_s
            ) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise _translated(error, self.parent) from error

    def was_cut(self) -> None:
        """Notes that the last request was not answered."""

    def again(self, body: bytes) -> bytes:
        """Returns what to send after a cut."""
        return body

    @property
    def _is_typed(self) -> bool:
        return self._is_proxied or self.parent in self.lines.typed

    def _send(self, body: bytes) -> tuple[int, bytes]:
        import httpx

        headers = {"Content-Type": CONTENT_TYPE} if self._is_typed else {}
        # Not by the client's own method: it would add headers that nobody reads, 100 bytes of them.
        request = httpx.Request("POST", self.endpoint, headers=headers, content=body)
        patient = self.pace.wait_s(len(body), self.patience.answer_s)
        wait = max(1.0, min(patient, self.end - time.monotonic()))
        request.extensions["timeout"] = {
            "connect": min(self.patience.connect_s, wait), "read": wait, "write": wait, "pool": wait,
        }  # fmt: skip
        response = self.client.send(request, stream=True)
        try:
            data = self._read(response)
        finally:
            response.close()
        target = len(b"POST  HTTP/1.1") + len(request.url.raw_path)
        self.wire_up += _head_bytes(target, request.headers.raw) + len(body)
        status = len(b"HTTP/1.1 200 ") + len(response.reason_phrase)
        self.wire_down += _head_bytes(status, response.headers.raw) + response.num_bytes_downloaded
        return self._checked(response, data)

    def _read(self, response: httpx.Response) -> bytes:
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > self.packet_bytes:
                raise UpstreamMalformed("The answer is larger than the protocol allows.")
        return bytes(data)

    def _checked(self, response: httpx.Response, data: bytes) -> tuple[int, bytes]:
        status = response.status_code
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        is_ours = kind == CONTENT_TYPE or (not kind and data[:1] in _FIRST)
        if status in _PASSING:
            raise _Busy(status, data, _after_s(response.headers.get("retry-after", "")), is_ours=is_ours)
        if not is_ours:
            raise UpstreamMalformed(
                f"{self.parent.name} answered with {_kind_shown(kind)} instead of this protocol.",
                status=status,
            )
        return status, data


class _Exchange(_Line):
    """One exchange with one parent."""

    def __init__(
        self,
        store: Store,
        parent: Parent,
        lines: Lines,
        limits: Limits,
        patience: Patience,
        end: float,
    ) -> None:
        super().__init__(parent, lines, SYNC_PATH, limits.packet_bytes, patience, end)
        self.limits = limits
        self.requester = Requester(store, parent.name, limits, is_brief=True, is_wary=bool(parent.found))
        self.pace = self._kept = exchange.load_pace(store, parent.name)

    def run(self) -> WireReport:
        try:
            is_complete = self._run()
        finally:
            if self.pace.budget != self._kept.budget:
                exchange.save_pace(self.requester.store, self.parent.name, self.pace)
        report = self.requester.report
        if not report.round_trips:
            raise Unreachable("The time was up before the parent was asked.")
        plain = {f.name: getattr(report, f.name) for f in fields(report)}
        return WireReport(**plain, wire_up=self.wire_up, wire_down=self.wire_down, is_complete=is_complete)

    def _run(self) -> bool:
        """Asks until there is no more to ask; tells whether that was reached in time."""
        while (body := self._next()) is not None:
            if time.monotonic() > self.end:
                return False
            begun, before = time.monotonic(), self.wire_up + self.wire_down
            status, answer = self.ask(body)
            took_s, wire = time.monotonic() - begun, self.wire_up + self.wire_down - before
            self.requester.take_answer(status, answer)
            most = max(self.limits.batch_bytes, self.limits.answer_bytes)
            self.pace = self.pace.after(wire, took_s, most, is_full=self.requester.has_more)
        return True

    def _next(self) -> bytes | None:
        """Returns the next request, as large as the line bears."""
        budget, limits = self.pace.budget, self.limits
        self.requester.limits = replace(
            limits,
            batch_bytes=min(budget, limits.batch_bytes),
            answer_bytes=min(budget, limits.answer_bytes),
        )
        return self.requester.next_request()

    def was_cut(self) -> None:
        self.requester.was_cut()
        self.pace = self.pace.after_cut()

    def again(self, body: bytes) -> bytes:
        return self._next() or body


class _Busy(Exception):
    """The server, or a proxy before it, cannot answer at the moment."""

    def __init__(self, status: int, body: bytes, after_s: float, *, is_ours: bool) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.body = body
        self.after_s = after_s
        self.is_ours = is_ours


class _Wait:
    """How long to wait before the next try: at random below a bound that doubles, or as the server says."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience

    def __call__(self, state: tenacity.RetryCallState) -> float:
        patience = self.patience
        bound = min(patience.most_s, patience.first_s * 2 ** min(state.attempt_number - 1, 30))
        pause = random.uniform(0, bound)  # noqa: S311 - not a secret
        error = state.outcome.exception() if state.outcome else None
        asked = error.after_s if isinstance(error, _Busy) else 0.0
        return min(asked, patience.busy_s) + pause


def _after_s(text: str) -> float:
    """Returns the seconds that a Retry-After header names; a date or rubbish counts as none.

    Source: RFC 9110, 10.2.3. Dates are not read: clocks here may be years off.
    """
    return float(text) if text.isdecimal() and len(text) < 10 else 0.0  # noqa: PLR2004 - digits


def _is_passing(error: BaseException) -> bool:
    """Tells whether the same request may be answered in a moment."""
    import httpx

    if isinstance(error, httpx.ConnectTimeout) or _is_distrust(error):
        return False
    return isinstance(error, (_Busy, httpx.TimeoutException, httpx.NetworkError)) or _is_cut(error)


def _is_cut(error: BaseException) -> bool:
    """Tells whether the other side hung up, which httpx reports like bytes that are not HTTP."""
    import httpx

    return isinstance(error, httpx.RemoteProtocolError) and (
        "disconnected" in str(error) or "closed connection" in str(error)
    )


def _is_distrust(error: BaseException) -> bool:
    """Tells whether the server's TLS certificate is the reason."""
    at: BaseException | None = error
    while at is not None and not isinstance(at, ssl.SSLCertVerificationError):
        at = at.__cause__ or at.__context__
    return at is not None


def _translated(error: Exception, parent: Parent) -> UpstreamError:
    import httpx

    if _is_distrust(error):
        return UpstreamMalformed(f"The TLS certificate of {parent.name} is not one that is trusted here.")
    if isinstance(error, httpx.RemoteProtocolError) and not _is_cut(error):
        return UpstreamMalformed(f"{parent.name} does not speak HTTP.")
    return Unreachable(f"{parent.name} does not answer.", cause=type(error).__name__)


def _kind_shown(kind: str) -> str:
    return {"": "nothing of a known kind", "text/html": "a web page"}.get(kind, kind[:60])


def _head_bytes(first_line: int, headers: Sequence[tuple[bytes, bytes]]) -> int:
    """Returns the size of an HTTP/1.1 head: its first line, its fields, and the empty line."""
    return first_line + 2 + sum(len(name) + len(value) + 4 for name, value in headers) + 2

"""One request to a parent over HTTP, sent until it is answered."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from onestop_sync.client.lines import Lines
from onestop_sync.client.parent import Parent
from onestop_sync.errors import Unreachable, UpstreamError, UpstreamMalformed
from onestop_sync.pace import Pace

if TYPE_CHECKING:
    import httpx
    import tenacity

CONTENT_TYPE: Final = "application/cbor"
_PASSING: Final = frozenset({429, 502, 503, 504})
"""Statuses of a server, or of a proxy before it, that may be better in a moment."""
_UNTYPED: Final = 415
_FIRST: Final = {b"\x00", b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"}
"""First bytes of packets: how an answer that names no type is told from somebody else's."""


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


class Asking:
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

"""A machine's side of a sync over HTTP, with every wait measured and every byte counted."""

from __future__ import annotations

import socket
import time
from http.client import HTTPConnection
from typing import TYPE_CHECKING, NamedTuple

from onestop_sync.protocol import Requester
from onestop_sync.store import Store

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["Exchange", "Link"]

_TIMEOUT_S = 120


class Exchange(NamedTuple):
    """What one sync cost.

    Attributes:
        round_trips: Requests that were answered.
        sent: Events offered.
        received: Events taken.
        wire_bytes: All bytes on the socket in both directions, HTTP's headers included.
        server_s: Seconds from sending each request to having its answer, summed.
        total_s: Seconds of the whole sync, the machine's own work included.
    """

    round_trips: int
    sent: int
    received: int
    wire_bytes: int
    server_s: float
    total_s: float


class _Counted(socket.socket):
    """A socket that counts what passes."""

    passed = 0

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        self.passed += memoryview(data).nbytes
        super().sendall(data, flags)

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0, /) -> int:
        count = super().recv_into(buffer, nbytes, flags)
        self.passed += count
        return count


class Link:
    """A connection that stays open from one sync to the next.

    Args:
        port: Of a server on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.name = f"http://127.0.0.1:{port}"
        self._socket = _Counted(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.settimeout(_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.connect(("127.0.0.1", port))
        self._http = HTTPConnection("127.0.0.1", port)
        self._http.sock = self._socket

    def sync(self, store: Store) -> Exchange:
        """Syncs until both sides have what they may have."""
        requester = Requester(store, self.name)
        passed = self._socket.passed
        waited = 0.0
        begun = time.perf_counter()
        while (request := requester.next_request()) is not None:
            asked = time.perf_counter()
            status, answer = self._ask(request)
            waited += time.perf_counter() - asked
            requester.take_answer(status, answer)
        total = time.perf_counter() - begun
        report = requester.report
        return Exchange(
            report.round_trips, report.sent, report.received, self._socket.passed - passed, waited, total
        )

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def _ask(self, request: bytes) -> tuple[int, bytes]:
        self._http.request("POST", "/v1/sync", request)
        response = self._http.getresponse()
        return response.status, response.read()

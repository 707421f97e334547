"""A machine's side of a sync: the library's own client over HTTP, with its waits measured."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import httpx

from onestop_sync import client
from onestop_sync.store import Store

__all__ = ["Exchange", "Link"]


class Exchange(NamedTuple):
    """What one sync cost.

    Attributes:
        round_trips: Requests that were answered.
        sent: Events offered.
        wire_bytes: Bytes in both directions, HTTP's own included.
        server_s: Seconds from sending each request to its answer, summed.
        total_s: Seconds of the whole sync, the machine's own work included.
    """

    round_trips: int
    sent: int
    wire_bytes: int
    server_s: float
    total_s: float


class _Timed(httpx.Client):
    """A client that adds up how long it waits for answers."""

    waited_s = 0.0

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        begun = time.perf_counter()
        try:
            return super().send(request, **options)
        finally:
            self.waited_s += time.perf_counter() - begun


class Link:
    """A connection that stays open from one sync to the next.

    Args:
        port: Of a server on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._http = _Timed(trust_env=False, limits=httpx.Limits(keepalive_expiry=300))
        self._parent = client.Parent(f"http://127.0.0.1:{port}")
        self._lines = client.Lines(lambda _parent: self._http)

    def sync(self, store: Store) -> Exchange:
        """Syncs until both sides have what they may have."""
        before = self._http.waited_s
        begun = time.perf_counter()
        report = client.sync(store, [self._parent], lines=self._lines)
        total = time.perf_counter() - begun
        wire = report.wire_up + report.wire_down
        return Exchange(report.round_trips, report.sent, wire, self._http.waited_s - before, total)

    def close(self) -> None:
        """Closes the connection."""
        self._lines.close()

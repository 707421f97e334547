"""The ASGI application: endpoints that take requests of machines, and one that says that it lives.

    POST /v1/sync      application/cbor or no type at all, see `onestop_sync.protocol`
    POST /v1/enrol     application/cbor, new machines with a one-time code, see `enrolment`
    POST /v1/portal/…  application/json, what citizens filed on a portal, see `portal.endpoint`
    GET  /v1/health    whether the database answers; says nothing of anybody
    GET  /v1/openapi.json  every endpoint, status and content type, see `openapi`
    GET  /             the dashboard, when it has a password

Requests are answered in threads, because each waits for the disk; the store has one writer at a time, so a
few threads are enough, and more would only hold memory. What is being received is bounded in bytes, one
request and all together: a machine that asks when there is no room is told to come back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from onestop_sync.client import CONTENT_TYPE, SYNC_PATH, Parent
from onestop_sync.enrol_line import ENROL_PATH
from onestop_sync.errors import OnestopError
from onestop_sync.keys import Signer
from onestop_sync.protocol import LIMITS, Limits, Responder, pack_packet
from onestop_sync.store import Store
from server_stub import dashboard, figures
from server_stub.enrolment import MAX_BODY, Enrolment, Refused
from server_stub.logs import log
from server_stub.openapi import HEALTH_PATH, OPENAPI_PATH, document
from server_stub.portal.endpoint import PATHS, Filing

__all__ = ["HEALTH_PATH", "Bounds", "build_app"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the server takes on at a time.

    Attributes:
        body_bytes: Largest request, as it travels.
        held_bytes: All requests together that are being received or wait for their turn.
        threads: Requests that are worked on at a time.
        receive_s: Longest time to receive one request, seconds; 512 kB at 64 kbit/s take 64.
    """

    body_bytes: int = 4 * 2**20
    held_bytes: int = 64 * 2**20
    threads: int = 4
    receive_s: float = 300.0


BOUNDS: Final = Bounds()
_LATER_S: Final = 5
"""When to come again to a server that has no room, or whose database is busy."""


class _Intake:
    """Receives bodies within the bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._held = 0

    @asynccontextmanager
    async def body(self, request: Request, most: int = 0) -> AsyncIterator[bytes]:
        """Receives a body, and holds its room until the request is answered.

        Args:
            request: The request.
            most: Largest body in bytes; 0: what the bounds say.

        Raises:
            Refused: Too large, too slow, of another type, or no room just now.
        """
        if _kind(request) not in {CONTENT_TYPE, ""}:
            raise Refused(415, "malformed", "The request is not of this protocol's type.")
        data = bytearray()
        taken = 0
        try:
            async with asyncio.timeout(self.bounds.receive_s):
                async for chunk in request.stream():
                    taken += len(chunk)
                    self._take(len(chunk), taken, most or self.bounds.body_bytes)
                    data += chunk
            yield bytes(data)
        except TimeoutError:
            raise Refused(408, "malformed", "The request took too long to arrive.") from None
        finally:
            self._held -= taken

    def _take(self, count: int, taken: int, most: int) -> None:
        self._held += count
        if taken > most:
            raise Refused(413, "too_large", "The request is larger than this server takes.")
        if self._held > self.bounds.held_bytes:
            raise Refused(503, "busy", "The server has no room just now.")


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class _Sync:
    """The endpoint of the protocol.

    Args:
        store: A store that serves.
        limits: What one exchange may cost.
        bounds: How much is taken on at a time.
        on_events: Called, in a thread, when a request has brought something new.
    """

    def __init__(
        self, store: Store, limits: Limits, bounds: Bounds, on_events: Callable[[], None] | None
    ) -> None:
        self.store = store
        self.responder = Responder(store, limits)
        self.intake = _Intake(bounds)
        self.pool = ThreadPoolExecutor(bounds.threads, thread_name_prefix="sync")
        self.on_events = on_events
        self._newest = figures.newest_event(store)

    async def __call__(self, request: Request) -> Response:
        try:
            async with self.intake.body(request) as body:
                loop = asyncio.get_running_loop()
                status, answer = await loop.run_in_executor(self.pool, self._respond, body)
        except Refused as refused:
            log("sync refused", status=refused.status, code=refused.code)
            status, answer = refused.status, pack_packet([1, "error", [refused.code, str(refused)]])
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        # Who saves the bytes of naming the type is answered in the same way.
        later = {"retry-after": str(_LATER_S)} if status == 503 else None  # noqa: PLR2004 - HTTP's own number
        return Response(answer, status, later, media_type=_kind(request) and CONTENT_TYPE)

    def _respond(self, body: bytes) -> tuple[int, bytes]:
        start = perf_counter()
        status, answer = self.responder.respond(body)
        took_ms = round((perf_counter() - start) * 1000, 1)
        log("sync", status=status, bytes_in=len(body), bytes_out=len(answer), took_ms=took_ms)
        if self.on_events and status == 200:  # noqa: PLR2004 - HTTP's own number
            newest = figures.newest_event(self.store)
            if newest != self._newest:
                self._newest = newest
                self.on_events()
        return status, answer


def build_app(
    store: Store,
    *,
    limits: Limits = LIMITS,
    bounds: Bounds = BOUNDS,
    on_events: Callable[[], None] | None = None,
    password: str = "",
    signer: Signer | None = None,
    parents: Sequence[Parent] = (),
) -> Starlette:
    """Makes the application of a store; several processes may serve one database.

    Args:
        store: A store that serves, which the caller closes.
        limits: What one exchange may cost.
        bounds: How much is taken on at a time.
        on_events: Called, in a thread, when a request has brought something new (a relay's `wake`).
        password: Opens the dashboard; empty: there is none.
        signer: An administrator's key, which enrols machines that know a code and certifies a portal's keys;
            without one machines wait, and no portal files.
        parents: Who is asked about codes that were not made here.
    """
    endpoint = _Sync(store, limits, bounds, on_events)
    enrolment = Enrolment(store, signer, parents, partial(endpoint.intake.body, most=MAX_BODY), on_events)

    described = document()
    filing = Filing(store, signer, on_events) if signer is not None else None

    async def sync(request: Request) -> Response:
        return await endpoint(request)

    async def enrol(request: Request) -> Response:
        return await enrolment(request)

    async def filed(request: Request) -> Response:
        assert filing is not None  # the route is there only then
        return await filing(request)

    def health(_: Request) -> Response:
        try:
            figures.newest_event(store)
        except OnestopError as error:
            return JSONResponse({"status": "failing", "code": error.code}, 503)
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        endpoint.pool.shutdown(cancel_futures=True)
        enrolment.pool.shutdown(cancel_futures=True)
        if filing is not None:
            filing.pool.shutdown(cancel_futures=True)

    routes = [
        Route(SYNC_PATH, sync, methods=["POST"]),
        Route(ENROL_PATH, enrol, methods=["POST"]),
        Route(HEALTH_PATH, health),
        Route(OPENAPI_PATH, lambda _: JSONResponse(described)),
    ]
    if filing is not None:
        routes += [Route(path, filed, methods=["POST"]) for path in PATHS]
    if password:
        routes += dashboard.routes(store, password)
    return Starlette(routes=routes, lifespan=lifespan)

"""The endpoint `POST /v1/enrol`: new machines that know a one-time code.

A code that was made here is judged here; of any other, the request goes to the parents as it came, and so
does their answer: it is sealed, and nothing of it can be read or changed here. What is received, how many are
worked on, and how often anybody may guess are bounded. The log names no code, unit, machine or officer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from onestop_sync import codec, enrol_line, enrol_take
from onestop_sync.client import CONTENT_TYPE, Parent, Patience
from onestop_sync.enrol_proof import MAX_PACKET
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    OnestopError,
    StoreError,
    Unreachable,
    UpstreamRefused,
)
from onestop_sync.keys import Signer
from onestop_sync.store import Store
from server_stub.logs import log

__all__ = ["MAX_BODY", "Enrolment", "Refused"]

MAX_BODY: Final = MAX_PACKET + 64
"""Largest request in bytes."""
_THREADS: Final = 2
_AT_ONCE: Final = 64
"""Requests that are received or wait for their turn; the next one is told to come back."""
_UPWARD: Final = Patience(tries=2, connect_s=5.0, answer_s=20.0)
_UPWARD_S: Final = 30.0

Body = Callable[[Request], AbstractAsyncContextManager[bytes]]


class Refused(Exception):
    """A request that is not even read: the status and code of the answer."""

    def __init__(self, status: int, code: str, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.code = code


class Enrolment:
    """Answers new machines.

    Args:
        store: A store that serves.
        signer: An administrator's key; without one, proven requests wait for `onestop-server enrol approve`.
        parents: Who is asked about codes that were not made here.
        body: Receives a request's body within the server's bounds.
        on_events: Called, in a thread, when a machine was enrolled here.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer | None,
        parents: Sequence[Parent],
        body: Body,
        on_events: Callable[[], None] | None,
    ) -> None:
        self.store = store
        self.signer = signer
        self.parents = tuple(parents)
        self.body = body
        self.on_events = on_events
        self.pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="enrol")
        self._at_once = 0

    async def __call__(self, request: Request) -> Response:
        """Answers one request."""
        try:
            status, answer = await self._received(request)
        except Refused as refused:
            log("enrol refused", status=refused.status, code=refused.code)
            status, answer = refused.status, _error(refused.code, str(refused))
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        return Response(answer, status, media_type=CONTENT_TYPE)

    async def _received(self, request: Request) -> tuple[int, bytes]:
        if self._at_once >= _AT_ONCE:
            raise Refused(503, "busy", "The server has no room just now.")
        self._at_once += 1
        try:
            async with self.body(request) as body:
                return await asyncio.get_running_loop().run_in_executor(self.pool, self._respond, body)
        finally:
            self._at_once -= 1

    def _respond(self, body: bytes) -> tuple[int, bytes]:
        start = perf_counter()
        code = ""
        try:
            status, answer = 200, codec.encode([1, "enrol", self._answer(body)])
        except OnestopError as error:
            status, code = _told(error)
            answer = _error(code, "")
        log("enrol", status=status, code=code, took_ms=round((perf_counter() - start) * 1000, 1))
        return status, answer

    def _answer(self, body: bytes) -> bytes:
        """Returns the sealed answer.

        Raises:
            OnestopError: There is none.
        """
        hops, packet = enrol_line.parse_wire(body)
        verdict = enrol_take.take(self.store, self.signer, packet, is_last=not self.parents)
        if verdict.code == "unknown" and self.parents:
            return enrol_line.send(self.parents, packet, hops + 1, patience=_UPWARD, deadline_s=_UPWARD_S)
        if verdict.code:
            # Whether a code begins so is nobody's business who does not know it.
            raise NotAllowed("Not answered.", reason="code_busy" if verdict.code == "busy" else "code_wrong")
        if verdict.enrolled and self.on_events:
            self.on_events()
        return verdict.answer


def _told(error: OnestopError) -> tuple[int, str]:
    """Returns the status and code for somebody who has proven nothing."""
    reason = str(error.details.get("reason", ""))
    if isinstance(error, FormatError):
        return 400, "malformed"
    if isinstance(error, StoreError | Unreachable):
        return 503, error.code
    if isinstance(error, NotAllowed | UpstreamRefused) and reason:
        return 429 if reason == "code_busy" else 403, reason
    return 502, error.code


def _error(code: str, what: str) -> bytes:
    return codec.encode([1, "error", [code, what]])

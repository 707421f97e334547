"""`POST /v1/portal/dossiers`, `/v1/portal/complaints`, `/v1/portal/ratings`: an integration files what came.

    Authorization: Bearer <token>     Content-Type: application/json     one of it, see `outside` and `voices`

201 with ``{"code", "id"}`` when the draft was made, 200 when it was here already: the call can be repeated.
401 for a token that opens nothing, 409 for an id that is another dossier's, 422 for what cannot be taken,
503 when there is no room. The log names the integration, and nothing of the dossier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, OnestopError
from onestop_sync.keys import Signer
from onestop_sync.store import Store
from onestop_sync.strict_json import read_json
from server_stub.logs import log, warn
from server_stub.openapi import COMPLAINT_PATH, PORTAL_PATH, RATING_PATH
from server_stub.portal import rows
from server_stub.portal.filing import Take, take, take_complaint, take_rating
from server_stub.portal.integrations import known_by

__all__ = ["MAX_BODY", "PATHS", "Filing"]

_TAKES: Final[Mapping[str, Take]] = {
    PORTAL_PATH: take,
    COMPLAINT_PATH: take_complaint,
    RATING_PATH: take_rating,
}
PATHS: Final = tuple(_TAKES)
"""Where something can be filed."""

MAX_BODY: Final = 256 * 1024
"""Largest dossier in bytes: files are named by their address, and do not come along."""
_THREADS: Final = 2
_AT_ONCE: Final = 32
_RECEIVE_S: Final = 30.0


class Filing:
    """Takes drafts.

    Args:
        store: A store that serves.
        admin: The administrator's key, which certifies an integration's keys.
        on_events: Called, in a thread, when a draft was made.
    """

    def __init__(self, store: Store, admin: Signer, on_events: Callable[[], None] | None) -> None:
        rows.make_tables(store)
        self.store = store
        self.admin = admin
        self.on_events = on_events
        self.pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="portal")
        self._at_once = 0

    async def __call__(self, request: Request) -> Response:
        """Answers one request."""
        if self._at_once >= _AT_ONCE:
            return JSONResponse({"error": "busy"}, 503, {"Retry-After": "5"})
        self._at_once += 1
        try:
            return await self._received(request)
        except ClientDisconnect:
            return JSONResponse({"error": "broken"}, 400)  # nobody is there to read it
        finally:
            self._at_once -= 1

    async def _received(self, request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return JSONResponse({"error": "type"}, 415)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        body = bytearray()
        try:
            async with asyncio.timeout(_RECEIVE_S):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MAX_BODY:
                        return JSONResponse({"error": "too_large"}, 413)
        except TimeoutError:
            return JSONResponse({"error": "slow"}, 408)
        said = token.strip() if scheme.lower() == "bearer" else ""
        status, answer = await asyncio.get_running_loop().run_in_executor(
            self.pool, self._answer, request.url.path, said, bytes(body)
        )
        return JSONResponse(answer, status, {"WWW-Authenticate": "Bearer"} if status == 401 else None)  # noqa: PLR2004 - HTTP's own number

    def _answer(self, path: str, token: str, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            integration = known_by(self.store, token)
        except OnestopError as error:
            log("portal filing refused", code=str(error.details.get("reason", error.code)))
            return (
                (401, {"error": "token"}) if isinstance(error, NotAllowed) else (503, {"error": error.code})
            )
        try:
            value = read_json(body)
        except FormatError as error:
            return 422, {"error": "json", "what": error.what}
        try:
            found = _TAKES[path](self.store, self.admin, integration, value)
        except (FormatError, InvalidInput) as error:
            log("portal filing wrong", integration=integration.name)
            return 422, {"error": "malformed", "what": error.what}
        except NotAllowed as error:
            return 409, {"error": str(error.details.get("reason", error.code))}
        except OnestopError as error:
            warn("portal filing failed", integration=integration.name, code=error.code)
            return 503, {"error": error.code}
        log("portal filed", integration=integration.name, is_new=found.is_new)
        if found.is_new and self.on_events:
            self.on_events()
        return 201 if found.is_new else 200, {"code": found.code, "id": found.doc.hex()}

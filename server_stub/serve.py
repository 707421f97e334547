"""Runs a store's server in this process until it is told to stop.

    run(store, "127.0.0.1", 0, [Parent(url)], on_ready=print)

The socket is opened before anything else, so that port 0 is known when the caller is told; SIGTERM and
SIGINT (Ctrl+C; Ctrl+Break on Windows) end it after the requests that are being answered.
"""

from __future__ import annotations

import gc
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import uvicorn

from onestop_sync.client import Parent
from onestop_sync.errors import InvalidInput, StoreFailing
from onestop_sync.keys import Signer
from onestop_sync.protocol import LIMITS, Limits
from onestop_sync.store import Store
from server_stub.app import BOUNDS, Bounds, build_app
from server_stub.logs import log
from server_stub.relay import PACE, Pace, Relay
from server_stub.stater import EVERY_S, Stater

__all__ = ["run"]

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
_KEEP_ALIVE_S: Final = 120
"""How long an idle connection is kept, so that a relay's next exchange needs no new one."""
_CONNECTIONS: Final = 4096
"""Open connections, idle ones included: every machine of a province keeps one."""
_LINGER_S: Final = 10


def run(  # noqa: PLR0913 - all but the store have defaults
    store: Store,
    host: str = "127.0.0.1",
    port: int = 0,
    parents: Sequence[Parent] = (),
    *,
    pace: Pace = PACE,
    state_every_s: float = EVERY_S,
    password: str = "",
    signer: Signer | None = None,
    limits: Limits = LIMITS,
    bounds: Bounds = BOUNDS,
    on_ready: Callable[[int], object] = lambda _port: None,
    stop: threading.Event | None = None,
) -> None:
    """Serves until a signal comes or ``stop`` is set; the store stays open.

    Args:
        store: A store that serves.
        host: Address to listen on; ``127.0.0.1`` for this machine only.
        port: Port; 0 takes a free one.
        parents: Whom this server itself syncs with, in the order in which they are tried.
        pace: How often.
        state_every_s: How often the top server makes a statement of each unit, seconds.
        password: Opens the dashboard; empty: there is none.
        signer: An administrator's key, which enrols machines that know a code; without one they wait.
        limits: What one exchange may cost.
        bounds: How much is taken on at a time.
        on_ready: Called with the port once requests are answered.
        stop: Ends the server when set; for callers that run it in a thread.

    Raises:
        InvalidInput: The store does not serve, or the address is taken or not this machine's.
        StoreFailing: The disk failed: whoever keeps the server running starts it anew.
    """
    if not store.serves:
        raise InvalidInput(
            "This machine is not certified as a server.",
            todo="Ask the administrator to approve its enrolment with --serves.",
        )
    relay = Relay(store, parents, pace, limits)
    stater = Stater(store, state_every_s)
    app = build_app(
        store,
        limits=limits,
        bounds=bounds,
        on_events=relay.wake,
        password=password,
        signer=signer,
        parents=parents,
    )
    with _listening(host, port) as listener:
        port = listener.getsockname()[1]
        server = _Server(_config(app), port, on_ready, stop or threading.Event(), store)
        relay.start()
        stater.start()
        # What is loaded stays: the garbage collector need not look at it again (5 % of a push).
        gc.freeze()
        try:
            server.run(sockets=[listener])
        finally:
            relay.stop()
            stater.stop()
    log("stopped", unit=store.unit)
    if store.is_failing:
        raise StoreFailing("The disk failed, so this server has stopped.")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named: else an answer waits 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        # On Windows this option would let another program take the same port.
        if not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(256)
        except (OSError, OverflowError) as error:
            raise InvalidInput(
                f"Cannot listen on {host} port {port}: {error}.", todo="Choose another one."
            ) from error
        yield listener


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        # Nobody reads these, and each answer would carry them.
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_LINGER_S,
        limit_concurrency=_CONNECTIONS,
    )


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it is ready and ends by itself instead of by its signal."""

    def __init__(
        self,
        config: uvicorn.Config,
        port: int,
        on_ready: Callable[[int], object],
        stop: threading.Event,
        store: Store,
    ) -> None:
        super().__init__(config)
        self._store = store
        self._port = port
        self._on_ready = on_ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tells the port once connections are taken."""
        await super().startup(sockets)
        log("listening", port=self._port)
        self._on_ready(self._port)

    async def on_tick(self, counter: int) -> bool:
        """Looks, ten times a second, whether somebody wants it to end, or the disk has failed."""
        return await super().on_tick(counter) or self._stop.is_set() or self._store.is_failing

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ends on a signal without raising it again as uvicorn would: being told to stop is no failure."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._end) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.handle_exit(number, frame)

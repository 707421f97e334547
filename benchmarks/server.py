"""A real server process to measure against: `python -m benchmarks.server FOLDER [DATABASE]`.

It prints its port once it listens on 127.0.0.1, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.world import open_store
from onestop_sync.protocol import Responder

__all__ = ["serving"]

_KEEP_S: Final = 600
"""Longest pause between two requests on one connection, seconds: a store grows meanwhile."""
_Message = MutableMapping[str, Any]


@contextmanager
def serving(folder: Path, database: str | None = None) -> Iterator[int]:
    """Serves a store for the length of the block, in a process of its own.

    Args:
        folder: What `World.server` returned.
        database: Its database, as given there.

    Yields:
        The port on 127.0.0.1.
    """
    command = [sys.executable, "-m", "benchmarks.server", str(folder), *([database] if database else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


class _App:
    """One route, answered in a thread: the responder waits for the disk."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    async def __call__(
        self,
        scope: _Message,
        receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, answer = await asyncio.to_thread(self._responder.respond, bytes(body))
        length = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": length})
        await send({"type": "http.response.body", "body": answer})


def _main(folder: str, database: str | None = None) -> None:
    import uvicorn  # the measuring side imports this module and needs no server

    store = open_store(Path(folder), database)
    # asyncio switches Nagle's algorithm off only where the protocol is named: else every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(
        _App(Responder(store)), lifespan="off", log_level="warning", access_log=False, server_header=False,
        timeout_keep_alive=_KEEP_S,
    )  # fmt: skip
    server = uvicorn.Server(config)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, sys.stdin.read).add_done_callback(
            lambda _: setattr(server, "should_exit", True)
        )
        await server.serve([listener])

    print(listener.getsockname()[1], flush=True)
    asyncio.run(run())
    store.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])

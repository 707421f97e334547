"""One address for several processes: connections go to them in turn, as a balancer before them does it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle


@contextmanager
def balanced(ports: Sequence[int]) -> Iterator[str]:
    """Yields the URL of a balancer on 127.0.0.1 for the length of the block.

    Args:
        ports: Where the processes listen on 127.0.0.1.
    """
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    found: list[int] = []
    turn = cycle(ports)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection("127.0.0.1", next(turn))
        await asyncio.gather(_pump(near, onward), _pump(far, back))

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        found.append(server.sockets[0].getsockname()[1])
        ready.set()

    thread = threading.Thread(target=loop.run_forever, name="balancer", daemon=True)
    thread.start()
    tasks.add(asyncio.run_coroutine_threadsafe(main(), loop))  # type: ignore[arg-type]
    ready.wait()
    try:
        yield f"http://127.0.0.1:{found[0]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    with suppress(ConnectionError):
        sink.close()

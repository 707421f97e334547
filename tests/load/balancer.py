"""One address for several processes: connections go to them in turn, as a balancer before them does it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import cycle

_TURNS = 10  # of the loop; asyncio takes four from accepting a connection to the first step of its task


@contextmanager
def balanced(ports: Sequence[int]) -> Iterator[str]:
    """Yields the URL of a balancer on 127.0.0.1 for the length of the block.

    Args:
        ports: Where the processes listen on 127.0.0.1.
    """
    turn = cycle(ports)

    async def serve(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        async with _closing(back):
            far, onward = await asyncio.open_connection("127.0.0.1", next(turn))
            async with _closing(onward):
                await asyncio.gather(_pump(near, onward), _pump(far, back))

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="balancer", daemon=True)
    thread.start()
    try:
        starting = asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result()
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:  # also when the block failed: its failure is to be seen, not sockets that nobody closed
            asyncio.run_coroutine_threadsafe(_rest(server), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _rest(server: asyncio.Server) -> None:
    """Takes no more connections, and ends what is going on."""
    server.close()
    for _ in range(_TURNS):  # a connection that was just taken is nobody's until its task has begun
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # what was closed last is let go


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Closes a connection at the end of the block, also when that is the end of the balancer."""
    try:
        with suppress(asyncio.CancelledError, ConnectionError):
            yield
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    if sink.can_write_eof():
        with suppress(OSError):
            sink.write_eof()

"""A TCP proxy that behaves like a bad line: thin, slow to answer, and cut at the worst moments.

It knows just enough of HTTP to see where a request begins and ends, and decides its fate there: it never
arrives, half of it does, or its answer is lost. It serves tests and benchmarks where the kernel has no netem.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from onestop_sync.client import Parent

__all__ = ["BadLine", "Weather"]

_CHUNK: Final = 512
_FATES: Final = ("before", "middle", "after")


@dataclass(frozen=True)
class Weather:
    """What a line does.

    Attributes:
        bytes_s: Width in each direction, bytes a second; 0 for no bound.
        trip_s: From one end to the other and back, seconds; a new connection costs one more.
        cut: How many of all requests are cut, from 0 to 1: before, in the middle, or after.
        seed: Of the dice.
    """

    bytes_s: float = 0.0
    trip_s: float = 0.0
    cut: float = 0.0
    seed: int = 1


class BadLine:
    """A line to a port on 127.0.0.1, in a thread of its own.

    Args:
        target: Port of the server.
        weather: What it does; may be replaced while it runs.

    Attributes:
        up: Bytes that came from the machine.
        down: Bytes that went to it.
        requests: Requests that began.
        connections: Connections that were taken.
        largest: Bytes of the largest request.
        fates: How many of them were cut, and how.
        is_down: Refuse everything, as a line does that is not there.
    """

    def __init__(self, target: int, weather: Weather = Weather()) -> None:
        self.target = target
        self.weather = weather
        self.up = self.down = self.requests = self.connections = self.largest = 0
        self.fates: Counter[str] = Counter()
        self.is_down = False
        self.port = 0
        self._dice = random.Random(weather.seed)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def parent(self) -> Parent:
        """Where a machine calls."""
        return Parent(f"http://127.0.0.1:{self.port}")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # cut, or the line is taken down
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            return
        self.connections += 1
        await asyncio.sleep(self.weather.trip_s)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        fate = _Fate(self)
        ways = [
            asyncio.create_task(self._pass(reader, far_writer, fate.up)),
            asyncio.create_task(self._pass(far_reader, writer, fate.down)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            far_writer.transport.abort()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        allow: Callable[[bytes], bytes | None],
    ) -> None:
        """Passes bytes on as slowly as the line is; ends where the connection is cut."""
        queue: asyncio.Queue[tuple[float, bytes | None]] = asyncio.Queue()
        sender = asyncio.create_task(_deliver(queue, writer))
        free = 0.0
        try:
            while data := await reader.read(_CHUNK):
                allowed = allow(data)
                now = self._loop.time()
                width = self.weather.bytes_s
                free = max(now, free) + (len(data) / width if width else 0.0)
                if allowed is None:
                    break
                queue.put_nowait((free + self.weather.trip_s / 2, allowed))
            queue.put_nowait((free + self.weather.trip_s / 2, None))
            await sender
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    def fate(self) -> str:
        """Draws what becomes of a request."""
        self.requests += 1
        if self.is_down:
            return "before"
        if self._dice.random() >= self.weather.cut:
            return ""
        found = self._dice.choice(_FATES)
        self.fates[found] += 1
        return found


class _Fate:
    """Follows one connection, request by request."""

    def __init__(self, line: BadLine) -> None:
        self.line = line
        self._fate = ""
        self._head = b""
        self._left = 0
        self._half = 0

    def up(self, data: bytes) -> bytes | None:
        """Returns what of the machine's bytes goes on; ``None`` to cut the connection."""
        self.line.up += len(data)
        if self._left == 0 and not self._head:
            self._fate = self.line.fate()
        if self._left == 0:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if end:
                size = _length(head)
                self.line.largest = max(self.line.largest, size)
                self._left, self._half, self._head = size - len(body), size // 2, b""
        else:
            self._left -= len(data)
        if self._fate == "before" or (self._fate == "middle" and self._left <= self._half):
            return None
        return data

    def down(self, data: bytes) -> bytes | None:
        """Returns what of the server's bytes comes back; ``None`` to cut the connection."""
        if self._fate == "after":
            return None
        self.line.down += len(data)
        return data


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


async def _deliver(queue: asyncio.Queue[tuple[float, bytes | None]], writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        at, data = await queue.get()
        await asyncio.sleep(max(0.0, at - loop.time()))
        if data is None:
            return
        with suppress(OSError):
            writer.write(data)
            await writer.drain()

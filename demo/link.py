"""A line between two machines that misbehaves on demand: a TCP relay on 127.0.0.1, run as its own process.

    python -m demo.link UPSTREAM_PORT [--port PORT]

It prints its port and then takes one command a line on standard input, which it answers with its counts:

    pass        forward everything (at first)
    cut N       close both sides after N bytes from the caller
    swallow     forward the request, and hang up instead of the answer
    flip N      change bit 0 of the caller's byte N, counted behind the HTTP head
    flip-back N change bit 0 of the answer's byte N, counted behind the HTTP head

It ends when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from typing import Final

HOST: Final = "127.0.0.1"
_CHUNK: Final = 16 * 1024
_HEAD_END: Final = b"\r\n\r\n"


@dataclass
class Counts:
    """What went over the line since the last command.

    Attributes:
        up: Bytes from the caller that were forwarded.
        down: Bytes of answers that were forwarded.
        faults: Times that the line misbehaved.
    """

    up: int = 0
    down: int = 0
    faults: int = 0


class _Talk:
    """Follows one connection: requests and answers take turns, each a head and a body."""

    def __init__(self) -> None:
        self._is_up = False
        self._head = b""
        self._passed = 0

    def place(self, data: bytes, *, is_up: bool) -> int | None:
        """Returns where data begins in its body, negative in the head; ``None`` before the head's end."""
        if is_up != self._is_up:
            self._is_up, self._head, self._passed = is_up, b"", 0
        if _HEAD_END not in self._head:
            self._head += data
        before, self._passed = self._passed, self._passed + len(data)
        end = self._head.find(_HEAD_END)
        return None if end < 0 else before - end - len(_HEAD_END)


class Link:
    """The relay.

    Args:
        upstream: Port on 127.0.0.1 to forward to.
    """

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._mode = "pass"
        self._at = 0
        self.counts = Counts()

    def command(self, line: str) -> Counts:
        """Takes a command; returns the counts until then, and begins new ones."""
        mode, _, rest = line.strip().partition(" ")
        self._mode, self._at = mode, int(rest or 0)
        counts, self.counts = self.counts, Counts()
        return counts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forwards one connection, in both directions, until either side or the fault ends it."""
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._upstream)
        except OSError:
            writer.close()
            return
        talk = _Talk()
        tasks = [
            asyncio.create_task(self._forward(talk, reader, far_writer, is_up=True)),
            asyncio.create_task(self._forward(talk, far_reader, writer, is_up=False)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for each in (writer, far_writer):
            each.close()

    async def _forward(
        self, talk: _Talk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        while data := await reader.read(_CHUNK):
            changed = self._changed(data, talk.place(data, is_up=is_up), is_up=is_up)
            if changed is None:
                return
            if is_up:
                self.counts.up += len(changed)
            else:
                self.counts.down += len(changed)
            writer.write(changed)
            await writer.drain()
            if len(changed) < len(data):
                return

    def _changed(self, data: bytes, place: int | None, *, is_up: bool) -> bytes | None:
        """Returns what of the data goes on; ``None`` to hang up. ``place`` is the data's in the body."""
        match self._mode, is_up:
            case "cut", True if self.counts.up + len(data) > self._at:
                self.counts.faults += 1
                return data[: max(0, self._at - self.counts.up)]
            case "swallow", False:
                self.counts.faults += 1
                return None
            case ("flip", True) | ("flip-back", False) if place is not None:
                at = self._at - place
                if 0 <= at < len(data):
                    self.counts.faults += 1
                    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        return data


async def _commands(link: Link) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(asdict(link.command(line))), flush=True)


async def _run(upstream: int, port: int) -> None:
    link = Link(upstream)
    server = await asyncio.start_server(link.serve, HOST, port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await _commands(link)
    server.close()


def main() -> None:
    """Runs the relay."""
    parser = argparse.ArgumentParser(prog="python -m demo.link")
    parser.add_argument("upstream", type=int)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    asyncio.run(_run(options.upstream, options.port))


if __name__ == "__main__":
    main()

"""The real server in a process of its own: `python -m benchmarks.server FOLDER [DATABASE]`.

It prints its port once it answers on 127.0.0.1, and ends when its standard input does.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.world import open_store

__all__ = ["serving"]


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
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


def _say(port: int) -> None:
    print(port, flush=True)


def _main(folder: str, database: str | None = None) -> None:
    from server_stub.serve import run  # the measuring side imports this module and needs no server

    stop = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    store = open_store(Path(folder), database)
    run(store, on_ready=_say, stop=stop)
    store.close()


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""Runs a part of the day in a process of its own, under strace, from a process that has everything loaded.

A forked copy of this process needs no second to start, so many points are tried in little time; it is a real
process all the same, and strace (https://strace.io) kills it, or has a call refused, at the kernel's door.
What the copy tells goes over a socket, by calls that are not among those that are counted.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import traceback
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

__all__ = ["CALLS", "Ended", "Told", "can_trace", "run"]

CALLS: Final = (
    "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "unlinkat", "rename", "mkdir", "rmdir",
)  # fmt: skip
"""Calls that change what is on a disk, as strace names them."""
_LONGEST_S: Final = 60
_LIBC: Final = ctypes.CDLL(None)
_SET_TRACER: Final = 0x59616D61
"""PR_SET_PTRACER. Source: linux/prctl.h."""

Told = list[list[str]]
"""What was told, in order: a word of `looking` and what belongs to it."""


class Ended(NamedTuple):
    """How a run came to its end.

    Attributes:
        told: What it told until then.
        is_killed: It was killed.
        broke: The traceback of an error that is none of ours; empty for none.
    """

    told: Told
    is_killed: bool
    broke: str


@cache
def can_trace() -> bool:
    """Tells whether strace is installed, and may attach to a process of ours."""
    if shutil.which("strace") is None:
        return False
    try:
        return run(lambda _: Path("none").unlink(missing_ok=True), ["unlink:signal=KILL:when=1"]).is_killed
    except RuntimeError:
        return False


def run(
    work: Callable[[Callable[..., None]], None], inject: Sequence[str] = (), log: Path | None = None
) -> Ended:
    """Runs something in a forked process.

    Args:
        work: What; is given what tells.
        inject: Faults, as strace's ``-e inject`` takes them. None, and no log: without strace.
        log: Where strace writes each call, with all of its data.
    """
    near, far = socket.socketpair()
    gate, opener = os.pipe()
    pid = os.fork()
    if pid == 0:
        near.close()
        os.close(opener)
        _child(work, far, gate)
    far.close()
    os.close(gate)
    near.recv(1)  # it is ready
    tracer = _attach(pid, inject, log) if inject or log else None
    os.write(opener, b"g")
    os.close(opener)
    told, broke = _heard(near, pid)
    _, status = os.waitpid(pid, 0)
    if tracer:
        tracer.wait(_LONGEST_S)
        assert tracer.stderr
        tracer.stderr.close()
    return Ended(told, os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, broke)


def _attach(pid: int, inject: Sequence[str], log: Path | None) -> subprocess.Popen[str]:
    out = ["-o", str(log or os.devnull)]
    if log:  # whole data in hex, whole paths, and what is told, for the order of things
        calls = ",".join((*CALLS, "openat", "sendto"))
        out += ["-xx", "-s", str(2**24), "-y", "-e", f"trace={calls}", "-e", "signal=none"]
    else:
        out += ["-e", f"trace={','.join(CALLS)}", "-e", "signal=none"]
    faults = [word for fault in inject for word in ("-e", f"inject={fault}")]
    tracer = subprocess.Popen(
        ["strace", "-f", "-p", str(pid), *out, *faults],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert tracer.stderr
    first = tracer.stderr.readline()
    if "attached" not in first:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise RuntimeError(f"strace did not attach: {first}{tracer.stderr.read()}")
    return tracer


def _heard(near: socket.socket, pid: int) -> tuple[Told, str]:
    near.settimeout(_LONGEST_S)
    parts: list[bytes] = []
    try:
        while part := near.recv(1 << 16):
            parts.append(part)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        near.close()
    told: Told = [json.loads(line) for line in b"".join(parts).splitlines()]
    broke = "".join(line[1] for line in told if line[0] == "broke")
    return [line for line in told if line[0] != "broke"], broke


def _child(work: Callable[[Callable[..., None]], None], far: socket.socket, gate: int) -> NoReturn:
    """Does the work once the gate opens; never comes back."""
    status = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)  # SQLCipher writes of a key that does not fit
        _LIBC.prctl(_SET_TRACER, ctypes.c_ulong(-1), 0, 0, 0)  # else only an ancestor may attach
        far.send(b".")
        os.read(gate, 1)

        def tell(*words: Any) -> None:
            far.sendall(json.dumps([str(word) for word in words]).encode() + b"\n")

        try:
            work(tell)
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it is, it is told
            tell("broke", traceback.format_exc())
    finally:
        os._exit(status)

"""A new machine and the server's `POST /v1/enrol`: what a code allows, and enrolment by it.

    offer = look(parents, code)                     # who it is for, before any key is made
    reply = ask(parents, code, request)             # reply.enrolment goes to `enrol.accept`

The request travels as `[1, "enrol", hops, packet]`; a server that does not know the code passes it on to its
own parents. What comes back is sealed under the code, so it needs no fingerprint, whoever passed it on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from onestop_sync import client, codec, enrol_proof
from onestop_sync.client import Parent, Patience
from onestop_sync.enrol_code import CodeKeys
from onestop_sync.enrol_proof import Offer, Reply
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    Unreachable,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
)

__all__ = ["ENROL_PATH", "MAX_HOPS", "ask", "look", "parse_wire", "send"]

ENROL_PATH: Final = "/v1/enrol"
MAX_HOPS: Final = 8
"""Servers that pass a request on: as many as a chain of certificates is long."""
_BUSY: Final = frozenset({429, 503})


def look(
    parents: Sequence[Parent],
    code: CodeKeys,
    *,
    rng: Callable[[int], bytes] = os.urandom,
    patience: Patience = client.PATIENCE,
) -> Offer:
    """Asks what a code allows; uses nothing of it up.

    Args:
        parents: In the order in which they are tried.
        code: The code.
        rng: Makes random bytes.
        patience: How long to wait and how often to try.

    Raises:
        Unreachable: Nobody answered.
        UpstreamRefused: The code is not known, or is no longer good; see ``details["reason"]``.
        SignatureInvalid: Whoever answered does not know the code.
    """
    reply = _exchange(parents, code, enrol_proof.look_packet(code, rng(16)), patience)
    if reply.offer is None:
        raise UpstreamMalformed("The answer does not say what the code allows.")
    return reply.offer


def ask(
    parents: Sequence[Parent], code: CodeKeys, request: bytes, *, patience: Patience = client.PATIENCE
) -> Reply:
    """Asks to be enrolled; may be repeated, and gives the same machine the same answer.

    Args:
        parents: In the order in which they are tried.
        code: The code.
        request: What `enrol.request` made.
        patience: How long to wait and how often to try.

    Raises:
        Unreachable: Nobody answered.
        UpstreamRefused: The code is not known, is no longer good, or does not allow this.
        SignatureInvalid: Whoever answered does not know the code.
    """
    reply = _exchange(parents, code, enrol_proof.request_packet(code, request), patience)
    if not (reply.enrolment or reply.is_waiting):
        raise UpstreamMalformed("The answer does not say whether the machine is enrolled.")
    return reply


def _exchange(parents: Sequence[Parent], code: CodeKeys, packet: bytes, patience: Patience) -> Reply:
    reply = enrol_proof.open_answer(code, send(parents, packet, 0, patience=patience), packet)
    if reply.reason:
        raise UpstreamRefused(f"The code was refused: {reply.reason}.", reason=reply.reason)
    return reply


def send(
    parents: Sequence[Parent],
    packet: bytes,
    hops: int,
    *,
    patience: Patience = client.PATIENCE,
    deadline_s: float = 120.0,
) -> bytes:
    """Sends a packet to the first parent that answers; returns the sealed answer.

    Args:
        parents: In the order in which they are tried.
        packet: See `enrol_proof`.
        hops: How many servers have passed it on.
        patience: How long to wait and how often to try.
        deadline_s: For one parent.

    Raises:
        Unreachable: Nobody answered.
        UpstreamRefused: Somebody answered no; nobody can tell whether it was the right one.
        UpstreamMalformed: Somebody answered who does not speak this protocol.
    """
    body = codec.encode([1, "enrol", hops, packet])
    failures: list[UpstreamError] = []
    for parent in parents:
        try:
            return _answer(*client.post(parent, ENROL_PATH, body, patience=patience, deadline_s=deadline_s))
        except UpstreamError as error:
            failures.append(error)
    told = [error for error in failures if not isinstance(error, Unreachable)]
    raise (told or failures or [Unreachable("No server is named.")])[0]


def _answer(status: int, body: bytes) -> bytes:
    try:
        found = codec.decode(body)
    except FormatError as error:
        raise UpstreamMalformed("The answer is not one of this protocol.", status=status) from error
    match found:
        case [1, "enrol", bytes(answer)]:
            return answer
        case [1, "error", [str(code), str()]]:
            if status in _BUSY and code != "code_busy":
                raise Unreachable("The server has no time just now.")
            raise UpstreamRefused(f"The server refused: {code[:40]}.", reason=code, status=status)
    raise UpstreamMalformed("The answer is not one of this protocol.", status=status)


def parse_wire(body: bytes) -> tuple[int, bytes]:
    """Returns how many servers have passed a request on, and its packet.

    Raises:
        FormatError: Malformed.
        NotAllowed: It went round in a ring.
    """
    match codec.decode(body):
        case [1, "enrol", int(hops), bytes(packet)] if hops >= 0:
            if hops > MAX_HOPS:
                raise NotAllowed("The request was passed on too often.", reason="code_ring")
            return hops, packet
    raise FormatError("The request is not one of enrolment.")

"""Requests and answers between two who know each other: what both hold already is left out.

    packet  = 0x02, first 8 bytes of the machine's log (in a request), proof, block    (`columns`)
    request = marks, number of the cursor, version and root of the publication, [max bytes], frames, [logs]
    challenge = 0x03, proof, nonce, digest of the request that was taken
    answer  = marks, nonce, [cursor], [acks], [items], [verdicts and publication]

The nonce and the rest of the cursor are not sent: both sides have them. The proof is 16 bytes instead of a
signature of 64: HMAC-SHA256 under a key that only these two can compute, from the X25519 keys that their
certificates name. It covers what is sent, what was left out and put back, and the ids of all frames, so
that a wrong guess is no more than a proof that fails. Nobody else has to believe it: events and acks bear
their own signatures, as always. An answer that moves the cursor is evidence of what the parent gave: it is
signed as a plain one is (`answer`), and begins with 0x04.

A parent that cannot check a request changes nothing and asks for the plain one, which loses nothing.
"""

from __future__ import annotations

from onestop_sync.brief.challenge import Challenge, read_challenge
from onestop_sync.brief.first import (
    FIRST,
    MOST_READERS,
    Beginning,
    open_first,
    open_first_answer,
    seal_answer,
    write_first,
)
from onestop_sync.brief.line import AGAIN, MARK, SIGNED, Line, Secret, digest, shared_secret
from onestop_sync.brief.reply import Answer, Asked, read_answer
from onestop_sync.brief.request import Opened, Request, log_prefix, open_request

__all__ = [
    "AGAIN",
    "FIRST",
    "MARK",
    "MOST_READERS",
    "SIGNED",
    "Answer",
    "Asked",
    "Beginning",
    "Challenge",
    "Line",
    "Opened",
    "Request",
    "Secret",
    "digest",
    "log_prefix",
    "open_first",
    "open_first_answer",
    "open_request",
    "read_answer",
    "read_challenge",
    "seal_answer",
    "shared_secret",
    "write_first",
]

"""What a parent says to a request under the nonce of one that it took before."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, NamedTuple

from onestop_sync import codec
from onestop_sync.brief.line import AGAIN, NONCE_BYTES, PROOF_BYTES, Line, prove
from onestop_sync.errors import FormatError

CHALLENGE_KIND: Final = "onestop/brief-challenge/1"


class Challenge(NamedTuple):
    """What a parent says to a request with the nonce of one that it took before.

    Attributes:
        nonce: For the next request.
        taken: Digest of the request that it took; the machine knows by it whether that was its own.
    """

    nonce: bytes
    taken: bytes

    def write(self, line: Line, asked: bytes) -> bytes:
        """Returns the packet."""
        said = self.nonce + self.taken
        return AGAIN + prove(line.secret.down, _challenged(asked, said)) + said


def read_challenge(packet: bytes, line: Line, asked: bytes) -> Challenge:
    """Reads a challenge and checks that it is the parent's, to this request.

    Raises:
        FormatError: It is not.
    """
    start = 1 + PROOF_BYTES
    said = packet[start:]
    proof = prove(line.secret.down, _challenged(asked, said))
    if len(said) != 2 * NONCE_BYTES or not hmac.compare_digest(packet[1:start], proof):
        raise FormatError("The answer is not the parent's answer to this request.")
    return Challenge(said[:NONCE_BYTES], said[NONCE_BYTES:])


def _challenged(asked: bytes, said: bytes) -> bytes:
    return codec.pae(CHALLENGE_KIND, hashlib.sha256(asked).digest() + said)

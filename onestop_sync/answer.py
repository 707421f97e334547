"""What is kept of a parent's answer: enough to prove later what it said of its own store.

An answer is signed over the hash of the request, the log of the machine that asked, the hash of the answer's
rest, and its head. So head and hashes prove it without the rest, which may be half a megabyte.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import FormatError

__all__ = ["ANSWER_KIND", "KeptAnswer", "answer_bytes"]

ANSWER_KIND: Final = "onestop/answer/1"


def answer_bytes(request: bytes, machine: bytes, rest: bytes, head: bytes) -> bytes:
    """Returns what the signature of an answer is over.

    Args:
        request: SHA-256 of the request.
        machine: Log of the machine that asked.
        rest: SHA-256 of the rest of the answer.
        head: Its first part.
    """
    return codec.pae(ANSWER_KIND, request + machine + rest + head)


class KeptAnswer(NamedTuple):
    """A signed answer without its rest.

    Attributes:
        node: Log of the parent's machine.
        machine: Log of the machine that asked.
        request: SHA-256 of the request.
        rest: SHA-256 of the answer's rest.
        head: The answer's head, as it was signed.
        signature: The parent's.
    """

    node: bytes
    machine: bytes
    request: bytes
    rest: bytes
    head: bytes
    signature: bytes

    def pack(self) -> bytes:
        """Returns it as it is kept."""
        return codec.encode(list(self))

    @classmethod
    def parse(cls, data: bytes) -> KeptAnswer:
        """Reads what `pack` returned.

        Raises:
            FormatError: Malformed.
        """
        match codec.decode(data):
            case [bytes(), bytes(), bytes(), bytes(), bytes(), bytes()] as parts:
                return cls(*parts)
        raise FormatError("A kept answer is malformed.")

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return answer_bytes(self.request, self.machine, self.rest, self.head)

    @property
    def cursors(self) -> tuple[list[Any], list[Any] | None]:
        """The cursor that it gives, and the one that it does not know any more.

        Raises:
            FormatError: Malformed.
        """
        match codec.decode(self.head):
            case [bytes(), list(cursor), bool(), list() | None as lost]:
                return cursor, lost
        raise FormatError("A kept answer is malformed.")

    def denies(self, earlier: KeptAnswer) -> bool:
        """Tells whether it does not know the cursor that an earlier answer to the same machine gave.

        Raises:
            FormatError: One of them is malformed.
        """
        given, _ = earlier.cursors
        _, lost = self.cursors
        return (earlier.node, earlier.machine) == (self.node, self.machine) and given == lost

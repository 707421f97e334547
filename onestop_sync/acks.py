"""Acks: a parent's signed word that it has stored a log up to a sequence, naming the event there.

The chain covers everything before. Events off the chain (a fork, a hole) are acknowledged one by one. Of
each log that it speaks of, a list of acks names the parent's newest head; further entries of the log say how
far what was offered goes along with it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, SignatureInvalid

__all__ = ["ACK_KIND", "Acks", "check_acks", "parse_acks", "parse_head"]

ACK_KIND: Final = "onestop/ack/1"


class Acks(NamedTuple):
    """Signed acks of one node for one unit's logs.

    Attributes:
        node: Log of the machine that signs.
        unit: Unit whose logs these are.
        epoch: Store epoch of the node.
        at_ms: When it said so.
        after: How many statements on the unit it had made in this epoch: a statement with a larger number
            came later. 0 for a parent that makes none.
        logs: ``(log, seq, head)``: stored without gap up to there.
        events: Ids of stored events that are not covered so.
        contents: Attachments that are complete there; acks of these speak of nothing else.
    """

    node: bytes
    unit: str
    epoch: bytes
    at_ms: int
    after: int
    logs: tuple[tuple[bytes, int, bytes], ...]
    events: tuple[bytes, ...]
    contents: tuple[bytes, ...] = ()

    def sign(self, signer: keys.Signer) -> bytes:
        """Returns the acks as they travel: ``[payload, signature]``."""
        return self.with_signature(signer.sign(codec.pae(ACK_KIND, self._payload())))

    def with_signature(self, signature: bytes) -> bytes:
        """Returns the same with a signature that somebody made before."""
        return codec.encode([self._payload(), signature])

    def _payload(self) -> bytes:
        logs: list[codec.Value] = [list(entry) for entry in self.logs]
        head: list[codec.Value] = [1, self.node, self.unit, self.epoch, self.at_ms, self.after]
        if self.contents:
            return codec.encode([2, *head[1:-1], list(self.contents)])
        return codec.encode([*head, logs, list(self.events)])


def parse_acks(data: bytes) -> tuple[Acks, bytes, bytes]:
    """Reads acks; returns them with the bytes that were signed and the signature.

    Raises:
        FormatError: Malformed.
    """
    match codec.decode(data):
        case [bytes(payload), bytes(signature)]:
            pass
        case _:
            raise FormatError("An ack is malformed.")
    match codec.decode(payload):
        case [
            1, bytes(node), str(unit), bytes(epoch), int(at_ms), int(after), list(logs), list(events)
        ] if type(at_ms) is type(after) is int and all(type(e) is bytes for e in events):  # fmt: skip
            found = Acks(node, unit, epoch, at_ms, after, tuple(map(parse_head, logs)), tuple(events))
            return found, codec.pae(ACK_KIND, payload), signature
        case [2, bytes(node), str(unit), bytes(epoch), int(at_ms), [_, *_] as contents] if type(
            at_ms
        ) is int and all(type(content) is bytes for content in contents):
            found = Acks(node, unit, epoch, at_ms, 0, (), (), tuple(contents))
            return found, codec.pae(ACK_KIND, payload), signature
    raise FormatError("An ack is malformed.")


def check_acks(data: bytes, key: bytes) -> Acks:
    """Reads acks and checks their signature.

    Raises:
        FormatError: Malformed.
        SignatureInvalid: Not by ``key``.
    """
    acks, signed, signature = parse_acks(data)
    if not keys.verify(key, signed, signature):
        raise SignatureInvalid("An ack is not signed by the parent that it names.")
    return acks


def parse_head(row: Any) -> tuple[bytes, int, bytes]:
    """Reads how far a log goes.

    Raises:
        FormatError: Malformed.
    """
    match row:
        case [bytes(log), int(seq), bytes(head)] if type(seq) is int:
            return log, seq, head
    raise FormatError("The head of a log is malformed.")

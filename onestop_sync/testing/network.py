"""The simulated line: requests and answers that get lost, doubled, delayed, replayed and damaged."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from onestop_sync.testing.dice import Dice
from onestop_sync.testing.reach import Reach

_ARCHIVE: Final = 40
"""How many old messages somebody on the line keeps, to deliver them again."""


@dataclass(frozen=True)
class Faults:
    """How likely each fault is for one message.

    Attributes:
        lose: It never arrives, and the sender is told that the line broke.
        double: It arrives now and again later.
        replay: An old message arrives first.
        damage: One bit is flipped.
    """

    lose: float = 0.08
    double: float = 0.06
    replay: float = 0.05
    damage: float = 0.03


NO_FAULTS: Final = Faults(0, 0, 0, 0)


@dataclass(frozen=True)
class Message:
    """One request or answer on its way.

    Attributes:
        kind: ``request`` or ``answer``.
        source: Machine that sent it.
        target: Machine to which it goes.
        call: Number of the exchange that it belongs to.
        body: The bytes.
        status: Of an answer, as in HTTP.
    """

    kind: Literal["request", "answer"]
    source: str
    target: str
    call: int
    body: bytes
    status: int = 0


class Network:
    """What is on its way, and which lines are down."""

    def __init__(self, dice: Dice, reach: Reach) -> None:
        self.dice = dice
        self.reach = reach
        self.faults = Faults()
        self.flying: list[Message] = []
        self.archive: deque[Message] = deque(maxlen=_ARCHIVE)
        self.cuts: dict[frozenset[str], int] = {}

    def is_up(self, one: str, other: str) -> bool:
        """Tells whether the line between two machines works."""
        return frozenset((one, other)) not in self.cuts

    def cut(self, one: str, other: str, until: int) -> None:
        """Cuts a line until a step."""
        self.cuts[frozenset((one, other))] = until
        self.reach["partitions"] += 1

    def heal(self, step: int | None = None) -> None:
        """Mends the lines that are due at ``step``; all of them when it is ``None``."""
        self.cuts = {line: due for line, due in self.cuts.items() if step is not None and due > step}

    def calm(self) -> None:
        """Ends every fault: what is on its way is gone, and from now on everything arrives."""
        self.faults = NO_FAULTS
        self.heal()
        self.flying.clear()
        self.archive.clear()

    def send(self, message: Message) -> None:
        """Puts a message on its way."""
        self.flying.append(message)

    def take(self) -> tuple[Message, bool] | None:
        """Takes the next message that arrives, in any order, and whether it really does.

        Returns:
            The message and ``True``, or one that was lost and ``False``; ``None`` when nothing flies.
        """
        if self.archive and self.dice.happens(self.faults.replay):
            self.reach["replays"] += 1
            return self.dice.pick(self.archive), True
        if not self.flying:
            return None
        message = self.flying.pop(self.dice.randrange(len(self.flying)))
        self.archive.append(message)
        if not self.is_up(message.source, message.target) or self.dice.happens(self.faults.lose):
            self.reach[f"lost {message.kind}s"] += 1
            return message, False
        if self.dice.happens(self.faults.double):
            self.reach["duplicates"] += 1
            self.flying.append(message)
        if message.body and self.dice.happens(self.faults.damage):
            self.reach["flipped bytes"] += 1
            message = replace(message, body=flip(self.dice, message.body))
        return message, True


def flip(dice: Dice, data: bytes) -> bytes:
    """Returns ``data`` with one bit flipped."""
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def flip_in(dice: Dice, frame: list[Any]) -> None:
    """Flips one bit in one part of a frame; a part that is not there, as a body that was erased, stays so."""
    part = dice.randrange(3)
    if frame[part]:
        frame[part] = flip(dice, frame[part])

"""How much one request should carry on a line, and how long to wait for its answer: learnt from what it does.

A request that is cut is lost whole, so on a bad line it should be small; on a good one each costs a round
trip, so it should be large. Nobody configures that: begin small, grow while answers come quickly, shrink when
one is cut or slow.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["Pace"]

START_BYTES: Final = 64 * 1024
"""On a line that nobody knows: some seconds at 64 kbit/s, once it is compressed."""
LEAST_BYTES: Final = 4 * 1024
MOST_BYTES: Final = 2**40
GOAL_S: Final = 4.0
"""How long one request should take."""
_QUICK: Final = 8
_SLACK_S: Final = 10.0
_SLACK: Final = 4


class Pace(NamedTuple):
    """What a line does.

    Attributes:
        budget: Bytes of events in one request, and in one answer.
        rate: Bytes a second on the wire, both ways, the wait for the answer included; 0 when nobody knows.
    """

    budget: int = START_BYTES
    rate: int = 0

    def after(self, wire_bytes: int, took_s: float, most_bytes: int, *, is_full: bool) -> Pace:
        """Returns the pace after an answered request.

        Args:
            wire_bytes: What it and its answer came to.
            took_s: From sending to the end of the answer.
            most_bytes: The largest budget that is allowed.
            is_full: Whether there was more than the budget held: only then it is worth to raise it.
        """
        took_s = max(took_s, 0.001)
        rate = int(wire_bytes / took_s) or 1
        # A short exchange measures the line's delay more than its width.
        rate = rate if not self.rate or rate > self.rate else (3 * self.rate + rate) // 4
        budget = self.budget
        if took_s > GOAL_S:
            budget = int(budget * GOAL_S / took_s)
        elif is_full and took_s < GOAL_S / _QUICK:
            budget *= 4
        elif is_full and took_s < GOAL_S / 2:
            budget *= 2
        return Pace(max(LEAST_BYTES, min(budget, most_bytes, MOST_BYTES)), rate)

    def after_cut(self) -> Pace:
        """Returns the pace after a request that was cut."""
        return self._replace(budget=max(LEAST_BYTES, self.budget // 2))

    def wait_s(self, sent_bytes: int, most_s: float) -> float:
        """Returns how long to wait for the next byte of an answer before the line counts as dead.

        Args:
            sent_bytes: Of the request.
            most_s: Longest wait of all, and the wait on a line that nobody knows.
        """
        if not self.rate:
            return most_s
        return min(most_s, _SLACK_S + _SLACK * sent_bytes / self.rate)

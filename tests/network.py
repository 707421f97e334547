"""The long runs over bad lines: `python -m tests.network` (`make network`) prints what they came to.

10,000 posts over a line that fails 40 % of the requests: each is there once.
1,000 events at 64 kbit/s and 600 ms, a fifth of the requests cut: each cut costs one batch at most.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from onestop_sync.client import Lines, Patience, sync
from onestop_sync.errors import Unreachable
from tests.bad_line import BadLine, Weather
from tests.e2e.servers import Office, Town, serving, status

__all__ = ["Came", "posts_over_a_failing_line", "thousand_over_a_thin_line"]

_STUBBORN = Patience(tries=4, first_s=0.02, most_s=0.2)


@dataclass
class Came:
    """What a run came to.

    Attributes:
        arrived: Documents at the server.
        unsent: Events that the machine believes to be unsent.
        requests: Requests that began.
        fates: How many were cut, and where.
        up: Bytes that the machine sent.
        clean_up: Bytes that the same work takes on a good line.
        largest: Bytes of the largest request.
        took_s: How long it took.
    """

    arrived: int
    unsent: int
    requests: int
    fates: Counter[str]
    up: int
    took_s: float
    clean_up: int = 0
    largest: int = 1

    @property
    def again(self) -> float:
        """How many of its largest batches the machine sent beyond what a good line takes, for each cut."""
        return (self.up - self.clean_up) / self.largest / max(1, self.failed)

    @property
    def failed(self) -> int:
        """How many requests were cut."""
        return self.fates.total()


def _sync_on(office: Office, line: BadLine, lines: Lines) -> None:
    """Syncs until it is through, as a program does that comes back by itself."""
    for _ in range(100):
        try:
            if sync(office.store, [line.parent], lines=lines, patience=_STUBBORN).is_complete:
                return
        except Unreachable:
            lines.circuits.clear()
    raise AssertionError("It never got through.")


def posts_over_a_failing_line(town: Town, posts: int, a_post: int = 1) -> Came:
    """Writes and posts cases over a line that fails 40 % of all requests.

    Args:
        town: Where.
        posts: Cases.
        a_post: Cases in one post.
    """
    office = town.enrol("posts", "c9")
    folder = town.folder / "province"
    begun = time.monotonic()
    with serving(folder) as server, BadLine(server.port, Weather(cut=0.4)) as line, Lines() as lines:
        for n in range(0, posts, a_post):
            office.take_in(a_post, f"hồ sơ {n}")
            _sync_on(office, line, lines)
    took = time.monotonic() - begun
    unsent = office.store.status().unsent
    return Came(status(folder)["documents"], unsent, line.requests, line.fates, line.up, took)


def thousand_over_a_thin_line(
    town: Town, events: int = 1000, *, bytes_s: float = 8_000.0, trip_s: float = 0.6, seed: int = 4
) -> Came:
    """Brings events over a thin line of which a fifth of the requests is cut, and counts what went up twice.

    Args:
        town: Where.
        events: How many.
        bytes_s: Width of the line.
        trip_s: Its round trip.
        seed: Of the line's dice.
    """
    clean, office = town.enrol("clean", "c9"), town.enrol("thin", "c9")
    folder = town.folder / "province"
    with serving(folder) as server:
        with BadLine(server.port) as good, Lines() as lines:
            for each in (clean, office):
                sync(each.store, [good.parent], lines=lines)
            before = good.up
            clean.take_in(events)
            _sync_on(clean, good, lines)
            clean_up = good.up - before
        office.take_in(events)
        begun = time.monotonic()
        with BadLine(server.port, Weather(bytes_s, trip_s, cut=0.2, seed=seed)) as line, Lines() as lines:
            _sync_on(office, line, lines)
        took = time.monotonic() - begun
    arrived = status(folder)["documents"] - events
    unsent = office.store.status().unsent
    return Came(arrived, unsent, line.requests, line.fates, line.up, took, clean_up, line.largest)


def main() -> int:
    """Runs both, prints what they came to, and returns whether all of it is as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.network", description=__doc__)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000)
    asked = parser.parse_args()
    is_good = True
    with tempfile.TemporaryDirectory(prefix="onestop-network-") as folder:
        town = Town(Path(folder))
        came = posts_over_a_failing_line(town, asked.posts)
        print(f"{asked.posts:,} posts, {came.requests:,} requests, cut {dict(came.fates)}: ", end="")
        print(f"{came.arrived:,} there, {came.unsent} unsent, {came.took_s:.0f} s", flush=True)
        is_good &= (came.arrived, came.unsent) == (asked.posts, 0)
        thin = thousand_over_a_thin_line(town, asked.events)
        there = thin.arrived - came.arrived
        print(f"{asked.events:,} events at 64 kbit/s and 600 ms, {thin.requests} requests, ", end="")
        print(f"cut {dict(thin.fates)}: {there:,} there, {thin.unsent} unsent, {thin.took_s:.0f} s, ", end="")
        print(f"{thin.up:,} bytes up for {thin.clean_up:,}: {thin.again:.2f} batches again for each cut")
        is_good &= (there, thin.unsent) == (asked.events, 0) and thin.again <= 1
        town.close()
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())

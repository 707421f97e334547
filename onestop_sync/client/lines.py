"""Connections to parents, kept open between syncs, and which parents are passed over for a while."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from onestop_sync.client.parent import Parent
from onestop_sync.errors import InvalidInput

if TYPE_CHECKING:
    import httpx

_PASSED_OVER_S: Final = 5.0
_MOST_PASSED_OVER_S: Final = 60.0


@dataclass(slots=True)
class Circuit:
    """A parent that does not answer: passed over for a while that doubles, then tried once.

    Attributes:
        failures: How often in a row it did not.
        opens_at: Until when others come first, by the monotonic clock.
    """

    failures: int = 0
    opens_at: float = 0.0

    def fail(self) -> None:
        """Notes that it did not answer."""
        self.failures += 1
        pause = min(_PASSED_OVER_S * 2 ** min(self.failures - 1, 10), _MOST_PASSED_OVER_S)
        self.opens_at = time.monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


_WELL: Final = Circuit()


class Lines:
    """Connections to parents, one for each, kept open between syncs.

    Args:
        http: Makes the client for a parent; for tests, and for integrators with a client of their own.
    """

    def __init__(self, http: Callable[[Parent], httpx.Client] | None = None) -> None:
        self._make = http or _client
        self._open: dict[Parent, httpx.Client] = {}
        self.typed: set[Parent] = set()
        """Parents that want the type of a request named; a proxy may, so behind one it always is."""
        self.circuits: dict[Parent, Circuit] = {}

    def to(self, parent: Parent) -> httpx.Client:
        """Returns the client that holds the connection to ``parent``."""
        if parent not in self._open:
            self._open[parent] = self._make(parent)
        return self._open[parent]

    def order(self, parents: Sequence[Parent]) -> list[Parent]:
        """Returns parents in the order in which to try them: those that were just found down come last."""
        now = time.monotonic()
        is_open = {parent: self.circuits.get(parent, _WELL).opens_at > now for parent in parents}
        return sorted(parents, key=is_open.__getitem__)

    def note(self, parent: Parent, *, is_up: bool) -> None:
        """Notes whether a parent answered."""
        if is_up:
            self.circuits.pop(parent, None)
        else:
            self.circuits.setdefault(parent, Circuit()).fail()

    def close(self) -> None:
        """Closes all connections."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _client(parent: Parent) -> httpx.Client:
    import httpx

    # A context is expensive to make, and of no use without TLS.
    verify: ssl.SSLContext | bool = False
    if parent.url.startswith("https:"):
        try:
            verify = ssl.create_default_context(cafile=parent.ca)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput("The file of the certificate authority cannot be read as PEM.") from error
    return httpx.Client(
        verify=verify,
        proxy=parent.through or None,
        trust_env=False,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=300),
    )

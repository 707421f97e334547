"""Where a parent is reached: its address, and what stands before it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from onestop_sync.errors import InvalidInput
from onestop_sync.proxies import DIRECT, proxy_for

SYNC_PATH: Final = "/v1/sync"


@dataclass(frozen=True, slots=True)
class Parent:
    """Where a parent is reached.

    Attributes:
        url: ``http://`` or ``https://``, host, and a port and path where needed.
        ca: PEM file of the authority that signed the server's TLS certificate; the system's when ``None``.
        proxy: URL of a proxy; empty for the computer's own, "none" for none (`proxies`).
        found: Of one that nobody configured, but that announced itself (`nearby`): the name under which the
            store keeps what it knows of it. It is asked who it is each time before it is told anything.
    """

    url: str
    ca: Path | None = None
    proxy: str = ""
    found: str = ""

    def __post_init__(self) -> None:
        _check_url(self.url)
        if self.proxy and self.proxy != DIRECT:
            _check_url(self.proxy)

    @property
    def name(self) -> str:
        """Under which the store keeps what it knows of this parent."""
        return self.found or self.url.rstrip("/")

    @property
    def through(self) -> str:
        """URL of the proxy that stands before it; empty for none."""
        return proxy_for(self.url, self.proxy)

    @property
    def endpoint(self) -> str:
        """Where requests go."""
        return self.url.rstrip("/") + SYNC_PATH


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or any(c.isspace() for c in url):
        raise InvalidInput(f"{url[:100]!r} is not an address such as https://may-chu.example.vn:8420.")


def is_reachable(parent: Parent, wait_s: float = 2.0) -> bool:
    """Tells whether somebody takes connections at a parent's address, or at the proxy before it: no more.

    It costs two packets, so it may be asked every few seconds while a line is down.
    """
    parts = urlsplit(parent.through or parent.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), wait_s).close()
    except OSError:
        return False
    return True

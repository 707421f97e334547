"""Which proxy stands before a server: the one that is named, the computer's own, or none.

Offices set a proxy once for the whole computer: ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` in the
environment, or the settings of Windows and macOS. A hub on the local network is never asked for through it.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from onestop_sync.errors import InvalidInput

__all__ = ["DIRECT", "is_near", "proxy_for"]

DIRECT: Final = "none"
"""Instead of a proxy's address: whatever the computer's settings say, there is none."""


def proxy_for(url: str, named: str) -> str:
    """Returns the URL of the proxy through which a server is reached; empty for none.

    Args:
        url: Of the server.
        named: The proxy in the program's own settings, `DIRECT`, or empty for the computer's.

    Raises:
        InvalidInput: The computer's settings name a proxy that is no address, or of a kind not spoken here.
    """
    if named:
        return "" if named == DIRECT else named
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_near(host) or proxy_bypass(host):
        return ""
    found = getproxies().get(parts.scheme, "")
    return _checked(found) if found else ""


def is_near(host: str) -> bool:
    """Tells whether a host is on the local network: a private address, or a name without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost"))
    return address.is_private or address.is_loopback or address.is_link_local


def _checked(proxy: str) -> str:
    url = proxy if "://" in proxy else f"http://{proxy}"
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise InvalidInput(
            "The computer's settings name a proxy that is no http:// or https:// address.",
            todo="Correct HTTPS_PROXY, or name the proxy in the program's own settings.",
            reason="proxy",
        )
    return url

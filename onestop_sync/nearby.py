"""The hub of a unit on its local network: announced by itself, found by the unit's machines (mDNS, DNS-SD).

    with announcing(store, "0.0.0.0") as at: at(8420)
    watch = Watch(); watch.hubs(store)              # who is known to be there now

An announcement proves nothing: it says where to ask. Whoever is found is asked who it is before it is told
anything, and goes on only as any parent does, by the certificates of the province. What is announced is no
secret: an address, a unit's code, and the first bytes of public keys.

The library zeroconf is loaded with the first announcement or search. Where it is missing, the network forbids
multicast, or ``ONESTOP_NO_MULTICAST`` is set, nobody is found, and that is all.

Source: RFC 6762, RFC 6763.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from onestop_sync.store import Store

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

__all__ = ["LOOK_S", "OFF", "SERVICE", "Hub", "Watch", "addresses_of", "announcing", "read_hub", "tell_hub"]

SERVICE: Final = "_onestop._tcp.local."
_VERSION: Final = "1"
_PREFIX: Final = 8
_MOST_HUBS: Final = 64
"""Hubs of any province that are remembered: whoever floods a network with names fills no memory."""
_ASK_MS: Final = 1500
_JOIN_S: Final = 5.0
LOOK_S: Final = 1.5
"""How long to wait for the first answers on a network where nobody has been seen yet, seconds."""
OFF: Final = "ONESTOP_NO_MULTICAST"
"""Name of the environment's variable that keeps this program from multicast altogether."""


class Hub(NamedTuple):
    """A server that announced itself.

    Attributes:
        root: First bytes of its province's root key, hex.
        unit: Code of its unit.
        node: First bytes of its machine's log, hex.
        urls: Where it is reached.
    """

    root: str
    unit: str
    node: str
    urls: tuple[str, ...]

    @property
    def name(self) -> str:
        """Under which a store keeps what it knows of it: its address may change every day."""
        return f"hub:{self.node}"


def tell_hub(store: Store) -> dict[str, str]:
    """Returns what a store's server says of itself."""
    root, node = store.root[:_PREFIX].hex(), store.machine_log[:_PREFIX].hex()
    return {"v": _VERSION, "root": root, "unit": store.unit, "node": node}


def read_hub(told: Mapping[Any, Any], addresses: Sequence[str], port: int) -> Hub | None:
    """Reads an announcement; ``None`` for what is none of this version.

    Args:
        told: The properties, names and values as bytes.
        addresses: IPv4 addresses.
        port: Where it listens.
    """
    try:
        words = {str(key, "utf-8"): str(value or b"", "utf-8") for key, value in told.items()}
        near = [each for each in addresses if ipaddress.IPv4Address(each).is_private]
        is_whole = all(len(bytes.fromhex(words[name])) == _PREFIX for name in ("root", "node"))
    except (ValueError, TypeError, KeyError):
        return None
    if words.get("v") != _VERSION or not words.get("unit") or not is_whole or not near:
        return None
    urls = tuple(f"http://{address}:{port}" for address in sorted(set(near)))
    return Hub(words["root"], words["unit"], words["node"], urls)


@contextmanager
def announcing(store: Store, host: str) -> Iterator[Callable[[int], None]]:
    """Yields what announces a server, once its port is known; it ends with the block.

    Args:
        store: Of the server.
        host: Address on which it listens; on the loopback nobody could come, and nothing is announced.
    """
    addresses, told = addresses_of(host), tell_hub(store)
    open_now: list[Zeroconf] = []
    threads: list[threading.Thread] = []

    def at(port: int) -> None:
        if addresses:
            # In a thread of its own: it asks the network for a second whether the name is free.
            threads.append(
                threading.Thread(target=_announce, args=(told, addresses, port, open_now), daemon=True)
            )
            threads[-1].start()

    try:
        yield at
    finally:
        for thread in threads:
            thread.join(_JOIN_S)
        for zeroconf in open_now:
            zeroconf.close()


def _announce(told: Mapping[str, str], addresses: Sequence[str], port: int, open_now: list[Zeroconf]) -> None:
    zeroconf = _open()
    if zeroconf is None:
        return
    open_now.append(zeroconf)
    from zeroconf import ServiceInfo

    name = f"onestop-{told['node']}"
    info = ServiceInfo(
        SERVICE, f"{name}.{SERVICE}", port=port, properties=dict(told), server=f"{name}.local.",
        addresses=[socket.inet_aton(each) for each in addresses],
    )  # fmt: skip
    with suppress(Exception):  # a network that forbids it forbids nothing else
        zeroconf.register_service(info, allow_name_change=True)


class Watch:
    """Who is announced on the local network, from the first question on until it is closed."""

    def __init__(self) -> None:
        self._found: dict[str, Hub] = {}
        self._lock = threading.Lock()
        self._is_looking = False
        self._come = threading.Event()
        self._zeroconf: Zeroconf | None = None

    def hubs(self, store: Store, wait_s: float = 0.0) -> list[Hub]:
        """Returns those of the store's province that stand at or above its unit, its own unit's first.

        Args:
            store: Of the machine that looks.
            wait_s: How long to wait for somebody where nobody was seen yet.
        """
        self._look()
        if self._zeroconf is not None:
            self._come.wait(wait_s)
        line = list(store.trust.document.above(store.unit))
        mine = tell_hub(store)
        with self._lock:
            found = list(self._found.values())
        good = [h for h in found if h.root == mine["root"] and h.unit in line and h.node != mine["node"]]
        return sorted(good, key=lambda hub: (hub.unit != store.unit, hub.node))

    def note(self, name: str, hub: Hub | None) -> None:
        """Notes what stands behind a name; ``None``: it is gone."""
        with self._lock:
            self._found.pop(name, None)
            if hub is not None and len(self._found) < _MOST_HUBS:
                self._found[name] = hub
                self._come.set()

    def close(self) -> None:
        """Ends the search."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is not None:
            zeroconf.close()

    def _look(self) -> None:
        """Begins to look."""
        if self._is_looking:
            return
        self._is_looking = True
        self._zeroconf = _open()
        if self._zeroconf is None:
            return
        from zeroconf import ServiceBrowser

        ServiceBrowser(self._zeroconf, SERVICE, listener=_Listener(self))  # type: ignore[arg-type]


class _Listener:
    """What zeroconf calls, in a thread of its own."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def add_service(self, zeroconf: Zeroconf, kind: str, name: str) -> None:
        """Notes who announced itself."""
        info: ServiceInfo | None = zeroconf.get_service_info(kind, name, _ASK_MS)
        if info is not None and info.port:
            self.watch.note(name, read_hub(info.properties, _v4(info), info.port))

    update_service = add_service

    def remove_service(self, _zeroconf: Zeroconf, _kind: str, name: str) -> None:
        """Notes that somebody is gone."""
        self.watch.note(name, None)


def _v4(info: ServiceInfo) -> list[str]:
    from zeroconf import IPVersion

    return info.parsed_addresses(IPVersion.V4Only)


def _open() -> Zeroconf | None:
    """Returns a socket for multicast, or ``None`` where there is none to be had."""
    if os.environ.get(OFF):
        return None
    try:
        from zeroconf import IPVersion, Zeroconf

        return Zeroconf(ip_version=IPVersion.V4Only)
    except (ImportError, OSError):
        return None


def addresses_of(host: str) -> list[str]:
    """Returns the private IPv4 addresses under which a server that listens on ``host`` is reached."""
    found = [host]
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - it is compared, not listened on
        try:
            import ifaddr
        except ImportError:
            return []
        found = [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str)]
    with suppress(ValueError):
        known = [ipaddress.IPv4Address(each) for each in found if ":" not in each]
        return [str(each) for each in known if each.is_private and not each.is_loopback]
    return []

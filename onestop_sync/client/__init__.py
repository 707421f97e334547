"""Sync with a parent over HTTP: httpx and tenacity around `protocol.Requester`.

    sync(store, [Parent("http://192.168.1.5:8420"), Parent("https://huyen.example.vn", ca=path)])

Parents are tried in order (the hub first, then the district) until one answers. What was sent and not
answered is sent again: the protocol's requests can be repeated. A caller that syncs often keeps its `Lines`,
and with them one open connection to each parent.

The library is imported without httpx and tenacity; both are loaded by the first sync.

`parent` is where a parent is reached, `lines` the connections that are kept, `asking` one request until it is
answered, `syncing` the requests of a whole sync.
"""

from __future__ import annotations

from onestop_sync.client.asking import CONTENT_TYPE, PATIENCE, Patience
from onestop_sync.client.lines import Circuit, Lines
from onestop_sync.client.parent import SYNC_PATH, Parent, is_reachable
from onestop_sync.client.syncing import WireReport, post, sync

__all__ = [
    "CONTENT_TYPE",
    "PATIENCE",
    "SYNC_PATH",
    "Circuit",
    "Lines",
    "Parent",
    "Patience",
    "WireReport",
    "is_reachable",
    "post",
    "sync",
]

"""Frames without what their receiver can work out: smaller on the wire, and put back exactly.

Left out of a frame are the version, the log (named once a block, or by its first bytes where the receiver has
it), the id of the log's previous event, the size and hash of the body, the first bytes of a document's id,
which its type gives, and all of the id of a new document; parents and their document are named by log and
sequence where the receiver has them. Whatever cannot be put back to the same bytes is sent as it is.

A receiver may have something else at a place than its sender believes. Then other bytes are put back, with
other ids: whoever carries a block binds the ids of its frames to it, and falls back to plain frames.

    block in columns = number of frames, frame, …
    frame = 0, sizes, header, signature, body              as it is
          | 64, number of an earlier frame that is the same
          | 1 + marks, log, seq, prev, type, schema, time, document, parents, body without its salt
"""

from __future__ import annotations

from onestop_sync.compact.block import (
    MAX_FRAMES,
    MAX_SHARED_LOGS,
    NOTHING,
    PREFIX_BYTES,
    Block,
    Held,
    Unknown,
)
from onestop_sync.compact.headers import Place, event_id
from onestop_sync.compact.reading import read
from onestop_sync.compact.writing import write

__all__ = [
    "MAX_FRAMES",
    "MAX_SHARED_LOGS",
    "NOTHING",
    "PREFIX_BYTES",
    "Block",
    "Held",
    "Place",
    "Unknown",
    "event_id",
    "read",
    "write",
]

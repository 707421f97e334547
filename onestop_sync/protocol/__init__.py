"""The protocol without its transport: what a machine asks, and what its parent answers.

One idempotent request, signed by the machine's key for this parent and bound to the nonce of the last
answer, so that a copied one opens nothing:

    request = [payload, machine log, signature]     signature over PAE(REQUEST_KIND, payload)
    payload = [1, parent, nonce, cursor or null, echo, max_bytes, published, [frame, …], [proof, …]]
    published = [version, root version, [wanted file, …], files or null]    of what the machine has
    answer  = [1, "answer", head, rest, signature]
                       over PAE(ANSWER_KIND, SHA-256(request) + machine log + SHA-256(rest) + head)

A parent that was restored may know less of what the province publishes than its machines; they give it back.

An answer is signed, and bound to the request that it answers, so that an old one, or one that a relay has
changed or shortened, moves nothing. Its head, what the parent says of its own store, can be proven without
the rest, and is kept until the next one: a parent that does not know its own cursor has contradicted itself.

The first request of all names no parent and carries the machine's own proof and nothing else; it is answered
by a *challenge*, in which the parent proves who it is before it is told anything. Everything else is an
*answer*: signed acks, a verdict for each event that takes no effect, items of the feed, and where to go on.

A machine that has not heard of a new tree may neither be able to believe a challenge nor be let in. It asks
once more, and says which publication it has; whoever has a newer one seals it to the machine (*published*).

`Requester` and `Responder` hold this; they move bytes and a store, and do no I/O of their own.
"""

from __future__ import annotations

from onestop_sync.protocol.packets import LIMITS, Limits, SyncReport, open_packet, pack_packet
from onestop_sync.protocol.requester import Requester
from onestop_sync.protocol.responder import Responder

__all__ = ["LIMITS", "Limits", "Requester", "Responder", "SyncReport", "open_packet", "pack_packet"]

"""What a store holds against somebody above, as one file that others can check."""

from __future__ import annotations

from typing import Any

from onestop_sync import proofs
from onestop_sync.answer import KeptAnswer
from onestop_sync.errors import NotFound
from onestop_sync.storage.findings import Finding
from onestop_sync.store import Store

__all__ = ["export_proof"]


def export_proof(store: Store, explanation: str = "") -> tuple[bytes, list[Finding]]:
    """Returns a proof of all findings, and the findings in it.

    Who has written it to a file calls `Store.mark_told`.

    Args:
        store: Whose.
        explanation: What a person reads first; an English one when empty.

    Raises:
        NotFound: Nothing was found out.
    """
    found = store.findings()
    if not found:
        raise NotFound(
            "Nothing was found out about anybody above: there is nothing to prove.",
            todo="Nothing was written, and nothing needs to be done.",
        )
    papers = [paper for finding in found for paper in finding.papers]
    nodes = proofs.nodes_of(papers)
    nodes |= {KeptAnswer.parse(data).machine for kind, data in papers if kind == "answer"}
    frames: dict[bytes, Any] = {}
    for node in sorted(nodes):
        frames.update((frame[0], frame) for frame in store.introduction(node))
    data = proofs.pack(
        store.root, store.trust_bytes, list(frames.values()), found, explanation or proofs.explain(found)
    )
    return data, found

"""After all that a simulated province lives through, every store and document is proven as it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from onestop_sync.document_evidence import Evidence
from onestop_sync.proof import check
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.world import World
from onestop_sync.verification import collect, verify_store

STEPS = 120
MISSING = {"no_authority", "no_parent"}
"""What is truly not there in a simulated world: certificates nobody gave, and events that a disk lost."""


@pytest.mark.parametrize("seed", [2, 3])
def test_whatever_a_store_shows_is_proven(tmp_path: Path, seed: int) -> None:
    """With forks, restores, refusals and lies behind it, no store shows what its signed events do not say."""
    reach = Reach()
    world = World(seed, tmp_path, reach, lambda _: None)
    try:
        world.live(STEPS)
        world.heal()
        world.judge()
        odd = documents = 0
        for node in world.nodes.values():
            report = verify_store(node.store, threads=1)
            assert {problem.code for problem in report.problems} <= MISSING
            odd, documents = odd + len(report.odd_logs), documents + report.documents
            shown: dict[bytes, bytes] = {}
            for kind in node.store.types:
                shown |= node.store.fingerprints(kind)
            for doc in node.documents():
                evidence = Evidence.parse(collect(node.store, doc).to_bytes())
                found = check(evidence, node.store.root, node.store.types.values())
                assert {problem.code for problem in found.problems} <= MISSING
                assert found.fingerprint == shown[doc]
        assert documents > 20
        assert odd > 0
        assert reach["refusals"] > 0
    finally:
        world.close()

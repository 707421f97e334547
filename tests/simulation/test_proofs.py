"""After all that a simulated province lives through, every store and document is proven as it is shown."""

from __future__ import annotations

from pathlib import Path

from onestop_sync.document_evidence import Evidence
from onestop_sync.proof import check
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.world import World
from onestop_sync.verification import collect, verify_store

SEEDS = range(2, 8)
"""As many as it takes to meet forks and refusals: two, mostly."""
STEPS = 120
MISSING = {"no_authority", "no_parent"}
"""What is truly not there in a simulated world: certificates nobody gave, and events that a disk lost."""


def test_whatever_a_store_shows_is_proven(tmp_path: Path) -> None:
    """With forks, restores, refusals and lies behind it, no store shows what its signed events do not say."""
    odd = refusals = 0
    for seed in SEEDS:
        found, reach = proven(seed, tmp_path / str(seed))
        odd, refusals = odd + found, refusals + reach["refusals"]
        if odd and refusals:
            break
    assert odd > 0  # what was proven was worth it
    assert refusals > 0


def proven(seed: int, folder: Path) -> tuple[int, Reach]:
    """Plays one seed and proves what came of it; returns how many logs have forks or holes."""
    reach = Reach()
    world = World(seed, folder, reach, lambda _: None)
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
    finally:
        world.close()
    return odd, reach

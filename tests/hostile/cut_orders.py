"""A cut, two branches of a log and a countersignature, in every order of arrival: one verdict."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from onestop_sync.event import build
from onestop_sync.trust import LEADER, Cut, CutReason
from tests.province import Province

__all__ = ["one_verdict"]


def one_verdict(folder: Path, why: CutReason, *, orders: int, seed: int) -> set[str]:
    """Brings the same things to stores in random orders; returns the names of the cases that count at all.

    Raises:
        AssertionError: Two stores came to different states.
    """
    province = Province(folder)
    source = province.machine("goc", "c1", {"An": ["clerk"], "Chủ tịch xã": [LEADER, "boss"]})
    an = source.writer("An")
    docs = [an.create("case", {"name": f"Số {i}"}) for i in range(4)]
    events = [record.event for doc in docs for record in source.store.history(doc)]
    head, beyond = events[1], events[3]
    fork = build(
        source.officers["An"], log=head.log, seq=head.header.seq, prev=head.header.prev, doc_type="case",
        doc_id=docs[0], parents=(events[0].id,), time_ms=1, schema=1, ops=[["set", "phone", "0999"]],
        salt=bytes(16),
    )  # fmt: skip
    vouched = source.writer("Chủ tịch xã").countersign([beyond.id], "Có thật")
    heads = {head.log: (head.header.seq, head.id)}
    if why == "closed":
        heads[vouched.log] = (vouched.header.seq, vouched.id)
    key, unit = (b"", "c1") if why == "closed" else (source.officers["An"].public, "")
    province.publish(cuts=(Cut(why, key, unit, heads),))
    proofs = [*source.store.introduction(head.log), *source.store.introduction(vouched.log)]
    things: list[Any] = [e.to_frame() for e in (*events, fork, vouched)] + [province.trust]
    digests: set[bytes] = set()
    effective: set[frozenset[str]] = set()
    rng = Random(f"{why}/{seed}")
    for turn in range(orders):
        rng.shuffle(things)
        store = province.bare(folder / f"{turn}")
        store.receive(proofs)
        for thing in things:
            if isinstance(thing, bytes):
                store.replace_trust(thing)
            else:
                store.receive([thing])
        digests.add(store.digest())
        effective.add(frozenset(row.title for row in store.page("case") if row.title))
        store.close()
    source.store.close()
    assert len(digests) == len(effective) == 1, (why, len(digests), effective)
    return set(next(iter(effective)))

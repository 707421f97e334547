"""Every planted mistake by its name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final

from onestop_sync.testing.mistakes import deciding, folding, keeping, storing, syncing

__all__ = ["MISTAKES", "Planting"]

Planting = Callable[[], AbstractContextManager[Any]]

_ALL: Final[tuple[Planting, ...]] = (
    folding.last_write_wins,
    folding.verdict_by_arrival,
    folding.skipped_parent_check,
    folding.nobody_woken,
    storing.identity_by_counter,
    storing.ack_before_commit,
    storing.unnoticed_restore,
    storing.serial_reuse,
    storing.full_disk_overlooked,
    storing.unhealed_by_update,
    storing.unknown_dropped,
    storing.blind_doctor,
    storing.marks_forgotten,
    syncing.skipping_cursor,
    syncing.no_backfill,
    syncing.no_inheritance,
    syncing.cursor_before_events,
    syncing.nonce_unchecked,
    syncing.unverified,
    syncing.feed_for_everybody,
    syncing.no_proofs,
    syncing.any_head_acked,
    deciding.cut_forgotten,
    deciding.successor_a_stranger,
    deciding.cut_by_number,
    keeping.tombstone_forgotten,
    keeping.erased_comes_back,
    keeping.bodies_of_latecomers,
    keeping.erased_scans_kept,
    keeping.unscrubbed,
    keeping.chunk_unverified,
    keeping.complete_by_index,
    keeping.shared_chunks_dropped,
)

MISTAKES: Final[dict[str, Planting]] = {each.__name__.replace("_", "-"): each for each in _ALL}
"""Name → what plants it; its docstring says what is wrong."""

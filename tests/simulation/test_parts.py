"""Parts of the simulator that its own runs would miss."""

from __future__ import annotations

from onestop_sync.fold import fold
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.kinds import CASE
from onestop_sync.testing.network import flip_in


def test_a_relay_flips_bits_of_frames_without_a_body_too() -> None:
    """What was erased stays away when a relay changes what it forwards, and of the rest a byte is changed."""
    changed = set()
    for seed in range(20):
        frame = [b"header", b"signature", None]
        flip_in(Dice(seed, "test"), frame)
        assert frame[2] is None
        changed |= {part for part, was in enumerate((b"header", b"signature")) if frame[part] != was}
    assert changed == {0, 1}


def test_a_case_of_which_nothing_counts_has_a_row_in_the_register() -> None:
    """What is kept of an erased case says that it never began, where not even its beginning counts."""
    assert CASE.register is not None
    assert CASE.register(fold(CASE, ())) == {"step": "", "units": 0}

"""Wrong protocols, planted on purpose. A harness that does not find these has not looked.

Production code has no switch for any of them: each replaces a function of it for the length of a run, and
is gone when the run is judged.
"""

from onestop_sync.testing.mistakes.registry import MISTAKES, Planting

__all__ = ["MISTAKES", "Planting"]

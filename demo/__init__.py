"""The whole story with real processes, run with `python -m demo`."""

from typing import Final

PASSPHRASE: Final = "một cửa liên thông"  # noqa: S105 - printed at the end; nothing real is ever sealed with it
"""Of every invented officer and server of the demo."""

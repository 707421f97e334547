"""The command ``onestop``: everything that the screen does, for scripts and for those who type."""

from __future__ import annotations

from commune_client.cli.entry import main

__all__ = ["main"]

"""Screens, driven by a pilot or through a pseudo-terminal."""

"""The whole story with real processes, run with python -m demo."""

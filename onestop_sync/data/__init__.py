"""Data that is part of the protocol."""

"""Tests, sorted by what they show."""

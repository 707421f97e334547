"""Measurements on seeded data, run with python -m benchmarks."""

"""Fuzzing of every decoder: coverage-guided for as long as one likes, by mutation in the suite.

    python -m tests.fuzz --seconds 60              all targets, a minute each
    python -m tests.fuzz --only codec bundle       some of them

A *target* (`target`) is a decoder with valid inputs to begin from. Whatever comes in, it takes it, or refuses
it by an error of `onestop_sync.errors`; anything else is a find. What was found once is kept in ``found/``
and is run with the suite.
"""

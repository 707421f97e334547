"""A world in a box: the real store, protocol and fold over a simulated network, disk and clock.

Everything that happens follows from one seed, so whatever went wrong can be played again:

    python -m onestop_sync.testing.simulate --seeds 20 --steps 200
    python -m onestop_sync.testing.simulate --seed 17 --steps 200 --trace

- `world` builds a province and lets things happen to it, `network`, `disk` and `hostile` do what goes wrong.
- `oracle` says what the documents must be, from nothing but all events that exist; `invariants` compares.
- `mistakes` are wrong protocols that the harness must find; `reach` counts what a run really met.
"""

"""One target in a process of its own: `python -m tests.fuzz.guided NAME SECONDS FOLDER MODULE …`.

With atheris, libFuzzer keeps every input that reaches something new of the modules; without it inputs are
mutated without guidance. Nothing ends at a find: it is kept, by its place, and the run goes on.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.fuzz.found import note

try:
    import atheris
except ImportError:
    atheris = None

__all__ = ["CORPUS", "FINDS"]

CORPUS: Final = "corpus"
FINDS: Final = "finds"
_SLOW_S: Final = 2.0
_HANGS_S: Final = 60
_NATIVE: Final = 0.2
"""How often libFuzzer changes bytes itself, with what it learnt from comparisons."""


class TooSlow(Exception):
    """An input took longer than any may."""


def _fuzz(name: str, seconds: float, folder: Path, modules: Sequence[str]) -> None:
    """Runs one target for a while."""
    instrumented = atheris.instrument_imports(include=list(modules)) if atheris else nullcontext()
    with instrumented:
        for module in modules:
            import_module(module)
        from tests.fuzz.mutate import mutate
        from tests.fuzz.target import try_one
        from tests.fuzz.targets import target_named

        target = target_named(name)
        run = target.make()
    warnings.simplefilter("error")
    counts: dict[str, int] = {}

    def one(data: bytes) -> None:
        begun = time.process_time()
        try:
            verdict = try_one(target, run, data)
            counts[verdict] = counts.get(verdict, 0) + 1
            if time.process_time() - begun > _SLOW_S:
                raise TooSlow
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
            note(folder / FINDS, error, data)

    def change(data: bytes, most: int, seed: int) -> bytes:
        dice = random.Random(seed)
        if dice.random() < _NATIVE:
            changed: bytes = atheris.Mutate(data, most)
            return changed
        return mutate(target.form, data, dice)[:most]

    if atheris is None:
        _wander(one, folder / CORPUS, seconds, lambda data, dice: mutate(target.form, data, dice))
        return
    options = [
        f"-max_total_time={max(1, round(seconds))}", f"-timeout={_HANGS_S}", f"-artifact_prefix={folder}/",
        "-max_len=65536", "-len_control=0", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup([name, *options, str(folder / CORPUS)], one, custom_mutator=change)
    atheris.Fuzz()


def _wander(one: Any, corpus: Path, seconds: float, change: Any) -> None:
    """Mutates what is in the corpus, until the time is over."""
    inputs = [path.read_bytes() for path in sorted(corpus.iterdir())]
    dice, end, count = random.Random(), time.monotonic() + seconds, 0
    while time.monotonic() < end:
        one(change(dice.choice(inputs), dice))
        count += 1
    print(f"stat::number_of_executed_units: {count}", file=sys.stderr)


if __name__ == "__main__":
    _fuzz(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])

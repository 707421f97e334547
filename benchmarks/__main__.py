"""python -m benchmarks [SECTION …]: measures, and prints each figure beside what it should be."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path

from benchmarks import (
    attachments,
    change,
    figures,
    forms,
    machine,
    paint,
    prove,
    push,
    reports,
    save,
    search,
    snapshot,
    wire,
)
from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.grown import Grown

_SECTIONS = (
    "push", "change", "wire", "save", "page", "search", "verify", "paint", "attachments", "forms", "reports",
    "snapshot",
)  # fmt: skip


class _Run:
    """The sections over one `Bench`; those that need many dossiers share one commune that grows."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    @cached_property
    def _grown(self) -> Grown:
        return Grown(self._bench)

    def section(self, name: str) -> Iterator[Figure]:
        """Yields a section's figures as they are measured."""
        found: dict[str, Callable[[], Iterator[Figure]]] = {
            "push": partial(push.run, self._bench),
            "change": lambda: change.run(self._bench, self._grown),
            "wire": partial(wire.run, self._bench),
            "save": lambda: save.run(self._bench, self._grown),
            "page": lambda: search.run_pages(self._bench, self._grown),
            "search": lambda: search.run_searches(self._bench, self._grown),
            "verify": lambda: prove.run(self._bench, self._grown),
            "paint": partial(paint.run, self._bench),
            "attachments": partial(attachments.run, self._bench),
            "forms": partial(forms.run, self._bench),
            "reports": partial(reports.run, self._bench),
            "snapshot": partial(snapshot.run, self._bench),
        }
        return found[name]()


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(_SECTIONS)}; all by default"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--markdown", action="store_true", help="print them as a section of a README")
    parser.add_argument("--rounds", type=int, default=3, help="measure each thing so often (default: 3)")
    parser.add_argument("--small", action="store_true", help="a tenth of the dossiers, to try the benchmarks")
    found = parser.parse_args(arguments)
    unknown = set(found.sections) - set(_SECTIONS)
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(_SECTIONS)}")
    if found.rounds < 1:
        parser.error("--rounds must be at least 1")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what was asked for.

    Returns:
        0 when every target was met, 1 otherwise.
    """
    asked = _arguments(arguments)
    is_table = not (asked.json or asked.markdown)
    found: list[Figure] = []
    if is_table:
        print(*(f"{key}: {value}" for key, value in machine.facts().items()), sep="\n")
        print(figures.heading())
    scale = 10 if asked.small else 1
    sizes = tuple(size // scale for size in (1_000, 10_000, 50_000))
    with tempfile.TemporaryDirectory(prefix="onestop-bench-") as folder, ExitStack() as stack:
        run = _Run(Bench(Path(folder), stack, asked.rounds, 10_000 // scale, sizes))
        for name in asked.sections or _SECTIONS:
            for figure in run.section(name):
                found.append(figure)
                if is_table:
                    print(figures.line(figure), flush=True)
    if asked.json:
        print(json.dumps({"machine": machine.facts(), "figures": [*map(figures.to_plain, found)]}, indent=1))
    elif asked.markdown:
        print(figures.to_markdown(found, machine.facts()))
    missed = sum(figure.is_met is False for figure in found)
    if is_table:
        print(f"{missed} of {sum(f.is_met is not None for f in found)} targets missed")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

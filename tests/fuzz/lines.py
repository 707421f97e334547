"""How many lines of its modules a target's corpus reaches: `python -m tests.fuzz.lines NAME FOLDER`."""

from __future__ import annotations

import json
import sys
import warnings
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from tests.fuzz.target import Target, try_one
from tests.fuzz.targets import target_named

_MOST: Final = 400
"""Inputs that are run again."""


def _lines_of(code: CodeType) -> set[int]:
    """Returns the lines of the functions in a module; its own lines are run by the import."""
    found: set[int] = set()
    for each in code.co_consts:
        if isinstance(each, CodeType):
            found |= {
                line for _, _, line in each.co_lines() if line is not None and line != each.co_firstlineno
            }
            found |= _lines_of(each)
    return found


def _reached(target: Target, corpus: Path) -> tuple[int, int]:
    files = {str(import_module(name).__file__) for name in target.modules}
    known = {name: _lines_of(compile(Path(name).read_bytes(), name, "exec")) for name in files}
    hit: dict[str, set[int]] = {name: set() for name in files}

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        lines = hit.get(frame.f_code.co_filename)
        if lines is None:
            return None
        if event == "line":
            lines.add(frame.f_lineno)
        return trace

    run = target.make()
    for path in sorted(corpus.iterdir())[:_MOST]:
        sys.settrace(trace)
        with suppress(Exception):  # a find is told elsewhere
            try_one(target, run, path.read_bytes())
        sys.settrace(None)
    return sum(len(hit[name] & known[name]) for name in files), sum(map(len, known.values()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(json.dumps(_reached(target_named(sys.argv[1]), Path(sys.argv[2]))))

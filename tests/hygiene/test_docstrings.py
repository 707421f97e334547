"""Every module says what it is, and every test states its claim."""

import ast
from collections.abc import Iterator

from tests.hygiene.files import ROOT, tracked_modules


def test_every_module_has_a_docstring() -> None:
    """Each Python file begins with a sentence on what it holds."""
    silent = [
        str(path)
        for path in tracked_modules()
        if not ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    ]
    assert silent == []


def silent_tests() -> Iterator[str]:
    """Name every test function without a docstring."""
    for path in tracked_modules():
        if path.parts[0] != "tests" or not path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("test_") and not ast.get_docstring(node):
                yield f"{path}:{node.lineno} {node.name}"


def test_every_test_has_a_docstring() -> None:
    """Each test says in a sentence what it claims."""
    assert list(silent_tests()) == []

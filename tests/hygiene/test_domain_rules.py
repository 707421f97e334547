"""The table of the domain's rules names modules and tests that exist."""

import ast
import re

import pytest

from tests.hygiene.files import ROOT

TEXT = (ROOT / "docs" / "domain-rules.md").read_text(encoding="utf-8")
NAMED = sorted(
    set(re.findall(r"`((?:onestop_sync|commune_client|server_stub|tests)/[\w/.]+\.py)(?=[`:])", TEXT))
)
TESTS = sorted(set(re.findall(r"`(tests/[\w/.]+\.py)::(\w+)`", TEXT)))
ROWS = [
    line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| Rule", "| Group"))
]


def test_every_module_is_there() -> None:
    """Each file that a row names exists."""
    assert len(NAMED) > 20
    assert [name for name in NAMED if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("path", sorted({path for path, _ in TESTS}))
def test_every_test_is_there(path: str) -> None:
    """Each test that a row names is a function of that file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert {name for each, name in TESTS if each == path} <= found


def test_every_rule_names_code_and_test() -> None:
    """A row of four columns has a module and a test; the ten groups of functions are all there."""
    rules = [row for row in ROWS if row.count(" | ") == len("code") - 1]
    groups = [row for row in ROWS if row.count(" | ") == 1]
    assert len(rules) > 40
    assert [row for row in rules if "::test_" not in row] == []
    assert len(groups) == 10

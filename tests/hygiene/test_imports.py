"""What a module may load: the library stays free of screens and servers, the pure core of the world."""

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hygiene.files import PACKAGES, ROOT, shipped_modules, tracked_modules

FORBIDDEN_IN_LIBRARY = {"commune_client", "server_stub", "textual", "rich", "starlette", "uvicorn", "granian"}

PURE_MODULES = ("codec", "event", "fold", "schema", "trust", "protocol", "dossier")
IMPURE_IMPORTS = {
    *("asyncio", "multiprocessing", "os", "random", "secrets", "shutil", "socket", "subprocess", "tempfile"),
    *("threading", "time", "uuid", "httpx", "sqlalchemy", "sqlcipher3", "sqlite3", "tenacity"),
}
CLOCK_READINGS = {"now", "today", "utcnow"}


@pytest.mark.parametrize("name", shipped_modules())
def test_all_names_exist(name: str) -> None:
    """Every name in a module's __all__ can be had from it, and none is listed twice."""
    module = importlib.import_module(name)
    public: list[str] = list(getattr(module, "__all__", []))
    assert sorted(set(public)) == sorted(public)
    assert [item for item in public if not hasattr(module, item)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package: str) -> None:
    """Each shipped package carries the marker that lets its users' type checkers in."""
    assert (ROOT / package / "py.typed").is_file()


def test_library_loads_no_screen_and_no_server() -> None:
    """Importing every module of the library loads nothing of Textual, Starlette or its own users."""
    names = [name for name in shipped_modules() if name.split(".")[0] == "onestop_sync"]
    program = f"""
import importlib, json, sys
for name in {names!r}:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert loaded & FORBIDDEN_IN_LIBRARY == set()


def pure_sources() -> Iterator[tuple[Path, ast.Module]]:
    """Parse each pure module of the library that is there."""
    for path in tracked_modules():
        parts = path.with_suffix("").parts
        if len(parts) > 1 and parts[0] == "onestop_sync" and parts[1] in PURE_MODULES:
            yield path, ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported_roots(node: ast.AST) -> set[str]:
    """Name the top-level packages that a statement imports, its own package aside."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.split(".")[0]}
    return set()


def test_pure_modules_import_no_world() -> None:
    """The pure modules import no file, network, process, randomness or database, not even in a function."""
    found = [
        f"{path}:{getattr(node, 'lineno', 0)} {root}"
        for path, tree in pure_sources()
        for node in ast.walk(tree)
        for root in sorted(imported_roots(node) & IMPURE_IMPORTS)
    ]
    assert found == []


def test_pure_modules_read_no_clock_and_no_file() -> None:
    """The pure modules call no now(), today() or open(): time and bytes come in as arguments."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in pure_sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_READINGS)
            or (isinstance(node.func, ast.Name) and node.func.id == "open")
        )
    ]
    assert found == []

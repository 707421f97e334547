"""The documents say what is: their links lead somewhere, and their commands are commands."""

import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import StringIO
from itertools import groupby
from pathlib import Path

import pytest

from commune_client.actions import ACTIONS, COMMANDS, EVERYWHERE
from commune_client.cli.codes import UsageFault
from commune_client.cli.parser import build_parser as build_onestop
from commune_client.errors_document import errors_document
from server_stub.cli import build_parser as build_server
from tests.hygiene.files import ROOT, tracked_files

FENCE = re.compile(r"^ {0,3}```")
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
INLINE = re.compile(r"`(onestop(?:-server)? [^`]+)`")
MAKE = re.compile(r"`make ([a-z]+)|^make ([a-z]+)", re.MULTILINE)
PROMPT = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*")
SERVER_COMMANDS = {
    "audit", "catalogue", "difficulty", "doctor", "enrol", "erase", "evidence", "init", "openapi", "portal",
    "proof", "publication", "publish", "published", "recover", "report", "retention",
    "revoke", "root", "roster", "rotate",
    "rules", "serve", "snapshot", "statement", "status",
    "sync", "unit", "verify",
}  # fmt: skip


def documents() -> list[Path]:
    """List the documents of the project."""
    return [path for path in tracked_files() if path.suffix == ".md"]


def prose_and_code(path: Path) -> tuple[str, list[str]]:
    """Split a document into what is written and what stands in its fenced blocks."""
    prose: list[str] = []
    blocks: list[str] = []
    for is_fence, lines in groupby(_marked(path), key=lambda pair: pair[0]):
        text = "\n".join(line for _, line in lines)
        if is_fence:
            blocks.append(text)
        else:
            prose.append(text)
    return "\n".join(prose), blocks


def _marked(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line with the number of its fenced block, 0 outside of any, and no fence itself."""
    count, is_inside = 0, False
    for line in (ROOT / path).read_text(encoding="utf-8").splitlines():
        if FENCE.match(line):
            is_inside = not is_inside
            count += is_inside
        else:
            yield count if is_inside else 0, line


def anchors(path: Path) -> set[str]:
    """List a document's headings as links name them."""
    prose, _ = prose_and_code(path)
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def command_lines(block: str) -> Iterator[list[str]]:
    """Yield the words of each command of ours in a fenced block."""
    for line in block.replace("\\\n", " ").splitlines():
        words = shlex.split(PROMPT.sub("", line), comments=True) if "onestop" in line else []
        if words and words[0] in {"onestop", "onestop-server"}:
            yield words


def fault(words: list[str]) -> str:
    """Say why a command line does not parse; nothing when it does."""
    program, *arguments = words
    said = StringIO()
    try:
        with redirect_stderr(said):
            parser = build_onestop(arguments) if program == "onestop" else build_server()
            parser.parse_args(arguments)
    except UsageFault as error:
        return str(error)
    except SystemExit as end:
        return said.getvalue() if end.code else ""
    return ""


@pytest.mark.parametrize("path", documents(), ids=str)
def test_relative_links_resolve(path: Path) -> None:
    """Every link to a file of the project leads to one, and to a heading that is there."""
    prose, _ = prose_and_code(path)
    broken = []
    for link in LINK.findall(prose):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        resolved = Path(*(ROOT / target).resolve().relative_to(ROOT).parts)
        if not (ROOT / resolved).exists() or (anchor and anchor not in anchors(resolved)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", documents(), ids=str)
def test_command_lines_parse(path: Path) -> None:
    """Every command line that a document shows is one that the program takes."""
    _, blocks = prose_and_code(path)
    lines = [words for block in blocks for words in command_lines(block)]
    assert {" ".join(words): why for words in lines if (why := fault(words))} == {}


@pytest.mark.parametrize("path", documents(), ids=str)
def test_commands_in_sentences_exist(path: Path) -> None:
    """A command that a sentence names exists."""
    known = {"onestop": {command.name for command in COMMANDS}, "onestop-server": SERVER_COMMANDS}
    prose, _ = prose_and_code(path)
    unknown = []
    for text in INLINE.findall(prose):
        program, verb, *_ = text.split()
        is_name = not verb.startswith("-") and not verb.isupper()  # ONE IN CAPITALS stands for any
        if is_name and verb not in known[program]:
            unknown.append(text)
    assert unknown == []


def test_server_commands_are_those_that_exist() -> None:
    """The commands by which sentences are checked are those of the program."""
    assert {verb for verb in SERVER_COMMANDS if "invalid choice" in fault(["onestop-server", verb])} == set()


@pytest.mark.parametrize("path", documents(), ids=str)
def test_make_targets_exist(path: Path) -> None:
    """Every `make` target that a document names is in the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    prose, blocks = prose_and_code(path)
    named = {a or b for a, b in MAKE.findall("\n".join([prose, *blocks]))}
    assert named - targets == set()


def test_readme_begins_with_two_commands() -> None:
    """The README's first block is the two commands that show the program."""
    _, blocks = prose_and_code(Path("README.md"))
    assert [line.split("#")[0].split() for line in blocks[0].splitlines()] == [
        ["make", "demo"],
        ["make", "tui"],
    ]


def test_error_table_is_current() -> None:
    """docs/errors.md is what the code says; `python -m commune_client.errors_document` prints it."""
    assert (ROOT / "docs" / "errors.md").read_text(encoding="utf-8") == errors_document()


def test_decisions_are_listed_and_whole() -> None:
    """Each decision has a number of its own, context, options and outcome, and a line in the index."""
    folder = ROOT / "docs" / "decisions"
    files = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert (
        re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")) == files
    )
    assert len({name[:4] for name in files}) == len(files)
    headings = {
        name: re.findall(r"^## (.+)$", (folder / name).read_text("utf-8"), re.MULTILINE) for name in files
    }
    assert {
        name: found for name, found in headings.items() if found[:3] != ["Context", "Options", "Outcome"]
    } == {}


def test_tests_that_documents_name_exist() -> None:
    """A document that names a test as a proof names one that is there."""
    code = "\n".join(
        (ROOT / path).read_text(encoding="utf-8") for path in tracked_files() if path.suffix == ".py"
    )
    defined = set(re.findall(r"def (test_\w+)\(", code))
    named = {name for path in documents() for name in re.findall(r"`(test_\w+)`", prose_and_code(path)[0])}
    assert named - defined == set()


def test_officials_are_told_every_function_key() -> None:
    """The officials' page lists the keys that work everywhere, and none that does not exist."""
    rows = re.findall(
        r"^\| (F\d+) \|", (ROOT / "docs" / "officials.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    keys = [item.key_name for item in ACTIONS if item.screen == EVERYWHERE and item.key.startswith("f")]
    assert rows == keys


def test_architecture_names_every_module() -> None:
    """Each module and package of the library, and each module of its storage, stands in the architecture."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = (ROOT / "onestop_sync", ROOT / "onestop_sync" / "storage")
    found = {path.stem for folder in folders for path in folder.iterdir() if _is_module(path)}
    assert {name for name in found if not re.search(rf"\b{name}\b", text)} == set()


def _is_module(path: Path) -> bool:
    if path.name.startswith(("_", ".")):
        return False
    return path.suffix == ".py" or (path / "__init__.py").exists()

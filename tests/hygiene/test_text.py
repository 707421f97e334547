"""No committed file tells on which machine, or from which registry, it was made."""

import re

import pytest

from tests.hygiene.files import ROOT, tracked_files

# Put together here, so that this file does not contain what it looks for.
HOME_DIRECTORIES = "root|home|work|Users"
MACHINE_PATH = re.compile(rf"(?<![\w.~/}})-])/(?:{HOME_DIRECTORIES})/\w")
REGISTRY = re.compile(r"https?://\S*(?:py" + r"pi|python" + r"hosted)", re.IGNORECASE)


def text_of(name: str) -> str:
    """Read a file as text, whatever it holds."""
    return (ROOT / name).read_bytes().decode("utf-8", errors="replace")


def offending_lines(pattern: re.Pattern[str]) -> list[str]:
    """List file:line of every match in the tracked files."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path in tracked_files()
        for number, line in enumerate(text_of(str(path)).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_machine_path() -> None:
    """No file names a directory of the machine that it was written on."""
    assert offending_lines(MACHINE_PATH) == []


def test_no_registry_host() -> None:
    """No file names a package registry's address."""
    assert offending_lines(REGISTRY) == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_lock_file_is_pinned_and_portable(name: str) -> None:
    """A lock file pins every requirement by version and hash and names no index or URL."""
    text = text_of(name)
    requirements = re.sub(r"\\\n\s*", " ", text).splitlines()
    pinned = [line for line in requirements if line and not line.lstrip().startswith("#")]
    assert "://" not in text
    assert [
        line for line in pinned if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_patterns_find_what_they_look_for() -> None:
    """The patterns match a planted example and leave relative paths alone."""
    assert MACHINE_PATH.search("see /" + "root/x")
    assert MACHINE_PATH.search("'/" + "home/lan/x'")
    assert not MACHINE_PATH.search("../work/x and site/" + "home/index")
    assert REGISTRY.search("https://py" + "pi.org/simple")

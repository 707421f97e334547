"""One request copied many times, sent at once to two server processes on one PostgreSQL."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from onestop_sync.client import CONTENT_TYPE, SYNC_PATH, sync
from onestop_sync.protocol import Requester, open_packet
from tests.e2e.servers import QUICK, Server, Town, serving, status

COPIES = 24
ROUNDS = 4


def test_of_copies_sent_at_once_to_two_processes_one_is_answered(tmp_path: Path, postgres_url: str) -> None:
    """Of a request and its copies one is answered, whichever process gets it; the others open nothing."""
    town = Town(tmp_path, database=postgres_url)
    office, colleague = town.enrol("office", "c9"), town.enrol("colleague", "c9")
    folder = tmp_path / "province"
    options = ("--database", postgres_url)
    with serving(folder, *options) as one, serving(folder, *options) as two:
        sync(office.store, [one.parent], patience=QUICK)
        for number in range(ROUNDS):
            office.take_in(3, f"{number}")
            colleague.take_in(1, "hồ sơ bí mật")
            sync(colleague.store, [two.parent], patience=QUICK)  # so that there is something to disclose
            requester = Requester(office.store, one.parent.name)
            request = requester.next_request() or b""
            found = _at_once(request, [one, two])
            kinds = Counter((answer.status_code, open_packet(answer.content)[1]) for answer in found)
            assert kinds == {(200, "answer"): 1, (401, "challenge"): COPIES - 1}
            for answer in found:
                assert ("bí mật".encode() in answer.content) <= (answer.status_code == 200)
                assert open_packet(answer.content)[2][4:] == [[]] or answer.status_code == 200
            true = next(a for a in found if a.status_code == 200)
            requester.take_answer(true.status_code, true.content)
            sync(office.store, [one.parent], patience=QUICK)
        assert (one.stop(), two.stop()) == (0, 0)
    assert {office.store.count("case"), status(folder, postgres_url)["documents"]} == {4 * ROUNDS}
    assert office.store.status().unsent == 0
    town.close()


def _at_once(request: bytes, servers: list[Server]) -> list[httpx.Response]:
    """Sends a request and its copies to the servers in turn, all at the same time."""

    def send(number: int) -> httpx.Response:
        url = servers[number % len(servers)].url + SYNC_PATH
        headers = {"content-type": CONTENT_TYPE}
        return httpx.post(url, content=request, headers=headers, trust_env=False, timeout=60)

    with ThreadPoolExecutor(COPIES) as pool:
        return list(pool.map(send, range(COPIES)))

"""Offices for the screens' tests: real stores in a folder, unlocked by passphrase, without any line."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from textual.pilot import Pilot

from commune_client.app import OnestopApp
from commune_client.desk.place import Place
from commune_client.screens.unlock import PassphraseInput
from onestop_sync.dossier.types import TYPES
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS, Signer
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from server_stub.app import build_app
from tests.province import Province

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from commune_client.desk import Desk

PASSPHRASE = "mật khẩu dài"
VIETNAM = timezone(timedelta(hours=7))
MONDAY = datetime(2026, 3, 2, 8, 15, tzinfo=VIETNAM)
"""A Monday morning in a year whose days off were announced."""

COUNTER = {"Nguyễn Văn An": ("tiep_nhan", "tra_ket_qua")}
EVERYONE: Mapping[str, tuple[str, ...]] = {
    **COUNTER,
    "Trần Thị Bình": ("tham_dinh",),
    "Lê Quốc Chính": ("phe_duyet", "lanh_dao"),
}

APPLICANT: Mapping[str, str] = {
    "nguoi_nop": "Nguyễn Thị Hường",
    "so_dinh_danh": "000199012345",
    "ngay_sinh": "05/09/1999",
    "dien_thoai": "0123456789",
    "dia_chi": "Thôn Đoài, xã Đông Phương",
}


class Office:
    """Machines of one province, each in a folder of its own."""

    def __init__(self, folder: Path, start: datetime = MONDAY) -> None:
        """Make the province.

        Args:
            folder: Where the machines' folders go.
            start: What their clocks say at first; each look at a clock takes a millisecond.
        """
        self.province = Province(folder / "province", types=TYPES)
        self.province.clock_ms = int(start.timestamp() * 1000)
        self.folder = folder

    def place(
        self,
        name: str = "may-1",
        officers: Mapping[str, Iterable[str]] = EVERYONE,
        *,
        unit: str = "c1",
        blocks: tuple[tuple[int, int], ...] = ((1, 500), (501, 1000)),
    ) -> Place:
        """Set a machine up, enrolled, with officers (name → roles)."""
        province, folder = self.province, self.folder / name
        keyring = Keyring(folder, rng=province.rng.randbytes, cost=FAST_FOR_TESTS)
        first, *others = officers
        secrets = keyring.create(first, PASSPHRASE)
        keys = {first: secrets.officer.public}
        keys |= {other: keyring.add(secrets, other, PASSPHRASE).officer.public for other in others}
        store = Store.create(
            folder, secrets, types=TYPES, root=province.anchor, trust=province.trust, unit=unit,
            clock=province.tick, rng=province.rng.randbytes, threads=1,
        )  # fmt: skip
        province._issue(
            Certificate(secrets.machine.public, unit, "machine", name, seal=secrets.seal_key, blocks=blocks)
        )
        for officer, roles in officers.items():
            province.certify(keys[officer], unit, officer, roles)
        assert all(outcome.code == "" for outcome in store.receive(province.issued))
        store.close()
        return Place(folder, clock=province.tick, cost=FAST_FOR_TESTS)

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.province.clock_ms += int(timedelta(**span).total_seconds() * 1000)


def take_in(desk: Desk, code: str = "1.001193", **values: str) -> Any:
    """Take a dossier in through the desk, as complete as it has to be."""
    papers = desk.papers(code, [document.name_vi for document in desk.procedure(code).documents])
    return desk.intake_new(code, {**APPLICANT, **values}, papers)


def exchange(one: Desk, other: Desk) -> None:
    """Let two machines see each other's events, as a hub would bring them."""
    for giver, taker in ((one, other), (other, one)):
        frames = [
            record.event.to_frame()
            for row in giver.dossiers(limit=1000).rows
            for record in giver.store.history(row.doc)
        ]
        logs = {record.event.log for row in giver.dossiers().rows for record in giver.store.history(row.doc)}
        taker.store.receive([frame for log in logs for frame in giver.store.introduction(log)])
        taker.store.receive(frames)


@contextmanager
def serving(store: Store, signer: Signer | None = None) -> Iterator[str]:
    """Run a server over a store in a thread, and give its address."""
    config = uvicorn.Config(
        build_app(store, signer=signer), host="127.0.0.1", port=0, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until the desk's thread has done what it was asked, and the screen shows it."""
    app = pilot.app
    assert isinstance(app, OnestopApp)
    for _ in range(3):
        await app.workers.wait_for_complete()
        await asyncio.wrap_future(app.jobs.pool.submit(lambda: None))
        await pilot.pause()


@asynccontextmanager
async def opened(
    place: Place, officer: str = "", size: tuple[int, int] = (80, 24), *, idle_lock_s: float = 0
) -> AsyncIterator[Pilot[Any]]:
    """Open the app on a machine, with an officer signed in; without one, at the unlock screen."""
    app = OnestopApp(place, officer, idle_lock_s=idle_lock_s)
    try:
        async with app.run_test(size=size) as pilot:
            await settled(pilot)
            if officer:
                app.screen.query_one(PassphraseInput).value = PASSPHRASE
                await pilot.press("enter")
                await settled(pilot)
            yield pilot
    finally:
        app.finish()

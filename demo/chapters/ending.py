"""Chapter 8: everybody has the same, byte for byte; counted on the disks after every process has ended."""

from __future__ import annotations

import time
from typing import Final

import sqlalchemy as sa

from demo.cast import ALONE, APPRAISER_PC, DISTRICT, HUB, INTAKE_PC, MACHINES, PROVINCE, REMOTE, Machine
from demo.chapters.offline import codes_of
from demo.checks import differing, open_store
from demo.delivery import count_own_events
from demo.world import World
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.storage import tables as t
from onestop_sync.store import Store

__all__ = ["play"]

_COMMUNES: Final = {HUB: "x01", INTAKE_PC: "x01", APPRAISER_PC: "x01", ALONE: "x02", REMOTE: "x03"}


def play(world: World) -> None:
    """Ends all processes and compares what is on the disks."""
    tell = world.narrator
    tell.chapter(8, "Mọi kho như nhau", "All stores agree")
    exchanges = world.settle()
    traffic = world.traffic()
    world.close()
    tell.say(
        "Mọi tiến trình đã dừng. Các kho được mở lại từ đĩa và so từng byte của từng hồ sơ.",
        "Every process has ended. The stores are opened again from the disk, and compared byte by byte,"
        " dossier by dossier.",
    )
    stores = {machine: open_store(world.path(machine), world.holder(machine)) for machine in MACHINES}
    try:
        compare(world, stores)
        count(world, stores[PROVINCE])
    finally:
        for store in stores.values():
            store.close()
    tell.fact("lần đồng bộ cuối / exchanges to settle at last", exchanges)
    tell.fact("lượt hỏi đáp cả câu chuyện / round trips in all", traffic.round_trips)
    tell.fact("byte lên / bytes up", traffic.bytes_up)
    tell.fact("byte xuống / bytes down", traffic.bytes_down)
    tell.fact("thời gian / seconds", time.monotonic() - tell.started_s)
    tell.fact("điều đã kiểm tra / checks that held", world.checks.held)
    for label in world.checks.missed:
        tell.verdict(label, is_good=False)


def compare(world: World, stores: dict[Machine, Store]) -> None:
    """Compares every store with the province's."""
    top = stores[PROVINCE].fingerprints(DOSSIER.name)
    world.checks.equal(
        differing(top, stores[DISTRICT].fingerprints(DOSSIER.name)),
        [],
        f"{DISTRICT.title} = {PROVINCE.title}",
    )
    for machine, unit in _COMMUNES.items():
        here = stores[machine].fingerprints(DOSSIER.name)
        wanted = {doc: top[doc] for doc in top if unit in units_of(stores[PROVINCE], doc)}
        world.checks.that(
            here == wanted, f"{machine.title}: {len(here)} hồ sơ như ở tỉnh / dossiers as at the province",
            f"{len(differing(wanted, here))} khác / differ, {len(set(here) - set(wanted))} thừa / too many",
        )  # fmt: skip
        levels = count_own_events(stores[machine])
        world.checks.equal(
            set(levels), {"province"}, f"{machine.title}: {levels.total()} sự kiện đã được tỉnh xác nhận"
        )


def units_of(store: Store, doc: bytes) -> list[str]:
    """Returns the units that take part in a dossier."""
    return store.document(doc).state.units


def count(world: World, province: Store) -> None:
    """Counts at the province what was done in the communes."""
    codes = codes_of(world)
    with province.reading() as connection:
        query = sa.select(t.listing.c.label).where(t.listing.c.kind == DOSSIER.name)
        labels = [label for label in connection.execute(query).scalars() if label]
        events = connection.execute(sa.select(sa.func.count()).select_from(t.event)).scalar_one()
        distinct = connection.execute(sa.select(sa.func.count(t.event.c.id.distinct()))).scalar_one()
    world.checks.equal(
        sorted(labels), sorted(codes), f"{len(codes)} hồ sơ có mã ở tỉnh, không trùng / no code twice"
    )
    world.checks.equal(distinct, events, f"{events} sự kiện, không sự kiện nào hai lần / nothing doubled")
    world.narrator.fact("hồ sơ ở tỉnh / dossiers at the province", province.count(DOSSIER.name))

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

_BELOW: Final = {
    DISTRICT: "",
    HUB: HUB.unit,
    INTAKE_PC: INTAKE_PC.unit,
    APPRAISER_PC: APPRAISER_PC.unit,
    ALONE: ALONE.unit,
    REMOTE: REMOTE.unit,
}
"""Machine → the unit whose dossiers it may see; empty for all."""


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
        see_verdicts(world, stores[PROVINCE])
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
    """Compares every store with the province's: the same dossiers, the same bytes, and the last ack."""
    top = stores[PROVINCE].fingerprints(DOSSIER.name)
    units = {doc: stores[PROVINCE].document(doc).state.units for doc in top}
    for machine, unit in _BELOW.items():
        here = stores[machine].fingerprints(DOSSIER.name)
        wanted = {doc: found for doc, found in top.items() if not unit or unit in units[doc]}
        world.checks.that(
            here == wanted, f"{machine.title}: {len(here)} hồ sơ như ở tỉnh / dossiers as at the province",
            f"{len(differing(wanted, here))} khác / differ, {len(set(here) - set(wanted))} thừa / too many",
        )  # fmt: skip
        levels = count_own_events(stores[machine])
        world.checks.equal(
            set(levels),
            {"province"},
            f"{machine.title}: {levels.total()} sự kiện tỉnh đã xác nhận / acknowledged",
        )


def see_verdicts(world: World, province: Store) -> None:
    """What was refused, and what waits, is still to be seen at the province, with its reason."""
    for name, wanted in (("forced", ("refused", "role")), ("uncertified", ("waiting", "authority"))):
        code, event = world.facts[name]
        records = province.history(province.lookup(DOSSIER.name, code))
        found = [(str(r.standing), r.reason) for r in records if r.event.id.hex() == event]
        world.checks.equal(found, [wanted], f"{PROVINCE.title}: {' / '.join(wanted)} ({code})")


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

"""Chapter 3: the district comes up, then the province; everything goes up unchanged, and acks come down."""

from __future__ import annotations

from demo.cast import ALONE, APPRAISER_PC, DISTRICT, HUB, INTAKE_PC, PROVINCE, REMOTE
from demo.world import ONLINE, World

__all__ = ["play", "show_levels"]


def play(world: World) -> None:
    """Brings the servers up one after the other, and shows how far the dossiers have got each time."""
    tell = world.narrator
    tell.chapter(3, "Có mạng lại", "The line is back")
    show_levels(world, "mọi cấp đang ngừng / all servers down")
    for machine in (HUB, DISTRICT):
        world.serve(machine)
    before = world.traffic()
    with tell.measured("lên trạm xã và huyện / to hub and district"):
        for machine in (
            INTAKE_PC,
            APPRAISER_PC,
            HUB,
            INTAKE_PC,
            APPRAISER_PC,
            HUB,
            ALONE,
            INTAKE_PC,
            APPRAISER_PC,
        ):
            world.sync(machine)
    show_levels(world, "huyện chạy, tỉnh chưa / district up, province down")
    world.serve(PROVINCE)
    with tell.measured("lên tỉnh, xác nhận về / to the province, acks come down"):
        world.settle(ONLINE)
    show_levels(world, "tỉnh đã có / the province has it")
    after = world.traffic()
    tell.fact("lượt hỏi đáp / round trips", after.round_trips - before.round_trips)
    tell.fact("byte lên / up", after.bytes_up - before.bytes_up)
    tell.fact("byte xuống / down", after.bytes_down - before.bytes_down)
    tell.say(
        "Mỗi sự kiện được chuyển nguyên từng byte; tỉnh kiểm tra chữ ký của chính cán bộ đã làm, rồi ký xác"
        " nhận; xác nhận về qua huyện và trạm xã.",
        "Every event is relayed byte for byte; the province checks the signature of the officer who made"
        " it and signs an ack, which comes back through district and hub.",
    )
    for machine in (INTAKE_PC, APPRAISER_PC, ALONE):
        found = world.tell(machine, "levels", officer=machine.first)
        world.checks.equal(
            set(found), {"province"}, f"{machine.title}: tất cả tới tỉnh / all at the province"
        )
    found = world.tell(REMOTE, "levels", officer=REMOTE.first)
    world.checks.equal(set(found), {"here"}, f"{REMOTE.title}: chưa có đường truyền / still has no line")


def show_levels(world: World, when: str) -> None:
    """Prints how many dossiers have got how far, for each machine of a commune."""
    tell = world.narrator
    tell.fact(when, "ở máy/trạm/huyện/tỉnh")
    machines = (INTAKE_PC, APPRAISER_PC, ALONE, REMOTE)
    for machine, found in zip(machines, world.both(machines, "levels"), strict=True):
        counts = [found.get(level, 0) for level in ("here", "hub", "district", "province")]
        tell.fact(f"  {machine.title}", "/".join(map(str, counts)))

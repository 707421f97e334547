"""Chapter 5: a relay that changes bytes, an approval without the role, a key that nobody has certified."""

from __future__ import annotations

import sys

import sqlalchemy as sa

from demo.cast import ALONE, DISTRICT, PROVINCE, ROGUE, Machine
from demo.chapters.offline import own
from demo.checks import open_store
from demo.process import JobFailed, is_alive, wait_until
from demo.world import World
from onestop_sync.dossier.roles import INTAKE
from onestop_sync.storage import tables as t

__all__ = ["play"]

_NOTE = "Đã kiểm tra bản chính."
_EDITED = 8


def play(world: World) -> None:
    """Tries what must not succeed, and shows that nothing else is delayed by it."""
    tell = world.narrator
    tell.chapter(5, "Giả mạo bị phát hiện", "Forgery is found out")
    codes = own(world, ALONE)
    approve_without_role(world, codes[-11])
    write_uncertified(world, codes[-2])
    world.work(ALONE, INTAKE, [["note", code, _NOTE] for code in codes[:_EDITED]])
    forging_relay(world)
    flipped_in_transit(world, codes[0])
    world.settle()
    see_verdicts(world)


def approve_without_role(world: World, code: str) -> None:
    """The program refuses; a program that does not ask signs it all the same."""
    intake = ALONE.who(INTAKE)
    answer = world.onestop(ALONE, "approve", code, officer=intake)
    reason = (answer.data or {}).get("error", {}).get("code")
    world.checks.equal(
        (answer.code, reason), (1, "not_allowed"), "Cán bộ tiếp nhận phê duyệt: bị từ chối / no role: refused"
    )
    world.narrator.quote(answer.told)
    forced = world.tell(ALONE, "approve_without_role", officer=intake, code=code)
    world.facts["forced"] = code, forced["event"]


def write_uncertified(world: World, code: str) -> None:
    """A key that nobody has certified signs an edit."""
    written = world.tell(ALONE, "write_uncertified", officer=ALONE.first, code=code)
    world.facts["uncertified"] = code, written["event"]


def forging_relay(world: World) -> None:
    """Goes through a certified relay that changes two events on their way to the province."""
    tell = world.narrator
    tell.say(
        "Một máy trung gian đã được chứng nhận nhưng bị sửa chương trình: nó đổi một byte trong nội dung một"
        " sự kiện và một byte trong phần đầu của sự kiện khác trước khi chuyển lên tỉnh.",
        "A certified relay runs a changed program: it alters one byte of the body of one event and one of"
        " the header of another before it passes them on to the province.",
    )
    port = world.port(ROGUE.folder)
    program = [sys.executable, "-m", "demo.rogue", str(world.path(ROGUE)), ROGUE.first, str(port)]
    rogue = world.processes.talk(ROGUE.folder, program)
    wait_until(lambda: is_alive(port), "the relay")
    world.tell(ALONE, "set_parents", officer=ALONE.first, parents=[world.address(ROGUE.folder)])
    world.sync(ALONE)
    said = rogue.ask(world.address(PROVINCE.folder))
    world.processes.stop(ROGUE.folder)
    world.tell(ALONE, "set_parents", officer=ALONE.first, parents=world.parents(ALONE))
    stored = here(world, said["offered"])
    tell.fact("sự kiện máy đó chuyển / events it passed on", len(said["offered"]))
    tell.fact("tỉnh nói / the province said", ", ".join(sorted({code for _, code in said["said"]})))
    verdicts = [code for _, code in said["said"]]
    world.checks.that("forged" in verdicts, "Tỉnh: chữ ký sai, giả mạo / the province: forged", verdicts)
    missing = set(said["offered"]) - stored
    world.checks.equal(missing, set(said["changed"]), "Chỉ hai sự kiện đó không được nhận / all others taken")
    world.sync(ALONE)
    world.sync(DISTRICT)
    arrived = here(world, said["offered"])
    world.checks.equal(arrived, set(said["offered"]), "Đường khác: bản gốc tới tỉnh / the true ones arrive")


def here(world: World, ids: list[str]) -> set[str]:
    """Returns which of the events the province has."""
    store = open_store(world.path(PROVINCE), world.holder(PROVINCE))
    try:
        with store.reading() as connection:
            query = sa.select(t.event.c.id).where(t.event.c.id.in_([bytes.fromhex(i) for i in ids]))
            return {found.hex() for found in connection.execute(query).scalars()}
    finally:
        store.close()


def flipped_in_transit(world: World, code: str) -> None:
    """One bit changes on the line: the whole request, or answer, is refused, and the next one completes."""
    assert world.line is not None
    for way, label in (("flip", "Một bit đổi trên đường lên"), ("flip-back", "Một bit đổi trên đường về")):
        world.work(ALONE, INTAKE, [["note", code, f"{_NOTE} ({way})"]])
        world.line.ask(f"{way} 40")
        refused = failing(world)
        faults = world.line.ask("pass")["faults"]
        world.checks.that(bool(refused and faults), f"{label}: bị từ chối / a flipped bit is refused", faults)
        world.narrator.fact("mã lỗi / error code", refused)
        report = world.sync(ALONE)
        world.checks.that(report["round_trips"] > 0, "Lần sau trọn vẹn / the next sync completes", report)


def failing(world: World) -> str:
    """Has the second commune sync; returns the code of what went wrong, empty for nothing."""
    try:
        world.tell(ALONE, "sync", officer=ALONE.first)
    except JobFailed as error:
        return error.code
    return ""


def see_verdicts(world: World) -> None:
    """The same verdict in the commune and at the district; nothing else waits for it."""
    for machine in (ALONE, DISTRICT):
        found = verdict(world, machine, *world.facts["forced"])
        world.checks.equal(found, ("refused", "role"), f"{machine.title}: sai vai trò, bị từ chối / refused")
        found = verdict(world, machine, *world.facts["uncertified"])
        world.checks.equal(found, ("waiting", "authority"), f"{machine.title}: khóa lạ, đang chờ / waits")
    phone = world.tell(
        DISTRICT, "value", officer=DISTRICT.first, code=world.facts["uncertified"][0], key="dien_thoai"
    )
    world.checks.that(phone != "0121000000", "và không có hiệu lực / and has no effect", phone)


def verdict(world: World, machine: Machine, code: str, event: str) -> tuple[str, str]:
    """Returns what a machine shows of one event: its standing, and the reason."""
    items: list[dict[str, str]] = world.tell(machine, "timeline", officer=machine.first, code=code)
    return next(((i["standing"], i["reason"]) for i in items if i["event"] == event), ("", ""))

"""Chapter 7: the line is cut in the middle of a push, then the answer is lost; nothing is doubled."""

from __future__ import annotations

from typing import Final

from demo.cast import ALONE, DISTRICT
from demo.chapters.forgery import failing
from demo.chapters.offline import own
from demo.world import World
from onestop_sync.dossier.roles import INTAKE

__all__ = ["play"]

_NOTES: Final = 30
_CUT_AT: Final = 1200
_NOTE: Final = "Công dân hẹn đến vào buổi chiều."


def play(world: World) -> None:
    """Cuts, loses, and completes."""
    tell = world.narrator
    tell.chapter(7, "Đứt mạng giữa chừng", "The line is cut half-way")
    tell.say(
        "Đường truyền của xã Tân Sơn Đông đứt giữa lúc gửi; lần sau huyện nhận đủ nhưng câu trả lời bị mất;"
        " lần thứ ba trọn vẹn.",
        "The second commune's line is cut in the middle of a push; the next time the district takes it all"
        " and its answer is lost; the third time completes.",
    )
    assert world.line is not None
    codes = own(world, ALONE)[:_NOTES]
    world.work(ALONE, INTAKE, [["note", code, _NOTE] for code in codes])
    world.line.ask(f"cut {_CUT_AT}")
    world.checks.equal(failing(world), "unreachable", "Đứt giữa chừng: việc vẫn giữ / cut: the work is kept")
    tell.fact("byte đã đi trước khi đứt / bytes before the cut", world.line.ask("swallow")["up"])
    world.checks.equal(arrived(world, codes), 0, "Huyện chưa nhận gì / the district has nothing yet")
    world.checks.equal(failing(world), "unreachable", "Mất câu trả lời / the answer is lost")
    world.line.ask("pass")
    world.checks.equal(arrived(world, codes), _NOTES, "Huyện đã có đủ, xã chưa biết / there, unknown here")
    unsent = world.tell(ALONE, "status", officer=ALONE.first)["unsent"]
    world.checks.equal(unsent, _NOTES, f"Xã còn {unsent} sự kiện chưa được xác nhận / not acknowledged yet")
    report = world.sync(ALONE)
    tell.fact("gửi lại / offered again; lượt / round trips", f"{report['sent']}; {report['round_trips']}")
    world.checks.equal(
        arrived(world, codes), _NOTES, f"{_NOTES} ghi chú, không cái nào hai lần / none doubled"
    )
    unsent = world.tell(ALONE, "status", officer=ALONE.first)["unsent"]
    world.checks.equal(unsent, 0, "Không còn gì chưa gửi / nothing is unsent")


def arrived(world: World, codes: list[str]) -> int:
    """Returns how many of the notes the district has, each as often as it is there."""
    found: int = world.tell(DISTRICT, "count_notes", officer=DISTRICT.first, codes=codes, text=_NOTE)
    return found

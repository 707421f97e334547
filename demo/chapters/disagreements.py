"""Chapter 4: the district decides while the commune edits: merged, late, overruled, or in conflict."""

from __future__ import annotations

from typing import Any, Final

from demo.cast import ALONE, APPRAISER_PC, DISTRICT, HUB, INTAKE_PC, PROVINCE
from demo.chapters.offline import own
from demo.world import ONLINE, World
from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, INTAKE, RETURN

__all__ = ["play"]

_PHONES: Final = ("0121111111", "0128222222")
_ADDRESSES: Final = ("Xóm 5, xã Phú An Hạ", "Xóm 6, xã Phú An Hạ", "Thôn Đoài, xã Phú An Hạ")


def play(world: World) -> None:
    """Lets both write at the same time, and looks at what becomes of it."""
    tell = world.narrator
    tell.chapter(4, "Cùng sửa một hồ sơ", "Two hands on one dossier")
    tell.say(
        "Huyện giải quyết hồ sơ liên thông; trong lúc đó xã vẫn sửa, vì chưa biết. Sửa trường khác thì gộp"
        " lại; trường đã thuộc huyện thì đến muộn, chờ huyện nhận, hoặc bị thay khi huyện đã ghi; cùng một"
        " trường trước khi chuyển thì thành xung đột, ở mọi nơi như nhau, và một cán bộ giải quyết.",
        "The district decides a dossier; meanwhile the commune, not knowing, edits. Other fields merge; a"
        " field that is the district's by now is late and waits to be adopted, or is overruled where the"
        " district wrote it; one field written twice before the handover is a conflict, the same"
        " everywhere, until an officer settles it.",
    )
    linked = own(world, INTAKE_PC, is_interlinked=True)
    decided, late, overruled = linked[0], linked[4], linked[5]
    disputed = own(world, INTAKE_PC)[-1]
    left = own(world, INTAKE_PC)[-2]
    write_apart(world, decided, late, overruled, [disputed, left])
    world.settle()
    see_decision(world, decided)
    see_late(world, late)
    see_overruled(world, overruled)
    see_conflict(world, disputed)
    world.settle()
    counts = [count["conflicts"] for count in world.both(ONLINE, "status")]
    wanted = [0 if machine is ALONE else 1 for machine in ONLINE]
    world.checks.equal(counts, wanted, f"{left}: một xung đột để lại cho `make tui` / one is left")


def write_apart(world: World, decided: str, late: str, overruled: str, disputed: list[str]) -> None:
    """Everybody writes what they want, and nobody knows of the others."""
    second = [["edit", code, {"dien_thoai": _PHONES[1]}] for code in disputed]
    second += [
        ["edit", code, {"dia_chi": new}] for code, new in ((late, _ADDRESSES[0]), (overruled, _ADDRESSES[1]))
    ]
    world.work(APPRAISER_PC, INTAKE, second)
    first: list[list[Any]] = [["transfer", code, DISTRICT.unit] for code in (late, overruled)]
    first += [["edit", code, {"dien_thoai": _PHONES[0]}] for code in disputed]
    world.work(INTAKE_PC, INTAKE, first)
    for machine in (INTAKE_PC, HUB):
        world.sync(machine)
    world.work(DISTRICT, INTAKE, [["receive", code] for code in (decided, late, overruled)])
    world.work(DISTRICT, APPRAISAL, [["edit", overruled, {"dia_chi": _ADDRESSES[2]}]])
    world.work(DISTRICT, APPRAISAL, [["appraise", decided, "Đủ điều kiện.", "Đồng ý giải quyết"]])
    world.work(DISTRICT, APPROVAL, [["approve", decided], ["handover", decided]])
    # The applicant comes to the counter meanwhile: how the result is received belongs to everybody.
    contact = {"cach_nhan": "buu_chinh", "dia_chi_nhan": _ADDRESSES[0]}
    world.work(INTAKE_PC, INTAKE, [["edit", decided, contact]])


def see_decision(world: World, code: str) -> None:
    """The decision has come down, and the counter's edit is in it."""
    answer = world.done(world.onestop(INTAKE_PC, "show", code))
    step = world.work(INTAKE_PC, RETURN, [["receive", code]])
    world.checks.equal(step, ["result_ready"], f"{code}: quyết định đã về / the decision came down")
    received = world.tell(INTAKE_PC, "value", officer=INTAKE_PC.first, code=code, key="cach_nhan")
    world.checks.equal(received, "buu_chinh", "Sửa trường khác cùng lúc: được gộp / another field: merged")
    world.narrator.fact("sự kiện đã ký của hồ sơ / signed events", len(answer["timeline"]))


def see_late(world: World, code: str) -> None:
    """A late write waits until the district adopts it."""
    found = world.tell(DISTRICT, "disputes", officer=DISTRICT.who(APPRAISAL), code=code)
    kinds = [dispute["kind"] for dispute in found]
    world.checks.equal(kinds, ["late"], f"{code}: sửa muộn, chờ huyện / late, waits for the district")
    event = next(side["event"] for side in found[0]["sides"] if side["value"] == _ADDRESSES[0])
    settled = world.onestop(
        DISTRICT, "resolve", code, "dia_chi", "--choose", event, "--reason", "Đã đối chiếu sổ hộ khẩu cũ.",
        officer=DISTRICT.who(APPRAISAL),
    )  # fmt: skip
    world.checks.equal(settled.code, 0, "Huyện nhận sửa đổi đến muộn / the district adopts it")


def see_overruled(world: World, code: str) -> None:
    """The district's own write stands, and the commune sees that its own was overruled."""
    for machine in (APPRAISER_PC, DISTRICT):
        found = world.tell(machine, "value", officer=machine.first, code=code, key="dia_chi")
        world.checks.equal(
            found, _ADDRESSES[2], f"{machine.title}: giá trị của huyện / the district's stands"
        )
    items = world.tell(APPRAISER_PC, "timeline", officer=APPRAISER_PC.first, code=code)
    standings = [item["standing"] for item in items if item["who"] == APPRAISER_PC.who(INTAKE)]
    world.checks.equal(standings, ["overruled"], f"{code}: xã thấy bị thay / overruled, and seen")
    told = [
        n["after"]
        for n in world.tell(APPRAISER_PC, "notices", officer=APPRAISER_PC.first)
        if n["code"] == code
    ]
    world.checks.that("overruled" in told, "Có thông báo về việc đó / a notice says so", told)


def see_conflict(world: World, code: str) -> None:
    """The same conflict on every store; an officer settles it with a reason."""
    seen = {
        machine.folder: world.tell(machine, "disputes", officer=machine.first, code=code)
        for machine in (INTAKE_PC, APPRAISER_PC, HUB, DISTRICT)
    }
    one = seen[INTAKE_PC.folder]
    values = sorted(side["value"] for side in one[0]["sides"]) if one else []
    world.checks.equal(values, sorted(_PHONES), f"{code}: một xung đột, hai số điện thoại / one conflict")
    world.checks.that(
        all(found == one for found in seen.values()), "Như nhau ở xã, trạm và huyện / the same everywhere"
    )
    before = world.onestop(APPRAISER_PC, "conflicts")
    world.checks.equal(before.code, 0, "onestop conflicts")
    settled = world.onestop(
        APPRAISER_PC, "resolve", code, "dien_thoai", "--value", _PHONES[1], "--reason",
        "Gọi lại hai số; số này đúng.", officer=APPRAISER_PC.who(INTAKE),
    )  # fmt: skip
    world.checks.equal(settled.code, 0, "Cán bộ giải quyết, có lý do / settled, with a reason")
    world.facts["settled"] = code, _PHONES[1], PROVINCE.folder

"""Chapter 2: the lines are down, and 200 dossiers are taken in and worked on all the same."""

from __future__ import annotations

from typing import Any, Final

from demo.cast import ALONE, APPRAISER_PC, DISTRICT, HUB, INTAKE_PC, PROVINCE, REMOTE, Machine
from demo.jobs import DOSSIERS
from demo.world import World
from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, INTAKE, RETURN

__all__ = ["codes_of", "play"]

_FIRST: Final = {INTAKE_PC: (0, 70), ALONE: (70, 70), REMOTE: (140, 40)}
_AFTER_HUB: Final = {INTAKE_PC: (180, 10), APPRAISER_PC: (190, 10)}
"""Machine → the first of its dossiers, and how many."""
_OPINION: Final = "Hồ sơ đủ thành phần, đúng quy định; đề nghị phê duyệt."
_LACKS: Final = "Tờ khai chưa có chữ ký của người yêu cầu."
_WANTED: Final = "Tờ khai có chữ ký; bản sao giấy tờ tùy thân."


def play(world: World) -> None:
    """Takes in, hands over, appraises, edits, asks for supplements, decides and returns, with no line."""
    tell = world.narrator
    tell.chapter(2, "Mất mạng, việc vẫn chạy", "No line, and the work goes on")
    for machine in (PROVINCE, DISTRICT):
        world.stop(machine)
    tell.say(
        "Máy chủ tỉnh và huyện ngừng. Ba xã tiếp nhận hồ sơ của 16 thủ tục; mã hồ sơ và ngày hẹn có ngay"
        " tại chỗ, mỗi máy cấp mã trong dải số của mình.",
        "Province and district are down. Three communes take in dossiers of 16 procedures; codes and due"
        " dates are made on the spot, each machine within its own block of serials.",
    )
    answer = world.onestop(ALONE, "sync")
    world.checks.equal(answer.code, 3, "onestop sync: mã thoát 3, việc vẫn giữ / exit code 3, work kept")
    tell.quote(answer.told)
    with tell.measured(f"tiếp nhận / taken in: {sum(n for _, n in _FIRST.values())} hồ sơ, 3 máy cùng lúc"):
        world.facts["taken"] = {machine: [] for machine in (*_FIRST, APPRAISER_PC)}
        take_in(world, _FIRST)
    refused = world.tell(
        INTAKE_PC, "refuse", officer=INTAKE_PC.who(INTAKE), procedure="1.001193",
        reason="Không thuộc thẩm quyền giải quyết của xã.",
    )  # fmt: skip
    world.checks.equal(refused, "refused", "Một hồ sơ bị từ chối, có lý do / one refused at the counter")
    world.tell(INTAKE_PC, "leave_draft", officer=INTAKE_PC.who(INTAKE), procedure="1.001193")
    with tell.measured("bốn bước tại chỗ / the four steps, ba xã"):
        begun = {machine: begin_all_steps(world, machine) for machine in (ALONE, REMOTE)}
        first_commune(world)
        for machine, jobs in begun.items():
            for _ in range(jobs):
                world.end(machine)
    tell.say(
        "Trạm xã cũng ngừng: hai máy của xã Phú An Hạ không còn thấy nhau, vẫn cấp mã không trùng.",
        "The hub stops too: the two machines of the first commune cannot see each other any more, and go"
        " on issuing codes that never collide.",
    )
    world.stop(HUB)
    take_in(world, _AFTER_HUB)
    codes = codes_of(world)
    world.checks.equal(
        (len(codes), len(set(codes))),
        (DOSSIERS, DOSSIERS),
        f"{DOSSIERS} mã, không mã nào cấp hai lần / no code twice",
    )
    procedures = {item["procedure"] for items in world.facts["taken"].values() for item in items}
    tell.fact("thủ tục / procedures", len(procedures))
    tell.fact("mã đầu, mã cuối / first and last code", f"{min(codes)}  {max(codes)}")
    for machine in (INTAKE_PC, APPRAISER_PC, ALONE, REMOTE):
        status = world.tell(machine, "status", officer=machine.first)
        tell.fact(f"{machine.title}: chưa gửi / unsent events", status["unsent"])


def codes_of(world: World) -> list[str]:
    """Returns every code that was issued."""
    return [item["code"] for items in world.facts["taken"].values() for item in items]


def take_in(world: World, plan: dict[Machine, tuple[int, int]]) -> None:
    """Has machines take in their share of the dossiers, all at the same time."""
    for machine, (first, count) in plan.items():
        world.begin(machine, "take_in", officer=machine.who(INTAKE), first=first, count=count)
    for machine in plan:
        world.facts["taken"][machine] += world.end(machine)


def own(world: World, machine: Machine, *, is_interlinked: bool = False) -> list[str]:
    """Returns the codes of a machine that its own commune decides, or those that it does not."""
    items: list[dict[str, Any]] = world.facts["taken"][machine]
    return [item["code"] for item in items if item["is_interlinked"] is is_interlinked]


def first_commune(world: World) -> None:
    """One PC takes in, the other appraises and approves, through the hub."""
    codes = own(world, INTAKE_PC)[:-8]
    linked = own(world, INTAKE_PC, is_interlinked=True)
    world.work(INTAKE_PC, INTAKE, [["handover", code] for code in codes])
    world.work(INTAKE_PC, INTAKE, [["transfer", code, DISTRICT.unit] for code in linked[:4]])
    meet(world)
    world.work(APPRAISER_PC, APPRAISAL, [["receive", code] for code in codes])
    world.work(APPRAISER_PC, APPRAISAL, appraisals(codes))
    for role, steps in decide(codes):
        world.work(APPRAISER_PC, role, steps)
    approved = [code for _, code in steps]
    meet(world)
    world.work(INTAKE_PC, INTAKE, [["edit", code, {"dien_thoai": "0123456789"}] for code in codes[-4:]])
    world.work(INTAKE_PC, INTAKE, [["supply", codes[1]]])
    world.work(INTAKE_PC, RETURN, [["receive", code] for code in approved])
    world.work(INTAKE_PC, RETURN, [["return_result", code] for code in approved[:12]])
    meet(world)


def begin_all_steps(world: World, machine: Machine) -> int:
    """Begins the four steps of a commune that has one machine; returns how many jobs it will answer."""
    codes = own(world, machine)[:-4]
    linked = own(world, machine, is_interlinked=True)
    *decisions, (_, passed) = decide(codes)
    back = [code for _, code in passed]
    jobs: list[tuple[str, list[list[Any]]]] = [
        (INTAKE, [["handover", code] for code in codes]),
        (INTAKE, [["transfer", code, DISTRICT.unit] for code in linked[:3]]),
        (APPRAISAL, [["receive", code] for code in codes]),
        (APPRAISAL, appraisals(codes)),
        *decisions,
        (APPROVAL, passed),
        (RETURN, [["receive", code] for code in back]),
        (RETURN, [["return_result", code] for code in back[: len(back) // 2]]),
    ]
    for role, steps in jobs:
        world.begin(machine, "work", officer=machine.who(role), steps=steps)
    return len(jobs)


def appraisals(codes: list[str]) -> list[list[Any]]:
    """Returns an appraiser's steps: the first two ask for more, some are left, the others are submitted."""
    return [
        *(["supplement", code, _LACKS, _WANTED] for code in codes[1:3]),
        ["ask_payment", codes[3], "Lệ phí theo mức của tỉnh"],
        ["pay", codes[3]],
        *(["appraise", code, _OPINION, "Đủ điều kiện"] for code in codes[4:-6]),
    ]


def decide(codes: list[str]) -> list[tuple[str, list[list[Any]]]]:
    """Returns an approver's steps on what was submitted; the last ones pass the result on to the counter."""
    submitted = codes[4:-6]
    decided = submitted[2:-2]
    return [
        (APPROVAL, [["send_back", code, "Chưa ghi rõ căn cứ."] for code in submitted[:1]]),
        (APPROVAL, [["reject", code, "Không đủ điều kiện."] for code in submitted[1:2]]),
        (APPROVAL, [["approve", code] for code in decided]),
        (APPROVAL, [["handover", code] for code in decided]),
    ]


def meet(world: World) -> None:
    """The two machines of the first commune exchange through the hub."""
    for machine in (INTAKE_PC, APPRAISER_PC, INTAKE_PC):
        world.sync(machine)

"""Chapter 1: a province, a district, a hub, four commune machines, and everybody's keys."""

from __future__ import annotations

import sys

from demo.cast import ALONE, APPRAISER_PC, DISTRICT, HUB, INTAKE_PC, MACHINES, PROVINCE
from demo.world import ENROLLED, World

__all__ = ["play"]


def play(world: World) -> None:
    """Makes the province, enrols every machine, starts the servers, and lets everybody meet."""
    tell = world.narrator
    tell.chapter(1, "Một tỉnh, một huyện, ba xã", "A province, a district, three communes")
    tell.say(
        "Mỗi máy có kho dữ liệu riêng, mã hóa, trong một tệp riêng; mỗi cán bộ có khóa ký riêng. Quản trị"
        " của tỉnh chứng nhận từng máy và từng cán bộ theo tệp xin đăng ký đã ký.",
        "Each machine has an encrypted store in a file of its own, each officer an own signing key. The"
        " province's administrator certifies machines and officers by their signed requests.",
    )
    with tell.measured("onestop-server init + enrol (Argon2id)"):
        made = world.done(
            world.onestop_server(
                PROVINCE, "init", "--units", str(world.write_units()), "--name", PROVINCE.title
            )
        )
        roots = world.enrol(ENROLLED)
    world.checks.equal(set(roots), {made["root"]}, "Mọi máy tin cùng một khóa gốc / one root of trust")
    tell.fact("dấu vân tay khóa gốc / root key", made["root"])
    tell.fact("máy / machines, cán bộ / officers", f"{len(MACHINES)}, {_officers()}")
    start(world)
    for machine in (INTAKE_PC, APPRAISER_PC, ALONE):
        report = world.sync(machine)
        again = world.sync(machine)
        tell.fact(
            f"{machine.title}: lần đầu / first, rồi / then (byte)",
            f"{report['bytes_up'] + report['bytes_down']}, {again['bytes_up'] + again['bytes_down']}",
        )
        world.checks.equal(again["round_trips"], 1, "Không có gì mới: một lượt hỏi / one round trip")
    tell.say(
        "Tỉnh, huyện và trạm xã là những tiến trình riêng trên 127.0.0.1; trạm xã và huyện vừa là máy chủ,"
        " vừa là máy khách của cấp trên.",
        "Province, district and hub are processes of their own on 127.0.0.1; the hub and the district are"
        " servers, and clients of their parent.",
    )


def start(world: World) -> None:
    """Starts the servers, and the line of the second commune."""
    for machine in (PROVINCE, DISTRICT, HUB):
        world.serve(machine)
        world.narrator.fact(f"{machine.title}", world.address(machine.folder))
    line = [
        sys.executable,
        "-m",
        "demo.link",
        str(world.port(DISTRICT.folder)),
        "--port",
        str(world.port("line")),
    ]
    world.line = world.processes.talk("duong-day", line)
    world.line.take()


def _officers() -> int:
    return sum(len(machine.officers) for machine in MACHINES)

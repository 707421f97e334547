"""Commands that bring a machine and its officers to work: ``init``, ``enrol``, ``officer``, ``login``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import PASSPHRASE, Session
from commune_client.cli.words import roles_words
from commune_client.messages import REASONS

if TYPE_CHECKING:
    from commune_client.desk.enrolment import Answered, Asked

__all__ = ["enrol", "init", "login", "officer", "welcome"]

_YES = frozenset({"c", "có", "co", "y", "yes"})


def init(session: Session) -> int:
    """Makes the keys of machine and officer, and writes the enrolment request."""
    from commune_client.desk import enrolment

    arguments, place = session.arguments, session.place
    if not arguments.officer:
        raise UsageFault(REASONS["officer"])
    if not (arguments.role or arguments.code):
        raise UsageFault("còn thiếu: --role.")
    if place.is_set_up and not place.is_enrolled:
        passphrase = session.passphrase(f"Mật khẩu của {arguments.officer}: ")
        asked = enrolment.ask_again(
            place, arguments.officer, passphrase, arguments.unit, arguments.machine, arguments.role
        )
    else:
        passphrase = session.new_passphrase(
            f"Đặt mật khẩu cho {arguments.officer} (ít nhất 8 ký tự): ", arguments.passphrase_file, PASSPHRASE
        )
        asked = enrolment.set_up(
            place, arguments.officer, passphrase,
            unit=arguments.unit, machine_name=arguments.machine,
            roles=arguments.role, parents=arguments.parent,
        )  # fmt: skip
    return _written(session, asked, "enrol.request")


def _written(session: Session, asked: Asked, default_name: str) -> int:
    from commune_client.cli import request_qr
    from commune_client.cli.activate import proven
    from onestop_sync.enrol_files import to_text
    from onestop_sync.keyring import write_durably

    arguments = session.arguments
    path: Path = arguments.request or session.place.folder / default_name
    data = proven(asked.data, arguments.code)
    text = to_text(data)
    write_durably(path, data)
    if arguments.qr:
        request_qr.save_picture(arguments.qr, text)
    facts = asked._asdict() | {"request": path, "text": text}
    del facts["data"]
    how = (
        "Gửi tệp đó cho quản trị; mã thay việc so dấu vân tay. Có tệp trả lời: onestop enrol TỆP --code MÃ"
        if arguments.code
        else "Gửi tệp đó cho quản trị, đọc dấu vân tay để so. Khi có tệp trả lời: onestop enrol TỆP"
    )
    session.show(
        facts,
        [
            *(text.splitlines() if arguments.text else ()),
            *(request_qr.terminal_lines(request_qr.fingerprint_text(asked)) if arguments.show_qr else ()),
            f"Đã ghi tệp xin chứng nhận: {path}",
            f"  Cán bộ {asked.officer_name}: {roles_words(asked.roles) or 'vai trò theo mã'}",
            f"  Dấu vân tay cán bộ: {asked.officer}",
            f"  Dấu vân tay máy:    {asked.machine}",
            how,
        ],
    )
    return DONE


def enrol(session: Session) -> int:
    """Takes the administrator's answer: from a file, or over the line by a one-time code."""
    from commune_client.desk import enrolment
    from onestop_sync.enrol import read_answer

    arguments = session.arguments
    if arguments.answer is None:
        from commune_client.cli.activate import activate

        return activate(session)
    data = arguments.answer.read_bytes()
    secrets = session.secrets()
    if arguments.code:
        from commune_client.desk.activation import open_file

        return welcome(
            session, enrolment.take_answer(session.place, secrets, open_file(data, arguments.code))
        )
    if not arguments.fingerprint and not session.place.is_enrolled:
        _compare(session, read_answer(data).fingerprint)
    return welcome(session, enrolment.accept_answer(session.place, secrets, data, arguments.fingerprint))


def welcome(session: Session, answered: Answered) -> int:
    """Shows what an answer brought."""
    blocks = ", ".join(f"{first}–{last}" for first, last in answered.blocks) or "không"
    session.show(
        answered,
        [
            f"Máy {answered.machine_name} đã được chứng nhận cho {answered.unit_name}.",
            f"  Cán bộ: {', '.join(answered.officers)}",
            f"  Dải số hồ sơ mỗi ngày: {blocks}",
            f"  Dấu vân tay khóa gốc của tỉnh: {answered.root}",
        ],
    )
    return DONE


def _compare(session: Session, fingerprint: str) -> None:
    """Asks a person to compare the province's fingerprint; a script names it, or looks at it afterwards."""
    if session.arguments.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    print(f"Dấu vân tay khóa gốc của tỉnh: {fingerprint}")
    if input("Đúng như quản trị đã đọc? [c/k] ").strip().lower() not in _YES:
        raise UsageFault(f"{REASONS['fingerprint']} Chưa có gì thay đổi.")


def officer(session: Session) -> int:
    """Gives another officer a key on this machine."""
    from commune_client.desk import enrolment
    from commune_client.desk.desk import open_desk

    arguments = session.arguments
    secrets = session.secrets()
    if arguments.code and not arguments.request:
        from commune_client.cli.activate import add

        return add(session, secrets)
    if not (arguments.role or arguments.code):
        raise UsageFault("còn thiếu: --role.")
    with open_desk(session.place, secrets) as desk:
        unit, machine_name = desk.store.unit, desk.machine_name
    passphrase = session.new_passphrase(
        f"Đặt mật khẩu cho {arguments.name} (ít nhất 8 ký tự): ", arguments.new_passphrase_file
    )
    asked = enrolment.add_officer(
        session.place, secrets, unit, machine_name, arguments.name, passphrase, arguments.role
    )
    return _written(session, asked, "officer.request")


def login(session: Session) -> int:
    """Chooses the default officer, after checking the passphrase; no secret is written."""
    from commune_client.desk.line import check_addresses

    arguments, place = session.arguments, session.place
    secrets = session.secrets()
    config = place.config.with_(officer=secrets.holder)
    if arguments.parent is not None:
        parents = tuple(address for address in arguments.parent if address)
        check_addresses(parents)
        config = config.with_(parents=parents)
    if arguments.ca is not None:
        config = config.with_(ca=str(arguments.ca.resolve(strict=True)))
    if arguments.proxy is not None:
        check_addresses([arguments.proxy] if arguments.proxy not in {"", "none"} else [])
        config = config.with_(proxy=arguments.proxy)
    if arguments.find_hub is not None:
        config = config.with_(find_hub=arguments.find_hub)
    if arguments.statement_days is not None:
        config = config.with_(statement_days=max(1, arguments.statement_days))
    if arguments.print_folder is not None:
        folder = Path(arguments.print_folder).expanduser() if arguments.print_folder else None
        config = config.with_(print_folder=str(folder.resolve(strict=True)) if folder else "")
    if arguments.printer is not None:
        config = config.with_(printer=arguments.printer)
    config = config.with_(
        idle_lock_min=_minutes("--lock-after", arguments.lock_after, config.idle_lock_min),
        sync_every_min=_minutes("--sync-every", arguments.sync_every, config.sync_every_min),
    )
    place.save_config(config)
    session.show(
        config,
        [f"Cán bộ mặc định: {config.officer}", f"Cấp trên: {', '.join(config.parents) or '(chưa có)'}"],
    )
    return DONE


def _minutes(option: str, typed: int | None, held: int) -> int:
    if typed is not None and typed < 0:
        raise UsageFault(f"{option}: từ 0 trở lên.")
    return held if typed is None else typed

"""Enrolment by a one-time code: ``enrol --server … --code …``, and ``officer --code …``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from commune_client.cli.codes import OFFLINE, UsageFault
from commune_client.cli.session import NEW_PASSPHRASE, PASSPHRASE, Session
from commune_client.cli.words import roles_words
from commune_client.messages import REASONS

if TYPE_CHECKING:
    from commune_client.desk.enrolment import Answered
    from onestop_sync.enrol_proof import Offer
    from onestop_sync.keyring import Secrets

__all__ = ["activate", "add", "proven"]

CODE: Final = "ONESTOP_ENROL_CODE"


def proven(request: bytes, code: str) -> bytes:
    """Returns a request with the proof of a code; as it is without one."""
    if not code:
        return request
    from onestop_sync.enrol_code import read_code
    from onestop_sync.enrol_proof import request_packet

    return request_packet(read_code(code), request)


def activate(session: Session) -> int:
    """Enrols a new machine over the line."""
    from commune_client.desk import activation

    arguments, place = session.arguments, session.place
    if place.is_enrolled:
        raise UsageFault("máy này đã được kích hoạt. Thêm cán bộ: onestop officer TÊN --code MÃ.")
    servers, code = _servers(session), _code(session)
    _keep_line(session)
    offer = activation.look(place, servers, code)
    name = _choose(session, offer)
    passphrase = (
        session.passphrase(f"Mật khẩu của {name}: ")
        if place.is_set_up
        else session.new_passphrase(_question(name), arguments.passphrase_file, PASSPHRASE)
    )
    return _told(session, activation.activate(place, servers, code, name, passphrase))


def add(session: Session, secrets: Secrets) -> int:
    """Gives another officer whom a code names a key on this machine."""
    from commune_client.desk import activation

    arguments, place = session.arguments, session.place
    servers = _servers(session)
    offer = activation.look(place, servers, arguments.code)
    name, _ = activation.find_officer(offer, arguments.name)
    passphrase = session.new_passphrase(_question(name), arguments.new_passphrase_file, NEW_PASSPHRASE)
    return _told(session, activation.add_by_code(place, secrets, servers, arguments.code, name, passphrase))


def _code(session: Session) -> str:
    """Returns the code: from the command, the environment, or typed, which no list of processes shows."""
    code = str(session.arguments.code or os.environ.get(CODE, ""))
    if code:
        return code
    if session.arguments.server and sys.stdin.isatty():
        return input("Mã kích hoạt: ")
    raise UsageFault("còn thiếu: TỆP, hoặc --code MÃ.")


def _servers(session: Session) -> list[str]:
    from commune_client.desk.line import whole_address

    servers = list(map(whole_address, session.arguments.server or session.place.config.parents))
    if not servers:
        raise UsageFault("còn thiếu: --server ĐỊA-CHỈ.")
    return servers


def _keep_line(session: Session) -> None:
    """Notes how servers are reached, before the first of them is asked."""
    arguments, place = session.arguments, session.place
    if arguments.ca is None and arguments.proxy is None:
        return
    config = place.config
    place.folder.mkdir(parents=True, exist_ok=True)
    ca = config.ca if arguments.ca is None else str(arguments.ca.resolve(strict=True))
    place.save_config(config.with_(ca=ca, proxy=config.proxy if arguments.proxy is None else arguments.proxy))


def _choose(session: Session, offer: Offer) -> str:
    """Returns which of the code's officers sits here: named, or the only one."""
    from commune_client.desk.activation import find_officer

    named = session.arguments.officer
    if named:
        return find_officer(offer, named)[0]
    names = [name for name, _ in offer.officers]
    if len(names) != 1:
        who = "; ".join(f"{name} ({roles_words(roles)})" for name, roles in offer.officers)
        raise UsageFault(f"{REASONS['officer']} Mã này dành cho: {who or 'không cán bộ nào'}.")
    return names[0]


def _question(name: str) -> str:
    return f"Đặt mật khẩu cho {name} (ít nhất 8 ký tự): "


def _told(session: Session, answered: Answered | None) -> int:
    from commune_client.cli.setup import welcome

    if answered is not None:
        return welcome(session, answered)
    session.show(
        {"waiting": True},
        ["Mã đúng. Yêu cầu đang chờ quản trị duyệt; khóa của máy đã được giữ. Chạy lại lệnh này sau."],
    )
    return OFFLINE

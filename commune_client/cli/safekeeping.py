"""Commands that keep work and keys: ``passphrase``, ``dismiss``, ``backup``, ``restore``, ``recovery``."""

from __future__ import annotations

from pathlib import Path

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from commune_client.messages import REASONS

__all__ = ["backup", "dismiss", "passphrase", "recovery", "restore"]


def passphrase(session: Session) -> int:
    """Changes the officer's passphrase."""
    officer = session.officer()
    old = session.passphrase(f"Mật khẩu hiện nay của {officer}: ")
    new = session.new_passphrase(
        f"Mật khẩu mới của {officer} (ít nhất 8 ký tự): ", session.arguments.new_passphrase_file
    )
    session.place.change_passphrase(officer, old, new)
    session.show({"officer": officer}, [f"Đã đổi mật khẩu của {officer}. Mật khẩu cũ không mở được nữa."])
    return DONE


def dismiss(session: Session) -> int:
    """Removes another officer from this machine, and gives the database a new key."""
    from commune_client.desk.safekeeping import remove_officer

    name = session.arguments.name
    secrets = remove_officer(session.place, session.secrets(), name)
    is_waiting = bool(secrets.next_key)
    lines = [f"Đã bỏ {name} khỏi máy này: mật khẩu của người đó không mở được gì nữa."]
    if is_waiting:
        lines.append("Chương trình khác đang mở kho: khóa mới có hiệu lực khi mở lại chương trình đó.")
    else:
        lines.append("Kho dữ liệu đã có khóa mới. Hãy sao lưu lại, và hủy các bản sao lưu cũ.")
    lines.append("Chứng nhận của người đó do quản trị thu hồi riêng.")
    session.show({"removed": name, "waiting": is_waiting}, lines)
    return DONE


def backup(session: Session) -> int:
    """Writes a backup, and chooses where one goes every day."""
    arguments = session.arguments
    if arguments.daily and arguments.folder is None:
        raise UsageFault(REASONS["no_backup_folder"])
    if arguments.keep is not None and arguments.keep < 1:
        raise UsageFault("--keep: từ 1 trở lên.")
    with session.desk() as desk:
        if arguments.daily:
            desk.choose_backups(arguments.folder, arguments.keep)
        report = desk.backup(arguments.folder)
    size_mb = report.size_bytes / 2**20
    lines = [f"Đã sao lưu và đọc lại để kiểm tra: {report.path} ({size_mb:.1f} MB)"]
    if report.kept:
        lines.append(f"  Ghi tiếp bản đang dở: {report.kept} phần đã có, {report.written} phần mới.")
    if report.removed:
        lines.append(f"  Đã bỏ {report.removed} bản cũ.")
    if arguments.daily:
        lines.append("Từ nay mỗi ngày tự sao lưu vào thư mục đó, khi chương trình hoặc máy chủ xã đang chạy.")
    session.show(report, lines)
    return DONE


def restore(session: Session) -> int:
    """Makes a store of a backup."""
    from onestop_sync import backup as backups
    from onestop_sync.store import now_ms

    arguments, place = session.arguments, session.place
    typed = None
    if not arguments.forgotten:
        typed = session.passphrase("Mật khẩu của một cán bộ trên máy đã sao lưu: ")
    clock = place.clock or now_ms
    done = backups.restore(arguments.backup, place.folder, typed, replace=arguments.replace, now_ms=clock())
    lines = [f"Đã khôi phục vào {place.folder}. Có thể làm việc ngay, kể cả khi mất mạng."]
    if done.holders:
        lines.append(f"  Cán bộ: {', '.join(done.holders)}")
    else:
        lines.append("  Chưa ai mở được: xin tỉnh bằng `onestop recovery request TỆP`.")
    if done.aside:
        lines.append(f"  Kho cũ được giữ ở {done.aside}")
    lines.append("Khi có mạng, hãy đồng bộ để nhận lại những việc làm sau lúc sao lưu.")
    session.show(done, lines)
    return DONE


def recovery(session: Session) -> int:
    """Asks the province to open the machine once more, or takes its answer."""
    return (_ask if session.arguments.what == "request" else _take)(session)


def _ask(session: Session) -> int:
    from onestop_sync import recovery as recovering
    from onestop_sync.files import write_durably
    from onestop_sync.keys import DEFAULT_COST

    arguments, place = session.arguments, session.place
    if not arguments.officer:
        raise UsageFault(REASONS["officer"])
    chosen = session.new_passphrase(
        f"Đặt mật khẩu mới cho {arguments.officer} (ít nhất 8 ký tự): ", arguments.new_passphrase_file
    )
    data = recovering.request(place.keyring(), arguments.officer, chosen, cost=place.cost or DEFAULT_COST)
    write_durably(arguments.path, data)
    shown = recovering.describe(data).fingerprint
    session.show(
        {"request": arguments.path, "fingerprint": shown},
        [
            f"Đã ghi tệp xin khôi phục: {arguments.path}",
            f"  Dấu vân tay: {shown}",
            "Gửi tệp cho tỉnh và đọc dấu vân tay qua điện thoại. Hãy nhớ mật khẩu vừa đặt.",
            "Khi có tệp trả lời: onestop recovery take TỆP",
        ],
    )
    return DONE


def _take(session: Session) -> int:
    from commune_client.desk import enrolment
    from commune_client.desk.desk import open_desk
    from onestop_sync import recovery as recovering
    from onestop_sync.files import write_durably

    arguments, place = session.arguments, session.place
    data = arguments.path.read_bytes()
    chosen = session.passphrase("Mật khẩu đã đặt khi xin khôi phục: ")
    secrets = recovering.take(place.keyring(), chosen, data)
    with open_desk(place, secrets) as desk:
        unit, machine_name = desk.store.unit, desk.machine_name
    asked = enrolment.ask_again(place, secrets.holder, chosen, unit, machine_name, arguments.role)
    path: Path = arguments.request or place.folder / "officer.request"
    write_durably(path, asked.data)
    session.show(
        {"officer": secrets.holder, "request": path, "fingerprint": asked.officer},
        [
            f"{secrets.holder} mở được máy này bằng mật khẩu mới. Mọi hồ sơ vẫn còn nguyên.",
            f"Khóa ký là khóa mới, phải được chứng nhận. Đã ghi tệp xin chứng nhận: {path}",
            f"  Dấu vân tay cán bộ: {asked.officer}",
            "Gửi tệp đó cho quản trị. Khi có tệp trả lời: onestop enrol TỆP",
        ],
    )
    return DONE

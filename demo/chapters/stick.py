"""Chapter 6: a commune with no line at all sends its work by a USB stick, and its acks come back by one."""

from __future__ import annotations

from demo import PASSPHRASE
from demo.cast import DISTRICT, REMOTE
from demo.chapters.line_returns import show_levels
from demo.world import World

__all__ = ["play"]


def play(world: World) -> None:
    """Exports, carries, imports, and carries the acks back."""
    tell = world.narrator
    tell.chapter(6, "Xã không có đường truyền", "A commune with no line at all")
    tell.say(
        "Xã Khe Trầu ghi gói dữ liệu vào USB. Gói được niêm phong cho máy huyện; ai nhặt được cũng không"
        " đọc được. Huyện nhập gói, chuyển lên tỉnh, rồi gửi xác nhận về bằng USB.",
        "The remote commune writes a bundle to a USB stick, sealed to the district: nobody else can read"
        " it. The district imports it, relays it, and sends the acks back by the stick.",
    )
    stick = world.folder / "usb"
    stick.mkdir(exist_ok=True)
    up = world.done(world.onestop(REMOTE, "export", str(stick)))
    bundle = next(stick.iterdir())
    tell.fact("gói đi lên / bundle going up (byte)", bundle.stat().st_size)
    tell.fact("sự kiện trong gói / events in it", up["events"])
    names = [name.encode() for name in ("Khe Trầu", REMOTE.first, PASSPHRASE)]
    data = bundle.read_bytes()
    world.checks.that(
        not any(name in data for name in names), "Gói không để lộ tên ai / the file shows nobody's name"
    )
    taken = world.done(world.onestop(DISTRICT, "import", str(bundle)))
    bundle.unlink()
    tell.fact("huyện nhận / taken in at the district", taken["stored"])
    world.sync(DISTRICT)
    world.done(world.onestop(DISTRICT, "export", str(stick), "--to", REMOTE.title))
    back = next(stick.iterdir())
    tell.fact("gói đi về / bundle coming back (byte)", back.stat().st_size)
    world.done(world.onestop(REMOTE, "import", str(back)))
    again = world.onestop(REMOTE, "import", str(back))
    world.checks.equal(again.code, 1, "Nhập lại lần nữa: bị từ chối / a second import is refused")
    tell.quote(again.told)
    back.unlink()
    show_levels(world, "sau chuyến USB / after the stick")
    found = world.tell(REMOTE, "levels", officer=REMOTE.first)
    world.checks.equal(set(found), {"province"}, f"{REMOTE.title}: tất cả đã tới tỉnh / all at the province")

"""Commands that look: ``procedures``, ``list``, ``show``."""

from __future__ import annotations

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from commune_client.cli.words import dossier_lines, list_lines, procedure_lines

__all__ = ["list_", "procedures", "show"]

_MOST = 100_000
"""Lines that one call prints at most."""


def procedures(session: Session) -> int:
    """Shows the catalogue: the province's, or on a machine without a store the one that the program ships."""
    search = " ".join(session.arguments.words)
    if session.place.is_enrolled:
        with session.desk() as desk:
            found = desk.procedures(search)
    else:
        from onestop_sync.dossier.data import shipped_catalogue
        from onestop_sync.dossier.dates import local
        from onestop_sync.store import now_ms

        found = shipped_catalogue().search(search, local((session.place.clock or now_ms)()).date())
    lines = [line for procedure in found for line in procedure_lines(procedure)]
    session.show(found, lines or ["Không có thủ tục nào như vậy trong danh mục."])
    return DONE


def list_(session: Session) -> int:
    """Shows one page of dossiers."""
    arguments = session.arguments
    if not 1 <= arguments.limit <= _MOST:
        raise UsageFault(f"--limit: từ 1 đến {_MOST}.")
    after = _after(arguments.after)
    with session.desk() as desk:
        page = desk.dossiers(
            " ".join(arguments.words),
            step=arguments.step,
            only=arguments.only,
            order="new" if arguments.new else "due",
            after=after,
            limit=arguments.limit,
        )
    key = f"{page.after[0]}:{page.after[1]}" if page.after else ""
    more = [f"Còn nữa: thêm --after {key}"] if key else []
    session.show(
        {"rows": page.rows, "after": key},
        [*(list_lines(page.rows) if page.rows else ["Không có hồ sơ nào."]), *more],
    )
    return DONE


def _after(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    first, _, second = text.partition(":")
    try:
        return int(first), int(second)
    except ValueError:
        raise UsageFault("--after: dùng giá trị 'after' của trang trước.") from None


def show(session: Session) -> int:
    """Shows a dossier with its signed events."""
    with session.desk() as desk:
        dossier = desk.show(desk.find(session.arguments.code))
        unit = desk.unit_name(dossier.view.unit)
        facts = {
            "doc": dossier.doc,
            "level": dossier.level,
            "stated_ms": dossier.stated_ms,
            **dossier.view.to_json(),
            "timeline": dossier.timeline,
            "choices": dossier.choices,
        }
        session.show(facts, dossier_lines(dossier, unit))
    return DONE

"""``proof``: what was found out about those above, written down for others, or checked."""

from __future__ import annotations

from collections.abc import Sequence

from commune_client import strings
from commune_client.cli.codes import DONE
from commune_client.cli.session import Session
from commune_client.messages import FINDING_LABELS

__all__ = ["proof"]


def proof(session: Session) -> int:
    """Writes a proof, or checks one."""
    if session.arguments.check:
        return _check(session)
    with session.desk() as desk:
        facts = desk.prove(session.arguments.path, _explain)
    found = [f"  {FINDING_LABELS[kind]}" for kind in facts.findings]
    session.show(facts, [f"Đã ghi bằng chứng: {facts.path}", *found, "Gửi tệp đó cho người quản trị."])
    return DONE


def _check(session: Session) -> int:
    from commune_client.desk.line import check_proof

    found = check_proof(session.arguments.path)
    lines = [f"Dấu vân tay khóa gốc: {found.root} (so với dấu vân tay mà tỉnh đã công bố)"]
    for kind, signer, unit, is_proven in found.cases:
        mark = strings.OK_MARK if is_proven else strings.WARNING_MARK
        word = "đã chứng minh" if is_proven else "theo lời người ghi tệp"
        lines.append(f"{mark} {word}: {signer} ({unit}): {FINDING_LABELS[kind]}")
    session.show(found, lines)
    return DONE


def _explain(kinds: Sequence[str]) -> str:
    """Says what a proof is, to whoever opens it as text."""
    return "\n".join([
        "Bằng chứng về máy cấp trên (hồ sơ một cửa). Không có dữ liệu hồ sơ hay người nộp trong tệp này.",
        "Kiểm tra trên máy bất kỳ: onestop proof --check TỆP",
        "",
        *(f"{i}. {FINDING_LABELS[kind]}" for i, kind in enumerate(kinds, 1)),
    ])  # fmt: skip

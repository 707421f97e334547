"""The roles of the one-stop mechanism, as certificates write them.

One officer may hold several: the four steps on the spot are often two people.

Source: Quyết định 2855/QĐ-UBND (four steps on the spot); NĐ 61/2018/NĐ-CP, Articles 17 to 20.
"""

from __future__ import annotations

from typing import Final

from onestop_sync.trust import ADMIN

__all__ = [
    "ADMIN",
    "APPRAISAL",
    "APPROVAL",
    "HEAD",
    "INTAKE",
    "OFFICERS",
    "PORTAL",
    "RETURN",
]

INTAKE: Final = "tiep_nhan"
APPRAISAL: Final = "tham_dinh"
APPROVAL: Final = "phe_duyet"
RETURN: Final = "tra_ket_qua"
HEAD: Final = "lanh_dao"
"""Settles what others dispute, extends and stops."""

PORTAL: Final = "cong_dich_vu"
"""Role of an integration's key: it files what citizens sent on a portal, and does nothing else."""

OFFICERS: Final = frozenset({INTAKE, APPRAISAL, APPROVAL, RETURN})
"""The four steps on the spot."""

"""Who may do what to a dossier, at which step, from which unit: written by hand, beside the program.

The tables say what `docs/workflow.md` says in the words of the decrees, and are kept apart from
`onestop_sync.dossier` on purpose: a cell that the program allows and this does not, or the other way round,
is a fault of one of them.

Source: NĐ 61/2018/NĐ-CP, Articles 15 and 17 to 20.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MAIN: Final = "main"
OPINION: Final = "agency:d2"
ROLES: Final = ("tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao", "quan_tri")
ROLE_SETS: Final = (
    (), *((role,) for role in ROLES),
    ("tiep_nhan", "tham_dinh"), ("tham_dinh", "phe_duyet"), ("tra_ket_qua", "lanh_dao"),
)  # fmt: skip
"""No role, each alone, and pairs as small communes have them."""
HOLDER: Final = "d1"
UNITS: Final = {"own": "d1", "parent": "p", "child": "c1", "sibling": "d2", "uninvolved": "c9"}

_BEFORE: Final = "draft incomplete accepted given sent appraisal supplement payment approval"
_DECIDED: Final = "approved rejected stopped result_given notice_given result_ready notice_ready"
_OVER: Final = "refused returned withdrawn"

_ACTIONS: Final = f"""
ask_at_intake  | draft                                                | tiep_nhan
refuse         | draft incomplete                                     | tiep_nhan
accept         | draft incomplete                                     | tiep_nhan
give           | accepted                                             | tiep_nhan
receive        | given                                                | tham_dinh
receive        | sent                                                 | tiep_nhan tham_dinh
receive        | result_given notice_given                            | tra_ket_qua
decline        | given                                                | tham_dinh
decline        | sent                                                 | tiep_nhan tham_dinh
transfer       | accepted                                             | tiep_nhan
transfer       | appraisal                                            | tham_dinh
transfer       | approval                                             | phe_duyet lanh_dao
ask_supplement | appraisal -s                                         | tham_dinh
supply         | supplement                                           | tiep_nhan
ask_payment    | appraisal                                            | tham_dinh
pay            | payment                                              | tiep_nhan tham_dinh
submit         | appraisal                                            | tham_dinh
send_back      | approval                                             | phe_duyet lanh_dao
extend         | appraisal approval -e                                | phe_duyet lanh_dao
approve        | approval                                             | phe_duyet lanh_dao
reject         | approval                                             | phe_duyet lanh_dao
stop           | accepted given sent appraisal supplement payment approval | phe_duyet lanh_dao
withdraw       | {_BEFORE} | tiep_nhan tham_dinh phe_duyet lanh_dao
give_result    | approved rejected stopped                            | tham_dinh phe_duyet lanh_dao
return         | result_ready notice_ready                            | tra_ket_qua
ask            | none                                                 | tiep_nhan tham_dinh phe_duyet lanh_dao
answer         | asked                                                | tham_dinh phe_duyet lanh_dao
pass           | asked                                                | tiep_nhan tham_dinh phe_duyet lanh_dao
"""
"""Action, steps (``-s`` and ``-e``: not where that right is used up), roles."""

_CONTENT: Final = (
    "nguoi_nop loai_doi_tuong ngay_sinh so_dinh_danh dia_chi noi_dung so_bo giay_to/don truong_rieng/x"
)
_FIELDS: Final = f"""
ma_ho_so ma_thu_tuc ten_thu_tuc hinh_thuc_nop tiep_nhan_luc nguon so_theo_doi | draft incomplete | tiep_nhan
{_CONTENT}        | draft incomplete accepted given supplement          | tiep_nhan
{_CONTENT}        | sent appraisal payment                              | tham_dinh
{_CONTENT}        | approval                                            | phe_duyet lanh_dao
dien_thoai email dinh_kem/x | {_BEFORE} {_DECIDED}          | tiep_nhan tham_dinh phe_duyet tra_ket_qua
nguoi_thu_ly      | given sent appraisal                                | tham_dinh lanh_dao
yeu_cau_bo_sung   | draft incomplete                                    | tiep_nhan
yeu_cau_bo_sung   | appraisal                                           | tham_dinh
y_kien_tham_dinh  | appraisal                                           | tham_dinh
ket_qua           | appraisal                                           | tham_dinh
ket_qua           | approval                                            | phe_duyet lanh_dao
nguoi_nhan tra_luc | result_ready notice_ready                          | tra_ket_qua
hoi_y_kien/d2     | none                                              | tiep_nhan tham_dinh phe_duyet lanh_dao
y_kien/d2         | asked                                               | tham_dinh phe_duyet lanh_dao
"""
FREE: Final = ("cach_nhan", "dia_chi_nhan", "danh_gia", "le_phi", "ghi_chu")
"""What everybody who takes part writes at every step; the last three are lists that only grow."""
BOUND: Final = ("han_tra",)
"""What nobody writes by itself, at any step: a date comes with the acceptance, a supplement, an extension."""
NOTES: Final = frozenset({"danh_gia", "le_phi", "ghi_chu"})
VOID: Final = "_void"
"""What only the head of a unit that takes part writes, at every step."""

_TO_ACCEPTED: Final = {
    "": "accept",
    "+s": "accept give receive ask_supplement supply",
    "+e": "accept give receive extend transfer decline",
    "+s+e": "accept give receive extend ask_supplement supply",
}
_FROM_ACCEPTED: Final = {
    "accepted": "", "given": "give", "sent": "transfer", "appraisal": "give receive",
    "payment": "give receive ask_payment", "approval": "give receive submit",
}  # fmt: skip
_DECISION: Final = "accept give receive submit"
PATHS: Final = {
    "draft": "",
    "incomplete": "ask_at_intake",
    "refused": "refuse",
    "withdrawn": "accept withdraw",
    **{
        base + mark: f"{way} {on}"
        for mark, way in _TO_ACCEPTED.items()
        for base, on in _FROM_ACCEPTED.items()
    },
    "supplement+s": "accept give receive ask_supplement",
    "supplement+s+e": "accept give receive extend ask_supplement",
    "approved": f"{_DECISION} approve",
    "rejected": f"{_DECISION} reject",
    "stopped": "accept stop",
    "result_given": f"{_DECISION} approve give_result",
    "notice_given": f"{_DECISION} reject give_result",
    "result_ready": f"{_DECISION} approve give_result receive",
    "notice_ready": f"{_DECISION} reject give_result receive",
    "returned": f"{_DECISION} approve give_result receive return",
}
"""Step → the actions by which somebody with every role brings a dossier there."""
OPINION_PATHS: Final = {"none": "", "asked": "ask", "answered": "ask answer", "passed": "ask pass"}
"""The same for the task of an agency that is asked, beside a main task in appraisal."""

MAIN_ACTIONS: Final = tuple(dict.fromkeys(row.split()[0] for row in _ACTIONS.strip().splitlines()[:-3]))
OPINION_ACTIONS: Final = ("ask", "answer", "pass")
FIELDS: Final = tuple(
    dict.fromkeys(key for row in _FIELDS.strip().splitlines() for key in row.split("|")[0].split())
)


class Situation(NamedTuple):
    """A dossier at a step.

    Attributes:
        task: Task of the step.
        step: The step.
    """

    task: str
    step: str

    @property
    def path(self) -> list[str]:
        """The actions that lead there."""
        if self.task == MAIN:
            return PATHS[self.step].split()
        return [*PATHS["appraisal"].split(), *OPINION_PATHS[self.step].split()]

    @property
    def holder(self) -> str:
        """The unit that holds the task."""
        return HOLDER if self.task == MAIN or self.step == "none" else "d2"

    @property
    def units(self) -> frozenset[str]:
        """The units that take part."""
        return frozenset({HOLDER, self.holder})


SITUATIONS: Final = (*(Situation(MAIN, s) for s in PATHS), *(Situation(OPINION, s) for s in OPINION_PATHS))


class Cell(NamedTuple):
    """One thing that somebody may or may not do.

    Attributes:
        situation: Where the dossier stands.
        what: An action of the situation's task, a field, or `VOID`.
        roles: Of the author.
        unit: Of the author.
    """

    situation: Situation
    what: str
    roles: tuple[str, ...]
    unit: str

    @property
    def is_action(self) -> bool:
        """Whether it is an action rather than a field."""
        return self.what in {*MAIN_ACTIONS, *OPINION_ACTIONS}

    @property
    def op(self) -> list[Any]:
        """The operation of an event that does it, with everything that the law wants."""
        if self.is_action:
            return ["act", self.situation.task, self.what, arguments(self.what)]
        return ["note" if self.what in NOTES else "set", self.what, "giá trị"]

    @property
    def is_allowed(self) -> bool:
        """What the tables say."""
        if self.what == VOID:
            return "lanh_dao" in self.roles and self.unit in self.situation.units
        if self.what in FREE:
            return self.unit in self.situation.units
        if self.what == "hoi_y_kien/d2" and self.situation.task == MAIN:
            holder, step = HOLDER, "none"  # nobody has asked that agency yet
        elif self.what in {"hoi_y_kien/d2", "y_kien/d2"} or self.situation.task == MAIN or self.is_action:
            holder, step = self.situation.holder, self.situation.step
        else:  # a field of the main task, while an agency is asked
            holder, step = HOLDER, "appraisal"
        table = _ACTIONS if self.is_action else _FIELDS
        return self.unit == holder and not _roles(table, self.what, step).isdisjoint(self.roles)


def arguments(action: str) -> dict[str, Any]:
    """Returns every argument that some action needs."""
    to = "d2" if action == "ask" else HOLDER
    return {"ly_do": "vì", "noi_dung": "gì", "han_moi": 1, "han": 1, "to": to}


def _roles(table: str, what: str, step: str) -> set[str]:
    """Looks up who may do something at a step."""
    base, *used = step.split("+")
    found: set[str] = set()
    for row in table.strip().splitlines():
        names, steps, roles = (part.split() for part in row.split("|"))
        is_left = all(f"-{mark}" not in steps for mark in used)
        if what in names and base in steps and is_left:
            found.update(roles)
    return found


def cells() -> Iterator[Cell]:
    """Makes every cell: what × step × roles × unit."""
    for situation in SITUATIONS:
        actions = MAIN_ACTIONS if situation.task == MAIN else OPINION_ACTIONS
        for what in (*actions, *FIELDS, *FREE, *BOUND, VOID):
            for roles in ROLE_SETS:
                for unit in UNITS.values():
                    yield Cell(situation, what, roles, unit)

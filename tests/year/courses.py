"""What becomes of a dossier: who does what with it, in which order and how soon, by seeded dice."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, NamedTuple

from commune_client.desk.desk import Desk
from onestop_sync.dossier.catalogue import DecidedBy, Procedure
from onestop_sync.dossier.charges import ChargeKind
from onestop_sync.dossier.dates import due_field, local, to_ms

_REASON: Final = "Theo quy định"


class Team(NamedTuple):
    """Who works on a dossier: at the counter, as appraiser, as who decides."""

    unit: str
    counter: tuple[str, ...]
    appraisers: tuple[str, ...]
    chair: str


TEAMS: Final = {
    "xa-mot": Team("c1", ("An", "Bình"), ("Chi", "Dũng"), "Em"),
    "thon": Team("c1", ("Giang",), ("Giang",), "Hà"),
    "xa-hai": Team("c2", ("Khanh",), ("Lan",), "Minh"),
}


@dataclass(slots=True)
class Life:
    """A dossier, and what was done with it: written beside the desks, so that they can be checked by it.

    Attributes:
        team: Key of `TEAMS`.
        procedure: Of which procedure.
        channel: How it was handed in.
        steps: What is still to be done, first first.
        doc: Its id; empty before the first event.
        code: Its code; empty before acceptance.
        received_ms: When it was accepted; ``None`` when it was not.
        ended_ms: When it was decided or ended; ``None`` while it was not.
        dues: ``(given at, due)`` in order.
        waits: ``(from, until)`` of waiting for the applicant after acceptance.
        ratings: ``(given at, score)`` in order.
        heads: Its newest events, which whoever does the next step has to have seen.
        looked: Who looked for it last, and after how much news on that machine.
        tries: How often the next step had to wait because the dossier had not come to that machine.
    """

    team: str
    procedure: Procedure
    channel: str
    steps: list[Step] = field(default_factory=list)
    doc: bytes = b""
    code: str = ""
    received_ms: int | None = None
    ended_ms: int | None = None
    dues: list[tuple[int, int]] = field(default_factory=list)
    waits: list[tuple[int, int | None]] = field(default_factory=list)
    ratings: list[tuple[int, int]] = field(default_factory=list)
    heads: frozenset[bytes] = frozenset()
    looked: tuple[str, int] = ("", 0)
    tries: int = 0

    @property
    def due_ms(self) -> int | None:
        """The date that holds now."""
        return self.dues[-1][1] if self.dues else None

    def note_due(self, desk: Desk) -> None:
        """Notes the date that an action gave."""
        due = due_field(desk.store.document(self.doc).state)
        if due is not None:
            self.dues.append((due["tu_ms"], due["ms"]))


class Step(NamedTuple):
    """One thing to do.

    Attributes:
        name: What it is counted as.
        who: Officer.
        at: Step at which the dossier has to stand on that officer's machine; empty: wherever.
        days: Working days after the step before.
        act: Does it.
        is_late: It is done only after the due date.
    """

    name: str
    who: str
    at: str
    days: int
    act: Callable[[Desk, Life], Any]
    is_late: bool = False


def course(dice: random.Random, life: Life) -> list[Step]:
    """Returns everything that will be done with a dossier."""
    return _Course(dice, life).made


class _Course:
    """Throws the dice."""

    def __init__(self, dice: random.Random, life: Life) -> None:
        self.dice, self.life, self.team = dice, life, TEAMS[life.team]
        self.counter = dice.choice(self.team.counter)
        self.appraiser = dice.choice(self.team.appraisers)
        self.chair = self.team.chair
        self.made: list[Step] = []
        if self.begins():
            self.goes_on()

    def is_so(self, percent: float) -> bool:
        return self.dice.random() * 100 < percent

    def days(self, most: int) -> int:
        return 0 if self.life.team == "thon" else self.dice.randint(0, most)

    def add(
        self, name: str, who: str, at: str, days: int, act: Callable[[Desk, Life], Any], *, late: bool = False
    ) -> None:
        self.made.append(Step(name, who, at, days, act, late))

    def begins(self) -> bool:
        """At the counter; tells whether it is accepted."""
        values, papers = applicant(self.dice, self.life.channel), self.dice.randint(4, 40)
        if self.is_so(8):
            self.add("draft", self.counter, "", 0, lambda desk, life: _draft(desk, life, values))
            if self.is_so(50):
                self.add(
                    "refuse", self.counter, "draft", 0, lambda desk, life: desk.refuse(life.doc, _REASON)
                )
                return False
            self.add("ask at intake", self.counter, "draft", 0,
                     lambda desk, life: desk.ask_at_intake(life.doc, _REASON, "Bản sao"))  # fmt: skip
            self.add("accept", self.counter, "incomplete", 3, lambda desk, life: _accept(desk, life, papers))
        else:
            self.add("accept", self.counter, "", 0, lambda desk, life: _take_in(desk, life, values, papers))
        fee = self.life.procedure.fee
        if fee.total_vnd(2) and self.life.team != "xa-hai":
            self.add("fee due", self.counter, "accepted", 0,
                     lambda desk, life: desk.charge(life.doc, ChargeKind.DUE, units=2))  # fmt: skip
            if self.is_so(10):
                self.add("fee waived", self.counter, "accepted", 0,
                         lambda desk, life: _charge(desk, life, ChargeKind.WAIVED))  # fmt: skip
            else:
                self.add("fee paid", self.counter, "accepted", 0,
                         lambda desk, life: _charge(desk, life, ChargeKind.PAID))  # fmt: skip
        if self.is_so(2):
            self.add("withdraw", self.counter, "accepted", 0, lambda desk, life: _end(desk, life, "withdraw"))
            return False
        return True

    def goes_on(self) -> None:
        """From the counter to the decision."""
        self.hands_over()
        if self.is_so(3):
            self.add(
                "decline", self.appraiser, "given", 0, lambda desk, life: desk.decline(life.doc, _REASON)
            )
            self.hands_over(again=True)
        self.add("receive", self.appraiser, "given", self.days(1), lambda desk, life: desk.receive(life.doc))
        is_ours = self.life.procedure.decided_by is DecidedBy.COMMUNE
        if self.life.team != "thon" and self.is_so(2 if is_ours else 60):
            self.goes_to_the_district()
            return
        if self.is_so(7):
            self.is_supplemented()
        if self.is_so(4):
            self.add("payment", self.appraiser, "appraisal", 0,
                     lambda desk, life: desk.ask_payment(life.doc, "Lệ phí theo quy định"))  # fmt: skip
            self.add("pay", self.counter, "payment", 1, lambda desk, life: desk.pay(life.doc))
        if self.life.team == "xa-mot" and self.is_so(8):
            self.add("ask agency", self.appraiser, "appraisal", 0, _ask)
            self.add("answer", "Nam", "appraisal", 2, lambda desk, life: desk.answer(life.doc, "Đồng ý"))
        if self.is_so(6):
            self.add("extend", self.chair, "appraisal", self.days(1), _extend)
        if self.is_so(2):
            self.add("stop", self.chair, "appraisal", 1, lambda desk, life: _end(desk, life, "stop"))
        elif self.is_so(2):
            self.add(
                "withdraw", self.counter, "appraisal", 1, lambda desk, life: _end(desk, life, "withdraw")
            )
            return
        else:
            self.is_decided(self.appraiser, self.chair)
        self.comes_back(self.chair)

    def hands_over(self, *, again: bool = False) -> None:
        days = 1 if again and self.life.team != "thon" else 0
        self.add("hand over", self.counter, "accepted", days, lambda desk, life: desk.handover(life.doc))

    def is_supplemented(self) -> None:
        """The applicant is asked for more, once, and brings it some days later."""
        self.add("supplement", self.appraiser, "appraisal", self.days(2), _supplement)
        self.add("supply", self.counter, "supplement", self.dice.randint(2, 9), _supply)
        self.hands_over()
        self.add("receive", self.appraiser, "given", self.days(1), lambda desk, life: desk.receive(life.doc))

    def is_decided(self, appraiser: str, chair: str) -> None:
        self.add("submit", appraiser, "appraisal", self.days(3),
                 lambda desk, life: desk.appraise(life.doc, "Đủ điều kiện", "Đồng ý"))  # fmt: skip
        if self.is_so(3):
            self.add("send back", chair, "approval", 0, lambda desk, life: desk.send_back(life.doc, _REASON))
            self.add("submit", appraiser, "appraisal", 1,
                     lambda desk, life: desk.appraise(life.doc, "Đã xem lại", "Đồng ý"))  # fmt: skip
        what = "reject" if self.is_so(5) else "approve"
        late = self.is_so(10)
        self.add(what, chair, "approval", self.days(2), lambda desk, life: _end(desk, life, what), late=late)

    def goes_to_the_district(self) -> None:
        """The district's office decides, and the result comes back."""
        self.add("transfer", self.appraiser, "appraisal", 0, lambda desk, life: desk.transfer(life.doc, "d1"))
        self.add("receive at the district", "Nam", "sent", 1, lambda desk, life: desk.receive(life.doc))
        self.is_decided("Nam", "Oanh")
        self.comes_back("Oanh")

    def comes_back(self, chair: str) -> None:
        """The result, or the notice that there is none, goes to the counter and to the applicant."""
        ends = self.made[-1].name
        is_notice = ends in {"reject", "stop"}
        at = "rejected" if ends == "reject" else "stopped" if is_notice else "approved"
        given, ready = ("notice_given", "notice_ready") if is_notice else ("result_given", "result_ready")
        self.add("give result", chair, at, 0, lambda desk, life: desk.handover(life.doc))
        self.add("receive result", self.counter, given, 0, lambda desk, life: desk.receive(life.doc))
        self.add("return", self.counter, ready, self.days(4), lambda desk, life: desk.return_result(life.doc))
        if self.is_so(20):
            score = self.dice.choice((0, 1, 2, 2, 2))
            self.add(
                "rate", self.counter, "returned", self.days(3), lambda desk, life: _rate(desk, life, score)
            )


# ---- what the officers do


def _draft(desk: Desk, life: Life, values: dict[str, str]) -> None:
    life.doc = desk.new_draft(life.procedure.code, values).doc


def _charge(desk: Desk, life: Life, kind: ChargeKind) -> None:
    is_paid = kind is ChargeKind.PAID
    desk.charge(life.doc, kind, receipt=life.code[-4:] if is_paid else "", reason="" if is_paid else _REASON)


def _papers(desk: Desk, life: Life) -> Any:
    return desk.papers(
        life.procedure.code, [d.name_vi for d in desk.procedure(life.procedure.code).checklist]
    )


def _given_due(desk: Desk, life: Life, days: int) -> int | None:
    """Returns the date that an official gives where the catalogue knows no limit."""
    if life.procedure.limit is not None:
        return None
    return _after(desk, desk.store.clock(), days)


def _after(desk: Desk, ms: int, days: int) -> int:
    """Returns half past four, so many working days after a moment."""
    day = local(ms).date()
    for _ in range(days):
        day = desk.rules.calendar.next_working_day(day)
    return to_ms(local(ms).replace(year=day.year, month=day.month, day=day.day, hour=16, minute=30))


def _accept(desk: Desk, life: Life, days: int) -> None:
    desk.save_draft(life.doc, {}, _papers(desk, life))
    done = desk.intake(life.doc, due_ms=_given_due(desk, life, days))
    life.code, life.received_ms = done.code, done.received_ms
    life.note_due(desk)


def _take_in(desk: Desk, life: Life, values: dict[str, str], days: int) -> None:
    code, due_ms = life.procedure.code, _given_due(desk, life, days)
    done = desk.intake_new(code, values, _papers(desk, life), due_ms=due_ms)
    life.doc, life.code, life.received_ms = done.doc, done.code, done.received_ms
    life.note_due(desk)


def _ask(desk: Desk, life: Life) -> None:
    desk.ask_agencies(life.doc, ["d1"], "Xin ý kiến chuyên môn", _after(desk, desk.store.clock(), 5))


def _supplement(desk: Desk, life: Life) -> None:
    desk.supplement(life.doc, _REASON, "Bản chính giấy tờ")
    life.waits.append((desk.store.latest_ms(), None))


def _supply(desk: Desk, life: Life) -> None:
    desk.supply(life.doc)
    life.waits[-1] = (life.waits[-1][0], desk.store.latest_ms())
    if life.dues:
        life.note_due(desk)


def _extend(desk: Desk, life: Life) -> None:
    if life.due_ms is not None:
        desk.extend(life.doc, _REASON, _after(desk, max(life.due_ms, desk.store.clock()), 3))
        life.note_due(desk)


def _end(desk: Desk, life: Life, what: str) -> None:
    if what == "approve":
        desk.approve(life.doc, "Đồng ý")
    else:
        getattr(desk, what)(life.doc, _REASON)
    life.ended_ms = desk.store.latest_ms()


def _rate(desk: Desk, life: Life, score: int) -> None:
    desk.rate(life.doc, score)
    life.ratings.append((desk.store.latest_ms(), score))


_FAMILY: Final = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Bùi", "Đỗ")
_GIVEN: Final = ("Thị Hường", "Văn Quý", "Quốc Thịnh", "Thị Ngọc Ánh", "Đức Mạnh", "Thuỳ Dương")
_HAMLETS: Final = ("Đoài", "Đông", "Thượng", "Hạ", "Trung")
BORN_FROM: Final = timedelta(days=365 * 20)


def applicant(dice: random.Random, channel: str) -> dict[str, str]:
    """Returns somebody who does not exist."""
    return {
        "nguoi_nop": f"{dice.choice(_FAMILY)} {dice.choice(_GIVEN)}",
        "so_dinh_danh": f"000{dice.randrange(10**9):09d}",
        "dia_chi": f"Thôn {dice.choice(_HAMLETS)}",
        "dien_thoai": f"09{dice.randrange(10**8):08d}",
        "hinh_thuc_nop": channel,
    }

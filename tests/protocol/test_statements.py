"""What a parent withholds, loses or takes back is noticed at the next contact, and proven to others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa

from onestop_sync import exchange, proofs
from onestop_sync.acks import Acks
from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.errors import FormatError, NotAllowed, NotFound
from onestop_sync.proof_export import export_proof
from onestop_sync.statement import MAX_FOREIGN, parse_statement
from onestop_sync.stating import INTERVAL_MS, make_statements
from onestop_sync.storage import feed
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.protocol.parents import Line, kinds, rewind, snapshot, sync, withholding
from tests.province import CASE, Machine, Province


@pytest.fixture(params=["sqlite", "postgresql"])
def line(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Line]:
    """A line of machines that have not met; its servers on either kind of database."""
    if request.param == "sqlite":
        made = Line(Province(tmp_path), lambda _: "sqlite://")
    else:
        url: str = request.getfixturevalue("postgres_url")
        made = Line(Province(tmp_path), lambda name: schema(url, name))
    yield made
    for machine in made.machines:
        machine.store.close()


def schema(url: str, name: str) -> str:
    """Makes a schema of its own in a database; returns the URL that leads to it."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as admin:
        admin.execute(f"CREATE SCHEMA {name}".encode())
    return f"{url}&options={quote(f'-csearch_path={name}')}"


def stated(machine: Machine, unit: str) -> list[Any]:
    """Returns the statements on a unit that a machine has, oldest first."""
    with machine.store.reading() as connection:
        query = sa.select(t.statement.c.data).where(t.statement.c.unit == unit).order_by(t.statement.c.n)
        return [parse_statement(data)[0] for data in connection.execute(query).scalars()]


def decided(line: Line, doc: bytes) -> bytes:
    """Returns the log in which the last event of a dossier stands at the province."""
    log: bytes = line.province.store.history(doc)[-1].event.log
    return log


def checked(machine: Machine) -> list[proofs.Case]:
    """Exports what a machine found out, and checks it as somebody without a store does."""
    data, _ = export_proof(machine.store)
    report = proofs.check(data)
    assert report.root == machine.store.root
    return list(report.cases)


# --------------------------------------------------------------------------------------------- honest parents


def test_statements_come_down_unchanged_and_find_nothing(line: Line) -> None:
    """Each unit gets a chain of statements through its relays; honest parents give nothing to find."""
    line.shared()
    doc = line.pc1.writer("An").create("case", {"name": "x"})
    line.everyone()
    assert line.state() == 4  # d1, c1, c2 and c9; each with the first statement of all
    line.everyone()
    line.pc1.writer("An").edit(doc, {"phone": "1"})
    line.everyone()
    assert line.state() == 1  # only c1 has news
    line.everyone()
    said = stated(line.pc1, "c1")
    assert [s.k for s in said] == [1, 2]
    assert said == stated(line.hub, "c1") == stated(line.district, "c1") == stated(line.province, "c1")
    assert [head for _, _, head in said[1].heads] == [line.pc1.store.history(doc)[1].event.id]
    assert [kinds(machine) for machine in line.machines] == [[]] * 8
    status = line.pc1.store.status()
    assert (status.findings, status.stated_ms) == (0, said[1].at_ms)


def test_a_statement_names_what_was_sent_down_and_what_was_stored(line: Line) -> None:
    """It holds the heads of the unit's logs, and each event of other units' that went into its feed."""
    doc = line.shared()
    decision = line.province.store.history(doc)[-1].event.id
    line.state()
    line.everyone()
    [said] = stated(line.lone, "c2")
    assert decision in said.foreign
    own = line.lone.store.history(doc)[0].event
    assert {log: seq for log, seq, _ in said.heads}[own.log] == 2
    assert own.id not in said.foreign
    assert said.trust_version == line.province.store.trust.document.version


def test_every_unit_gets_one_in_every_interval(line: Line) -> None:
    """Within the interval nobody gets another; after it everybody does, news or not."""
    assert make_statements(line.province.store, interval_ms=INTERVAL_MS) == 4
    assert make_statements(line.province.store, interval_ms=INTERVAL_MS) == 0
    line.clock.clock_ms += INTERVAL_MS
    assert make_statements(line.province.store, interval_ms=INTERVAL_MS) == 4
    line.everyone()
    assert [s.k for s in stated(line.lone, "c2")] == [1, 2]


def test_many_events_make_several_statements_of_bounded_size(line: Line, monkeypatch: Any) -> None:
    """What does not fit into one statement goes into the next ones, and is checked all the same."""
    monkeypatch.setattr("onestop_sync.storage.statements.MAX_FOREIGN", 3)
    for i in range(4):
        line.shared(str(i))
    made = line.state()
    line.everyone()
    said = stated(line.lone, "c2")
    assert made > 4
    assert max(len(s.foreign) for s in said) == 3 < MAX_FOREIGN
    named = [event_id for s in said for event_id in s.foreign]
    assert len(named) == len(set(named)) >= 4
    assert kinds(line.lone) == []


def test_only_the_top_makes_statements(line: Line) -> None:
    """A district's server is told that statements are the province's."""
    with pytest.raises(NotAllowed):
        make_statements(line.district.store)


def test_nothing_new_costs_no_more(line: Line) -> None:
    """A sync without news is one round trip and fewer than 400 bytes, statements or not."""
    line.shared()
    line.state()
    line.everyone()
    report = sync(line.pc1, line.hub)
    assert report.round_trips == 1
    assert report.bytes_up + report.bytes_down < 400


def test_a_machine_that_is_restored_finds_nothing(line: Line) -> None:
    """A machine that was put back gets everything again, and accuses nobody."""
    line.shared()
    line.state()
    line.everyone()
    old = snapshot(line.lone.store)
    line.shared("sau")
    line.state()
    line.everyone()
    rewind(line.lone.store, old)
    line.everyone()
    assert kinds(line.lone) == []
    assert [s.k for s in stated(line.lone, "c2")] == [1, 2]


def test_sticks_and_several_parents_find_nothing(line: Line, tmp_path: Path) -> None:
    """Statements by stick, from hub and district in any order, and from another machine accuse nobody."""
    for machine in (line.pc1, line.pc2):
        sync(machine, line.hub)
    for i in range(3):
        line.shared(str(i))
        line.state()
        sync(line.district, line.province)
        carry(line.hub, line.district, tmp_path)
        sync(line.pc1, line.district)
        carry(line.pc1, line.pc2, tmp_path)
        sync(line.pc2, line.hub)
    line.everyone()
    assert [kinds(machine) for machine in line.machines] == [[]] * 8
    assert [s.k for s in stated(line.pc2, "c1")] == [1, 2]


def carry(one: Machine, other: Machine, folder: Path) -> None:
    """Carries a stick from one machine to another, and one back."""
    for giver, taker in ((one, other), (other, one)):
        path = folder / f"{giver.folder.name}-{giver.store.clock()}.onestop"
        export_bundle(giver.store, path, [] if is_up(giver, taker) else [taker.store.machine_log])
        import_bundle(taker.store, path)


def is_up(giver: Machine, taker: Machine) -> bool:
    """Tells whether a stick goes to a parent."""
    document = giver.store.trust.document
    return taker.store.serves and document.is_over(taker.store.unit, giver.store.unit)


# ----------------------------------------------------------------------------------------------- withholding


def test_events_that_a_relay_withholds_are_noticed_and_cleared(line: Line) -> None:
    """A relay that drops what is meant for a unit is noticed with the next statement, until it arrives."""
    line.everyone()
    doc = line.shared()
    decision = line.province.store.history(doc)[-1].event.id
    line.state()
    sync(line.district, line.province)
    with withholding(line.district.store, "c2", feed.EVENT):
        sync(line.lone, line.district)
    [finding] = line.lone.store.findings()
    assert (finding.kind, finding.node) == ("withheld", line.district.store.machine_log)
    assert decision in finding.missing
    assert line.lone.store.status().findings == 1
    [case] = checked(line.lone)
    assert (case.kind, case.is_proven, case.missing) == ("withheld", False, finding.missing)
    assert kinds(line.district) == []
    frames = [r.event.to_frame() for r in line.district.store.history(doc)]
    line.lone.store.receive([*line.province.store.introduction(decided(line, doc)), *frames])
    assert kinds(line.lone) == []
    assert line.lone.store.status().findings == 0


def test_a_statement_that_a_relay_withholds_is_noticed_with_the_next(line: Line) -> None:
    """A relay that drops a statement is noticed as soon as it lets the next one through."""
    line.state()
    line.everyone()
    for i in range(2):
        line.shared(str(i))
        line.state()
        sync(line.district, line.province)
        if i == 0:
            with withholding(line.district.store, "c2", feed.STATEMENT):
                sync(line.lone, line.district)
            assert kinds(line.lone) == []
    sync(line.lone, line.district)
    assert kinds(line.lone) == ["gap"]
    [case] = checked(line.lone)
    assert (case.kind, case.signer, case.is_proven) == ("gap", "tinh", False)


def test_a_relay_that_withholds_all_statements_is_told_by_their_age(line: Line) -> None:
    """Contact without a statement is counted; being offline is not."""
    line.state()
    line.everyone()
    with withholding(line.district.store, "c2", feed.STATEMENT):
        line.clock.clock_ms += 5 * INTERVAL_MS
        assert line.lone.store.status().silent_ms < INTERVAL_MS  # offline for five days
        make_statements(line.province.store, interval_ms=INTERVAL_MS)
        sync(line.district, line.province)
        sync(line.lone, line.district)
        assert line.lone.store.status().silent_ms >= 5 * INTERVAL_MS
    assert line.province.store.status().silent_ms == 0
    assert line.district.store.status().silent_ms < INTERVAL_MS


# ---------------------------------------------------------------------------------------------- contradicting


def test_a_parent_that_silently_lost_its_store_is_proven(line: Line) -> None:
    """A relay that serves an old copy of its store denies what its own signed answer had given."""
    lose(line)
    assert kinds(line.lone) == ["rolled_back"]
    [case] = checked(line.lone)
    assert (case.kind, case.signer, case.about, case.is_proven) == ("rolled_back", "huyen", "c2", True)
    assert (
        len(line.district.store.history(line.lone.store.page("case")[0].doc)) == 1
    )  # and all was sent again


def test_a_parent_that_says_it_was_restored_is_proven(line: Line) -> None:
    """A server in a new epoch has signed in two: whoever had an ack of the first has the proof."""
    line.lone.writer("Em").create("case", {"name": "x"})
    line.everyone()
    held = line.district
    line.district = renewed(line, held)
    line.up = [(child, line.district if parent is held else parent) for child, parent in line.up]
    line.up = [(line.district if child is held else child, parent) for child, parent in line.up]
    line.everyone()
    assert kinds(line.lone) == ["restored"]
    [case] = checked(line.lone)
    assert (case.kind, case.signer, case.is_proven) == ("restored", "huyen", True)
    held.store.close()


def lose(line: Line) -> None:
    """Lets a district lose what it has acknowledged to a commune, and the commune come again."""
    line.lone.writer("Em").create("case", {"name": "x"})
    sync(line.lone, line.district)
    old = snapshot(line.district.store)
    line.lone.writer("Em").create("case", {"name": "y"})
    sync(line.lone, line.district)
    rewind(line.district.store, old)
    assert sync(line.lone, line.district).was_rolled_back


def renewed(line: Line, held: Machine) -> Machine:
    """Returns a server that begins with an empty store, under the same keys."""
    province = line.clock
    store = Store.create(
        province.folder / "moi", held.secrets, types=[CASE], root=province.anchor, trust=province.trust,
        unit=held.store.unit, serves=True, database="sqlite://", clock=province.tick,
        rng=province.rng.randbytes, threads=1,
    )  # fmt: skip
    store.receive(province.issued)
    return Machine(store, held.secrets, held.officers, held.folder)


def test_two_statements_with_one_number_are_proven(line: Line, tmp_path: Path) -> None:
    """A province that tells two machines of a unit different things is found out when the two meet."""
    line.everyone()
    old = snapshot(line.province.store)
    line.nine.writer("Giang").create("case", {"name": "chỉ máy này"})
    sync(line.nine, line.province)
    line.state()
    sync(line.nine, line.province)
    rewind(line.province.store, old)
    line.ten.writer("Hà").create("case", {"name": "chỉ máy kia"})
    sync(line.ten, line.province)
    line.state()
    sync(line.ten, line.province)
    assert (kinds(line.nine), kinds(line.ten)) == ([], [])
    carry(line.nine, line.ten, tmp_path)
    for machine in (line.nine, line.ten):
        assert "equivocated" in kinds(machine)
        case = next(case for case in checked(machine) if case.kind == "equivocated")
        assert (case.signer, case.about, case.is_proven) == ("tinh", "c9", True)


def test_an_ack_that_is_taken_back_by_a_statement_is_proven(line: Line) -> None:
    """A province that acknowledged more than it later states is proven to have gone back."""
    line.everyone()
    doc = line.nine.writer("Giang").create("case", {"name": "x"})
    sync(line.nine, line.province)
    old = snapshot(line.province.store)
    line.nine.writer("Giang").edit(doc, {"phone": "1"})
    sync(line.nine, line.province)
    rewind(line.province.store, old)
    line.state()
    sync(line.nine, line.province)
    assert "went_back" in kinds(line.nine)
    case = next(case for case in checked(line.nine) if case.kind == "went_back")
    assert (case.signer, case.is_proven) == ("tinh", True)


def test_two_acks_for_one_place_are_proven(line: Line) -> None:
    """A parent that acknowledged one event at a place of a log, and then another, has rewritten it."""
    line.lone.writer("Em").create("case", {"name": "x"})
    sync(line.lone, line.district)
    doc = line.lone.store.page("case")[0].doc
    event = line.lone.store.history(doc)[0].event
    store = line.district.store
    lie = Acks(store.machine_log, "c2", store.epoch, 1, 0, ((event.log, event.header.seq, b"?" * 32),), ())
    exchange.keep_forwarded(line.lone.store, [(feed.ACKS, lie.sign(store.machine))])
    assert kinds(line.lone) == ["rewritten"]
    [case] = checked(line.lone)
    assert (case.kind, case.signer, case.about, case.is_proven) == ("rewritten", "huyen", "c2", True)


# --------------------------------------------------------------------------------------------------- proofs


def test_a_proof_that_was_changed_does_not_check(line: Line) -> None:
    """No bit of the papers can be changed, and no paper can be given for what it does not show."""
    lose(line)
    data, found = export_proof(line.lone.store)
    text = data.decode()
    begin = text.index("-----BEGIN") + 40
    for at in range(begin, len(text) - 60, 97):
        if text[at] != "\n":
            changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
            with pytest.raises(FormatError):
                proofs.check(changed.encode())
    for kind in ("restored", "rewritten", "went_back", "equivocated", "withheld", "gap"):
        lies = [finding._replace(kind=kind) for finding in found]
        frames = line.lone.store.introduction(line.district.store.machine_log)
        frames += line.lone.store.introduction(line.lone.store.machine_log)
        with pytest.raises(FormatError):
            proofs.check(proofs.pack(line.lone.store.root, line.lone.store.trust_bytes, frames, lies, ""))


def test_what_was_told_is_no_news_any_more(line: Line) -> None:
    """Findings stay after they were told, and the count of the status falls to nothing."""
    lose(line)
    assert line.lone.store.status().findings == len(line.lone.store.findings()) > 0
    line.lone.store.mark_told()
    assert line.lone.store.status().findings == 0
    assert all(finding.is_told for finding in line.lone.store.findings())
    with pytest.raises(NotFound):
        export_proof(line.province.store)

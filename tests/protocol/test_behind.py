"""A machine that has not heard of a new tree is told of it by whom it cannot believe, or who refuses it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onestop_sync import keys
from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.errors import BundleRejected, FormatError, NotFound, UpstreamRefused
from onestop_sync.protocol import Requester, Responder, open_packet
from onestop_sync.protocol.packets import PUBLISHED_PURPOSE, Published, Request
from onestop_sync.trust import Certificate, Cut, Unit
from tests.protocol.test_sync import Line, Stranger, exchange, sync
from tests.province import Machine, Province


@pytest.fixture
def province(tmp_path: Path) -> Province:
    """A province whose machines keep their databases in memory."""
    return Province(tmp_path)


@pytest.fixture
def line(province: Province) -> Line:
    """Machines that have met, and of which the province's alone has heard that c1 and c2 are n1 now."""
    line = Line(province)
    line.everyone()
    units = province.document.units
    gone = {u: replace(units[u], until_ms=1, successors=("n1",)) for u in ("c1", "c2")}
    new = Unit("n1", "Xã Mới", "p", "commune", since_ms=1)
    province.publish(line.province.store, units={**units, **gone, "n1": new})
    return line


def certify_again(province: Province, machine: Machine, *, serves: bool) -> None:
    """Certifies a machine for the new unit."""
    key, seal = machine.secrets.machine.public, machine.secrets.seal_key
    province._issue(Certificate(key, "n1", "machine", machine.folder.name, seal=seal, serves=serves))


def ask(machine: Machine, server: Machine, log: bytes = b"") -> tuple[int, Any]:
    """Sends the request by which a machine asks for what is newer than its publication."""
    store = machine.store
    held, log = store.publication, log or store.machine_log
    request = Request(
        b"", b"n" * 16, None, echo=False, max_bytes=0, published=Published(held.version, held.root_version),
        frames=[], introduction=store.introduction(log),
    )  # fmt: skip
    status, data = Responder(server.store).respond(request.sign(store.machine, log))
    return status, open_packet(data)


def test_a_server_of_a_unit_that_nobody_knew_is_believed(province: Province, line: Line) -> None:
    """A machine learns the new tree from the server that the new tree makes its parent, and goes on."""
    doc = line.pc1.writer("An").create("case", {"name": "trước khi biết"})
    certify_again(province, line.hub, serves=True)
    line.hub.store.replace_trust(province.trust)
    line.hub.store.receive(province.issued)
    genesis = line.hub.store.trust.genesis(line.hub.store.machine_log)
    assert genesis is not None
    assert genesis.unit == "n1"
    assert line.pc1.store.publication.rank < line.hub.store.publication.rank
    for is_brief in (False, True):
        machine = (line.pc1, line.pc2)[is_brief]
        requester = Requester(machine.store, "hub", is_brief=is_brief)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*Responder(line.hub.store).respond(request))
        assert machine.store.publication.rank == line.hub.store.publication.rank
    assert line.hub.store.document(doc).value("name") == "trước khi biết"
    assert line.pc2.store.document(doc).value("name") == "trước khi biết"


def test_who_is_refused_learns_why(province: Province, line: Line) -> None:
    """A server that is over the machine no more refuses it, and still tells it what is published."""
    apart = province.machine("xa", "c9", database="sqlite://")
    province.publish(line.district.store)
    with pytest.raises(UpstreamRefused, match="belongs to no unit"):
        sync(apart, line.district)
    assert apart.store.publication.rank == line.district.store.publication.rank


def test_only_a_machine_of_the_province_is_told_and_only_it_can_read(province: Province, line: Line) -> None:
    """Neither a stranger, nor a key that was cut off, nor who copies the request reads what is published."""
    status, answer = ask(line.pc1, line.province)
    assert (status, answer[1]) == (200, "published")
    assert open_packet(keys.open_sealed(line.pc1.store.seal_seed, answer[2], PUBLISHED_PURPOSE))
    with pytest.raises(FormatError):
        keys.open_sealed(line.pc2.store.seal_seed, answer[2], PUBLISHED_PURPOSE)
    other = Line(Province(province.folder / "other", seed=2))
    assert ask(other.pc1, line.province)[0] == 403
    assert ask(line.pc1, line.province, log=Stranger(province, "c1").genesis.id)[0] == 403
    cut = Cut("stolen", line.pc2.secrets.machine.public, "", {})
    province.publish(line.province.store, cuts=(cut,))
    status, answer = ask(line.pc2, line.province)
    assert (status, answer[1:]) == (403, ["error", ["revoked", answer[2][1]]])


def test_nobody_newer_is_asked_twice(province: Province, line: Line) -> None:
    """A refusal that no publication explains stays one, after one more question."""
    apart = province.machine("xa", "c9", database="sqlite://")
    talk = exchange(apart, line.district)
    requester, _, (status, _) = next(talk)
    assert status == 403
    _, _, (status, _) = next(talk)
    assert status == 403
    with pytest.raises(UpstreamRefused, match="belongs to no unit"):
        next(talk)
    assert requester.report.round_trips == 2


def test_a_server_takes_what_it_holds_into_its_new_unit(province: Province, line: Line) -> None:
    """A hub that goes on in the merged commune gives its machines what it held before it did."""
    line.hub.store.replace_trust(province.trust)
    late = line.pc1.writer("An").create("case", {"name": "viết theo xã cũ"})
    sync(line.pc1, line.hub)
    certify_again(province, line.hub, serves=True)
    certify_again(province, line.lone, serves=False)
    line.hub.store.receive(province.issued)
    line.lone.store.replace_trust(province.trust)
    line.lone.store.receive(province.issued)
    line.hub.store.machine_log, line.lone.store.machine_log  # noqa: B018 - each begins its log of the new unit
    sync(line.lone, line.hub)
    assert line.lone.store.document(late).value("name") == "viết theo xã cũ"


def test_a_stick_makes_its_maker_known(province: Province, line: Line, tmp_path: Path) -> None:
    """A stick by a server of a unit that nobody here knew is taken, as it brings what makes it known."""
    line.hub.store.replace_trust(province.trust)
    certify_again(province, line.hub, serves=True)
    line.hub.store.receive(province.issued)
    line.hub.store.machine_log  # noqa: B018 - it begins its log of the new unit
    doc = line.pc1.writer("An").create("case", {"name": "x"})
    export_bundle(line.pc1.store, tmp_path / "up")
    assert import_bundle(line.hub.store, tmp_path / "up").stored
    older = line.pc1.store.publication.rank
    export_bundle(line.hub.store, tmp_path / "down", [line.pc1.store.machine_log])
    report = import_bundle(line.pc1.store, tmp_path / "down")
    assert report.acks
    assert older < line.pc1.store.publication.rank == line.hub.store.publication.rank
    assert line.pc1.store.history(doc)[0].delivery.nodes == (line.hub.store.machine_log,)


def test_a_stick_tells_who_has_moved_away(province: Province, line: Line, tmp_path: Path) -> None:
    """For a machine of a unit that is in no line of the maker's, a stick holds what is published, no more."""
    doc = line.pc1.writer("An").create("case", {"name": "của xã một"})
    sync(line.pc1, line.hub)
    sync(line.hub, line.district)
    apart = province.machine("xa", "c9", database="sqlite://")
    line.district.store.receive(province.issued)
    province.publish(line.district.store)
    log = apart.store.machine_log
    line.district.store.receive(apart.store.introduction(log))
    report = export_bundle(line.district.store, tmp_path / "apart", [apart.secrets.machine.public])
    assert (report.events, report.acks, report.chunks) == (0, 0, 0)
    with pytest.raises(BundleRejected, match="what the province publishes was taken"):
        import_bundle(apart.store, tmp_path / "apart")
    assert apart.store.publication.rank == line.district.store.publication.rank
    assert apart.store.history(doc) == []
    cut = Cut("stolen", apart.secrets.machine.public, "", {})
    province.publish(line.district.store, cuts=(cut,))
    with pytest.raises(NotFound):
        export_bundle(line.district.store, tmp_path / "stolen", [apart.secrets.machine.public])

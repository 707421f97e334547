"""Attachments between two cores in memory: what is missing and no more, to its owners and nobody else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onestop_sync import codec, exchange, fetch, shelf
from onestop_sync.attachment import CHUNK_BYTES, Manifest, bitmap
from onestop_sync.errors import FormatError
from onestop_sync.event import build, document_id
from onestop_sync.protocol import LIMITS, Limits, Requester, Responder, open_packet, packets
from onestop_sync.storage import chunks, tables
from onestop_sync.storage.chunks import Piece
from onestop_sync.testing.contract_attachments import scan, whole
from tests.protocol.test_sync import Line, sync
from tests.province import Machine, Province

ONE_CHUNK = replace(LIMITS, batch_bytes=1, answer_bytes=1)


class Place(Line):
    """The line, and the province that makes more machines for it."""

    def __init__(self, office: Province) -> None:
        super().__init__(office)
        self.office = office


@pytest.fixture
def line(tmp_path: Path) -> Place:
    """A line of machines that have not met."""
    return Place(Province(tmp_path))


def attach(machine: Machine, data: bytes, officer: str = "An", key: str = "phone") -> tuple[bytes, Manifest]:
    """Attaches a file to a new case."""
    hand = machine.writer(officer)
    doc: bytes = hand.create("case", {"name": "x"})
    return doc, attach_to(machine, doc, data, officer, key)


def attach_to(machine: Machine, doc: bytes, data: bytes, officer: str = "An", key: str = "phone") -> Manifest:
    """Attaches a file to a case that is there."""
    manifest = shelf.take_in(machine.store, io.BytesIO(data), "scan.jpg", "image/jpeg")
    machine.writer(officer).edit(doc, {key: manifest.to_value()})
    return manifest


def asks(child: Machine, parent: Machine, limits: Limits = LIMITS) -> Iterator[tuple[Requester, Any, bytes]]:
    """Yields each request on attachments before it reaches the parent; the others are just answered."""
    requester, responder = Requester(child.store, parent.folder.name, limits), Responder(parent.store, limits)
    while (request := requester.next_request()) is not None:
        ask = fetch.parse_ask(codec.decode(open_packet(request)[0]))
        if ask is not None:
            yield requester, ask, request
        requester.take_answer(*responder.respond(request))


@pytest.mark.parametrize("name", [b"", bytes(31), bytes(33), None, "chữ"])
def test_what_cannot_name_a_content_is_malformed(name: Any) -> None:
    """A content is named by 32 bytes at every door: in what is asked, brought and told."""
    with pytest.raises(FormatError):
        fetch.parse_ask(["chunks", 1, b"", b"", [name], [], [], 1])
    with pytest.raises(FormatError):
        fetch.parse_pair([name, None])
    with pytest.raises(FormatError):
        fetch.parse_piece([name, 0, b""])
    assert fetch.parse_pair([bytes(32), None]) == (bytes(32), None)


def put_bytes(found: list[fetch.Ask]) -> int:
    """Returns how many bytes of chunks went up, without indexes."""
    return sum(len(p.data) for ask in found for p in ask.puts if p.place)


def shown(machine: Machine, doc: bytes) -> tuple[bool, str]:
    """Returns whether a case's only attachment is here, and how far it has got."""
    (found,) = shelf.attached(machine.store, doc)
    return found.is_here, found.delivery.level


def test_a_scan_reaches_the_province_as_it_was_and_its_owner_learns_how_far(line: Place) -> None:
    """Chunks go up through two relays byte for byte, and each parent's word comes down to the whole unit."""
    data = scan(10 * CHUNK_BYTES + 77)
    doc, manifest = attach(line.pc1, data)
    assert shown(line.pc1, doc) == (True, "here")
    assert shelf.unsent(line.pc1.store) == (1, len(data))
    sync(line.pc1, line.hub)
    assert shown(line.pc1, doc) == (True, "hub")
    assert shelf.unsent(line.pc1.store) == (0, 0)
    line.everyone()
    for machine in (line.hub, line.district, line.province):
        assert whole(machine.store, manifest) == data
    assert shown(line.pc1, doc) == (True, "province")
    assert shown(line.pc2, doc) == (False, "province")
    assert shown(line.province, doc) == (True, "province")
    assert line.lone.store.history(doc) == []


def test_nothing_new_is_one_round_trip_with_attachments_too(line: Place) -> None:
    """Once everything was confirmed, a sync is one request and few bytes, however many scans there are."""
    for i in range(3):
        attach(line.pc1, scan(3 * CHUNK_BYTES, i))
    line.everyone()
    report = sync(line.pc1, line.hub)
    assert (report.round_trips, report.chunks_up) == (1, 0)
    assert report.bytes_up + report.bytes_down < 400


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_after_any_cut_only_what_is_missing_is_sent(line: Place, is_answer_lost: bool) -> None:
    """Cut at every request, before it arrives or before its answer does: what arrived is not sent again."""
    data = scan(9 * CHUNK_BYTES + 1)
    doc, manifest = attach(line.pc1, data)
    responder = Responder(line.hub.store, ONE_CHUNK)
    arrived: list[fetch.Ask] = []
    cut_before: set[tuple[int, ...]] = set()
    while shown(line.pc1, doc)[1] == "here":
        for _, ask, request in asks(line.pc1, line.hub, ONE_CHUNK):
            places = tuple(piece.place for piece in ask.puts)
            if places not in cut_before:  # once at each step of the way
                cut_before.add(places)
                if is_answer_lost:
                    responder.respond(request)
                    arrived.append(ask)
                break
            arrived.append(ask)
    assert cut_before == {(), *((place,) for place in range(11))}
    assert put_bytes(arrived) == len(data)
    assert whole(line.hub.store, manifest) == data


def test_chunks_that_are_there_of_another_file_are_not_sent(line: Place) -> None:
    """Two scans that share pages send each page once, up and down."""
    pages = [scan(CHUNK_BYTES, i) for i in range(6)]
    attach(line.pc1, b"".join(pages[:5]))
    sync(line.pc1, line.hub)
    doc, manifest = attach(line.pc1, b"".join(pages[1:]))
    found = [ask for _, ask, _ in asks(line.pc1, line.hub)]
    assert put_bytes(found) == CHUNK_BYTES
    sync(line.pc2, line.hub)
    shelf.want(line.pc2.store, [manifest])
    sync(line.pc2, line.hub)
    assert shown(line.pc2, doc)[0]
    assert whole(line.pc2.store, manifest) == b"".join(pages[1:])


def test_bodies_come_down_when_somebody_asks_and_not_before(line: Place) -> None:
    """A machine that gets a case has no chunk of its scan until it asks; then it comes, and no other."""
    data = scan(4 * CHUNK_BYTES)
    doc, manifest = attach(line.pc1, data)
    _, other = attach(line.pc1, scan(2 * CHUNK_BYTES, 2))
    line.everyone()
    assert sync(line.pc2, line.hub).chunks_down == 0
    shelf.want(line.pc2.store, [manifest])
    report = sync(line.pc2, line.hub)
    assert report.chunks_down == 5
    assert whole(line.pc2.store, manifest) == data
    assert shown(line.pc2, doc) == (True, "province")
    with line.pc2.store.reading() as connection:
        assert chunks.state_of(connection, other.content) is False
    assert sync(line.pc2, line.hub).round_trips == 1


def test_a_relay_that_lacks_it_passes_the_wish_on(line: Place) -> None:
    """What is wanted below comes down through a relay that had not got it, with the relay's next exchange."""
    hub = line.office.machine("hub2", "c2", serves=True, database="sqlite://")
    reader = line.office.machine("em2", "c2", {"Phúc": ["judge"]}, database="sqlite://")
    data = scan(3 * CHUNK_BYTES)
    doc, manifest = attach(line.pc1, data)
    line.everyone()
    line.pc1.writer("An").act(doc, "hand", {"to": "c2"})
    line.everyone()
    for child, parent in ((hub, line.district), (reader, hub)):
        sync(child, parent)
    shelf.want(reader.store, [manifest])
    assert sync(reader, hub).chunks_down == 0
    assert sync(hub, line.district).chunks_down == 4
    assert sync(reader, hub).chunks_down == 4
    assert whole(reader.store, manifest) == data


def test_nobody_gets_or_brings_a_chunk_outside_of_their_scope(line: Place) -> None:
    """Who names a content of another commune learns nothing of it, gets nothing, and leaves nothing."""
    data = scan(3 * CHUNK_BYTES)
    _, manifest = attach(line.pc1, data)
    sync(line.pc1, line.hub)
    line.everyone()
    with line.pc1.store.reading() as connection:
        index, _ = chunks.pieces_for(connection, manifest.content, lacking=False, max_bytes=1)
    invented = Piece(bytes(32), 1, b"rubbish")
    gets = ((manifest.content, False), (manifest.content, bitmap([1, 2, 3], 3)))
    answer = ask_by_hand(line.lone, line.district, puts=(*index, invented), gets=gets)
    assert answer.states == {manifest.content: None, bytes(32): None}
    assert answer.pieces == []
    with line.district.store.reading() as connection:
        assert chunks.held(connection, [bytes(32)]) == {}


def ask_by_hand(
    child: Machine,
    parent: Machine,
    contents: tuple[bytes, ...] = (),
    puts: tuple[Piece, ...] = (),
    gets: tuple[tuple[bytes, Any], ...] = (),
) -> fetch.Answer:
    """Asks what no program of ours would ask; the machine goes on afterwards as before."""
    sync(child, parent)
    store = child.store
    knows = exchange.load_parent(store, parent.folder.name)
    ask = fetch.Ask(knows.node[:16], knows.nonce, contents, puts, gets, 2**20)
    request = packets.sign_ask(ask, store.machine, store.machine_log)
    status, data = Responder(parent.store).respond(request)
    packet = open_packet(data)
    assert status == 200, packet
    status, again = Responder(parent.store).respond(request)
    assert (status, open_packet(again)[1]) == (401, "challenge")  # a copy of it opens nothing
    return fetch.parse_answer(codec.decode(packet[2]))


def test_a_flood_of_chunks_that_nobody_named_leaves_nothing(line: Place) -> None:
    """Chunks without an index, an index without an event, and spoilt ones are refused, and take no room."""
    _, manifest = attach(line.pc1, scan(2 * CHUNK_BYTES))
    sync(line.pc1, line.hub)
    sync(line.hub, line.district)
    before = rows(line.hub)
    puts = tuple(Piece(manifest.content, i, scan(CHUNK_BYTES, 50 + i)) for i in range(20))
    stray = tuple(Piece(bytes([i]) * 32, 0, scan(300, i)) for i in range(20))
    ask_by_hand(line.pc1, line.hub, puts=(*puts, *stray))
    assert rows(line.hub) == before


def rows(machine: Machine) -> tuple[int, int]:
    """Returns how many chunks and contents a store has."""
    with machine.store.reading() as connection:
        return tuple(  # type: ignore[return-value]
            connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.chunk, tables.content)
        )


def test_what_only_waiting_events_name_has_little_room(line: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events that wait may bring their scans, but only up to a quota; what counts is taken besides."""
    monkeypatch.setattr(chunks, "WAITING_BYTES", 2 * CHUNK_BYTES)
    sync(line.pc1, line.hub)
    store = line.pc1.store
    found = []
    for i in range(3):  # of a type that no program here knows: it waits, and is forwarded as it is
        manifest = shelf.take_in(store, io.BytesIO(scan(2 * CHUNK_BYTES, i)), "x", "")
        found.append(manifest)
        with store.writing() as transaction:
            log = transaction.own_log(line.pc1.officers["An"])
            doc = document_id(log.id, log.seq + 1, "newer")
            event = build(
                line.pc1.officers["An"], log=log.id, seq=log.seq + 1, prev=log.head, doc_type="newer",
                doc_id=doc, parents=(), time_ms=1, schema=1, ops=[["set", "f", manifest.to_value()]],
                salt=bytes(16),
            )  # fmt: skip
            transaction.append.run([event], 0, own=True)
    sync(line.pc1, line.hub)
    with line.hub.store.reading() as connection:
        states = [chunks.state_of(connection, manifest.content) for manifest in found]
    assert True in states
    assert states.count(True) < 3
    data = scan(2 * CHUNK_BYTES, 9)
    _, counts = attach(line.pc1, data)
    sync(line.pc1, line.hub)
    assert whole(line.hub.store, counts) == data


def test_a_parent_that_sends_other_chunks_is_not_believed(line: Place) -> None:
    """Spoilt and unasked chunks of a parent are left out, and the exchange ends all the same."""
    data = scan(3 * CHUNK_BYTES)
    doc, manifest = attach(line.pc1, data)
    line.everyone()
    shelf.want(line.pc2.store, [manifest])
    requester, responder = Requester(line.pc2.store, "hub"), Responder(line.hub.store)
    respond, refused = fetch.respond, 0

    def spoil(*arguments: Any) -> fetch.Answer:
        answer = respond(*arguments)
        bad = [p._replace(data=b"x" + p.data[1:]) for p in answer.pieces]
        return answer._replace(pieces=[*bad, Piece(bytes(32), 1, b"unasked")])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "respond", spoil)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*responder.respond(request))
            refused = requester._fetcher.refused
    assert refused >= 2
    assert not shown(line.pc2, doc)[0]
    sync(line.pc2, line.hub)
    assert whole(line.pc2.store, manifest) == data


def test_what_is_written_meanwhile_goes_first(line: Place) -> None:
    """An edit that is saved while a large scan goes up arrives before the rest of the scan."""
    doc, _ = attach(line.pc1, scan(12 * CHUNK_BYTES))
    urgent = b""
    for n, (_, ask, _) in enumerate(asks(line.pc1, line.hub, ONE_CHUNK)):
        if n == 5:
            urgent = line.pc1.writer("An").edit(doc, {"code": "gấp"}).id
        if n == 6:
            assert urgent in line.hub.store.document(doc).state.heads
            assert ask.puts


def test_a_parent_that_lost_its_store_gets_its_scans_again(line: Place) -> None:
    """After a parent was restored, what it had confirmed counts no more, and is brought again."""
    data = scan(3 * CHUNK_BYTES)
    _, manifest = attach(line.pc1, data)
    line.everyone()
    with line.hub.store.writing() as transaction:
        connection = transaction.connection
        for table in (tables.chunk, tables.piece):
            connection.execute(sa.delete(table))
        connection.execute(sa.update(tables.content).values(size=-1, complete=0, said=b""))
        epoch = line.hub.store.rng(16)
        connection.execute(sa.update(tables.meta).where(tables.meta.c.key == "epoch").values(value=epoch))
    line.hub.store.epoch = epoch
    report = sync(line.pc1, line.hub)
    assert report.was_rolled_back
    assert report.chunks_up == 4
    assert whole(line.hub.store, manifest) == data


def test_a_district_is_ready_once_its_server_has_confirmed_the_scans(line: Place) -> None:
    """A machine of the district that has a case waits for its scans until they are complete at the server."""
    pc = line.office.machine("pc-huyen", "d1", {"Hà": ["clerk"]}, database="sqlite://")
    doc, _ = attach(line.pc1, scan(2 * CHUNK_BYTES))
    sync(line.pc1, line.hub)
    for _ in asks(line.hub, line.district):
        break  # the line fails when the events are through
    sync(pc, line.district)
    assert [each.key for each in shelf.lacking(pc.store, doc)] == ["phone"]
    sync(line.hub, line.district)
    sync(pc, line.district)
    assert shelf.is_ready(pc.store, doc)
    assert not shelf.attached(pc.store, doc)[0].is_here

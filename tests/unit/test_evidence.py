"""An evidence file proves a document with nothing else, and whatever is changed in it is told precisely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onestop_sync import codec, publisher
from onestop_sync import event as ev
from onestop_sync.acks import Acks, parse_acks
from onestop_sync.document_evidence import MAGIC, Claim, Evidence
from onestop_sync.errors import FormatError
from onestop_sync.event import Event
from onestop_sync.fold import Standing
from onestop_sync.proof import check
from onestop_sync.protocol import Requester, Responder
from onestop_sync.publication import TARGET, TRUST, Publication, parse_files
from onestop_sync.report import NOTES, PROBLEMS, Report
from onestop_sync.store import Store
from onestop_sync.trust import LEADER, Cut
from onestop_sync.verification import collect
from tests.province import BOSS, CASE, CLERK, JUDGE, Machine, Province

VALUES = {"code": "X-1", "name": "Nguyễn Văn An"}


def exchange(child: Store, parent: Store) -> None:
    """Brings two stores to the same state, without a network."""
    requester, responder = Requester(child, "parent"), Responder(parent)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))


class World:
    """A province with a commune's machine that has a district's server above it."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder)
        self.district = self.province.machine("district", "d1", serves=True, database="sqlite://")
        self.pc = self.province.machine(
            "pc", "c1", {"an": CLERK, "binh": JUDGE | BOSS, "chi": frozenset({LEADER})}, database="sqlite://"
        )
        self.doc = self.pc.writer("an").create("case", VALUES)
        self.pc.writer("binh").note(self.doc, "remarks", "đã xem")

    def evidence(self, machine: Machine | None = None) -> Evidence:
        """Returns the evidence of the document, as read from a file."""
        return Evidence.parse(collect((machine or self.pc).store, self.doc).to_bytes())

    def check(self, evidence: Evidence) -> Report:
        """Proves it from the anchor."""
        return check(evidence, self.province.anchor, [CASE])

    def events(self) -> list[Event]:
        """Returns the document's events."""
        return [record.event for record in self.pc.store.history(self.doc)]

    def publish(self, **changes: Any) -> None:
        """Publishes a changed trust document to the machine."""
        held = self.pc.store.publication
        document = replace(held.document, version=held.document.version + 1, **changes)
        self.pc.store.replace_trust(
            publisher.publish(held, self.province.root, now_ms=self.province.clock_ms, document=document)
        )

    def log_of(self, officer: str) -> list[Event]:
        """Returns all events of an officer's log that are part of the document, oldest first."""
        key = self.pc.officers[officer].public
        trust = self.pc.store.trust
        found = [e for e in self.events() if (g := trust.genesis(e.log)) and g.key == key]
        return sorted(found, key=lambda event: event.header.seq)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a small world, whose stores are closed afterwards."""
    made = World(tmp_path)
    yield made
    for store in (made.pc.store, made.district.store, made.province.office):
        store.close()


def codes(report: Report) -> list[str]:
    """Lists what is not proven."""
    return sorted({problem.code for problem in report.problems})


# ---- what is proven


def test_a_document_is_proven_with_who_what_and_by_whom(world: World) -> None:
    """The file alone gives each event's author, roles, certificates up to the root, and the final state."""
    report = world.check(world.evidence())
    assert (report.is_proven, report.notes) == (True, [])
    names = [[link.name for link in proven.chain] for proven in report.events]
    assert names == [["an", "Tỉnh Mẫu"], ["binh", "Tỉnh Mẫu"]]
    assert report.events[0].chain[0].roles == ("clerk",)
    assert report.events[0].chain[-1].certificate == b""  # named by the root
    assert report.events[0].ops[0][0] == "set"
    assert report.fingerprint == world.pc.store.fingerprints("case")[world.doc]
    assert report.exporter is not None
    assert report.exporter.name == "pc"


def test_acks_are_proven_by_signature_and_chain(world: World) -> None:
    """Who stored an event and when is shown, also where the ack names a later event of the log."""
    other = world.pc.writer("an").create("case", {"name": "B"})
    exchange(world.pc.store, world.district.store)
    world.pc.writer("an").edit(world.doc, {"phone": "1"})
    report = world.check(world.evidence())
    assert report.is_proven
    acked = [[a.name for a in proven.acks] for proven in report.events]
    assert acked == [["district"], ["district"], []]
    evidence = world.evidence()
    assert evidence.headers  # of the other document, whose content is not in the file
    assert other not in {ev.parse(frame).header.doc_id for frame in evidence.frames}
    short = world.check(replace(evidence, headers=()))
    assert ("ack_short", report.events[0].event.id) in short.notes
    assert short.events[0].acks == ()


def test_an_ack_of_other_logs_takes_nothing_from_what_another_proves(world: World) -> None:
    """A later ack, kept for a colleague's event, also names a head whose headers are not in the file."""
    exchange(world.pc.store, world.district.store)
    world.pc.writer("an").create("case", {"name": "B"})
    world.pc.writer("binh").note(world.doc, "remarks", "xem lại")
    exchange(world.pc.store, world.district.store)
    report = world.check(world.evidence())
    assert ([len(proven.acks) for proven in report.events], report.notes) == ([1, 1, 1], [])


def test_a_server_gives_its_own_word(world: World) -> None:
    """What a district exports proves itself as well, with the server's signature on the events."""
    exchange(world.pc.store, world.district.store)
    report = world.check(world.evidence(world.district))
    assert report.is_proven
    assert {a.name for proven in report.events for a in proven.acks} == {"district"}


def late(world: World) -> None:
    """A clerk's write that had not seen the handover."""
    stale = world.pc.store.document(world.doc).state.heads
    world.pc.writer("an").act(world.doc, "hand", {"to": "c1"})
    _forge(world, "an", [["set", "name", "muộn"]], parents=stale)


def overruled(world: World) -> None:
    """The same, and the new owner has written."""
    stale = world.pc.store.document(world.doc).state.heads
    world.pc.writer("an").act(world.doc, "hand", {"to": "c1"})
    world.pc.writer("binh").edit(world.doc, {"name": "mới"})
    _forge(world, "an", [["set", "name", "muộn"]], parents=stale)


def in_conflict(world: World) -> None:
    """Two writes of one field that did not know of each other."""
    stale = world.pc.store.document(world.doc).state.heads
    world.pc.writer("an").edit(world.doc, {"phone": "1"})
    _forge(world, "an", [["set", "phone", "2"]], parents=stale)


def refused(world: World) -> None:
    """A judge decides what a clerk still holds."""
    stale = world.pc.store.document(world.doc).state.heads
    _forge(world, "binh", [["act", "main", "decide", {}]], parents=stale)


def forked(world: World) -> None:
    """Two events with one place in a log."""
    before = world.log_of("an")[-1]
    world.pc.writer("an").edit(world.doc, {"phone": "1"})
    _forge(world, "an", [["note", "remarks", "bản sao"]], parents=[before.id], after=before)


def _forge(
    world: World, officer: str, ops: Sequence[Any], *, parents: Sequence[bytes], after: Event | None = None
) -> Event:
    """Writes an event by hand, at the end of an officer's log, and lets the store receive it."""
    last = after or world.log_of(officer)[-1]
    event = ev.build(
        world.pc.officers[officer], log=last.log, seq=last.header.seq + 1, prev=last.id, doc_type="case",
        doc_id=world.doc, parents=parents, time_ms=world.province.tick(), schema=1, ops=ops, salt=bytes(16),
    )  # fmt: skip
    world.pc.store.receive([event.to_frame()])
    return event


@pytest.mark.parametrize(
    ("story", "standing"),
    [
        (late, Standing.LATE),
        (overruled, Standing.OVERRULED),
        (in_conflict, Standing.CONFLICT),
        (refused, Standing.REFUSED),
        (forked, Standing.STANDS),
    ],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_every_verdict_is_proven(world: World, story: Callable[[World], None], standing: Standing) -> None:
    """Conflict, lateness, overruling, refusal and forks are proven as they are, and are no faults."""
    story(world)
    report = world.check(world.evidence())
    assert report.problems == []
    assert standing in {proven.standing for proven in report.events}
    assert report.fingerprint == world.pc.store.fingerprints("case")[world.doc]
    shown = {r.event.id: r.standing for r in world.pc.store.history(world.doc)}
    assert {p.event.id: p.standing for p in report.events} == shown
    assert {code for code, _ in report.notes} == ({"fork"} if story is forked else set())


def _cut(world: World, why: Any, keep: Event) -> None:
    """Cuts the judge's key off behind an event."""
    key = world.pc.officers["binh"].public
    world.publish(cuts=(Cut(why, key, "", {keep.log: (keep.header.seq, keep.id)}),))


def test_what_a_stolen_key_wrote_is_refused_from_the_root_up(world: World) -> None:
    """Behind the cut of a stolen key an event is refused, before it stands; the chain tells which."""
    kept = world.log_of("binh")[-1]
    world.pc.writer("an").create("case", {"name": "khác"})
    world.pc.writer("binh").note(world.doc, "remarks", "kẻ trộm")
    _cut(world, "stolen", kept)
    report = world.check(world.evidence())
    assert report.problems == []
    by_binh = [p for p in report.events if p.event.log == kept.log]
    assert [p.standing for p in by_binh] == [Standing.STANDS, Standing.REFUSED]
    assert "stolen" in by_binh[1].reason


def test_a_cut_needs_the_headers_before_it(world: World) -> None:
    """Without the headers between an event and the cut nobody can tell; the first that is missing is said."""
    other = world.pc.writer("an").create("case", {"name": "khác"})
    world.pc.writer("binh").note(other, "remarks", "ở hồ sơ khác")
    last = [r.event for r in world.pc.store.history(other)][-1]
    _cut(world, "stolen", last)
    evidence = world.evidence()
    assert world.check(evidence).problems == []
    blind = world.check(replace(evidence, headers=()))
    assert codes(blind) == ["no_chain"]
    assert blind.problems[0].detail == last.id.hex()
    assert [p.standing for p in blind.events][-1] is None


def test_waiting_and_countersigned_are_proven(world: World) -> None:
    """What a retired key wrote behind its cut waits, provably; a head's countersignature makes it stand."""
    kept = world.log_of("binh")[-1]
    world.pc.writer("binh").note(world.doc, "remarks", "trước khi nghỉ")
    _cut(world, "retired", kept)
    waiting = world.check(world.evidence())
    assert waiting.problems == []
    assert waiting.events[-1].standing is Standing.WAITING
    assert waiting.events[-1].reason == "countersign"
    world.pc.writer("chi").countersign([waiting.events[-1].event.id], "đã kiểm tra sổ")
    signed = world.check(world.evidence())
    assert signed.problems == []
    assert signed.events[-1].standing is Standing.STANDS


# ---- what was changed


def frame_of(evidence: Evidence, event_id: bytes) -> int:
    """Finds an event's frame."""
    return next(i for i, frame in enumerate(evidence.frames) if ev.parse(frame).id == event_id)


def flipped(data: bytes, at: int = -1) -> bytes:
    """Changes one bit."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def without(evidence: Evidence, event_id: bytes) -> Evidence:
    """Leaves a frame out."""
    frames = list(evidence.frames)
    del frames[frame_of(evidence, event_id)]
    return replace(evidence, frames=frames)


def with_part(evidence: Evidence, event_id: bytes, part: int, change: Callable[[bytes], Any]) -> Evidence:
    """Changes a part of a frame: 0 the header, 1 the signature, 2 the body."""
    frames = [list(frame) for frame in evidence.frames]
    at = frame_of(evidence, event_id)
    frames[at][part] = change(frames[at][part])
    return replace(evidence, frames=frames)


def test_each_kind_of_change_has_its_own_name(world: World) -> None:
    """A bit in a signature, a header or a body, a body left out: each is told, for the event it touches."""
    evidence = world.evidence()
    first, second = (event.id for event in world.events())
    by_signature = world.check(with_part(evidence, second, 1, flipped))
    assert [(p.code, p.subject) for p in by_signature.problems if p.code == "forged"] == [("forged", second)]
    by_body = world.check(with_part(evidence, second, 2, flipped))
    assert [(p.code, p.subject) for p in by_body.problems if p.code == "malformed"] == [("malformed", second)]
    by_header = world.check(
        with_part(evidence, first, 0, lambda data: flipped(data, -38))
    )  # in the claimed time
    assert codes(by_header) == ["forged", "left_out", "no_parent"]
    bare = world.check(with_part(evidence, first, 2, lambda _: None))
    assert ("no_body", first) in {(p.code, p.subject) for p in bare.problems}


def test_a_spoilt_copy_hides_no_true_event(world: World) -> None:
    """A frame with another signature before the true one is told, and the true one is proven all the same."""
    evidence = world.evidence()
    first = world.events()[0]
    spoilt = [first.header_bytes, flipped(first.signature), first.body]
    report = world.check(replace(evidence, frames=[spoilt, *evidence.frames]))
    assert [(p.code, p.subject) for p in report.problems] == [("forged", first.id)]
    assert [p.standing for p in report.events] == [Standing.STANDS] * 2


def test_what_is_left_out_is_missed(world: World) -> None:
    """A missing first event, last event, certificate, genesis: each is said, and what hangs on it."""
    evidence = world.evidence()
    first, second = world.events()
    middle = world.check(without(evidence, first.id))
    assert [(p.code, p.subject) for p in middle.problems] == [
        ("no_parent", second.id),
        ("left_out", first.id),
    ]
    assert middle.problems[0].detail == first.id.hex()
    tail = world.check(without(evidence, second.id))
    assert [(p.code, p.subject) for p in tail.problems] == [("left_out", second.id)]
    genesis = world.pc.store.trust.genesis(second.log)
    assert genesis is not None
    uncertified = world.check(without(evidence, genesis.cert))
    assert [(p.code, p.subject, p.detail) for p in uncertified.problems] == [
        ("no_authority", second.id, genesis.cert.hex())
    ]
    assert uncertified.events[-1].chain == ()
    rootless = world.check(without(evidence, second.log))
    assert ("no_log", second.id) in {(p.code, p.subject) for p in rootless.problems}


def test_a_changed_certificate_carries_nobody(world: World) -> None:
    """A certificate whose body was changed is malformed, and who writes under it has no authority here."""
    event = world.events()[1]
    genesis = world.pc.store.trust.genesis(event.log)
    assert genesis is not None
    report = world.check(with_part(world.evidence(), genesis.cert, 2, flipped))
    assert codes(report) == ["malformed", "no_authority"]


def test_an_event_of_another_document_is_named(world: World) -> None:
    """A frame that belongs elsewhere is no part of this document."""
    other = world.pc.writer("an").create("case", {"name": "khác"})
    stranger = world.pc.store.history(other)[0].event
    evidence = world.evidence()
    report = world.check(replace(evidence, frames=[*evidence.frames, stranger.to_frame()]))
    assert [(p.code, p.subject) for p in report.problems] == [("foreign", stranger.id)]


def test_an_event_that_the_exporter_did_not_have_is_named(world: World) -> None:
    """A later, valid event that somebody put in is told apart by the exporter's word."""
    evidence = world.evidence()
    world.pc.writer("an").edit(world.doc, {"phone": "9"})
    fresh = world.events()[-1]
    report = world.check(replace(evidence, frames=[*evidence.frames, fresh.to_frame()]))
    assert [(p.code, p.subject) for p in report.problems] == [("put_in", fresh.id)]


def test_without_the_exporters_word_the_report_says_what_it_cannot_know(world: World) -> None:
    """A claim that was taken away is a note; one that was forged, or is about another document, a problem."""
    evidence = world.evidence()
    silent = world.check(replace(evidence, claim=b""))
    assert (silent.problems, silent.notes) == ([], [("no_claim", b"")])
    assert codes(world.check(replace(evidence, claim=flipped(evidence.claim)))) == ["claim"]
    log = Claim.parse(evidence.claim)[0].log
    other = Claim(log, bytes(16), 1, ()).sign(world.pc.secrets.machine)
    assert codes(world.check(replace(evidence, claim=other))) == ["claim"]


def test_a_forged_ack_is_told(world: World) -> None:
    """An ack with another signature, or by a machine that is no parent, counts for nothing and is named."""
    exchange(world.pc.store, world.district.store)
    evidence = world.evidence()
    forged = world.check(replace(evidence, acks=[flipped(ack) for ack in evidence.acks]))
    assert codes(forged) == ["ack_forged"]
    assert {proven.acks for proven in forged.events} == {()}
    real = parse_acks(evidence.acks[0])[0]
    own = Acks(world.pc.store.machine_log, real.unit, b"", 1, 0, (), (world.events()[0].id,))
    stranger = world.check(replace(evidence, acks=[own.sign(world.pc.secrets.machine)]))
    assert codes(stranger) == ["ack_stranger"]


def test_another_root_proves_nothing(world: World) -> None:
    """From another anchor, or with a changed publication, nothing is proven, and that is all that is said."""
    evidence = world.evidence()
    assert codes(check(evidence, bytes(32), [CASE])) == ["publication"]
    files = dict(parse_files(evidence.publication))
    for name in (*files, TARGET + TRUST):
        changed = {**files, name: flipped(files[name], len(files[name]) // 2)}
        report = world.check(replace(evidence, publication=codec.encode(changed)))
        assert codes(report) == ["publication"], name
        assert report.events == []


def test_an_older_publication_is_not_a_forgery(world: World) -> None:
    """A file keeps what was published when it was made, and says which version that is."""
    evidence = world.evidence()
    world.publish()
    assert world.check(evidence).version == 1
    assert world.check(world.evidence()).version == 2


@pytest.mark.parametrize("cut", [0, 5, len(MAGIC), 200, -1])
def test_a_file_that_was_cut_short_is_no_evidence(world: World, cut: int) -> None:
    """What is not whole is refused before anything is concluded."""
    with pytest.raises(FormatError):
        Evidence.parse(world.evidence().to_bytes()[:cut])


def test_no_single_bit_passes(world: World) -> None:
    """Of every 37th byte of a file, no bit can be flipped that changes a report which still proves all."""
    data = world.evidence().to_bytes()
    sound = world.check(Evidence.parse(data))
    missed = []
    for at in range(len(MAGIC), len(data), 37):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        try:
            report = check(Evidence.parse(bytes(changed)), world.province.anchor, [CASE])
        except FormatError:
            continue
        if report.is_proven and report.to_json() != sound.to_json():
            missed.append(at)
    assert missed == []


def test_unknown_facts_are_kept(world: World) -> None:
    """What a newer program adds survives reading and writing, and changes no proof."""
    evidence = replace(world.evidence(), facts={"statements": [b"x"]})
    again = Evidence.parse(evidence.to_bytes())
    assert again == evidence
    assert world.check(again).is_proven


def test_every_code_has_words(world: World) -> None:
    """Whatever a report can say is in the tables of words, English and Vietnamese."""
    from commune_client.messages import NOTES as VI_NOTES
    from commune_client.messages import PROBLEMS as VI_PROBLEMS

    assert set(VI_PROBLEMS) == set(PROBLEMS)
    assert set(VI_NOTES) == set(NOTES)


def test_a_part_of_a_publication_is_checked_like_a_whole(world: World) -> None:
    """A part holds to account what it has: a file that is there must be the one that was signed."""
    held = world.pc.store.publication
    fresh = publisher.publish(held, world.province.root, now_ms=world.province.clock_ms, files={"more": b"1"})
    whole = Publication.check(fresh, world.province.anchor)
    part = whole.part([])
    assert Publication.check_part(part, world.province.anchor).targets.keys() == {TRUST}
    with pytest.raises(FormatError):
        Publication.check(part, world.province.anchor)
    changed = codec.encode({**parse_files(part), TARGET + "more": b"2"})
    with pytest.raises(FormatError):
        Publication.check_part(changed, world.province.anchor)

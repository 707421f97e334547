"""Targets: whole machines with their stores, talked to by a certified machine that says what it likes.

What is said is signed and sealed as it should be, so that it is read to its end: the worst is not a stranger,
who is refused at the door, but a machine of the province whose program was changed.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Final

from onestop_sync import bundle, codec, enrol_take, fetch, keys, past, present
from onestop_sync.bundle import file
from onestop_sync.bundle.packet import BUNDLE_KIND, Signed
from onestop_sync.dossier.data import shipped_calendar, shipped_profiles
from onestop_sync.dossier.explain import explain
from onestop_sync.dossier.forms.facts import Agency, Facts, acts_of
from onestop_sync.dossier.forms.kinds import DOSSIER_FORMS
from onestop_sync.dossier.forms.sheets import sheet_of
from onestop_sync.dossier.open_data import line_of, row_of
from onestop_sync.dossier.portal.documents import Source, plan_export
from onestop_sync.dossier.portal.steps import Told
from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, HEAD, INTAKE, RETURN
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import lines_of
from onestop_sync.dossier.view import DossierView
from onestop_sync.errors import FormatError, OnestopError
from onestop_sync.fold import Author
from onestop_sync.protocol import Requester, Responder, open_packet, pack_packet
from onestop_sync.protocol.packets import NODE_BYTES, REQUEST_KIND, pack_answer
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.held import machines_with
from onestop_sync.storage.snapshots import Place
from onestop_sync.store import Store
from onestop_sync.testing.dice import Dice
from tests.fuzz.seeds import hex_of, vectors
from tests.fuzz.target import Form, Run, Target, scratch
from tests.hostile.material import Cast
from tests.province import CASE, Province
from tests.unit.portal_world import Case
from tests.unit.portal_world import settings as portal_settings

__all__ = ["TARGETS"]

_NONCE: Final = b"the nonce of now"
"""Stands in an input for the nonce that the other side gave last."""
_NOW_MS: Final = 1_795_600_000_000
_ASKS: Final = ("chunks", "present", "snapshots", "history")
"""Requests for something else than events, and what is signed with them."""
_FINE: Final = {200, 400, 401, 403, 409}


class _Pair:
    """A server of the province and a machine of a commune, which have met."""

    def __init__(self) -> None:
        province = Province(scratch())
        self.server = province.machine("tinh", "p", serves=True, database="sqlite://")
        self.pc = province.machine("pc", "c1", {"An": ["clerk"]}, database="sqlite://")
        self.doc = self.pc.writer("An").create(CASE.name, {"name": "Nguyễn Văn An"})
        self.passed: list[tuple[bytes, int, bytes]] = []
        self.responder = Responder(self.server.store)
        self.talk()
        self.pc.writer("An").edit(self.doc, {"phone": "0903"})

    def talk(self) -> None:
        """Syncs, in plain words, and notes what passed."""
        requester = Requester(self.pc.store, "parent")
        while (request := requester.next_request()) is not None:
            status, answer = self.responder.respond(request)
            self.passed.append((request, status, answer))
            requester.take_answer(status, answer)

    @property
    def nonce(self) -> bytes:
        """The last nonce that the server gave."""
        log = self.pc.store.machine_log
        with self.server.store.reading() as connection:
            return next(each.nonce for each in machines_with(connection, log[:8]) if each.log == log)

    def signed(self, kind: str, payload: bytes) -> bytes:
        """Returns a packet by the machine."""
        store = self.pc.store
        return pack_packet([payload, store.machine_log, store.machine.sign(codec.pae(kind, payload))])


def _respond() -> Run:
    pair = _Pair()

    def run(data: bytes) -> None:
        codec.decode(data)
        payload = data.replace(_NONCE, pair.nonce)
        kind = next((f"onestop/{word}/1" for word in _ASKS if word.encode() in data[:14]), REQUEST_KIND)
        status, answer = pair.responder.respond(pair.signed(kind, payload))
        assert status in _FINE, status
        said = open_packet(answer)
        if status not in {200, 401}:
            raise FormatError(str(said))

    return run


def _asked() -> list[bytes]:
    pair = _Pair()
    node = pair.server.store.machine_log[:NODE_BYTES]
    found = []
    for request, _, _ in pair.passed:
        value = codec.decode(open_packet(request)[0])
        if isinstance(value, list) and len(value) == 9:
            found.append(codec.encode([*value[:2], _NONCE if value[1] else value[2], *value[3:]]))
    start = present.Start(Place(), present.versions_of(pair.server.store.types))
    asks = (
        fetch.Ask(node, _NONCE, (bytes(32),), (), ((bytes(32), None),), 1000),
        past.Mirror(node, _NONCE, Place(), 1000),
        past.History(node, _NONCE, ((pair.doc, 0),), 1000),
    )
    return [*found, present.wrap(start, found[-1]), *(codec.encode(ask.to_row()) for ask in asks)]


def _take() -> Run:
    """A machine takes an answer of its parent."""
    pair = _Pair()

    def run(data: bytes) -> None:
        parts = codec.decode(data)
        if not isinstance(parts, list):
            raise FormatError("Not an answer's parts.")
        requester = Requester(pair.pc.store, "parent")
        request = requester.next_request()
        if request is None:
            raise FormatError("Nothing to ask.")
        answer = pack_answer(pair.server.store.machine, request, pair.pc.store.machine_log, parts)
        requester.take_answer(200, answer)

    return run


def _answered() -> list[bytes]:
    found = []
    for _, status, answer in _Pair().passed:
        value = open_packet(answer)
        if status == 200 and value[1] == "answer":
            found.append(codec.encode([*codec.decode(value[2]), *codec.decode(value[3])]))
    return found


def _told() -> Run:
    """A machine is answered something else: by a proxy, an older parent, or nobody that it knows."""
    pair = _Pair()

    def run(data: bytes) -> None:
        requester = Requester(pair.pc.store, "parent", is_brief=True)
        assert requester.next_request() is not None
        requester.take_answer(200, data)

    return run


def _packets() -> list[bytes]:
    refusal = pack_packet([1, "error", ["not_allowed", "No."]])
    return [refusal, *hex_of(*(each["answer"] for each in vectors("sync")["exchange"]))]


def _import() -> Run:
    """A server takes a stick whose bundle a machine of the province has signed and sealed."""
    pair = _Pair()
    folder = scratch()

    def run(data: bytes) -> None:
        codec.decode(data)
        packet = pair.signed(BUNDLE_KIND, data)
        (folder / "x.onestop").write_bytes(_sealed(pair, packet))
        bundle.import_bundle(pair.server.store, folder / "x.onestop")

    return run


def _sealed(pair: _Pair, packet: bytes) -> bytes:
    store = pair.pc.store
    seal = keys.seal_public_key(pair.server.store.seal_seed)
    made = file.seal(
        packet, root=store.root, sender=store.machine_log, recipients=[seal], content_key=bytes(32)
    )
    return made[0]


def _bundles() -> list[bytes]:
    pair = _Pair()
    path = pair.pc.folder / "stick"
    path.mkdir(parents=True, exist_ok=True)
    made = bundle.export_bundle(pair.pc.store, path)
    body = file.open_body(file.parse(made.path.read_bytes()), pair.server.store.seal_seed)
    return [open_packet(body)[0]]


def _bundle_head() -> Run:
    pair = _Pair()

    def run(data: bytes) -> None:
        found = file.parse(data)
        Signed.parse(file.open_body(found, pair.server.store.seal_seed))

    return run


def _bundle_files() -> list[bytes]:
    pair = _Pair()
    return [_sealed(pair, pair.signed(BUNDLE_KIND, _bundles()[0]))]


def _enrol() -> Run:
    """A server is asked by whoever knows no code, or half of one."""
    pair = _Pair()

    def run(data: bytes) -> None:
        verdict = enrol_take.take(pair.server.store, None, data, is_last=True)
        assert verdict.code in {"unknown", "busy"}  # there is no code that anybody could know

    return run


def _events() -> Run:
    """An officer's program signs events of any operations; the store folds them, lists and shows them."""
    province = Province(scratch(), types=[DOSSIER])
    store = province.machine("tinh", "p", serves=True, database="sqlite://").store
    cast = Cast(province, Dice(1, "fuzz"))
    assert {each.code for each in store.receive(cast.proofs)} == {""}
    log = cast.officer("Bình", [INTAKE, APPRAISAL, APPROVAL, RETURN, HEAD])
    store.receive([province.issued[-1], log.genesis.to_frame()])

    def run(data: bytes) -> None:
        value = codec.decode(data)
        if not isinstance(value, list) or not all(map(_are_ops, value)):
            raise FormatError("Not lists of operations.")
        doc = log.new_document(DOSSIER)
        outcomes: list[Outcome] = []
        heads: list[bytes] = []
        for ops in value[:8]:
            made = log._next(DOSSIER, doc, heads, ops, 0)
            (found,) = store.receive([made.to_frame()])
            outcomes.append(found)
            if found.is_stored:
                log.events.append(made)
                heads = [made.id]
        if heads:
            _look_at(store, doc)
        if all(each.code for each in outcomes):
            raise FormatError("Nothing of it takes effect.")

    return run


def _are_ops(ops: object) -> bool:
    return isinstance(ops, list) and all(isinstance(op, list) for op in ops)


def _look_at(store: Store, doc: bytes) -> None:
    """Reads a dossier in every way in which a program shows it, prints it or tells others of it."""
    assert store.page(DOSSIER.name)
    state = store.document(doc).state
    history = store.history(doc)
    found = DossierView.from_state(state, _NOW_MS, shipped_calendar())
    json.dumps(found.to_json())
    found.allowed_actions(Author("c1", frozenset({"c1"}), frozenset({INTAKE, HEAD})))
    said = [line for record in history for line in lines_of(record.ops)]
    assert all(isinstance(line.text, str) for line in said)
    row_of(line_of(doc, DOSSIER, state, history))
    if found.due_facts is not None:
        explain(found.due_facts, shipped_calendar(), shipped_profiles()[0])
    told = [
        Told(each.event.id, each.event.header.parents, 1, "An", "Xã", (), tuple(each.ops)) for each in history
    ]
    plan_export(Source(state, told, None, str, lambda _: "000.01.01.H99"), portal_settings())
    acts = tuple(act for each in history for act in acts_of(each.event.id, each.ops, 1, "An", "c1"))
    agency = Agency(("UBND xã",), "Thôn", "c1")
    for profile in shipped_profiles():
        for form in DOSSIER_FORMS:
            with suppress(OnestopError):
                sheet_of(form, Facts(state, acts, profile, shipped_calendar(), agency))


def _ops() -> list[bytes]:
    """A dossier's life, each event as its operations."""
    case = Case()
    case.to_the_end()
    return [codec.encode([list(entry.ops) for entry in case.entries.values()])]


TARGETS: Final = (
    Target(
        "respond",
        Form.CBOR,
        _respond,
        _asked,
        ("onestop_sync.protocol.responder", "onestop_sync.exchange"),
        is_slow=True,
    ),
    Target(
        "take_answer",
        Form.CBOR,
        _take,
        _answered,
        ("onestop_sync.protocol.requester", "onestop_sync.exchange"),
        is_slow=True,
    ),
    Target("take_packet", Form.CBOR, _told, _packets, ("onestop_sync.protocol.requester",), is_slow=True),
    Target(
        "bundle",
        Form.CBOR,
        _import,
        _bundles,
        ("onestop_sync.bundle.incoming", "onestop_sync.bundle.packet"),
        is_slow=True,
    ),
    Target("bundle_file", Form.BYTES, _bundle_head, _bundle_files, ("onestop_sync.bundle.file",)),
    Target(
        "enrol_door",
        Form.CBOR,
        _enrol,
        lambda: hex_of(vectors("enrol")["look"], vectors("enrol")["request"]),
        ("onestop_sync.enrol_take",),
        is_slow=True,
    ),
    Target(
        "dossier",
        Form.CBOR,
        _events,
        _ops,
        (
            "onestop_sync.fold",
            "onestop_sync.judge",
            "onestop_sync.state",
            "onestop_sync.tasktree",
            "onestop_sync.dossier.view",
            "onestop_sync.dossier.summary",
        ),
        is_slow=True,
    ),
)

"""One machine of the simulated province: a disk, a clock that may be wrong, and a program that may die."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from onestop_sync import brief
from onestop_sync.event import Event, parse
from onestop_sync.keyring import Secrets
from onestop_sync.protocol import LIMITS, Limits, Requester, Responder, pack_packet
from onestop_sync.schema import DocumentType
from onestop_sync.store import Store
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.disk import Disk, rows
from onestop_sync.testing.kinds import OLD_TYPES, TYPES
from onestop_sync.testing.people import Officer, People, Plan

_DATABASE_KEY: Final = bytes(48)
_DAY: Final = "260601"
_TIGHT: Final = Limits(batch_bytes=1500, batch_events=3, answer_bytes=1500)
"""Half of the machines send and ask for so little at a time that everything takes several requests."""
_LACKING_SCANS: Final = (
    "SELECT DISTINCT d.id FROM content c JOIN naming m ON m.content_n = c.n JOIN event e ON e.n = m.event_n"
    " JOIN document d ON d.n = e.doc_n WHERE c.complete = 0 AND d.state IS NOT NULL ORDER BY d.n"
)


class Call:
    """One exchange with a parent, as far as it has got.

    Attributes:
        number: Its number in the run.
        parent: Name of the parent.
        requester: The client's side.
        since: Step of the last sign of life.
    """

    def __init__(self, number: int, parent: str, requester: Requester, since: int) -> None:
        self.number = number
        self.parent = parent
        self.requester = requester
        self.since = since


class Older(Responder):
    """A parent whose version knows no brief packets: it refuses one as it refuses rubbish."""

    def respond(self, data: bytes) -> tuple[int, bytes]:
        """Answers one request, if it is plain."""
        if data[:1] in {brief.MARK, brief.FIRST}:
            return 400, pack_packet([1, "error", ["malformed", "The data is not a packet of this protocol."]])
        return super().respond(data)


class Node:
    """A machine.

    Attributes:
        is_old: Its program is of a version that knows plain packets only, one document type less, and another
            in an older version.
        programs: How many programs work on its store, each with a memory of its own.

    Args:
        name: Name in traces; a clone has another than its model.
        plan: What machine it is.
        people: Who is in the province.
        disk: Its disk.
        dice: Its random numbers, salts and nonces.
        now: The true time.
    """

    def __init__(
        self, name: str, plan: Plan, people: People, disk: Disk, dice: Dice, now: Callable[[], int]
    ) -> None:
        self.name = name
        self.plan = plan
        self.disk = disk
        self.dice = dice
        self.skew_ms = 0
        self.limits = dice.pick([LIMITS, _TIGHT])
        self.serials: list[tuple[str, int]] = []
        self.call: Call | None = None
        self.lost: set[bytes] = set()
        self.model: str = ""
        self.is_old = False
        self.programs = 1
        self._people = people
        self._now = now
        self._stores: list[Store] = []

    @property
    def store(self) -> Store:
        """The open store: of whichever of its programs is asked just now."""
        assert self._stores
        return (
            self._stores[self.dice.randrange(len(self._stores))] if len(self._stores) > 1 else self._stores[0]
        )

    @property
    def is_running(self) -> bool:
        """Whether a program runs on it."""
        return bool(self._stores)

    @property
    def types(self) -> tuple[DocumentType, ...]:
        """The document types that its version of the program knows."""
        return OLD_TYPES if self.is_old else TYPES

    def _fresh(self) -> Store:
        """Returns the store, knowing what other programs on it have stored."""
        store = self.store
        store.refresh_trust()
        return store

    @property
    def unit(self) -> str:
        """The unit for which it works now: it may not have heard yet that it was certified for another."""
        return self._fresh().unit

    @property
    def parents(self) -> tuple[str, ...]:
        """The parents that serve its unit, as far as it knows; the province always does."""
        store = self._fresh()
        document = store.trust.document
        units = {plan.name: _unit_of(store, plan) for plan in self._people.plans}
        open_now = [p for p in self.plan.parents if not document.is_cut_off(b"", units[p])]
        found = [p for p in open_now if document.is_over(units[p], store.unit)]
        return tuple(found) if found or not self.plan.parents else ("prov",)

    @property
    def officers(self) -> list[Officer]:
        """Who works at it."""
        return self.plan.officers

    def create(self, trust: bytes) -> None:
        """Sets the machine up."""
        Store.create(
            self.disk.folder, self._secrets(), root=self._people.anchor, trust=trust, unit=self.plan.unit,
            serves=self.plan.serves, types=self.types, database=self.disk.engine, clock=self.clock,
            rng=self.dice.randbytes, threads=1,
        ).close()  # fmt: skip

    def start(self) -> None:
        """Starts its programs on what is on the disk."""
        for _ in range(self.programs):
            self._stores.append(
                Store.open(
                    self.disk.folder,
                    self._secrets(),
                    types=self.types,
                    database=self.disk.engine,
                    clock=self.clock,
                    rng=self.dice.randbytes,
                    threads=1,
                )
            )

    def stop(self) -> None:
        """Ends its programs, politely or not: what was not committed is gone."""
        self.call = None
        while self._stores:
            self._stores.pop().close()

    def restart(self) -> None:
        """Ends its programs and starts them again."""
        self.stop()
        self.start()

    def clock(self) -> int:
        """Returns what the machine's clock says, milliseconds since 1970 UTC."""
        return self._now() + self.skew_ms

    def issue(self) -> bool:
        """Issues a serial of the machine's block; tells whether there was one: spare blocks may be used up.

        Each restore takes the next block: what the lost copy had issued is not known.
        """
        store = self._fresh()
        unit, blocks = store.unit, self.plan.blocks(store.unit)
        with store.writing():
            used = store.restores
            if used >= len(blocks):
                return False
            serial = blocks[used][0] + store.next_serial(f"code {unit}", _DAY) - 1
        self.serials.append((unit, serial))
        return True

    def responder(self) -> Responder:
        """Returns the server's side."""
        return (Older if self.is_old else Responder)(self.store, self.limits)

    def requester(self, parent: str) -> Requester:
        """Returns the client's side of a new exchange."""
        return Requester(self.store, parent, self.limits, is_brief=not self.is_old)

    def clone(self, name: str, folder: Path, dice: Dice) -> Node:
        """Copies the disk into another machine with the same keys, and starts both again."""
        self.stop()
        other = Node(name, self.plan, self._people, self.disk.clone(folder), dice, self._now)
        other.model, other.is_old, other.programs = self.model or self.name, self.is_old, self.programs
        other.start()
        self.start()
        return other

    def events(self) -> dict[bytes, Event]:
        """Returns everything that is on the disk, past the store's own reading."""
        found = rows(self.disk.url, "SELECT header, signature, body FROM event")
        return {event.id: event for event in map(parse, map(list, found))}

    def event_ids(self) -> set[bytes]:
        """Returns the ids of all events on the disk."""
        return {row[0] for row in rows(self.disk.url, "SELECT id FROM event")}

    def documents(self) -> list[bytes]:
        """Returns the ids of all documents that have a state, in the order in which they came here."""
        known = {kind.name for kind in self.types}
        found = rows(self.disk.url, "SELECT id, kind FROM document WHERE state IS NOT NULL ORDER BY n")
        return [row[0] for row in found if row[1] in known]

    def lacking_scans(self) -> list[bytes]:
        """Returns the ids of documents that name a scan which is not whole here."""
        return [row[0] for row in rows(self.disk.url, _LACKING_SCANS)]

    def frames(self, ids: Iterable[bytes]) -> list[Any]:
        """Returns events as they travel, parents of logs first."""
        wanted = set(ids)
        found = rows(self.disk.url, "SELECT id, header, signature, body FROM event ORDER BY n")
        return [list(row[1:]) for row in found if row[0] in wanted]

    def _secrets(self) -> Secrets:
        officer = self.officers[0].key
        return Secrets(self.name, _DATABASE_KEY, self.plan.machine, self.plan.seal_seed, officer)


def _unit_of(store: Store, plan: Plan) -> str:
    """Returns the unit for which a machine was certified, as far as a store knows."""
    best = store.trust.best_certificate(plan.machine.public)
    return best[1].unit if best else plan.unit

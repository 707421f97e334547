"""The scripted day: its steps, and what each tells whoever works, after it was done.

A step opens the store, does its work and closes it, as a command of the program does. What it tells is what a
later look must find, whatever stopped the program meanwhile: the words of `looking`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from commune_client.desk.desk import Desk
from commune_client.desk.safekeeping import remove_officer
from onestop_sync import export_bundle, import_bundle
from onestop_sync.errors import OnestopError
from onestop_sync.store import Store
from tests.crash.world import AN, BINH, NEW_PASSPHRASE, SCAN, World
from tests.unit.cli_world import BIRTH, PASSPHRASE, VALUES, checklist, exchange

__all__ = ["AT_SERVER", "NEW_NAME", "SAVING", "STEPS", "Day", "Step", "Tell", "of_kind", "take_in"]

NEW_NAME: Final = "Nguyễn Thị Hương"
"""What is typed over the name in the morning."""
Tell = Callable[..., None]
"""Is told a word of `looking` and what belongs to it."""


@dataclass
class Day:
    """A day at work in a world.

    Attributes:
        world: Where.
        tell: Is told what was done.
        is_stubborn: After an error the open store is read, and a dossier taken in, before all is closed.
    """

    world: World
    tell: Tell
    is_stubborn: bool = False

    @contextmanager
    def at_desk(self) -> Iterator[Desk]:
        """Opens the PC's store."""
        with self.world.desk() as desk:
            try:
                yield desk
            except OnestopError:
                if self.is_stubborn:
                    self._go_on(desk)
                raise

    def _go_on(self, desk: Desk) -> None:
        self.tell("read", len(desk.dossiers().rows))
        try:
            take_in(desk, self.tell)
        except OnestopError as error:
            self.tell("refused", error.code)
        else:
            self.tell("went on")

    @contextmanager
    def at_server(self) -> Iterator[Store]:
        """Opens the server's store."""
        store = self.world.open_server()
        try:
            yield store
        finally:
            store.close()

    def done(self, done: Any) -> None:
        """Tells of something that was done to a dossier."""
        if done.event:
            self.tell("event", done.event.hex())

    def arrived(self, desk: Desk) -> None:
        """Tells what the PC says has arrived."""
        for row in desk.dossiers().rows:
            for item in desk.store.history(row.doc):
                if item.delivery.level != "here":
                    self.tell("arrived", item.event.id.hex())


def take_in(desk: Desk, tell: Tell) -> bytes:
    """Takes in a dossier; tells its event and its code."""
    accepted = desk.intake_new(BIRTH, VALUES, checklist(desk))
    tell("event", accepted.event.hex())
    tell("code", accepted.code, accepted.doc.hex())
    return accepted.doc


def morning(day: Day) -> None:
    """A draft is typed, changed, accepted, handed over and received."""
    with day.at_desk() as desk:
        draft = desk.new_draft(BIRTH, VALUES)
        day.tell("value", draft.doc.hex(), "nguoi_nop", VALUES["nguoi_nop"])
        desk.save_draft(draft.doc, {"nguoi_nop": NEW_NAME}, checklist(desk))
        day.tell("value", draft.doc.hex(), "nguoi_nop", NEW_NAME)
        accepted = desk.intake(draft.doc)
        day.tell("event", accepted.event.hex())
        day.tell("code", accepted.code, draft.doc.hex())
        for act in (desk.handover, desk.receive):
            day.done(act(draft.doc))


def line(day: Day) -> None:
    """The line is there: everything goes up, the server acknowledges it, and its word comes back."""
    with day.at_desk() as desk, day.at_server() as server:
        take_in(desk, day.tell)
        exchange(desk.store, server)
        day.arrived(desk)


def scan(day: Day) -> None:
    """A scan is attached, and its chunks go up with the next exchange."""
    with day.at_desk() as desk, day.at_server() as server:
        doc = desk.dossiers().rows[0].doc
        done = desk.attach(doc, day.world.scan)
        day.done(done)
        day.tell("scan", doc.hex(), done.name, hashlib.sha256(SCAN).hexdigest())
        exchange(desk.store, server)
        day.arrived(desk)


def stick(day: Day) -> None:
    """A stick goes to the server and comes back."""
    sticks = day.world.stick
    with day.at_desk() as desk:
        take_in(desk, day.tell)
        written = desk.export(sticks / "di.bundle")
        day.tell("bundle", Path(written.path).name)
    with day.at_server() as server:
        report = import_bundle(server, sticks / "di.bundle")
        export_bundle(server, sticks / "ve.bundle", [report.sender])
    with day.at_desk() as desk:
        desk.import_(sticks / "ve.bundle")
        day.arrived(desk)


def backup(day: Day) -> None:
    """The day's backup is written."""
    with day.at_desk() as desk:
        day.tell("backup", desk.backup(day.world.stick).path.name)


def keys(day: Day) -> None:
    """Somebody leaves, so the database gets another key, and An's passphrase is changed."""
    world = day.world
    secrets = world.secrets()
    if BINH in world.pc.officers():
        remove_officer(world.pc, secrets, BINH)
    day.tell("removed", BINH)
    if world.passphrase() != NEW_PASSPHRASE:
        world.pc.change_passphrase(AN, PASSPHRASE, NEW_PASSPHRASE)
    day.tell("passphrase")


def second(day: Day) -> None:
    """The answer for the second PC arrives, and its store is made."""
    day.world.enrol().close()
    day.tell("enrolled")


def evening(day: Day) -> None:
    """What was appraised is approved."""
    with day.at_desk() as desk:
        for step, act in (("appraisal", desk.appraise), ("approval", desk.approve)):
            for row in desk.dossiers(step=step).rows:
                day.done(act(row.doc))


Step = Callable[[Day], None]
STEPS: Final[dict[str, Step]] = {
    step.__name__: step for step in (morning, keys, line, backup, stick, scan, second, evening)
}
"""The day, in order."""


SAVING: Final = frozenset({"morning", "line", "scan", "evening"})
"""Steps that tell of what they saved while the store is open."""
AT_SERVER: Final = frozenset({"line", "stick", "scan"})
"""Steps in which the server's store is open as well."""


def of_kind(kind: str) -> list[str]:
    """Returns the steps that a kind of store knows: only an encrypted file is backed up and has a key."""
    return [name for name in STEPS if kind == "cipher" or name not in {"backup", "keys"}]

"""A desk: one machine's store, and the officer who is signed in."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from commune_client.desk.attaching import Attaching
from commune_client.desk.audit import Audit
from commune_client.desk.base import Unready
from commune_client.desk.countersigning import Countersigning
from commune_client.desk.disputes import Disputes
from commune_client.desk.line import Line
from commune_client.desk.old_register import OldRegister
from commune_client.desk.open_data import OpenData
from commune_client.desk.outside import Outside
from commune_client.desk.place import Place
from commune_client.desk.posting import Posting
from commune_client.desk.proving import Proving
from commune_client.desk.registers import Registers
from commune_client.desk.reports import Reports
from commune_client.desk.safekeeping import tell_province
from commune_client.desk.together import Together
from commune_client.desk.voices import Voices
from commune_client.desk.watch import watched
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import StoreMissing
from onestop_sync.keyring import Secrets
from onestop_sync.store import Store, now_ms

__all__ = ["Desk", "Unready", "open_desk"]


@watched
class Desk(
    Together, Outside, OldRegister, Attaching, Posting, Voices, Disputes, Countersigning, Line, Audit,
    OpenData, Proving, Registers, Reports,
):  # fmt: skip
    """Everything that screens and commands ask of the library; open it by `Place.unlock`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_desk(place: Place, secrets: Secrets, *, command: str = "") -> Desk:
    """Opens a machine's store with an officer signed in.

    Args:
        place: The machine's folder.
        secrets: What the officer unlocked.
        command: The command that it is opened for; empty for a screen.

    Raises:
        StoreMissing: The machine is not enrolled yet.
        StoreDamaged: The file cannot be read.
        StoreTooNew: A newer program wrote it.
    """
    if not place.is_enrolled:
        raise StoreMissing("This machine is not enrolled yet.", reason="not_enrolled")
    secrets = place.settled(secrets)
    store = Store.open(place.folder, secrets, types=TYPES, clock=place.clock or now_ms)
    tell_province(place, store, secrets)
    return Desk(place, store, secrets, command=command)

"""A commune for the tests of desk and command: places enrolled as in the field, and a line between them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from commune_client.cli import main
from commune_client.desk.desk import Desk
from commune_client.desk.enrolment import accept_answer, add_officer, set_up
from commune_client.desk.place import Place
from onestop_sync import enrol
from onestop_sync.dossier.checks import Paper
from onestop_sync.dossier.types import TYPES
from onestop_sync.keys import FAST_FOR_TESTS
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from tests.province import Machine, Province

PASSPHRASE = "mật khẩu rất dài"
ALL = ("tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao")
BIRTH = "1.001193"
VALUES = {
    "nguoi_nop": "Nguyễn Thị Hường",
    "so_dinh_danh": "001199012345",
    "dia_chi": "Thôn Đoài",
    "dien_thoai": "0912345678",
}


class Commune:
    """A province whose administrator enrols what tests need.

    Args:
        folder: Where the machines' folders go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.province = Province(folder / "province", types=TYPES)
        self.clock = self.province.tick
        self.desks: list[Desk] = []

    def request(self, name: str, officer: str = "An", roles: Iterable[str] = ALL, unit: str = "c1") -> Place:
        """Sets a machine up; its request is beside the store."""
        place = Place(self.folder / name, clock=self.clock, cost=FAST_FOR_TESTS)
        asked = set_up(
            place,
            officer,
            PASSPHRASE,
            unit=unit,
            machine_name=name,
            roles=list(roles),
            parents=["http://hub.invalid"],
        )
        (place.folder / "enrol.request").write_bytes(asked.data)
        return place

    def approve(self, request: bytes, *, serves: bool = False) -> bytes:
        """Answers a request, as the province's administrator."""
        return enrol.approve(self.province.office, self.province.admin, request, serves=serves)

    def place(
        self,
        name: str,
        officer: str = "An",
        roles: Iterable[str] = ALL,
        unit: str = "c1",
        *,
        serves: bool = False,
    ) -> Place:
        """Makes a machine that is enrolled."""
        place = self.request(name, officer, roles, unit)
        answer = self.approve((place.folder / "enrol.request").read_bytes(), serves=serves)
        accept_answer(place, place.secrets(officer, PASSPHRASE), answer)
        return place

    def colleague(self, place: Place, name: str, roles: Sequence[str], *, unit: str = "c1") -> None:
        """Adds another officer to a machine."""
        secrets = place.secrets(place.default_officer(), PASSPHRASE)
        asked = add_officer(place, secrets, unit, place.folder.name, name, PASSPHRASE, roles)
        accept_answer(place, secrets, self.approve(asked.data))

    def desk(self, place: Place, officer: str = "") -> Desk:
        """Opens a machine's store; `close` closes it."""
        desk = place.unlock(officer or place.default_officer(), PASSPHRASE)
        self.desks.append(desk)
        return desk

    def hub(self, name: str = "hub", unit: str = "c1") -> Machine:
        """Makes a parent in memory."""
        return self.province.machine(name, unit, serves=True, blocks=())

    def close(self) -> None:
        """Closes what is open."""
        for desk in self.desks:
            desk.close()
        self.province.office.close()


def exchange(machine: Store, parent: Store) -> None:
    """Brings two stores to the same state, without a network."""
    requester, responder = Requester(machine, "hub"), Responder(parent)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))


def checklist(desk: Desk, code: str = BIRTH) -> dict[str, Paper]:
    """Returns all papers that a procedure wants."""
    return desk.papers(code, [document.name_vi for document in desk.procedure(code).checklist])


def take_in(desk: Desk, **values: Any) -> bytes:
    """Takes in a dossier that is complete; returns its id."""
    return desk.intake_new(BIRTH, {**VALUES, **values}, checklist(desk)).doc


def act(desk: Desk, doc: bytes, *steps: str) -> None:
    """Takes steps that need no words."""
    for step in steps:
        getattr(desk, step)(doc)


class Shell:
    """Runs ``onestop`` in this process.

    Attributes:
        code: Exit code of the last command.
    """

    def __init__(
        self, capsys: pytest.CaptureFixture[str], commune: Commune, place: Place | None = None
    ) -> None:
        self.capsys = capsys
        self.commune = commune
        self.place = place
        self.code = -1

    def run(self, *arguments: str) -> str:
        """Runs a command; returns what it said on both streams."""
        found = [*arguments, *(["--store", str(self.place.folder)] if self.place else [])]
        self.capsys.readouterr()
        self.code = main(found, clock=self.commune.clock, cost=FAST_FOR_TESTS)
        said = self.capsys.readouterr()
        return said.out + said.err

    def json(self, *arguments: str) -> Any:
        """Runs a command with ``--json``; returns what it printed, read."""
        found = [*arguments, "--json", *(["--store", str(self.place.folder)] if self.place else [])]
        self.capsys.readouterr()
        self.code = main(found, clock=self.commune.clock, cost=FAST_FOR_TESTS)
        return json.loads(self.capsys.readouterr().out)

"""The world of the story: folders on disk, ports on 127.0.0.1, processes, and what went over the wires."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

from demo.cast import ALONE, APPRAISER_PC, DISTRICT, HUB, INTAKE_PC, PROVINCE, REMOTE, ROGUE, UNITS, Machine
from demo.checks import Checks
from demo.narrator import Narrator
from demo.process import HOST, JobFailed, Processes, Talker, command, environment, free_ports

__all__ = ["Answer", "Traffic", "World"]

_INTERVAL_S: Final = "15"
"""A relay sends what is new at once; this is how long it waits when nothing is."""
_UNITS: Final = "don-vi.json"
"""File of the tree of units; by it a folder is known as one that the demo made."""
_COMMAND_S: Final = 60.0
_RELAYING_S: Final = 1.0
_TRIES: Final = 4
_AGAIN_S: Final = 0.2
_AT_ONCE: Final = 2
_ROUNDS: Final = 8
HOLDER: Final = "quan-tri"
"""Who unlocks the province's server, and administrates it."""
ONLINE: Final = (INTAKE_PC, APPRAISER_PC, HUB, ALONE, DISTRICT)
"""Machines with a line, from below to above."""


class Answer(NamedTuple):
    """What a command answered.

    Attributes:
        code: Exit code: 0 done, 1 refused, 2 wrong usage, 3 offline.
        data: Its JSON; ``None`` when it printed none.
        told: What it said to the person.
    """

    code: int
    data: Any
    told: str


class Traffic(NamedTuple):
    """Requests that were answered, and their bytes without HTTP's own."""

    round_trips: int = 0
    bytes_up: int = 0
    bytes_down: int = 0

    def plus(self, round_trips: int, bytes_up: int, bytes_down: int) -> Traffic:
        """Returns this and more."""
        return Traffic(self.round_trips + round_trips, self.bytes_up + bytes_up, self.bytes_down + bytes_down)


class World:
    """Everything that exists in the story.

    Args:
        folder: Where it all is; what an earlier run left there is removed.
        narrator: Tells what happens.

    Raises:
        FileExistsError: Something else is there.
    """

    def __init__(self, folder: Path, narrator: Narrator) -> None:
        self.folder = folder
        self.narrator = narrator
        self.checks = Checks(narrator)
        self.facts: dict[str, Any] = {}
        self.line: Talker | None = None
        self._talkers: dict[str, Talker] = {}
        self._through_hub = Traffic()
        if folder.exists() and any(folder.iterdir()) and not (folder / _UNITS).exists():
            raise FileExistsError(f"{folder} is not empty, and no demo has made it: choose another folder.")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / _UNITS).touch()
        self.processes = Processes(folder / "logs")
        names = [PROVINCE.folder, DISTRICT.folder, HUB.folder, ROGUE.folder, "line"]
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))

    def path(self, machine: Machine) -> Path:
        """Returns a machine's folder."""
        return self.folder / machine.folder

    def holder(self, machine: Machine) -> str:
        """Returns who unlocks a machine."""
        return machine.first if machine.officers else HOLDER

    def port(self, name: str) -> int:
        """Returns the port of a server, by its folder's name."""
        return self._ports[name]

    def address(self, name: str) -> str:
        """Returns the address of a server."""
        return f"http://{HOST}:{self._ports[name]}"

    def parents(self, machine: Machine) -> list[str]:
        """Returns whom a machine syncs with, in order."""
        names: dict[str, list[str]] = {
            DISTRICT.folder: [PROVINCE.folder],
            HUB.folder: [DISTRICT.folder],
            INTAKE_PC.folder: [HUB.folder, DISTRICT.folder],
            APPRAISER_PC.folder: [HUB.folder, DISTRICT.folder],
            ALONE.folder: ["line"],
        }
        return [self.address(name) for name in names.get(machine.folder, [])]

    # ---- servers

    def serve(self, machine: Machine) -> None:
        """Starts a machine's server."""
        where = ["--port", str(self.port(machine.folder))]
        if machine is HUB:
            arguments = [*command("onestop"), "hub", "--store", str(self.path(machine)), *where]
        else:
            holder = ["--holder", self.holder(machine)]
            above = [part for url in self.parents(machine) for part in ("--parent", url)]
            arguments = [
                *command("onestop-server"), "serve", "--folder", str(self.path(machine)), *where, *holder,
                *above, "--interval", _INTERVAL_S,
            ]  # fmt: skip
        self.processes.serve(machine.folder, arguments, self.port(machine.folder))

    def stop(self, machine: Machine) -> None:
        """Ends a machine's server."""
        self.processes.stop(machine.folder)

    def traffic(self) -> Traffic:
        """Returns what went over all wires until now: as the servers counted it, and a hub's machines."""
        found = self._through_hub
        for log in sorted((self.folder / "logs").glob("*.log")):
            for line in log.read_text(encoding="utf-8").splitlines():
                if '"event": "sync"' in line:
                    entry = json.loads(line)
                    found = found.plus(1, entry["bytes_in"], entry["bytes_out"])
        return found

    # ---- machines

    def tell(self, machine: Machine, job: str, *, label: str = "", **facts: Any) -> Any:
        """Has a machine do a job, and waits for it.

        Raises:
            JobFailed: It could not.
        """
        self.begin(machine, job, **facts)
        return self.end(machine, label)

    def begin(self, machine: Machine, job: str, **facts: Any) -> None:
        """Has a machine begin a job."""
        name = machine.folder
        if name not in self._talkers:
            program = [sys.executable, "-m", "demo.machine", str(self.path(machine))]
            self._talkers[name] = self.processes.talk(f"may-{name}", program)
        self._talkers[name].send(json.dumps({"job": job, **facts}, ensure_ascii=False))

    def end(self, machine: Machine, label: str = "") -> Any:
        """Waits for what a machine has begun."""
        return self._talkers[machine.folder].take(
            lambda done, total: self.narrator.progress(label or machine.title, done, total)
        )

    def both(self, machines: Iterable[Machine], job: str, **facts: Any) -> list[Any]:
        """Has several machines do the same job at the same time."""
        chosen = list(machines)
        for machine in chosen:
            self.begin(machine, job, **({"officer": machine.first} | facts))
        return [self.end(machine) for machine in chosen]

    def work(self, machine: Machine, role: str, steps: Sequence[Sequence[Any]]) -> list[str]:
        """Has the officer with a role take steps on dossiers."""
        found: list[str] = self.tell(machine, "work", officer=machine.who(role), steps=list(steps))
        return found

    def sync(self, machine: Machine) -> dict[str, Any]:
        """Has a machine sync with the first parent that answers.

        Raises:
            JobFailed: Nobody answered, or no good.
        """
        if machine in {HUB, DISTRICT}:
            self._let_relay(machine)
        found = self._synced(machine, _TRIES)
        if found["parent"] == self.address(HUB.folder):  # a hub keeps no log
            self._through_hub = self._through_hub.plus(
                found["round_trips"], found["bytes_up"], found["bytes_down"]
            )
        return found

    def _synced(self, machine: Machine, tries: int) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.tell(machine, "sync", officer=machine.first)
        except JobFailed as error:
            if error.code != "upstream_refused" or tries == 1:
                raise
            # The server of this machine, its relay, was syncing at the same moment with the same nonce.
            time.sleep(_AGAIN_S)
            return self._synced(machine, tries - 1)
        return found

    def _let_relay(self, machine: Machine) -> None:
        """Gives the relay of a server the time in which it passes on what has just come, by itself."""
        end = time.monotonic() + _RELAYING_S
        while time.monotonic() < end and self.tell(machine, "status", officer=machine.first)["unsent"]:
            time.sleep(0.05)

    def settle(self, online: Sequence[Machine] = ONLINE) -> int:
        """Syncs everybody, up and down again, until nothing moves any more.

        Args:
            online: Machines with a line, in the order from below to above.

        Returns:
            How many exchanges that took.
        """
        exchanges = 0
        for _ in range(_ROUNDS):
            moved = 0
            for machine in (*online, *reversed(online)):
                report = self.sync(machine)
                moved += report["sent"] + report["received"]
                exchanges += 1
            if not moved:
                break
        return exchanges

    def close(self) -> None:
        """Ends every process."""
        self._talkers.clear()
        self.processes.stop_all()

    # ---- commands

    def onestop(self, machine: Machine, *arguments: str, officer: str = "") -> Answer:
        """Runs the commune's command on a machine's store, with ``--json``."""
        who = ["--officer", officer or machine.first]
        return self._run(
            [*command("onestop"), *arguments, "--store", str(self.path(machine)), *who, "--json"]
        )

    def onestop_server(self, machine: Machine, *arguments: str) -> Answer:
        """Runs the administrator's command on a server's folder, with ``--json``."""
        holder = ["--holder", self.holder(machine)]
        folder = ["--folder", str(self.path(machine))]
        return self._run([*command("onestop-server"), *arguments, *folder, *holder, "--json"])

    def _run(self, arguments: Sequence[str]) -> Answer:
        done = subprocess.run(
            list(arguments), env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            encoding="utf-8", timeout=_COMMAND_S, check=False, start_new_session=True,
        )  # fmt: skip
        try:
            data = json.loads(done.stdout)
        except ValueError:
            data = None
        return Answer(done.returncode, data, done.stderr.strip() or done.stdout.strip())

    def done(self, answer: Answer) -> Any:
        """Returns what a command answered that had to succeed.

        Raises:
            RuntimeError: It did not.
        """
        if answer.code:
            raise RuntimeError(f"exit code {answer.code}: {answer.told}")
        return answer.data

    # ---- the beginning

    def write_units(self) -> Path:
        """Writes the tree of units for ``onestop-server init``."""
        path = self.folder / _UNITS
        rows = [
            {"id": u.id, "name": u.name, "parent": u.parent, "level": u.level, "codes": list(u.codes)}
            for u in UNITS
        ]
        path.write_text(json.dumps(rows, ensure_ascii=False, indent=2), encoding="utf-8")
        return path

    def enrol(self, machines: Sequence[Machine]) -> list[str]:
        """Enrols machines: their keys are made, the administrator approves, they take the answer.

        Returns:
            The fingerprint of the root key that each was told; all are the same.
        """
        files = self.folder / "dang-ky"
        files.mkdir(exist_ok=True)
        for machine in machines:
            officers = [[officer.name, list(officer.roles)] for officer in machine.officers]
            self.begin(
                machine, "make_keys", unit=machine.unit, title=machine.title, officers=officers,
                request=str(files / f"{machine.folder}.xin"),
            )  # fmt: skip
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            approving = []
            for machine in machines:
                self.end(machine)
                asked, answer = (files / f"{machine.folder}.{end}" for end in ("xin", "duyet"))
                approving.append((machine, answer, pool.submit(self.approve, machine, asked, answer)))
            for number, (machine, answer, approved) in enumerate(approving, 1):
                approved.result()
                self.begin(
                    machine, "take_answer", officer=machine.first, answer=str(answer),
                    parents=self.parents(machine),
                )  # fmt: skip
                self.narrator.progress("đăng ký máy / enrolling", number, len(machines))
        return [self.end(machine) for machine in machines]

    def approve(self, machine: Machine, request: Path, answer: Path) -> Any:
        """Has the province's administrator approve a request."""
        how = ["--serves", "--no-blocks"] if machine.serves else []
        if machine.blocks:
            how = ["--blocks", machine.blocks]
        return self.done(
            self.onestop_server(
                PROVINCE, "enrol", "approve", str(request), "--out", str(answer), "--yes", *how
            )
        )


ENROLLED: Final = (DISTRICT, HUB, INTAKE_PC, APPRAISER_PC, ALONE, REMOTE, ROGUE)
"""Everything but the province, in the order of enrolment."""

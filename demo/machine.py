"""One commune PC, or the PC of a district officer: a process of its own that does what it is told.

    python -m demo.machine FOLDER          passphrase in ONESTOP_PASSPHRASE

Each line on standard input is a job, `{"job": "take_in", "officer": "…", …}`; the answers are lines of
JSON: `{"progress": [done, total]}` any number of times, then `{"result": …}` or `{"error": code, …}`.
A person would use the screen; what is done here goes through the same desk (`commune_client.desk`), and
what the story shows goes through the command `onestop` on the same store.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commune_client.desk import Place
from onestop_sync.errors import OnestopError

if TYPE_CHECKING:
    from commune_client.desk import Desk
    from onestop_sync.keyring import Secrets

__all__ = ["Machine"]

Progress = Callable[[int, int], None]


class Machine:
    """The desks of one machine: one for each officer who works on it.

    Args:
        folder: The machine's folder.
        passphrase: Opens every officer's key; in an office, each has an own one.
        progress: Takes how far a job has got.
    """

    def __init__(self, folder: Path, passphrase: str, progress: Progress) -> None:
        self.place = Place(folder)
        self.passphrase = passphrase
        self.progress = progress
        self.keys: dict[str, Secrets] = {}
        self._desks: dict[str, Desk] = {}

    def secrets(self, officer: str) -> Secrets:
        """Returns an officer's keys, who signs in when they are asked for at the first time."""
        if officer not in self.keys:
            self.keys[officer] = self.place.secrets(officer, self.passphrase)
        return self.keys[officer]

    def desk(self, officer: str) -> Desk:
        """Returns the desk of an officer; all desks of a machine share its open store."""
        from commune_client.desk.desk import Desk, open_desk

        if not self._desks:
            self._desks[officer] = open_desk(self.place, self.secrets(officer))
        if officer not in self._desks:
            first = next(iter(self._desks.values()))
            self._desks[officer] = Desk(self.place, first.store, self.secrets(officer))
        return self._desks[officer]

    def each(self, items: list[Any]) -> Iterator[Any]:
        """Yields items, and tells how far it has got."""
        for done, item in enumerate(items, 1):
            yield item
            self.progress(done, len(items))

    def close(self) -> None:
        """Closes all desks, and the store behind them."""
        for desk in self._desks.values():
            desk.close()


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Does jobs until standard input ends."""
    from demo.jobs import JOBS

    machine = Machine(
        Path(arguments[0]),
        os.environ["ONESTOP_PASSPHRASE"],
        lambda done, total: _say({"progress": [done, total]}),
    )
    try:
        for line in sys.stdin:
            job = json.loads(line)
            try:
                _say({"result": JOBS[job.pop("job")](machine, **job)})
            except OnestopError as error:
                details = {key: str(value) for key, value in error.details.items()}
                _say({"error": error.code, "what": str(error), "details": details})
    finally:
        machine.close()


if __name__ == "__main__":
    main(sys.argv[1:])

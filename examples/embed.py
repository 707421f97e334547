"""A household survey, written offline on two tablets and synchronised through a server.

python examples/embed.py FOLDER
"""

import sys
import threading
from pathlib import Path
from queue import Queue

from onestop_sync import DocumentType, Field, Keyring, Parent, Secrets, Store, Unit, enrol, found, sync
from server_stub.serve import run

FIELDS = (Field("head"), Field("water"), Field("members", kind="set"), Field("remarks", kind="notes"))
SURVEY = DocumentType("household_survey", FIELDS)
UNITS = (Unit("office", "Survey office", "", "province"), Unit("team", "Team one", "office", "commune"))
PASSPHRASE = "for the example only"  # noqa: S105 - it is


def tablet(folder: Path, name: str, office: Store, admin: Secrets) -> tuple[Store, Secrets]:
    """Makes a tablet: it asks for its certificates, the office approves, and it takes the answer."""
    secrets = Keyring(folder / name).create(name, PASSPHRASE)
    officer = enrol.Applicant(name, secrets.officer, ["surveyor"])
    asked = enrol.request(secrets, "team", f"Tablet of {name}", [officer])
    answer = enrol.approve(office, admin.officer, asked)
    return enrol.accept(folder / name, secrets, answer, types=[SURVEY]), secrets


def main(folder: Path) -> None:
    """Plays it all, and prints what became of one house."""
    admin = Keyring(folder / "office").create("office", PASSPHRASE)
    office, _root_key_to_lock_away = found(folder / "office", admin, UNITS, types=[SURVEY])
    (lan, lans), (sen, sens) = (tablet(folder, name, office, admin) for name in ("Lan", "Sen"))
    lans_hand, sens_hand = lan.writer(lans.officer), sen.writer(sens.officer)
    house = lans_hand.create(SURVEY.name, {"head": "Nguyễn Văn An", "water": "river"})  # no network yet

    ports, stop = Queue[int](), threading.Event()
    threading.Thread(target=run, args=[office], kwargs={"on_ready": ports.put, "stop": stop}).start()
    parents = [Parent(f"http://127.0.0.1:{ports.get()}")]
    for store in (lan, sen):
        sync(store, parents)
    lans_hand.edit(house, {"water": "well", "members/Mai": True})  # both are offline again, at the same house
    sens_hand.edit(house, {"water": "spring", "members/Hùng": True})
    for store in (lan, sen, lan):
        sync(store, parents)
    found_here = lan.document(house)
    print("in conflict:", found_here.conflicts, found_here.state.registers["water"].values())
    sens_hand.resolve(house, "water", "spring", "Went there again and looked.")
    for store in (sen, lan):
        sync(store, parents)
    print("settled:", lan.document(house).value("water"))
    print("the same everywhere:", lan.digest() == sen.digest() == office.digest())
    stop.set()


if __name__ == "__main__":
    if sys.argv[1:] and Path(sys.argv[1], "office").exists():
        sys.exit("That folder holds the stores of an earlier run, untouched. Name a new folder.")
    main(Path(sys.argv[1])) if sys.argv[1:] else sys.exit(__doc__)

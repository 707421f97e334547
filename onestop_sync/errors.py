"""One hierarchy of errors; each says what happened, that nothing is lost, and what to do next.

    OnestopError
    ├── LocalError                 our side: the call, the machine or the store
    │   ├── InvalidInput           a value that cannot be stored as it is
    │   ├── NotAllowed             the officer may not do this here and now
    │   ├── NotFound               no such document, officer or parent
    │   ├── ClockSuspect           the machine's clock disagrees with what it has seen
    │   └── StoreError
    │       ├── StoreMissing       no store at that place
    │       ├── StoreExists        a store is there already
    │       ├── StoreBusy          another program holds the store for too long
    │       ├── StoreFull          the disk took no more
    │       ├── StoreFailing       the disk failed; this program writes nothing more
    │       ├── StoreDamaged       the file cannot be read
    │       ├── StoreTooNew        written by a newer version of this program
    │       ├── WrongPassphrase    it opens nothing
    │       ├── TooManyTries       wrong passphrases: the next try has to wait
    │       └── BackupFailed       a backup could not be written, or is not whole
    ├── UpstreamError              their side: parent, line or stick
    │   ├── Unreachable            nobody answered; the work is kept and will be sent
    │   ├── UpstreamRefused        the parent said no, with its reason
    │   ├── UpstreamMalformed      the answer is not one of this protocol
    │   ├── UpstreamRolledBack     the parent lost what it had acknowledged
    │   └── BundleRejected         the file is not a bundle for us
    └── FormatError                bytes that are not what they claim to be
        ├── SignatureInvalid       checked, and wrong
        └── SignatureUnchecked     could not be checked: the key is not here

Messages are English; ``code`` is stable, and user interfaces translate by it.
"""

from __future__ import annotations

from typing import ClassVar


class OnestopError(Exception):
    """Base of everything this library raises on purpose.

    Args:
        what: What happened, one sentence.
        todo: What to do next; the class's default when empty.
        details: Facts for the interface to show, never secrets or personal data.
    """

    code: ClassVar[str] = "error"
    default_todo: ClassVar[str] = "Report this with the log of the program."

    def __init__(self, what: str, *, todo: str = "", **details: object) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo or self.default_todo
        self.details = details

    def __str__(self) -> str:
        return f"{self.what} {self.todo}"


class LocalError(OnestopError):
    """Our side: the call, the machine or the store."""

    code = "local"


class InvalidInput(LocalError):
    """A value that cannot be stored as it is; nothing was changed."""

    code = "invalid_input"
    default_todo = "Nothing was changed. Correct the value and try again."


class NotAllowed(LocalError):
    """The officer may not do this here and now; ``details["reason"]`` is a reason code."""

    code = "not_allowed"
    default_todo = "Nothing was changed. Ask someone who holds the role, or reload the dossier."


class NotFound(LocalError):
    """No such document, officer or parent in this store."""

    code = "not_found"
    default_todo = "Check the code, or synchronise first."


class ClockSuspect(LocalError):
    """The machine's clock disagrees with the last event or statement."""

    code = "clock_suspect"
    default_todo = "Nothing was changed. Confirm today's date, or set the clock, and try again."


class StoreError(LocalError):
    """The store could not do its work; what was acknowledged is safe."""

    code = "store"
    default_todo = "What was saved before is safe. Close other programs and start again."


class StoreMissing(StoreError):
    """No store at that place."""

    code = "store_missing"
    default_todo = "Check the folder, or make a store with `onestop init`."


class StoreExists(StoreError):
    """A store is there already; it was left untouched."""

    code = "store_exists"
    default_todo = "It was left untouched. Choose another folder."


class StoreBusy(StoreError):
    """Another program holds the store for too long; nothing was written."""

    code = "store_busy"
    default_todo = "Nothing was changed. Try again in a moment."


class StoreFull(StoreError):
    """The disk took no more; nothing that was saved before is lost."""

    code = "store_full"
    default_todo = "What was saved before is safe. Free some space on the disk and save again."


class StoreFailing(StoreError):
    """The disk failed in the middle of a change; the program must be ended, and the change made again.

    What a disk holds after a failure is known only to who reads it again. So nothing is tried a second time:
    a program that was refused so writes nothing more.
    """

    code = "store_failing"
    default_todo = "What was saved before is safe. End this program, look after the disk, and start again."


class StoreDamaged(StoreError):
    """The file cannot be read as a store."""

    code = "store_damaged"
    default_todo = "Keep the file as it is, and restore the last backup into another folder."


class StoreTooNew(StoreError):
    """The store was written by a newer version of this program; it was left untouched."""

    code = "store_too_new"
    default_todo = "It was left untouched. Update this program."


class WrongPassphrase(StoreError):
    """The passphrase opens nothing."""

    code = "wrong_passphrase"
    default_todo = "Nothing was changed. Check Caps Lock and the typing mode, and try again."


class TooManyTries(StoreError):
    """Too many wrong passphrases; ``details["wait_s"]`` is how many seconds the next try has to wait."""

    code = "too_many_tries"
    default_todo = "Nothing was changed. Wait, and try again; a restart makes the wait no shorter."


class BackupFailed(StoreError):
    """A backup could not be written or read; ``details["reason"]`` says why. The store is as it was."""

    code = "backup_failed"
    default_todo = "The store is as it was. Check the stick or folder, and try again."


class UpstreamError(OnestopError):
    """Their side: parent, line or stick. The work is kept here."""

    code = "upstream"
    default_todo = "The work is kept here and will be sent later."


class Unreachable(UpstreamError):
    """Nobody answered, or the line broke; the work is kept and will be sent."""

    code = "unreachable"
    default_todo = "The work is kept here and will be sent when the line is back."


class UpstreamRefused(UpstreamError):
    """The parent answered no, with its reason; the work is kept."""

    code = "upstream_refused"
    default_todo = "The work is kept here. Ask the administrator of the parent."


class UpstreamMalformed(UpstreamError):
    """The answer is not one of this protocol: a wrong address, a proxy's page, a captive portal."""

    code = "upstream_malformed"
    default_todo = "The work is kept here. Check the server's address and the proxy."


class UpstreamRolledBack(UpstreamError):
    """The parent no longer has what it had acknowledged; it will be sent again."""

    code = "upstream_rolled_back"
    default_todo = "Everything is kept here and is sent again. Tell the administrator of the parent."


class BundleRejected(UpstreamError):
    """The file is not a bundle, is damaged, or is sealed to somebody else; nothing was imported."""

    code = "bundle_rejected"
    default_todo = "Nothing was imported. Check that it is the right stick, and export again."


class FormatError(OnestopError):
    """Bytes that are not what they claim to be; they take no effect."""

    code = "format"
    default_todo = "Nothing was changed. Fetch the data again from its source."


class SignatureInvalid(FormatError):
    """The signature was checked, and it is wrong: the bytes were changed or forged."""

    code = "signature_invalid"


class SignatureUnchecked(FormatError):
    """The signature could not be checked because the key is not here (yet)."""

    code = "signature_unchecked"
    default_todo = "Synchronise, so that the certificate arrives, and try again."

"""What comes down from the province's root: a TUF repository, as one value that stores and sticks carry.

    1.root.json 2.root.json …   who may sign what; each new one is signed by a threshold of the one before
    timestamp.json              the newest snapshot; its version is the publication's
    snapshot.json targets.json  which files belong together
    target/NAME                 the files: ``trust`` (see `trust_document`), catalogue, holidays, profiles

The files are checked by the library ``tuf``, once, when they arrive (`Publication.updated`): by whom they
are, that no version goes back, and that they belong together. They are mirrored unchanged.

Expiry is no verdict here. A PC that was offline for months must learn of a revocation even when what a stick
brings is past its date, and a clock that is years off must not stop it: newer is better than older, whatever
the date. What has expired is shown, and limits what may be started (`Publication.expires_ms`).

Source: The Update Framework specification 1.0.34, section 5; docs/decisions/0018-publication.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from onestop_sync import codec
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.strict_json import read_json
from onestop_sync.trust_document import TrustDocument

if TYPE_CHECKING:
    from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet

__all__ = [
    "MAX_FILE_BYTES",
    "TARGET",
    "TRUST",
    "Incomplete",
    "Publication",
    "anchor_of",
    "check_files",
    "parse_files",
    "root_name",
]

TRUST: Final = "trust"
"""Name of the target that holds the `TrustDocument`."""
TARGET: Final = "target/"
_TIMESTAMP: Final = "timestamp.json"
_SNAPSHOT: Final = "snapshot.json"
_TARGETS: Final = "targets.json"
_MAX_FILES: Final = 300
MAX_FILE_BYTES: Final = 4 * 2**20
_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
"""The time by which nothing has expired."""


def root_name(version: int) -> str:
    """Returns the name of a version of the root's metadata."""
    return f"{version}.root.json"


def anchor_of(first_root: bytes) -> bytes:
    """Returns what a machine trusts from the start: the SHA-256 of the first root metadata, 32 bytes.

    Its fingerprint (`keys.fingerprint`) is what two people compare.
    """
    return hashlib.sha256(first_root).digest()


class Incomplete(FormatError):
    """Files are missing that the new version needs.

    Attributes:
        names: Which.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__("A publication lacks some of its files.")


class Publication:
    """One accepted version of what the province publishes.

    Attributes:
        version: Counts up with everything that is published.
        expiries: Until when the ``root``, ``timestamp``, ``snapshot`` and ``targets`` are current,
            milliseconds since 1970 UTC.
        expires_ms: The earliest of these.
        document: The trust document.

    Args:
        files: Name → bytes, as in the module's description. They are believed: use `check` or `updated` for
            what came from outside.

    Raises:
        FormatError: Not a publication.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files: Mapping[str, bytes] = dict(files)
        try:
            self.version = int(self._signed(_TIMESTAMP)["version"])
            roles = {
                "root": self.root_name,
                "timestamp": _TIMESTAMP,
                "snapshot": _SNAPSHOT,
                "targets": _TARGETS,
            }
            self.expiries = {role: _to_ms(self._signed(name)["expires"]) for role, name in roles.items()}
            self.expires_ms = min(self.expiries.values())
            self.document = TrustDocument.from_bytes(self.files[TARGET + TRUST])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError("The publication is malformed.") from error

    @property
    def root_version(self) -> int:
        """The newest version of the root's metadata that is here."""
        return sum(name.endswith(".root.json") for name in self.files)

    @property
    def rank(self) -> tuple[int, int]:
        """What is newer than what: first the root, then the version.

        Whoever stole the publishing key may have counted as high as they liked; the next root ends that.
        """
        return self.root_version, self.version

    @property
    def root_name(self) -> str:
        """Its name."""
        return root_name(self.root_version)

    def target(self, name: str) -> bytes | None:
        """Returns a published file; ``None`` when there is none of that name."""
        return self.files.get(TARGET + name)

    @property
    def targets(self) -> dict[str, bytes]:
        """All published files by their names."""
        return {n.removeprefix(TARGET): data for n, data in self.files.items() if n.startswith(TARGET)}

    def _signed(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.files[name])["signed"]
        return found

    # ---- bytes

    @cached_property
    def data(self) -> bytes:
        """The publication as one value."""
        return codec.encode(dict(self.files))

    @classmethod
    def parse(cls, data: bytes) -> Publication:
        """Reads what this machine itself has stored; nothing is checked.

        Raises:
            FormatError: Not a publication.
        """
        return cls(parse_files(data))

    @classmethod
    def check(cls, data: bytes, anchor: bytes) -> Publication:
        """Reads and checks a whole publication.

        Args:
            data: As `data` gave it.
            anchor: See `anchor_of`.

        Raises:
            SignatureInvalid: Not this province's, or changed on the way.
            FormatError: Malformed, or not whole.
        """
        files = parse_files(data)
        first = files.get(root_name(1))
        if first is None or anchor_of(first) != anchor:
            raise SignatureInvalid("The publication is not by this province's root.")
        return _checked(None, files)

    @classmethod
    def check_part(cls, data: bytes, anchor: bytes) -> Publication:
        """Does the same with a part: files may be missing that the metadata names, except `TRUST`.

        For who proves something by it (`evidence`); nobody keeps or forwards it.
        """
        files = parse_files(data)
        first = files.get(root_name(1))
        if first is None or anchor_of(first) != anchor:
            raise SignatureInvalid("The publication is not by this province's root.")
        return _checked(None, files, is_part=True)

    def part(self, names: Iterable[str]) -> bytes:
        """Returns all metadata and some of the published files, for `check_part`."""
        return codec.encode(dict(self.newer_than(0, [TARGET + name for name in (TRUST, *names)])))

    def updated(self, files: Mapping[str, bytes]) -> Publication:
        """Returns the publication with newer files; this one when they are not newer.

        Args:
            files: The newer metadata and what of the targets is new.

        Raises:
            SignatureInvalid: A file is not signed by who may sign it, goes back, or does not belong here.
            Incomplete: Targets are missing.
            FormatError: Malformed.
        """
        if _rank_of(files, self.root_version) <= self.rank:
            return self  # an old stick, or a parent that has not heard of it yet: nothing to learn
        return _checked(self, files)

    def newer_than(self, root_version: int, wanted: Iterable[str] = ()) -> dict[str, bytes]:
        """Returns the metadata, the roots after a version, and the wanted targets: what an older one lacks.

        Args:
            root_version: The newest root that the other side has.
            wanted: Names of targets (``target/NAME``).
        """
        names = [
            *map(root_name, range(max(root_version, 0) + 1, self.root_version + 1)),
            _TIMESTAMP, _SNAPSHOT, _TARGETS, *(n for n in wanted if n.startswith(TARGET)),
        ]  # fmt: skip
        return {name: self.files[name] for name in names if name in self.files}


def parse_files(data: bytes) -> dict[str, bytes]:
    """Reads the files of a publication, or of a part of one.

    Raises:
        FormatError: Malformed, or more than any publication has.
    """
    try:
        value = codec.decode(data)
    except FormatError as error:
        raise FormatError("This is not a publication, or it was damaged on its way.") from error
    return check_files(value)


def check_files(value: object) -> dict[str, bytes]:
    """Returns a decoded map of files.

    Raises:
        FormatError: It is none, or more than any publication has.
    """
    if not isinstance(value, dict) or len(value) > _MAX_FILES:
        raise FormatError("The publication is malformed.")
    for name, data in value.items():
        if not isinstance(name, str) or not isinstance(data, bytes) or len(data) > MAX_FILE_BYTES:
            raise FormatError("The publication is malformed.")
    return value


def _rank_of(files: Mapping[str, bytes], root: int) -> tuple[int, int]:
    """Returns the rank that files claim over a root that is held; whether it is true is not checked."""
    root = 0 if root_name(1) in files else root  # a whole publication says itself how far its roots go
    while root_name(root + 1) in files:
        root += 1
    try:
        return root, int(read_json(files[_TIMESTAMP])["signed"]["version"])
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError("The publication is malformed.") from error


def _checked(held: Publication | None, files: Mapping[str, bytes], *, is_part: bool = False) -> Publication:
    """Walks through the client's workflow of the TUF specification, without a clock."""
    # Imported when something new has come, and not at every start: it takes 40 ms.
    from securesystemslib.exceptions import StorageError
    from tuf.api.exceptions import RepositoryError

    try:
        trusted = _start(held, files)
        trusted.update_timestamp(files[_TIMESTAMP])
        return _finish(trusted, held, files, is_part=is_part)
    except KeyError as error:
        raise FormatError("A publication lacks some of its metadata.") from error
    except (RepositoryError, StorageError, ValueError) as error:
        raise SignatureInvalid(f"The publication does not check: {error}.") from error


def _start(held: Publication | None, files: Mapping[str, bytes]) -> TrustedMetadataSet:
    """Returns what is trusted before anything new is: the newest root, and what is held."""
    from tuf.api.exceptions import RepositoryError
    from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
    from tuf.ngclient.config import EnvelopeType

    version = held.root_version if held else 1
    first = held.files[held.root_name] if held else files[root_name(1)]
    trusted = TrustedMetadataSet(first, EnvelopeType.METADATA)
    trusted.reference_time = _LONG_AGO
    while (data := files.get(root_name(version + 1))) is not None:
        trusted.update_root(data)
        version += 1
    if held is not None:
        try:
            trusted.update_timestamp(held.files[_TIMESTAMP])
        except RepositoryError:
            # A new root ended the old key: its timestamps count no more, and no longer hold us back
            # (specification, 5.3.11).
            return trusted
    return trusted


def _finish(
    trusted: TrustedMetadataSet, held: Publication | None, files: Mapping[str, bytes], *, is_part: bool
) -> Publication:
    from tuf.api.exceptions import RepositoryError

    if held is not None:
        with suppress(
            RepositoryError
        ):  # the new timestamp names a newer one; this one still holds it to account
            trusted.update_snapshot(held.files[_SNAPSHOT], trusted=True)
    trusted.update_snapshot(files[_SNAPSHOT])
    targets = trusted.update_targets(files[_TARGETS])
    found: dict[str, bytes] = {}
    missing: list[str] = []
    for name, info in targets.targets.items():
        data = _find(TARGET + name, info, held, files)
        if data is None:
            missing.append(TARGET + name)
        else:
            found[TARGET + name] = data
    # Of a part, a file that is there and is not as the metadata says was changed: that is not passed over.
    if missing and (not is_part or TARGET + TRUST in missing or not files.keys().isdisjoint(missing)):
        raise Incomplete(missing)
    roots = {n: d for n, d in {**(held.files if held else {}), **files}.items() if n.endswith(".root.json")}
    metadata = {name: files[name] for name in (_TIMESTAMP, _SNAPSHOT, _TARGETS)}
    return Publication({**_in_a_row(roots, trusted.root.version), **metadata, **found})


def _in_a_row(roots: Mapping[str, bytes], newest: int) -> dict[str, bytes]:
    return {name: roots[name] for name in map(root_name, range(1, newest + 1))}


def _find(name: str, info: Any, held: Publication | None, files: Mapping[str, bytes]) -> bytes | None:
    """Returns a target that is as the metadata says: the new one, or the one that is held."""
    from tuf.api.exceptions import LengthOrHashMismatchError

    for source in (files, held.files if held else {}):
        data = source.get(name)
        if data is not None:
            try:
                info.verify_length_and_hashes(data)
            except LengthOrHashMismatchError:
                continue
            return data
    return None


def _to_ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp() * 1000)

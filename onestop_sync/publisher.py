"""Making what comes down from the province's root: publications, and new versions of the root.

    anchor, first = publisher.found(roots, 2, online, document, now_ms=now_ms())
    later = publisher.publish(Publication.parse(first), online, document=changed, now_ms=now_ms())

The root keys are offline: they sign the root's metadata alone, at the founding and at a rotation, each where
its holder is (`draft_root`, `sign_root`, `finish_root`). The online key signs everything else.

Source: The Update Framework specification 1.0.34, sections 4 and 6; docs/decisions/0018-publication.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, cast

from onestop_sync import keys
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed
from onestop_sync.publication import TARGET, TRUST, Publication, anchor_of, root_name
from onestop_sync.trust_document import TrustDocument

if TYPE_CHECKING:
    from securesystemslib.signer import Signature, SSlibKey
    from tuf.api.metadata import Metadata, Root

__all__ = [
    "LIFETIMES",
    "Lifetimes",
    "draft_root",
    "finish_root",
    "found",
    "publish",
    "rotate",
    "sign_root",
    "signers_of",
]

_ROLES: Final = ("targets", "snapshot", "timestamp")
SPEC: Final = "1.0.34"


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """When what is published expires, days; what has expired is used on, with a banner.

    Attributes:
        root: Of the root's metadata.
        targets: Of the list of files.
        timestamp: Of the newest version: how long a machine believes that it has seen the newest.
    """

    root: int = 3 * 365
    targets: int = 400
    timestamp: int = 60


LIFETIMES: Final = Lifetimes()


def found(
    roots: Sequence[keys.Signer],
    threshold: int,
    online: keys.Signer,
    document: TrustDocument,
    *,
    now_ms: int,
    files: Mapping[str, bytes] | None = None,
    lifetimes: Lifetimes = LIFETIMES,
) -> tuple[bytes, bytes]:
    """Makes the first publication.

    Args:
        roots: The root keys.
        threshold: How many of them must sign a new root.
        online: The key that signs everything but the root.
        document: The first trust document.
        now_ms: Milliseconds since 1970 UTC.
        files: Further files to publish, by name.
        lifetimes: When what is published expires.

    Returns:
        The anchor that machines trust, 32 bytes, and the publication.

    Raises:
        InvalidInput: There are fewer keys than the threshold, or the document's tree is wrong.
    """
    draft = _draft(1, [r.public for r in roots], threshold, online.public, now_ms, lifetimes)
    for root in roots:
        draft = sign_root(draft, root)
    first = finish_root(draft, None)
    targets = {TRUST: document.to_bytes(), **(files or {})}
    made = _signed({root_name(1): first}, targets, 1, 1, online, now_ms, lifetimes)
    return anchor_of(first), made.data


def publish(
    held: Publication,
    online: keys.Signer,
    *,
    now_ms: int,
    document: TrustDocument | None = None,
    files: Mapping[str, bytes | None] | None = None,
    lifetimes: Lifetimes = LIFETIMES,
) -> bytes:
    """Makes the next publication; with nothing new, the same one with later dates.

    Args:
        held: The newest one.
        online: The online key that its root names.
        now_ms: Milliseconds since 1970 UTC.
        document: The new trust document.
        files: Files that are new or changed, by name; ``None`` removes one.
        lifetimes: When what is published expires.

    Raises:
        InvalidInput: The document is not newer than the held one, or its tree is wrong.
        NotAllowed: The root does not name that key.
    """
    targets = held.targets
    if document is not None:
        if document.version <= held.document.version:
            raise InvalidInput("The trust document is not newer than the one that is published.")
        targets[TRUST] = document.to_bytes()
    for name, data in (files or {}).items():
        if data is None:
            targets.pop(name, None)
        else:
            targets[name] = data
    if TRUST not in targets:
        raise InvalidInput("The trust document cannot be removed.")
    if online.public not in signers_of(held, "timestamp"):
        raise NotAllowed(
            "The root does not name this key for publishing.",
            todo="Nothing was published. Use the online key of the newest root, or rotate.",
        )
    roots = {name: data for name, data in held.files.items() if name.endswith(".root.json")}
    version = _version(held, "targets.json") + 1
    made = _signed(roots, targets, version, held.version + 1, online, now_ms, lifetimes)
    return held.updated(made.files).data


def _version(held: Publication, name: str) -> int:
    return int(held._signed(name)["version"])  # noqa: SLF001


def signers_of(held: Publication, role: str) -> list[bytes]:
    """Returns the Ed25519 keys that the newest root names for a role (``root``, ``timestamp``, …)."""
    from tuf.api.metadata import Metadata, Root

    root = Metadata[Root].from_bytes(held.files[held.root_name]).signed
    return [bytes.fromhex(root.keys[i].keyval["public"]) for i in root.roles[role].keyids]


# ------------------------------------------------------------------------------------------- the root


def draft_root(
    held: Publication,
    roots: Sequence[bytes],
    threshold: int,
    online: bytes,
    *,
    now_ms: int,
    lifetimes: Lifetimes = LIFETIMES,
) -> bytes:
    """Makes the next version of the root's metadata, unsigned.

    Args:
        held: The newest publication.
        roots: The root's public keys from now on.
        threshold: How many of them must sign from now on.
        online: The online key from now on.
        now_ms: Milliseconds since 1970 UTC.
        lifetimes: When it expires.

    Raises:
        InvalidInput: There are fewer keys than the threshold.
    """
    return _draft(held.root_version + 1, roots, threshold, online, now_ms, lifetimes)


def sign_root(draft: bytes, signer: keys.Signer) -> bytes:
    """Returns a draft with one more signature; a second one by the same key changes nothing.

    Raises:
        FormatError: Not a draft of the root's metadata.
    """
    metadata = _read_root(draft)
    metadata.sign(cast(Any, _Signer(signer)), append=True)
    return metadata.to_bytes()


def finish_root(draft: bytes, held: Publication | None) -> bytes:
    """Returns a draft that is signed as it must be: by a threshold of the old keys, and of the new ones.

    Args:
        draft: The signed draft.
        held: The newest publication; ``None`` for the first root.

    Raises:
        NotAllowed: Signatures are missing.
        FormatError: Not a draft of the root's metadata.
    """
    metadata = _read_root(draft)
    from tuf.api.exceptions import UnsignedMetadataError

    try:
        if held is not None:
            _read_root(held.files[held.root_name]).signed.verify_delegate(
                "root", metadata.signed_bytes, metadata.signatures
            )
        metadata.signed.verify_delegate("root", metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError as error:
        raise NotAllowed(
            "The new root lacks signatures.",
            todo="Nothing was published. Have further holders of root keys sign the draft.",
        ) from error
    return metadata.to_bytes()


def rotate(
    held: Publication, root: bytes, online: keys.Signer, *, now_ms: int, lifetimes: Lifetimes = LIFETIMES
) -> bytes:
    """Publishes a new root.

    Args:
        held: The newest publication.
        root: The new root, from `finish_root`.
        online: The online key that the new root names.
        now_ms: Milliseconds since 1970 UTC.
        lifetimes: When the rest expires.

    Raises:
        NotAllowed: The new root does not name that key.
        FormatError: The root does not follow the held one.
    """
    found = _read_root(root).signed
    if found.version != held.root_version + 1:
        raise FormatError("The new root does not follow the one that is published.")
    if online.public.hex() not in {found.keys[i].keyval["public"] for i in found.roles["timestamp"].keyids}:
        raise NotAllowed("The new root does not name this key for publishing.")
    roots = {name: data for name, data in held.files.items() if name.endswith(".root.json")}
    roots[root_name(found.version)] = root
    version = _version(held, "targets.json") + 1
    made = _signed(roots, held.targets, version, held.version + 1, online, now_ms, lifetimes)
    return held.updated(made.files).data


def _draft(
    version: int, roots: Sequence[bytes], threshold: int, online: bytes, now_ms: int, lifetimes: Lifetimes
) -> bytes:
    from tuf.api.metadata import Metadata, Root

    if not 0 < threshold <= len(set(roots)):
        raise InvalidInput(f"{threshold} signatures are wanted of {len(set(roots))} root keys.")
    root = Root(version, SPEC, _after(now_ms, lifetimes.root), consistent_snapshot=False)
    for public in dict.fromkeys(roots):
        root.add_key(_tuf_key(public), "root")
    root.roles["root"].threshold = threshold
    for role in _ROLES:
        root.add_key(_tuf_key(online), role)
    return Metadata(root).to_bytes()


def _read_root(data: bytes) -> Metadata[Root]:
    from tuf.api.exceptions import RepositoryError
    from tuf.api.metadata import Metadata, Root

    try:
        found = Metadata[Root].from_bytes(data)
    except (RepositoryError, ValueError) as error:
        raise FormatError("The file is not a root of this kind.") from error
    if not isinstance(found.signed, Root):
        raise FormatError("The file is not a root of this kind.")
    return found


# ------------------------------------------------------------------------------------------- everything else


def _signed(
    roots: Mapping[str, bytes],
    targets: Mapping[str, bytes],
    version: int,
    timestamp_version: int,
    online: keys.Signer,
    now_ms: int,
    lifetimes: Lifetimes,
) -> Publication:
    from tuf.api.metadata import (
        Metadata,
        MetaFile,
        Snapshot,
        TargetFile,
        Targets,
        Timestamp,
    )

    long, short = _after(now_ms, lifetimes.targets), _after(now_ms, lifetimes.timestamp)
    listed = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in sorted(targets.items())}
    signer = _Signer(online)
    lists = _sign(Metadata(Targets(version, SPEC, long, targets=listed)), signer)
    snapshot = _sign(
        Metadata(Snapshot(version, SPEC, long, meta={"targets.json": MetaFile(version)})), signer
    )
    newest = MetaFile.from_data(version, snapshot, ["sha256"])
    stamp = _sign(Metadata(Timestamp(timestamp_version, SPEC, short, snapshot_meta=newest)), signer)
    return Publication({
        **roots, "timestamp.json": stamp, "snapshot.json": snapshot, "targets.json": lists,
        **{TARGET + name: data for name, data in targets.items()},
    })  # fmt: skip


def _sign(metadata: Any, signer: _Signer) -> bytes:
    metadata.sign(signer)
    data: bytes = metadata.to_bytes()
    return data


def _after(now_ms: int, days: int) -> datetime:
    return datetime.fromtimestamp(now_ms // 1000, UTC).replace(microsecond=0) + timedelta(days=days)


def _tuf_key(public: bytes) -> SSlibKey:
    from securesystemslib.signer import SSlibKey

    keyid = sha256(b"ed25519" + public).hexdigest()
    return SSlibKey(keyid, "ed25519", "ed25519", {"public": public.hex()})


class _Signer:
    """Our signer as the library wants it."""

    def __init__(self, signer: keys.Signer) -> None:
        self._signer = signer
        self.public_key = _tuf_key(signer.public)

    def sign(self, payload: bytes) -> Signature:
        from securesystemslib.signer import Signature

        return Signature(self.public_key.keyid, self._signer.sign(payload).hex())

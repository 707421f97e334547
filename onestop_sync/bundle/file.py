"""The file of a bundle: who may open it, and nothing else, can be read from it.

    file = MAGIC, size of head (4 bytes, big-endian), head, body
    head = [1, province, sender, size of body, [[recipient, sealed key], …]]

The body is sealed once, by ChaCha20-Poly1305 under a key of its own (nonce zero, what stands before the body
as associated data); that key is sealed to each recipient by HPKE (RFC 9180: X25519, HKDF-SHA256,
ChaCha20-Poly1305). Province, sender and recipient are the first 8 bytes of a SHA-256: enough to tell a stick
that is not for us from one that is damaged, and no name of anybody.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from onestop_sync import codec
from onestop_sync.errors import BundleRejected, FormatError, Unreachable
from onestop_sync.keys import seal_public_key

__all__ = ["MAX_FILE_BYTES", "Envelope", "hint", "open_body", "parse", "read", "seal", "write"]

MAGIC: Final = b"ONESTOP-BUNDLE\n"
VERSION: Final = 1
HINT_BYTES: Final = 8
KEY_BYTES: Final = 32
MAX_FILE_BYTES: Final = 64 * 2**20
"""Largest bundle, in bytes of the file."""
_MAX_HEAD_BYTES: Final = 256 * 1024
_TAG_BYTES: Final = 16
_NONCE: Final = bytes(12)
_INFO: Final = b"onestop/bundle/1 key"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_COPY: Final = "Nothing was imported. Copy the file again, or make a new bundle."


class Envelope(NamedTuple):
    """What can be read of a bundle without opening it.

    Attributes:
        province: Hint of the root key.
        sender: Hint of the machine log that made it.
        keys: Hint of a recipient's seal key → the content key, sealed to it.
        head: The bytes before the body.
        body: The sealed body.
    """

    province: bytes
    sender: bytes
    keys: dict[bytes, bytes]
    head: bytes
    body: bytes


def hint(kind: str, value: bytes) -> bytes:
    """Returns eight bytes by which somebody who knows ``value`` recognises it."""
    return hashlib.sha256(b"onestop " + kind.encode() + b"\0" + value).digest()[:HINT_BYTES]


def seal(
    plain: bytes, *, root: bytes, sender: bytes, recipients: Iterable[bytes], content_key: bytes
) -> tuple[bytes, list[bytes]]:
    """Seals a bundle.

    Args:
        plain: What is to be sealed.
        root: The province's root key.
        sender: Log of the machine that makes it.
        recipients: X25519 public keys.
        content_key: 32 fresh random bytes.

    Returns:
        The file, and the recipients that can open it: a key that is no point of the curve is left out.
    """
    sealed: dict[bytes, bytes] = {}
    able: list[bytes] = []
    for public in sorted(set(recipients)):
        with contextlib.suppress(ValueError):
            key = X25519PublicKey.from_public_bytes(public)
            sealed[hint("seal", public)] = _SUITE.encrypt(content_key, key, _INFO)
            able.append(public)
    rows = [[who, key] for who, key in sorted(sealed.items())]
    size = len(plain) + _TAG_BYTES
    head = codec.encode([VERSION, hint("root", root), hint("machine", sender), size, rows])
    before = MAGIC + len(head).to_bytes(4, "big") + head
    return before + ChaCha20Poly1305(content_key).encrypt(_NONCE, plain, before), able


def parse(data: bytes) -> Envelope:
    """Reads a file's head.

    Raises:
        BundleRejected: ``reason`` is ``not_bundle``, ``newer``, ``partial`` or ``damaged``.
    """
    if not data.startswith(MAGIC):
        if data and MAGIC.startswith(data):
            raise _partial()
        raise BundleRejected("The file is not a bundle.", reason="not_bundle")
    start = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC) : start], "big")
    if size > _MAX_HEAD_BYTES:
        raise _damaged()
    if len(data) < start + size:
        raise _partial()
    try:
        province, sender, body_size, keys = _head(codec.decode(data[start : start + size]))
    except FormatError as error:
        raise _damaged() from error
    body = data[start + size :]
    if len(body) < body_size:
        raise _partial()
    if len(body) > body_size:
        raise _damaged()
    return Envelope(province, sender, keys, data[: start + size], body)


def _head(value: Any) -> tuple[bytes, bytes, int, dict[bytes, bytes]]:
    match value:
        case [1, bytes(province), bytes(sender), int(size), list(rows)] if size >= _TAG_BYTES:
            return province, sender, size, dict(map(_row, rows))
        case [int(version), *_] if version > VERSION:
            raise BundleRejected(
                "The bundle was made by a newer version of this program.",
                todo="Nothing was imported. Update this program.",
                reason="newer",
            )
    raise FormatError("The head of a bundle is malformed.")


def _row(value: Any) -> tuple[bytes, bytes]:
    match value:
        case [bytes(who), bytes(key)]:
            return who, key
    raise FormatError("The head of a bundle is malformed.")


def open_body(envelope: Envelope, seal_seed: bytes) -> bytes:
    """Opens a bundle.

    Args:
        envelope: What `parse` returned.
        seal_seed: Seed of this machine's X25519 key.

    Raises:
        BundleRejected: ``reason`` is ``other`` (sealed to others) or ``damaged``.
    """
    sealed = envelope.keys.get(hint("seal", seal_public_key(seal_seed)))
    if sealed is None:
        raise BundleRejected("The bundle is sealed to other machines.", reason="other")
    try:
        content_key = _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(seal_seed), _INFO)
        return ChaCha20Poly1305(content_key).decrypt(_NONCE, envelope.body, envelope.head)
    except (InvalidTag, ValueError) as error:
        raise _damaged() from error


def _partial() -> BundleRejected:
    return BundleRejected("The bundle was not copied to its end.", todo=_COPY, reason="partial")


def _damaged() -> BundleRejected:
    return BundleRejected("The bundle is damaged.", todo=_COPY, reason="damaged")


def read(path: Path) -> bytes:
    """Reads a file whole, up to `MAX_FILE_BYTES`.

    Raises:
        BundleRejected: ``reason`` is ``unreadable`` or ``too_large``.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BundleRejected(
            f"The file cannot be read: {error.strerror or type(error).__name__}.",
            todo="Nothing was imported. Check the path and the stick.",
            reason="unreadable",
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise BundleRejected("The file is larger than any bundle.", reason="too_large")
    return data


def write(path: Path, data: bytes) -> None:
    """Writes a file so that its name stands for all of it or is not there; reads it back before that.

    Raises:
        Unreachable: ``reason`` is ``stick``: it took it not, or gives back something else.
    """
    draft = path.with_name(path.name + ".part")
    try:
        _write_and_compare(draft, data)
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise Unreachable(
            f"The bundle could not be written: {error.strerror or error}.",
            todo="The work is kept here. Check that the stick is there and not full, and try again.",
            reason="stick",
        ) from error


def _write_and_compare(draft: Path, data: bytes) -> None:
    with draft.open("w+b") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):  # ask the stick, not the memory of what was written to it
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if draft.read_bytes() != data:
        raise OSError("what was read back is not what was written")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some file systems of sticks cannot; the file itself is down already.
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)

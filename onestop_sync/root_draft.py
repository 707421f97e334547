"""A new version of the root, while its signatures are collected: one file that goes from holder to holder.

    draft = RootDraft.make(store.publication, roots, 2, online, now_ms=…)
    for line in draft.words: print(line)             at each holder, on a machine without a network
    draft = RootDraft.parse(data).sign(root_key)
    root = draft.finish()                            refuses with whose signatures are missing

The file holds the roots before it as well, from the first one on, so that a holder who knows nothing but the
province's fingerprint is shown what changes, and by whose word. Roots that do not follow from each other are
refused when the file is read.

Source: The Update Framework specification 1.0.34, section 6.1; docs/decisions/0026-root-ceremony.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cached_property
from typing import Final, NamedTuple

from onestop_sync import codec, keys, publisher
from onestop_sync.errors import FormatError, NotAllowed, SignatureInvalid
from onestop_sync.publication import Publication, anchor_of, root_name
from onestop_sync.strict_json import read_json

__all__ = ["RootDraft", "RootFacts", "read_root"]

_KIND: Final = "root draft"
_VIETNAM: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


class RootFacts(NamedTuple):
    """What a version of the root says.

    Attributes:
        version: Counts up by one.
        expires_ms: Until when it is current, milliseconds since 1970 UTC.
        keys: The root's Ed25519 public keys, in the order in which people number them from 1.
        threshold: How many of them must sign the next version.
        online: The key that publishes everything else.
    """

    version: int
    expires_ms: int
    keys: tuple[bytes, ...]
    threshold: int
    online: bytes


def read_root(data: bytes) -> RootFacts:
    """Reads a version of the root's metadata; its signatures are not checked.

    Raises:
        FormatError: It is none.
    """
    try:
        signed = read_json(data)["signed"]
        named = {i: bytes.fromhex(key["keyval"]["public"]) for i, key in signed["keys"].items()}
        role = signed["roles"]["root"]
        expires = datetime.strptime(signed["expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        online = named[signed["roles"]["timestamp"]["keyids"][0]]
        roots = tuple(named[i] for i in role["keyids"])
        return RootFacts(
            int(signed["version"]), int(expires.timestamp() * 1000), roots, int(role["threshold"]), online
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FormatError("The file is not a root of this kind.") from error


@dataclass(frozen=True)
class RootDraft:
    """A new root that waits for signatures.

    Attributes:
        roots: The published versions before it, from the first one on.
        root: The new version's metadata, with the signatures so far.
    """

    roots: tuple[bytes, ...]
    root: bytes

    @classmethod
    def make(
        cls,
        held: Publication,
        roots: Sequence[bytes],
        threshold: int,
        online: bytes,
        *,
        now_ms: int,
        lifetimes: publisher.Lifetimes = publisher.LIFETIMES,
    ) -> RootDraft:
        """Makes a draft that nobody has signed.

        Args:
            held: The newest publication.
            roots: The root's public keys from now on.
            threshold: How many of them must sign from now on.
            online: The publishing key from now on.
            now_ms: Milliseconds since 1970 UTC.
            lifetimes: When it expires.

        Raises:
            InvalidInput: There are fewer keys than the threshold.
        """
        before = tuple(held.files[root_name(n)] for n in range(1, held.root_version + 1))
        return cls(
            before, publisher.draft_root(held, roots, threshold, online, now_ms=now_ms, lifetimes=lifetimes)
        )

    @classmethod
    def parse(cls, data: bytes) -> RootDraft:
        """Reads a draft from a file.

        Raises:
            FormatError: Not a draft.
            SignatureInvalid: The published roots in it do not follow from each other.
        """
        match codec.decode(data):
            case [1, str(kind), list(roots), bytes(root)] if (
                kind == _KIND and roots and all(isinstance(each, bytes) for each in roots)
            ):
                found = cls(tuple(roots), root)
            case _:
                raise FormatError("The file is not a draft of a new root.")
        found._check()
        return found

    def _check(self) -> None:
        from tuf.api.exceptions import RepositoryError
        from tuf.api.metadata import Metadata, Root
        from tuf.ngclient._internal.trusted_metadata_set import TrustedMetadataSet
        from tuf.ngclient.config import EnvelopeType

        try:
            trusted = TrustedMetadataSet(self.roots[0], EnvelopeType.METADATA)
            for root in self.roots[1:]:
                trusted.update_root(root)
            Metadata[Root].from_bytes(self.root)
        except (RepositoryError, ValueError) as error:
            raise SignatureInvalid(f"The roots in the draft do not check: {error}.") from error
        if self.after.version != self.before.version + 1:
            raise FormatError("The draft does not follow the newest root in it.")

    @property
    def data(self) -> bytes:
        """The draft as a file."""
        return codec.encode([1, _KIND, list(self.roots), self.root])

    @cached_property
    def before(self) -> RootFacts:
        """What the newest published root says."""
        return read_root(self.roots[-1])

    @cached_property
    def after(self) -> RootFacts:
        """What the new one says."""
        return read_root(self.root)

    @property
    def anchor(self) -> bytes:
        """The province's anchor; its fingerprint is on paper at every holder's."""
        return anchor_of(self.roots[0])

    # ---- signatures

    def sign(self, signer: keys.Signer) -> RootDraft:
        """Returns the draft with one more signature.

        Raises:
            NotAllowed: The key is neither one of the old root keys nor one of the new.
        """
        if signer.public not in {*self.before.keys, *self.after.keys}:
            raise NotAllowed(
                f"The key {keys.fingerprint(signer.public)} is no root key, and does not become one.",
                todo="Nothing was signed. Use one of the keys that the draft names.",
            )
        return replace(self, root=publisher.sign_root(self.root, signer))

    def merged(self, other: RootDraft) -> RootDraft:
        """Returns the draft with the signatures of another copy of it as well.

        Raises:
            FormatError: The other one says something else.
        """
        from tuf.api.metadata import Metadata, Root

        metadata, more = (Metadata[Root].from_bytes(draft.root) for draft in (self, other))
        if metadata.signed_bytes != more.signed_bytes or self.roots != other.roots:
            raise FormatError("The drafts are of different roots: their signatures do not add up.")
        metadata.signatures.update({i: more.signatures[i] for i in other._right})
        return replace(self, root=metadata.to_bytes())

    @property
    def signed_by(self) -> frozenset[bytes]:
        """The root keys, old and new, whose signatures are there and right."""
        return frozenset(self._right.values())

    @cached_property
    def _right(self) -> dict[str, bytes]:
        """Key id → public key of each right signature."""
        from tuf.api.metadata import Metadata, Root

        metadata = Metadata[Root].from_bytes(self.root)
        known = {**Metadata[Root].from_bytes(self.roots[-1]).signed.keys, **metadata.signed.keys}
        public = {i: bytes.fromhex(known[i].keyval["public"]) for i in metadata.signatures if i in known}
        return {
            i: key
            for i, key in public.items()
            if _is_right(key, metadata.signed_bytes, metadata.signatures[i].signature)
        }

    @property
    def missing(self) -> list[str]:
        """What is missing still, a sentence for each of the two groups of keys; empty when nothing is."""
        return [
            *_missing("the published root", self.before, self.signed_by),
            *_missing("the new root", self.after, self.signed_by),
        ]

    def finish(self) -> bytes:
        """Returns the new root, signed as it must be.

        Raises:
            NotAllowed: Signatures are missing; says whose.
        """
        if self.missing:
            raise NotAllowed(
                f"The new root lacks signatures. {' '.join(self.missing)}",
                todo="Nothing was published. Bring the draft to those who hold these keys.",
            )
        return self.root

    # ---- words

    @property
    def words(self) -> list[str]:
        """What the draft says, for the person who is about to sign it; a line each."""
        before, after = self.before, self.after
        lines = [
            f"New root, version {after.version}.",
            f"Fingerprint of the province: {keys.fingerprint(self.anchor)}.",
            f"Current until {_day(after.expires_ms)}; the published root until {_day(before.expires_ms)}.",
            *_key_lines(before, after),
        ]
        if after.threshold != before.threshold:
            lines.append(
                f"CHANGES: {after.threshold} of {len(after.keys)} keys must sign; before: {before.threshold}."
            )
        else:
            lines.append(f"As before, {after.threshold} of {len(after.keys)} keys must sign.")
        name = keys.fingerprint(after.online)
        if after.online == before.online:
            lines.append(f"The publishing key stays: {name}.")
        else:
            lines.append(
                f"CHANGES: the publishing key becomes {name}; before: {keys.fingerprint(before.online)}."
            )
        signed = [keys.fingerprint(key) for key in _ordered(self.signed_by, before, after)]
        lines.append(f"Signed by: {'; '.join(signed) or 'nobody yet'}.")
        return [*lines, *(self.missing or ["All signatures are there: it can be published."])]


def _is_right(key: bytes, signed: bytes, signature: str) -> bool:
    try:
        return keys.verify(key, signed, bytes.fromhex(signature))
    except ValueError:
        return False


def _missing(whose: str, facts: RootFacts, signed_by: frozenset[bytes]) -> Iterator[str]:
    absent = [key for key in facts.keys if key not in signed_by]
    count = facts.threshold - (len(facts.keys) - len(absent))
    if count > 0:
        names = "; ".join(keys.fingerprint(key) for key in absent)
        yield f"Missing: {count} more of the keys of {whose}, from these: {names}."


def _key_lines(before: RootFacts, after: RootFacts) -> Iterator[str]:
    for number, key in enumerate(after.keys, 1):
        mark = "stays" if key in before.keys else "IS NEW"
        yield f"Root key {number} {mark}: {keys.fingerprint(key)}."
    for number, key in enumerate(before.keys, 1):
        if key not in after.keys:
            yield f"CHANGES: root key {number} of before counts no more: {keys.fingerprint(key)}."


def _ordered(signed_by: Iterable[bytes], before: RootFacts, after: RootFacts) -> list[bytes]:
    order = [*after.keys, *before.keys]
    return sorted(signed_by, key=order.index)


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(_VIETNAM).date().isoformat()

"""Ed25519 keys, secrets sealed by a passphrase, and secrets sealed to a public key.

Verification is libsodium's, everywhere: two implementations that disagree on one edge signature would
give two verdicts on one event. Keys of small order, for which one signature fits many messages, are
refused when a key is certified (`is_valid_key`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl import bindings
from nacl.exceptions import BadSignatureError

from onestop_sync import codec
from onestop_sync.errors import FormatError, InvalidInput, WrongPassphrase

__all__ = [
    "DEFAULT_COST",
    "FAST_FOR_TESTS",
    "KEY_BYTES",
    "KeyCost",
    "SealedBox",
    "Signer",
    "SigningKey",
    "agree",
    "fingerprint",
    "is_valid_key",
    "open_sealed",
    "seal_public_key",
    "seal_to",
    "verify",
]

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class Signer(Protocol):
    """Whatever signs: a key in memory here, a smart card or a service elsewhere.

    The application asks for the PIN or passphrase; the library never does.
    """

    @property
    def public(self) -> bytes:
        """The 32-byte Ed25519 public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte Ed25519 signature of ``message`` (RFC 8032, pure)."""
        ...


class SigningKey:
    """An Ed25519 key in memory.

    Args:
        seed: 32 random bytes.
    """

    __slots__ = ("_secret", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise InvalidInput("A signing key is made from 32 bytes.")
        self.seed = seed
        self.public, self._secret = bindings.crypto_sign_seed_keypair(seed)

    def sign(self, message: bytes) -> bytes:
        """Returns the 64-byte signature of ``message``."""
        return bindings.crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"SigningKey({fingerprint(self.public)})"


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tells whether ``signature`` is by ``public`` over ``message``; malformed arguments are a no."""
    if len(signature) != SIGNATURE_BYTES or len(public) != KEY_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def is_valid_key(public: bytes) -> bool:
    """Tells whether a public key is a point of the main subgroup, in canonical form."""
    return len(public) == KEY_BYTES and bool(bindings.crypto_core_ed25519_is_valid_point(public))


def fingerprint(public: bytes) -> str:
    """Returns what two people compare aloud: 80 bits of SHA-256 in groups of four hex digits."""
    digest = hashlib.sha256(b"onestop key\0" + public).hexdigest()[:20]
    return " ".join(digest[i : i + 4] for i in range(0, 20, 4))


def seal_public_key(seed: bytes) -> bytes:
    """Returns the X25519 public key, to which bundles are sealed, of a 32-byte seed."""
    key = X25519PrivateKey.from_private_bytes(seed)
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def agree(seed: bytes, public: bytes) -> bytes:
    """Returns what the holders of two X25519 keys have in common (RFC 7748); empty for a key that is none."""
    try:
        return X25519PrivateKey.from_private_bytes(seed).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return b""


def seal_to(public: bytes, secret: bytes, purpose: str) -> bytes:
    """Seals a secret to whoever holds the other half of an X25519 key (HPKE, RFC 9180, base mode).

    Args:
        public: 32 bytes, see `seal_public_key`.
        secret: What to protect.
        purpose: Bound to it: opened for another purpose, it does not open.

    Raises:
        InvalidInput: The key is no point of the curve, or one to which nothing can be sealed.
    """
    try:
        return bytes(_SUITE.encrypt(secret, X25519PublicKey.from_public_bytes(public), purpose.encode()))
    except ValueError as error:
        raise InvalidInput("Nothing can be sealed to that key.") from error


def open_sealed(seed: bytes, sealed: bytes, purpose: str) -> bytes:
    """Opens what `seal_to` sealed.

    Args:
        seed: The 32-byte seed of the X25519 key.
        sealed: What was sealed.
        purpose: The same as when it was sealed.

    Raises:
        FormatError: It was sealed to another key or for another purpose, or was changed.
    """
    try:
        return bytes(_SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(seed), purpose.encode()))
    except (InvalidTag, ValueError) as error:
        raise FormatError("The sealed secret does not open with this key.") from error


@dataclass(frozen=True, slots=True)
class KeyCost:
    """What one guess of a passphrase costs (Argon2id, RFC 9106).

    Attributes:
        passes: Iterations.
        lanes: Parallel lanes.
        memory_kib: Memory in KiB.
    """

    passes: int = 3
    lanes: int = 4
    memory_kib: int = 65536


DEFAULT_COST: Final = KeyCost()
"""About a quarter of a second on an office PC."""
FAST_FOR_TESTS: Final = KeyCost(passes=1, lanes=1, memory_kib=32)
"""A cost for tests and simulations, where thousands of stores are made; protects nothing."""

_MAX_COST: Final = KeyCost(passes=64, lanes=16, memory_kib=2**21)


@dataclass(frozen=True, slots=True)
class SealedBox:
    """A secret that only a passphrase opens: Argon2id over the passphrase, ChaCha20-Poly1305 over the secret.

    The cost travels with the box, so it can be raised later without breaking what is there.
    """

    cost: KeyCost
    salt: bytes
    nonce: bytes
    sealed: bytes

    @classmethod
    def seal(
        cls, secret: bytes, passphrase: str, *, entropy: bytes, cost: KeyCost = KeyCost(), purpose: str = ""
    ) -> SealedBox:
        """Seals ``secret``.

        Args:
            secret: What to protect.
            passphrase: What opens it; normalised to NFC, so that any keyboard can type it again.
            entropy: 28 fresh random bytes (salt and nonce).
            cost: What a guess costs.
            purpose: Bound to the box: opened for another purpose, it does not open.
        """
        if not passphrase:
            raise InvalidInput("An empty passphrase protects nothing.")
        salt, nonce = entropy[:16], entropy[16:28]
        key = _stretch(passphrase, salt, cost)
        return cls(cost, salt, nonce, ChaCha20Poly1305(key).encrypt(nonce, secret, purpose.encode()))

    def open(self, passphrase: str, *, purpose: str = "") -> bytes:
        """Returns the secret.

        Raises:
            WrongPassphrase: It does not open, or the box was changed.
        """
        key = _stretch(passphrase, self.salt, self.cost)
        try:
            return ChaCha20Poly1305(key).decrypt(self.nonce, self.sealed, purpose.encode())
        except InvalidTag as error:
            raise WrongPassphrase("The passphrase does not open this store.") from error

    def to_bytes(self) -> bytes:
        """Encodes the box."""
        cost = [self.cost.passes, self.cost.lanes, self.cost.memory_kib]
        return codec.encode([1, cost, self.salt, self.nonce, self.sealed])

    @classmethod
    def from_bytes(cls, data: bytes) -> SealedBox:
        """Decodes a box, refusing costs that would exhaust the machine.

        Raises:
            FormatError: Not a sealed box.
        """
        match codec.decode(data):
            case [1, [int(passes), int(lanes), int(memory)], bytes(salt), bytes(nonce), bytes(sealed)] if (
                0 < passes <= _MAX_COST.passes
                and 0 < lanes <= _MAX_COST.lanes
                and 8 * lanes <= memory <= _MAX_COST.memory_kib
                and len(salt) == _SALT_BYTES
                and len(nonce) == _NONCE_BYTES
            ):
                return cls(KeyCost(passes, lanes, memory), salt, nonce, sealed)
        raise FormatError("The data is not a sealed secret.")


def _stretch(passphrase: str, salt: bytes, cost: KeyCost) -> bytes:
    kdf = Argon2id(
        salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return kdf.derive(codec.nfc(passphrase).encode())

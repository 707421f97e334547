"""What a citizen may look up, as a file that a province publishes: it tells nothing to who knows too little.

An entry is found and opened by the dossier's code, the telephone number and the last four digits of the id
number together, through a slow hash (scrypt, RFC 7914). Entries are of one length and in the order of their
hashes, and their number is rounded up with entries of chance: the file alone hardly tells how many.

Telephone numbers can be guessed and codes can be counted, so neither protects the other: one try costs 32 MiB
and some 0.1 s, and who has the code alone needs 5·10⁸ numbers × 10⁴ digits of them. What an entry says is the
status and the appointment, and no name; see the decision record.

Shape (JSON): ``{version, salt, n, r, p, made, entries: {id in hex: sealed in base64}}``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from onestop_sync.dossier.checks import tidy
from onestop_sync.errors import FormatError
from onestop_sync.strict_json import read_json

__all__ = ["COST", "Cost", "Entry", "build_file", "key_of", "look_up", "question"]

_VERSION: Final = 1
_ID_BYTES: Final = 16
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_ROOM: Final = 240
"""Bytes of an entry before it is sealed."""
_ROUND: Final = 256
"""The number of entries is a multiple of this."""
_DIGITS: Final = 4


class Cost(NamedTuple):
    """What one try costs: ``128 * n * r`` bytes of memory."""

    n: int = 2**15
    r: int = 8
    p: int = 1


COST: Final = Cost()
_MOST_BYTES: Final = 48 * 2**20
"""Memory of one try that a file may ask for; ours asks for 32 MiB."""
_MOST_LANES: Final = 4


class Entry(NamedTuple):
    """One dossier.

    Attributes:
        key: From `key_of`.
        says: What is shown: status, appointment.
    """

    key: bytes
    says: Mapping[str, str]


def question(code: str, phone: str, id_number: str) -> str:
    """Returns what a citizen has to know, as it is hashed; empty where something of it is missing.

    Args:
        code: The dossier's code.
        phone: Telephone number, in any way of writing.
        id_number: The id number, or its last four digits.
    """
    tidied = tidy({"dien_thoai": phone, "so_dinh_danh": id_number})
    number, digits = tidied.get("dien_thoai", ""), tidied.get("so_dinh_danh", "")[-_DIGITS:]
    is_whole = code.strip() and number and len(digits) == _DIGITS
    return "\n".join((code.strip().upper(), number, digits)) if is_whole else ""


def key_of(asked: str, salt: bytes, cost: Cost = COST) -> bytes:
    """Returns what finds and opens an entry; slow on purpose."""
    memory = 128 * cost.n * cost.r * 2
    return hashlib.scrypt(
        asked.encode(), salt=salt, n=cost.n, r=cost.r, p=cost.p, maxmem=memory, dklen=_ID_BYTES + _KEY_BYTES
    )


def build_file(
    entries: list[Entry], salt: bytes, made: str, rng: Callable[[int], bytes], cost: Cost = COST
) -> bytes:
    """Returns the file.

    Args:
        entries: The dossiers.
        salt: The same as in the entries' keys.
        made: When it was made, to be shown.
        rng: Makes random bytes.
        cost: The same as in the entries' keys.

    Raises:
        FormatError: An entry says more than there is room for.
    """
    found = {each.key[:_ID_BYTES].hex(): _sealed(each, rng) for each in entries}
    while len(found) % _ROUND or not found:
        length = _NONCE_BYTES + _ROOM + 16
        found[rng(_ID_BYTES).hex()] = base64.b64encode(rng(length)).decode()
    facts = {"version": _VERSION, "salt": salt.hex(), **cost._asdict(), "made": made}
    return json.dumps({**facts, "entries": dict(sorted(found.items()))}).encode()


def _sealed(entry: Entry, rng: Callable[[int], bytes]) -> str:
    said = json.dumps(dict(entry.says), ensure_ascii=False).encode()
    if len(said) > _ROOM:
        raise FormatError("An entry says more than there is room for.")
    nonce = rng(_NONCE_BYTES)
    sealed = ChaCha20Poly1305(entry.key[_ID_BYTES:]).encrypt(nonce, said.ljust(_ROOM), b"")
    return base64.b64encode(nonce + sealed).decode()


def _cost(plain: Mapping[str, Any]) -> Cost:
    """Reads what one try costs, and refuses what would exhaust the machine."""
    n, r, p = (plain[name] for name in Cost._fields)
    is_bounded = type(n) is type(r) is type(p) is int and n > 1 and r > 0 and 0 < p <= _MOST_LANES
    if not is_bounded or 128 * n * r > _MOST_BYTES or n & (n - 1):
        raise FormatError("The file of statuses asks for more memory than a look-up may take.")
    return Cost(n, r, p)


def look_up(data: bytes, code: str, phone: str, id_number: str) -> dict[str, str] | None:
    """Returns what a file says to who knows all three; ``None`` to everybody else.

    Raises:
        FormatError: It is no such file.
    """
    try:
        plain: Any = read_json(data)
        salt, entries = bytes.fromhex(plain["salt"]), plain["entries"]
        cost = _cost(plain)
        asked = question(code, phone, id_number)
        if plain["version"] != _VERSION or not asked:
            return None
        key = key_of(asked, salt, cost)
        sealed = base64.b64decode(entries[key[:_ID_BYTES].hex()], validate=True)
        said = ChaCha20Poly1305(key[_ID_BYTES:]).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], b"")
        return {str(name): str(text) for name, text in read_json(said).items()}
    except InvalidTag:
        return None
    except KeyError as error:
        if error.args and len(str(error.args[0])) == 2 * _ID_BYTES:
            return None
        raise FormatError("This is no file of statuses.") from error
    except (ValueError, TypeError, binascii.Error) as error:
        raise FormatError("This is no file of statuses.") from error

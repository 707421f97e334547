"""What others have found wrong with decoders, held against ours: RFC 8949, Appendix F, and families of JSON.

The JSON cases are of the kinds that N. Seriot's JSONTestSuite (2016) tells apart; no Python package carries
it.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from onestop_sync import codec
from onestop_sync.errors import FormatError
from onestop_sync.strict_json import read_json

NOT_WELL_FORMED: Final = {
    "end of input in a head": "18 19 1a 1b 1901 1a0102 1b01020304050607 38"
    " 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000"
    " fb000000",
    "strings with short data": "41 61 5affffffff00"
    " 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203",
    "maps and arrays that are not closed": "81 818181818181818181 8200 a1 a20102 a100 a2000000",
    "a tag without content": "c0",
    "strings of no length that are not closed": "5f4100 7f6100",
    "maps and arrays of no length that are not closed": "9f 9f0102 bf"
    " bf01020102 819f 9f8000 9f9f9f9f9fffffffff"
    " 9f819f819f9fffffff",
    "reserved information in a head": "1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e"
    " 9c 9d 9e bc bd be dc dd de fc fd fe",
    "reserved simple values": "f800 f801 f818 f81f",
    "chunks of another type": "5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff",
    "chunks without a length": "5f5f4100ffff 7f7f6100ffff",
    "a break on its own": "ff",
    "a break where something has a length": "81ff 8200ff a1ff a1ff00"
    " a100ff a20000ff 9f81ff 9f829f819f9fffffffff",
    "a break behind a key": "bf00ff bf000000ff",
    "no length where there is none": "1f 3f df",
}
"""RFC 8949, Appendix F: what is wrong → examples, in hex."""

NOT_JSON: Final = (
    "",
    " ",
    "\n",
    "]",
    "[",
    "[1",
    "[1,",
    "[,1]",
    "[1,]",
    "[1,,2]",
    "[1 2]",
    "[1}",
    "[[]",
    "{",
    "{]",
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,}',
    '{,"a":1}',
    '{"a" 1}',
    '{"a"::1}',
    "{a:1}",
    "{'a':1}",
    "{1:1}",
    '{"a":1 "b":2}',
    '{"a",1}',
    "nul",
    "True",
    "tru",
    "None",
    "undefined",
    "nan",
    "NaN",
    "-NaN",
    "Infinity",
    "-Infinity",
    "inf",
    "+1",
    "-",
    "--1",
    "01",
    "-01",
    "1.",
    ".5",
    "-.5",
    "1e",
    "1e+",
    "1eE2",
    "1.e5",
    "0x1f",
    "1_000",
    "1,000",
    "１",
    '"',
    '"a',
    '"\\"',
    '"\\a"',
    '"\\x41"',
    '"\\u12"',
    '"\\uD83D"',
    '"\\uDE00\\uD83D"',
    '"\t"',
    '"a\nb"',
    '"\x00"',
    "'a'",
    '"a" "b"',
    '"a",',
    "[] []",
    "{} x",
    "1 2",
    "/* a */ 1",
    "1 // a",
    "# 1",
    "\ufeff\ufeff1",
    "\u00a01",
    "\u20281",
    "1\x0c",
    "<a/>",
    '{"a":1,"a":2}',
    "1e400",
    "-1e400",
    "[" * 100_000,
    '{"a":' * 1000,
    "9" * 5000,
)
NOT_TEXT: Final = (
    b"\xff",
    b'"\xe9"',
    b'"\xc0\xaf"',
    b'"\xed\xa0\x80"',
    b'"\xf4\x90\x80\x80"',
    b'"\xe2\x82',
    b"\xff\xfe1\0",
)
JSON: Final[tuple[tuple[str, Any], ...]] = (
    ("1", 1),
    ("-0", 0),
    ("1e2", 100.0),
    ("1E-2", 0.01),
    ('""', ""),
    ("[]", []),
    (" [ ] ", []),
    ("{}", {}),
    ("null", None),
    ('{"":0}', {"": 0}),
    ('"\\u1ec7"', "ệ"),
    ('"\\ud83d\\ude00"', "😀"),
    ('"\\u0000"', "\0"),
    ('"\\/"', "/"),
    ("[[[1]]]", [[[1]]]),
    ('{"a":{"a":1}}', {"a": {"a": 1}}),
    ('"\u2028"', "\u2028"),
    ("\ufeff[1]", [1]),
    ("\t[true,\r\nfalse]", [True, False]),
)


@pytest.mark.parametrize("wrong", NOT_WELL_FORMED)
def test_what_is_no_cbor_is_refused(wrong: str) -> None:
    """Every example of the RFC's appendix is refused, alone and inside of something."""
    for text in NOT_WELL_FORMED[wrong].split():
        for data in (bytes.fromhex(text), b"\x81" + bytes.fromhex(text), b"\xa1\x61a" + bytes.fromhex(text)):
            with pytest.raises(FormatError):
                codec.decode(data)


def test_what_is_no_json_is_refused() -> None:
    """Of each kind of mistake that readers of JSON disagree about, ours refuses some."""
    for text in NOT_JSON:
        with pytest.raises(FormatError):
            read_json(text)
        with pytest.raises(FormatError):
            read_json(text.encode("utf-8", "surrogatepass"))
    for data in NOT_TEXT:
        with pytest.raises(FormatError):
            read_json(data)


def test_what_is_json_is_read() -> None:
    """What every reader must take is taken, and means what it says."""
    for text, value in JSON:
        assert read_json(text) == read_json(text.encode()) == value

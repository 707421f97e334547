"""Ratings: how the applicant was content with the handling of a dossier, each a note that nobody changes.

Of several ratings of one dossier the newest counts: people may think otherwise later. A rating is noted at
the counter, by a device that stands there, or by a portal that asked the applicant.

Shape of the note: ``{"diem": 0..2, "luc_ms": when it was given, "kenh"?: how it came, "loi"?: in the
applicant's own words, "nguon"?: {"ma": the id that it has where it comes from, "ten": where that is}}``.

Source: NĐ 61/2018/NĐ-CP, Articles 29 and 31; TT 01/2018/TT-VPCP, Articles 12 to 14.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from onestop_sync.codec import nfc
from onestop_sync.errors import InvalidInput
from onestop_sync.state import State

__all__ = [
    "AT_THE_COUNTER",
    "BY_PORTAL",
    "FIELD",
    "SCORES",
    "WORDS_MAX",
    "Rating",
    "plan_rating",
    "ratings_of",
]

FIELD: Final = "danh_gia"
SCORES: Final = (0, 1, 2)
"""Not content, so so, content: what an indicator gives (TT 01/2018, Article 13)."""
AT_THE_COUNTER: Final = "truc_tiep"
BY_PORTAL: Final = "cong"
WORDS_MAX: Final = 2000
"""Longest words of an applicant, in characters."""


class Rating(NamedTuple):
    """One rating.

    Attributes:
        score: One of `SCORES`.
        at_ms: When it was noted, as its event claims, milliseconds since 1970 UTC: reports go by events, so
            that none that was frozen is changed by what a portal brings later.
        source: ``(system, id)`` where it came from; empty for one that was noted here.
    """

    score: int
    at_ms: int
    source: tuple[str, str] = ("", "")


def plan_rating(
    score: int, at_ms: int, words: str = "", channel: str = AT_THE_COUNTER, source: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """Returns the note.

    Raises:
        InvalidInput: The score is none, or the words are too long.
    """
    if type(score) is not int or score not in SCORES:
        raise InvalidInput("The score is not 0, 1 or 2.", reason="score")
    said = nfc(" ".join(words.split()))
    if len(said) > WORDS_MAX:
        raise InvalidInput(f"The words have more than {WORDS_MAX} characters.", reason="rating_words")
    system, code = source
    found: dict[str, Any] = {"diem": score, "luc_ms": at_ms, "kenh": channel}
    return found | ({"loi": said} if said else {}) | ({"nguon": {"ma": code, "ten": system}} if code else {})


def ratings_of(state: State) -> Iterator[Rating]:
    """Yields a dossier's ratings in the order of the notes; whatever else somebody noted there is none."""
    for at_ms, _, value in state.notes.get(FIELD, ()):
        match value:
            case {"diem": int(score), **rest} if type(score) is int and score in SCORES:
                match rest.get("nguon"):
                    case {"ma": str(code), "ten": str(system)}:
                        yield Rating(score, at_ms, (system, code))
                    case _:
                        yield Rating(score, at_ms)

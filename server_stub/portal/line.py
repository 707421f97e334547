"""One call to the portal over HTTPS, and what its answer means.

The portal's calls are not idempotent by themselves, so nothing is sent twice here: who has no answer looks
the dossier's code up before the next try (`queue`). Neither what is sent nor what is answered is ever logged.
"""

from __future__ import annotations

import email.utils
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx

from onestop_sync.dossier.portal.documents import envelope
from onestop_sync.dossier.portal.settings import PortalSettings
from onestop_sync.errors import FormatError, InvalidInput, Unreachable, UpstreamMalformed, UpstreamRefused
from onestop_sync.strict_json import read_json

__all__ = ["Credentials", "Found", "Line", "PortalBusy", "credentials_from_plain"]

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A name in HTTP (RFC 9110, 5.6.2)."""
_PRINTED: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?|")
_MAX_ANSWER: Final = 4 * 2**20
_BUSY: Final = frozenset({429, 503})
_PASSING: Final = frozenset({408, 500, 502, 504})
_CODE_MAX: Final = 20
_LONGEST_S: Final = 24 * 3600


class PortalBusy(Unreachable):
    """The portal has no room; ``wait_s``: for how long, ``None`` when it did not say."""

    code = "portal_busy"

    def __init__(self, wait_s: float | None) -> None:
        super().__init__("The portal has no room just now.", todo="What waits is sent later by itself.")
        self.wait_s = wait_s


class Credentials(NamedTuple):
    """What the portal knows this province by.

    Attributes:
        session: ``session`` of the envelope.
        headers: Further headers: a token, a key of a gateway.
    """

    session: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return "Credentials(…)"


class Found(NamedTuple):
    """A dossier that the portal has.

    Attributes:
        progress: The progress that it has; ``None`` where its answers do not say.
    """

    progress: tuple[Mapping[str, Any], ...] | None


def credentials_from_plain(value: object) -> Credentials:
    """Reads ``{"session": …, "headers"?: {…}}``.

    Raises:
        InvalidInput: It is something else.
    """
    match value:
        case {"session": str(session), **rest} if session and not set(rest) - {"headers"}:
            headers = rest.get("headers", {})
            if isinstance(headers, dict) and all(
                _HEADER.fullmatch(name) and isinstance(v, str) and _PRINTED.fullmatch(v)
                for name, v in headers.items()
            ):
                return Credentials(session, headers)
    raise InvalidInput('The credentials are not {"session": "…", "headers": {…}}.')


class Line:
    """An open connection to the portal.

    Args:
        settings: Address, names of calls, how it answers.
        credentials: Sent with every call.
        ca: PEM of the authority that signed the portal's certificate; the system's when ``None``.
        wait_s: Longest wait for an answer, seconds.
    """

    def __init__(
        self, settings: PortalSettings, credentials: Credentials, ca: Path | None = None, wait_s: float = 30.0
    ) -> None:
        if not settings.address:
            raise InvalidInput("The portal has no address yet.", todo="Give it: `portal set-up --settings`.")
        self.settings = settings
        self._credentials = credentials
        verify: ssl.SSLContext | bool = False
        if settings.address.startswith("https:"):
            try:
                verify = ssl.create_default_context(cafile=ca)
            except (OSError, ssl.SSLError) as error:
                raise InvalidInput("The certificate authority's file cannot be read as PEM.") from error
        self._client = httpx.Client(
            verify=verify, trust_env=False, timeout=wait_s, headers=dict(credentials.headers)
        )

    def close(self) -> None:
        """Closes the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def look_up(self, unit: str, code: str) -> Found | None:
        """Returns what the portal has under a code; ``None`` when nothing.

        Raises:
            Unreachable: No answer, or none just now (`PortalBusy`).
            UpstreamRefused: It said no.
            UpstreamMalformed: It is not the portal that answered.
        """
        answer = self._ask("lookup", unit, [{"MaHoSo": code}], is_updating=False)
        names = self.settings.answer
        data = answer.get(names.data)
        if not isinstance(data, list):
            raise UpstreamMalformed("The portal's look-up answered without a list.")
        mine = [each for each in data if isinstance(each, dict) and each.get("MaHoSo") == code]
        if not mine:
            return None
        progress = mine[0].get(names.progress)
        if not isinstance(progress, list):
            return Found(None)
        return Found(tuple(each for each in progress if isinstance(each, dict)))

    def send(self, call: str, unit: str, document: Mapping[str, Any], *, is_updating: bool) -> None:
        """Sends one document: ``dossier`` or ``progress``.

        Raises:
            Unreachable: No answer: it may have arrived or not.
            UpstreamRefused: The portal took it not.
            UpstreamMalformed: It is not the portal that answered.
        """
        self._ask(call, unit, [dict(document)], is_updating=is_updating)

    def _ask(
        self, call: str, unit: str, data: Sequence[dict[str, Any]], *, is_updating: bool
    ) -> dict[str, Any]:
        settings = self.settings
        body = envelope(
            settings.services[call], self._credentials.session, unit, data, is_updating=is_updating
        )
        try:
            response = self._client.post(settings.address, json=body)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise Unreachable("The portal did not answer.") from error
        return self._read(response)

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        status = response.status_code
        if status in _BUSY:
            raise PortalBusy(_retry_after(response.headers.get("retry-after", "")))
        if status in _PASSING:
            raise Unreachable(f"The portal, or a proxy before it, answered {status}.")
        if status >= 400:  # noqa: PLR2004 - HTTP's own number
            raise UpstreamRefused(f"The portal answered {status}.", code=str(status))
        try:
            answer = read_json(response.content) if len(response.content) <= _MAX_ANSWER else None
        except FormatError:
            answer = None
        if status != 200 or not isinstance(answer, dict):  # noqa: PLR2004 - the same
            raise UpstreamMalformed("What answered is not the portal.")
        verdict = str(answer.get(self.settings.answer.code))
        if verdict != self.settings.answer.ok:
            code = verdict[:_CODE_MAX] if verdict.isascii() and verdict.replace("-", "").isalnum() else "?"
            raise UpstreamRefused("The portal took it not.", code=code)
        return answer


def _retry_after(text: str) -> float | None:
    """Returns how many seconds to wait, of a number or a date (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), _LONGEST_S))
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return min(max(0.0, moment.timestamp() - time.time()), _LONGEST_S)

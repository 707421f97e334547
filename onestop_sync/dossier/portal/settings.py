"""What differs between portals and provinces, as data: addresses, names of services, codes of the lists.

Shape (JSON; what a province's file does not name is as the shipped ``portal.json`` says):
    ``address``: URL that takes the envelopes. ``services``: names of the calls, ``dossier``, ``progress``
    and ``lookup``. ``unit_codes``: unit → ``madonvi``, where it is not the unit's first agency code.
    ``field_codes``: field of the catalogue → ``MaLinhVuc``, where it is not the catalogue's code.
    ``statuses``: step → ``TrangThaiHoSo``, where it is not the workflow's. ``void_status``: that of a dossier
    declared void. ``applicants``, ``channels``: words of ``loai_doi_tuong`` and ``hinh_thuc_nop`` →
    ``LoaiDoiTuong`` and ``HinhThuc``. ``papers``: ``ban_chinh`` and ``ban_sao`` → ``LoaiGiayTo``.
    ``supplements``: ``asked`` and ``supplied`` → ``TrangThaiBoSung``. ``result_paper``: paper under which
    attachments are results. ``file_address``: URL under which the province serves attachments by their id;
    empty: they are not named. ``answer``: how an answer says that all is well.

Source: the envelope and the fields are read in implementations; these lists differ among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from onestop_sync.dossier.plain import PlainMap
from onestop_sync.errors import FormatError

__all__ = ["Answer", "PortalSettings", "settings_from_plain"]

_MAPS: Final = (
    "services",
    "unit_codes",
    "field_codes",
    "statuses",
    "applicants",
    "channels",
    "papers",
    "supplements",
)
_TEXTS: Final = ("address", "void_status", "result_paper", "file_address")
_NEEDED: Final = {
    "services": ("dossier", "progress", "lookup"),
    "papers": ("ban_chinh", "ban_sao"),
    "supplements": ("asked", "supplied"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """How the portal answers.

    Attributes:
        code: Field with its verdict.
        ok: The verdict that means that it was taken.
        data: Field with what a look-up found.
        progress: Field of a dossier that was found, with the progress that the portal has; where an answer
            has none, what was sent without an answer is sent again.
    """

    code: str
    ok: str
    data: str
    progress: str


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """See the module's *Shape*."""

    address: str
    services: Mapping[str, str]
    unit_codes: Mapping[str, str]
    field_codes: Mapping[str, str]
    statuses: Mapping[str, str]
    void_status: str
    applicants: Mapping[str, str]
    channels: Mapping[str, str]
    papers: Mapping[str, str]
    supplements: Mapping[str, str]
    result_paper: str
    file_address: str
    answer: Answer


def settings_from_plain(shipped: object, *changes: object) -> PortalSettings:
    """Reads settings: what is shipped, and what a province changes of it.

    Raises:
        FormatError: It is none, or names something that this version does not know.
    """
    merged: dict[str, Any] = {}
    for layer in (shipped, *changes):
        if not isinstance(layer, Mapping):
            raise FormatError("The settings of the portal are not a map.")
        unknown = sorted(set(map(str, layer)) - {*_MAPS, *_TEXTS, "answer"})
        if unknown:
            raise FormatError(f"The settings of the portal know no {unknown[0][:40]!r}.")
        merged.update(layer)
    plain = PlainMap(merged, "settings of the portal")
    maps = {key: _texts(plain, key) for key in _MAPS}
    answer = PlainMap(plain.raw("answer"), "portal's answer")
    return PortalSettings(
        address=_address(plain.text("address", "")),
        services=maps["services"],
        unit_codes=maps["unit_codes"],
        field_codes=maps["field_codes"],
        statuses=maps["statuses"],
        void_status=plain.text("void_status"),
        applicants=maps["applicants"],
        channels=maps["channels"],
        papers=maps["papers"],
        supplements=maps["supplements"],
        result_paper=plain.text("result_paper", ""),
        file_address=plain.text("file_address", ""),
        answer=Answer(*(answer.text(key) for key in ("code", "ok", "data", "progress"))),
    )


def _texts(plain: PlainMap, key: str) -> Mapping[str, str]:
    value = plain.raw(key)
    inner = PlainMap(value, f"portal's {key}")
    found = {str(name): inner.text(name) for name in value} if isinstance(value, Mapping) else {}
    missing = [name for name in _NEEDED.get(key, ()) if not found.get(name)]
    if missing:
        raise FormatError(f"The portal's {key} name no {missing[0]!r}.")
    return MappingProxyType(found)


def _address(address: str) -> str:
    if not address:
        return ""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise FormatError("The portal's address is not https://host/path.")
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise FormatError("The portal's address needs https: dossiers are personal data.")
    return address

"""What the server answers, as an OpenAPI document: every endpoint, and every status with its content type.

It is served at `OPENAPI_PATH` and printed by `onestop-server openapi`. A test holds it against the routes of
the application, and a tool asks the server what the document allows, and more: an answer that is not in it is
a mistake. The bodies of machines are canonical CBOR, which OpenAPI has no words for: see docs/protocol.md.

Source: OpenAPI 3.1.0.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from onestop_sync.client import CONTENT_TYPE, SYNC_PATH
from onestop_sync.enrol_line import ENROL_PATH

__all__ = [
    "COMPLAINT_PATH", "HEALTH_PATH", "OPENAPI_PATH", "PORTAL_PATH", "RATING_PATH", "document",
    "print_document",
]  # fmt: skip

HEALTH_PATH: Final = "/v1/health"
OPENAPI_PATH: Final = "/v1/openapi.json"
PORTAL_PATH: Final = "/v1/portal/dossiers"
COMPLAINT_PATH: Final = "/v1/portal/complaints"
RATING_PATH: Final = "/v1/portal/ratings"

_JSON, _TEXT, _HTML = "application/json", "text/plain", "text/html"
_LATER: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string"}}}
_ASKS: Final = {"WWW-Authenticate": {"description": "How to say who asks.", "schema": {"type": "string"}}}


def document() -> dict[str, Any]:
    """Returns the document; a portal's endpoints and a dashboard are the operator's choice."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "onestop server",
            "version": _version(),
            "description": "The server of a hub, a district or a province. Endpoints of portals are there"
            " where the server holds an administrator's key, the dashboard where it has a password.",
        },
        "paths": {
            SYNC_PATH: {"post": _sync()},
            ENROL_PATH: {"post": _enrol()},
            HEALTH_PATH: {"get": _health()},
            OPENAPI_PATH: {"get": _openapi()},
            PORTAL_PATH: {"post": _filing("A dossier that a citizen filed", "Dossier")},
            COMPLAINT_PATH: {"post": _filing("A complaint that a citizen made", "Complaint")},
            RATING_PATH: {"post": _filing("How a citizen rates a dossier's handling", "Rating")},
            "/": {"get": _page("The dashboard: counts and machines, no dossier and no applicant")},
            "/report": {"get": _report()},
            "/dashboard.css": {"get": _style()},
        },
        "components": {
            "securitySchemes": {
                "integration": {"type": "http", "scheme": "bearer"},
                "dashboard": {"type": "http", "scheme": "basic"},
            },
            "schemas": {
                "Dossier": _DOSSIER,
                "Complaint": _COMPLAINT,
                "Rating": _RATING,
                "Filed": _FILED,
                "Error": _ERROR,
                "Health": _HEALTH,
            },
        },
    }


def print_document(_arguments: Namespace) -> None:
    """Prints the document."""
    import json

    print(json.dumps(document(), ensure_ascii=False, indent=2))


def _version() -> str:
    try:
        return version("onestop")
    except PackageNotFoundError:  # run from its source alone
        return "0"


def _said(
    what: str, kind: str, schema: Mapping[str, Any], headers: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Returns a response."""
    found: dict[str, Any] = {"description": what, "content": {kind: {"schema": dict(schema)}}}
    return found | ({"headers": dict(headers)} if headers else {})


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# ---- machines


_PACKET: Final = {"type": "string", "format": "binary"}


def _packet(what: str, headers: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return _said(what, CONTENT_TYPE, _PACKET, headers)


def _body(what: str) -> dict[str, Any]:
    return {"required": True, "description": what, "content": {CONTENT_TYPE: {"schema": dict(_PACKET)}}}


_UNREAD: Final = {
    "408": "The request took too long to arrive.",
    "413": "The request is larger than this server takes.",
    "415": "The request is of another type.",
}


def _sync() -> dict[str, Any]:
    told = {
        "200": "An answer or a challenge.",
        "400": "Malformed, or it broke off.",
        "401": "A challenge: the nonce was not the last one.",
        "403": "Not a machine of ours, or its key was cut off.",
        "409": "Ask in plain: something that the request leaves out is not here.",
        **_UNREAD,
    }
    return {
        "operationId": "sync",
        "summary": "One exchange of a machine with its parent",
        "description": "An answer names its content type where the request named one.",
        "requestBody": _body("A packet, see docs/protocol.md."),
        "responses": {
            **{status: _packet(what) for status, what in told.items()},
            "503": _packet("The store cannot take more now, or there is no room.", headers=_LATER),
        },
    }


def _enrol() -> dict[str, Any]:
    told = {
        "200": "A sealed answer.",
        "400": "Malformed, or it broke off.",
        "403": "Not answered: no code of this server, or it may not be used so.",
        "429": "Somebody guessed too often: later.",
        "502": "A parent answered something else.",
        "503": "The database or the parents do not answer, or there is no room.",
        **_UNREAD,
    }
    return {
        "operationId": "enrol",
        "summary": "A new machine with a one-time code",
        "requestBody": _body("A packet, see docs/protocol.md."),
        "responses": {status: _packet(what) for status, what in sorted(told.items())},
    }


def _health() -> dict[str, Any]:
    return {
        "operationId": "health",
        "summary": "Whether the database answers; says nothing of anybody",
        "responses": {
            "200": _said("It does.", _JSON, _ref("Health")),
            "503": _said("It does not.", _JSON, _ref("Health")),
        },
    }


def _openapi() -> dict[str, Any]:
    return {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {"200": _said("It.", _JSON, {"type": "object", "required": ["openapi", "paths"]})},
    }


_HEALTH: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"enum": ["ok", "failing"]}, "code": {"type": "string"}},
    "additionalProperties": False,
}


# ---- portals


def _texts(*names: str) -> dict[str, Any]:
    return {name: {"type": "string"} for name in names}


_PORTAL_ID: Final = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[!-~]+$"}
_AGENCY: Final = {"type": "string", "examples": ["000.01.01.H99"]}
_DOSSIER: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["MaHoSo", "MaDonVi", "MaTTHC", "ChuHoSo"],
    "properties": {
        "MaHoSo": _PORTAL_ID,
        "MaDonVi": _AGENCY,
        "MaTTHC": {"type": "string", "examples": ["1.001193"]},
        **_texts(
            "ChuHoSo", "LoaiDoiTuong", "MaDoiTuong", "NgaySinh", "DiaChi", "SoDienThoai", "Email",
            "TrichYeuHoSo", "NgayNop", "HinhThucNhan", "DiaChiNhan",
        ),
        "ThongTinRieng": {
            "type": "object", "maxProperties": 100, "additionalProperties": {"type": "string"},
        },
        "TaiLieuNop": {
            "type": "array",
            "maxItems": 100,
            "items": {
                "type": "object",
                "properties": _texts("TenTepDinhKem", "DuongDanTaiTepTin"),
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}  # fmt: skip
_COMPLAINT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["MaPhanAnh", "MaDonVi", "NoiDung"],
    "properties": {
        "MaPhanAnh": _PORTAL_ID,
        "MaDonVi": _AGENCY,
        **_texts("NoiDung", "MaHoSo", "NguoiGui", "SoDienThoai", "NgayGui"),
    },
    "additionalProperties": False,
}
_RATING: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["MaDanhGia", "MaHoSo", "Diem"],
    "properties": {
        "MaDanhGia": _PORTAL_ID,
        "MaHoSo": _PORTAL_ID,
        "Diem": {"enum": ["0", "1", "2"], "description": "not content, so so, content"},
        **_texts("NoiDung", "NgayDanhGia"),
    },
    "additionalProperties": False,
}
_FILED: Final = {
    "type": "object",
    "required": ["code", "id"],
    "properties": {
        "code": {"type": "string", "description": "the portal's own id"},
        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$", "description": "the document here"},
    },
    "additionalProperties": False,
}
_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "a code that does not change"},
        "what": {"type": "string", "description": "a sentence, which repeats no value"},
    },
    "additionalProperties": False,
}


def _filing(what: str, schema: str) -> dict[str, Any]:
    told = {
        "400": "It broke off.",
        "408": "It took too long to arrive.",
        "409": "The id is another's, or what it named was erased by law.",
        "413": "It is larger than 256 KiB.",
        "415": "It is not JSON by its type.",
        "422": "It cannot be taken: no JSON, another shape, or it names what is not here.",
    }
    return {
        "operationId": f"file{schema}",
        "summary": what,
        "description": "The call can be repeated: the same id makes one document.",
        "security": [{"integration": []}],
        "requestBody": {"required": True, "content": {_JSON: {"schema": _ref(schema)}}},
        "responses": {
            "200": _said("It was here already, and was left as it is.", _JSON, _ref("Filed")),
            "201": _said("It was made.", _JSON, _ref("Filed")),
            "401": _said("The token opens nothing.", _JSON, _ref("Error"), headers=_ASKS),
            "503": _said("No room, or the database does not answer.", _JSON, _ref("Error")),
            **{status: _said(each, _JSON, _ref("Error")) for status, each in told.items()},
        },
    }


# ---- people


def _page(what: str) -> dict[str, Any]:
    return {
        "summary": what,
        "security": [{"dashboard": []}],
        "responses": {
            "200": _said("The page.", _HTML, {"type": "string"}),
            "401": _said("It asks for the password.", _TEXT, {"type": "string"}, headers=_ASKS),
            "503": _said("The database does not answer.", _TEXT, {"type": "string"}),
        },
    }


def _report() -> dict[str, Any]:
    found = _page("A report, what hinders units, and what was frozen")
    period = {"type": "string", "examples": ["Q1/2026", "2026", "01/02/2026-28/02/2026"]}
    found["parameters"] = [{"name": "period", "in": "query", "schema": period}]
    found["responses"]["404"] = _said("There is no such period.", _TEXT, {"type": "string"})
    return found


def _style() -> dict[str, Any]:
    return {
        "summary": "The style of the pages",
        "responses": {"200": _said("The style.", "text/css", {"type": "string"})},
    }

"""Two pages for the office that follows, checks and urges: read only, behind a password, without JavaScript.

They show counts, machines and what hinders units; no dossier and no applicant. A browser asks for the
password by itself (HTTP Basic, RFC 7617), so nothing is kept in cookies; over anything but the own machine,
put TLS before it.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime
from functools import cache
from typing import Final

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.errors import InvalidInput, OnestopError
from onestop_sync.store import Store
from server_stub import figures, report_page

__all__ = ["MIN_PASSWORD", "check_password", "routes"]

MIN_PASSWORD: Final = 12
"""Shortest password, characters: a page on the network can be guessed at."""
_LEVELS: Final = {"here": "–", "hub": "máy đầu mối", "commune": "xã", "district": "huyện", "province": "tỉnh"}
_ERRORS: Final = {
    "unreachable": "ngoại tuyến, sẽ gửi khi có mạng",
    "upstream_refused": "! bị từ chối",
    "revoked": "! khóa của máy này đã bị thu hồi",
    "upstream_malformed": "! trả lời sai giao thức",
}
_SAFE: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def check_password(password: str) -> str:
    """Returns a password that is long enough.

    Raises:
        InvalidInput: It is not.
    """
    if len(password) < MIN_PASSWORD:
        raise InvalidInput(f"The dashboard's password needs at least {MIN_PASSWORD} characters.")
    return password


def routes(store: Store, password: str) -> list[Route]:
    """Returns the page and its style.

    Args:
        store: What to show.
        password: What opens it; any user name goes.
    """

    def page(request: Request) -> Response:
        if not _is_let_in(request, password):
            asks = {"WWW-Authenticate": 'Basic realm="onestop", charset="UTF-8"'}
            return Response("Cần mật khẩu.", 401, asks | _SAFE, "text/plain; charset=utf-8")
        try:
            found = figures.collect(store)
        except OnestopError as error:
            return Response(
                f"Cơ sở dữ liệu chưa trả lời ({error.code}).", 503, _SAFE, "text/plain; charset=utf-8"
            )
        return HTMLResponse(_templates().get_template("dashboard.html").render(f=found), headers=_SAFE)

    def report(request: Request) -> Response:
        if not _is_let_in(request, password):
            return page(request)
        try:
            found = report_page.facts(store, request.query_params.get("period", ""))
        except InvalidInput:
            return Response("Không có kỳ báo cáo đó.", 404, _SAFE, "text/plain; charset=utf-8")
        except OnestopError as error:
            return Response(
                f"Cơ sở dữ liệu chưa trả lời ({error.code}).", 503, _SAFE, "text/plain; charset=utf-8"
            )
        return HTMLResponse(_templates().get_template("report.html").render(**found), headers=_SAFE)

    def style(_: Request) -> Response:
        return Response(_templates().get_template("dashboard.css").render(), 200, _SAFE, "text/css")

    return [Route("/", page), Route("/report", report), Route("/dashboard.css", style)]


def _is_let_in(request: Request, password: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        _, _, said = base64.b64decode(given, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(said, password.encode())


@cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("server_stub"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"time": _time, "number": _number, "level": _level, "trouble": _trouble}
    return environment


def _time(at_ms: int | None) -> str:
    """Returns a time as it is written in Vietnam; a dash for never."""
    if not at_ms:
        return "–"
    return datetime.fromtimestamp(at_ms / 1000, VIETNAM).strftime("%H:%M:%S %d/%m/%Y")


def _number(value: int) -> str:
    return f"{value:,}".replace(",", ".")


def _level(level: str) -> str:
    return _LEVELS.get(level, level)


def _trouble(code: str) -> str:
    return _ERRORS.get(code, code)

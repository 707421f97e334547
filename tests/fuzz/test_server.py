"""The server answers what its OpenAPI document says, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from starlette.routing import Route

from server_stub.app import build_app
from server_stub.cli import main
from server_stub.openapi import COMPLAINT_PATH, PORTAL_PATH, document
from tests.fuzz.server import ask, serving
from tests.province import Province


def test_every_route_and_method_is_in_the_document_and_the_reverse(tmp_path: Path) -> None:
    """The paths and methods of the application are those of the document."""
    province = Province(tmp_path)
    app = build_app(province.office, signer=province.admin, password="mat khau rat dai")
    routes = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    province.office.close()
    assert routes == {(path, method) for path, item in document()["paths"].items() for method in item}


def test_the_document_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """`onestop-server openapi` prints what a server has at its address."""
    assert main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == document()


def test_the_server_answers_as_the_document_says(tmp_path: Path) -> None:
    """Requests that it allows, and such as it does not, get an answer that is in it, of each kind some."""
    with serving(tmp_path) as server:
        told = ask(server, 12, is_random=False)
    seen = sum(told.values(), Counter())
    assert seen.keys() >= {200, 201, 400, 401, 422}
    assert not [status for status in seen if status >= 500]
    assert {201, 401, 422} <= told[f"POST {PORTAL_PATH}"].keys()
    assert {201, 401, 422} <= told[f"POST {COMPLAINT_PATH}"].keys()

"""A server that is asked whatever its OpenAPI document allows, and what it does not allow, by schemathesis.

Bodies of machines are packets: real ones, of a machine that the server knows, and such with changes; a token
and a password are right, wrong or missing. What comes back must be in the document: its status, content type
and shape.
"""

from __future__ import annotations

import json
import random
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    allow_header_conformance,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from schemathesis.core.result import Ok

from onestop_sync import codec
from onestop_sync.client import CONTENT_TYPE, SYNC_PATH
from onestop_sync.dossier.types import TYPES
from onestop_sync.enrol_line import ENROL_PATH
from onestop_sync.protocol import Requester, open_packet
from server_stub.app import build_app
from server_stub.openapi import COMPLAINT_PATH, PORTAL_PATH, RATING_PATH, document
from server_stub.portal import integrations
from tests.fuzz.mutate import mutate
from tests.fuzz.target import Form
from tests.fuzz.wire import enrol_wires
from tests.province import Province

__all__ = ["Asked", "ask", "serving"]

PASSWORD: Final = "mật khẩu rất dài"
FILED: Final = {
    "MaHoSo": "G22.99-1", "MaDonVi": "000.01.01.H99", "MaTTHC": "1.001193", "ChuHoSo": "Nguyễn Thị Hường",
    "NgayNop": "20261125083000", "ThongTinRieng": {"Họ tên con": "An"},
}  # fmt: skip
COMPLAINT: Final = {"MaPhanAnh": "PA-1", "MaDonVi": "000.01.01.H99", "NoiDung": "Chậm"}
_CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, unsupported_method, allow_header_conformance,
]  # fmt: skip


class Asked(NamedTuple):
    """A server that can be asked.

    Attributes:
        url: Where it listens.
        token: Of an integration.
        packets: Bodies that it takes.
    """

    url: str
    token: str
    packets: list[bytes]


@contextmanager
def serving(folder: Path) -> Iterator[Asked]:
    """Runs a server of a province in a thread, with a portal's integration and a dashboard."""
    province = Province(folder, types=TYPES)
    store = province.machine("s", "p", serves=True, database=f"sqlite:///{folder}/s.db", blocks=()).store
    machine = province.machine("pc", "c1", {"An": ["tiep_nhan"]}, database="sqlite://").store
    app = build_app(store, signer=province.admin, password=PASSWORD)
    token = integrations.add(store, "cong-tinh", "Cổng dịch vụ công tỉnh")
    request = Requester(machine, "s").next_request() or b""
    plain = b"\0" + codec.encode(open_packet(request))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            yield Asked(url, token, [request, plain, *enrol_wires()])
        finally:
            server.should_exit = True
            thread.join()
            for each in (store, machine, province.office):
                each.close()


def ask(server: Asked, examples: int, *, is_random: bool) -> dict[str, Counter[int]]:
    """Asks every operation of the document.

    Args:
        server: Who is asked.
        examples: Requests for each operation that the document allows, and as many that it does not.
        is_random: Whether each run asks something else.

    Returns:
        Method and path → status → how often.

    Raises:
        AssertionError: An answer is not in the document; it says which request brings it about.
    """
    schemathesis.openapi.media_type(CONTENT_TYPE, _packets(server.packets))
    schema = schemathesis.openapi.from_dict(document())
    told: dict[str, Counter[int]] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        counts = told.setdefault(operation.label, Counter())
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            cases = operation.as_strategy(generation_mode=mode)
            _ask_one(server, cases, counts, settings(
                max_examples=examples, derandomize=not is_random, database=None, deadline=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
            ))  # fmt: skip
    return told


def _ask_one(server: Asked, cases: Any, counts: Counter[int], how: settings) -> None:
    @how
    @given(cases, st.sampled_from(["right", "right", "wrong", "none"]), st.integers(0, 2**32))
    def one(case: Case[Any], key: str, dice: int) -> None:
        _prepare(server, case, key, random.Random(dice))
        response = case.call(base_url=server.url, timeout=30)
        counts[response.status_code] += 1
        has_type = "content-type" in {name.lower() for name in response.request.headers}
        checks = [c for c in _CHECKS if has_type or c is not content_type_conformance]
        case.validate_response(response, checks=checks)

    with suppress(Unsatisfiable):  # where nothing is asked for, nothing can be asked wrongly
        one()


def _prepare(server: Asked, case: Case[Any], key: str, dice: random.Random) -> None:
    """Says who asks, and mostly something that is nearly right."""
    if key == "none":
        case.headers.pop("Authorization", None)
    elif case.path in {PORTAL_PATH, COMPLAINT_PATH, RATING_PATH}:
        case.headers["Authorization"] = f"Bearer {server.token if key == 'right' else 'x.y'}"
    elif case.path not in {SYNC_PATH, ENROL_PATH}:
        import base64

        said = base64.b64encode(f"x:{PASSWORD if key == 'right' else 'y'}".encode()).decode()
        case.headers["Authorization"] = f"Basic {said}"
    wanted = {PORTAL_PATH: FILED, COMPLAINT_PATH: COMPLAINT}.get(case.path)
    if wanted is not None and dice.random() < 0.5:
        text = json.dumps(wanted).encode()
        value = mutate(Form.JSON, text, dice) if dice.random() < 0.7 else text
        try:
            case.body = json.loads(value)
        except (ValueError, RecursionError):
            case.body = {}


def _packets(packets: list[bytes]) -> st.SearchStrategy[bytes]:
    def changed(packet: bytes, dice: int) -> bytes:
        form = Form.CBOR if dice % 2 else Form.BYTES
        return packet if dice % 5 == 0 else mutate(form, packet, random.Random(dice))

    return st.builds(changed, st.sampled_from(packets), st.integers(0, 2**32))


def main(examples: int) -> int:
    """Asks a server by the dice, and prints what it answered; 1 when the document does not say so."""
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        try:
            told = ask(server, examples, is_random=True)
        except Exception as error:  # noqa: BLE001 - it tells the request and the answer
            print(f"server: {error}", flush=True)
            return 1
    for name, counts in told.items():
        print(f"{name:34} {counts.total():>7}  {dict(sorted(counts.items()))}", flush=True)
    return 0

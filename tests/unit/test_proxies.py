"""Which proxy stands before a server."""

from __future__ import annotations

import pytest

from onestop_sync.client import Parent
from onestop_sync.errors import InvalidInput
from onestop_sync.proxies import proxy_for

FAR = "https://huyen.example.vn"


@pytest.fixture(autouse=True)
def office(monkeypatch: pytest.MonkeyPatch) -> None:
    """An office whose computer names a proxy for everything but one domain."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.tinh.vn:3128")
    monkeypatch.setenv("NO_PROXY", "noi-bo.vn")


def test_the_computers_proxy_is_used_unless_another_is_named() -> None:
    """Without a proxy in the program's settings the computer's counts, for its own scheme only."""
    assert Parent(FAR).through == "http://proxy.tinh.vn:3128"
    assert Parent(FAR, proxy="http://khac.vn:8080").through == "http://khac.vn:8080"
    assert Parent(FAR, proxy="none").through == ""
    assert proxy_for("http://huyen.example.vn", "") == ""


@pytest.mark.parametrize(
    "host",
    ["192.168.1.5:8420", "10.0.0.9", "127.0.0.1", "[fe80::1]", "[::1]", "hub", "hub.local", "a.noi-bo.vn"],
)
def test_the_hub_is_never_asked_for_through_it(host: str) -> None:
    """Addresses of the local network, and those that the office leaves out, are reached directly."""
    assert Parent(f"https://{host}").through == ""


def test_a_proxy_without_a_scheme_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and port alone are what many offices write."""
    monkeypatch.setenv("HTTPS_PROXY", "proxy.tinh.vn:3128")
    assert Parent(FAR).through == "http://proxy.tinh.vn:3128"


@pytest.mark.parametrize("wrong", ["socks5://proxy.vn:1080", "http://:1", "http://a:port"])
def test_a_proxy_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """A proxy that is no address, or of a kind that is not spoken, is named as the reason."""
    monkeypatch.setenv("HTTPS_PROXY", wrong)
    with pytest.raises(InvalidInput, match="proxy"):
        _ = Parent(FAR).through

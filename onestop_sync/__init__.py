"""Offline-first documents: signed events, conflicts that people see and settle, sync over lines and sticks.

Everything an integrator needs is here; names are loaded when they are first used, so that importing this
package costs nothing.

    from onestop_sync import DocumentType, Field, Keyring, Store, sync
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from onestop_sync.bundle import export_bundle, import_bundle
    from onestop_sync.client import Parent, sync
    from onestop_sync.errors import (
        InvalidInput,
        LocalError,
        NotAllowed,
        NotFound,
        OnestopError,
        StoreError,
        Unreachable,
        UpstreamError,
    )
    from onestop_sync.fold import Standing
    from onestop_sync.founding import found
    from onestop_sync.keyring import Keyring, Secrets
    from onestop_sync.keys import SigningKey
    from onestop_sync.protocol import Requester, Responder, SyncReport
    from onestop_sync.schema import DocumentType, Field, Summary, Task, Transition
    from onestop_sync.store import Document, Status, Store
    from onestop_sync.trust import Certificate, TrustDocument, Unit
    from onestop_sync.writer import Writer

_HOME: Final = {
    "Certificate": "trust",
    "Document": "store",
    "DocumentType": "schema",
    "Field": "schema",
    "InvalidInput": "errors",
    "Keyring": "keyring",
    "LocalError": "errors",
    "NotAllowed": "errors",
    "NotFound": "errors",
    "OnestopError": "errors",
    "Parent": "client",
    "Requester": "protocol",
    "Responder": "protocol",
    "Secrets": "keyring",
    "SigningKey": "keys",
    "Standing": "fold",
    "Status": "store",
    "Store": "store",
    "StoreError": "errors",
    "Summary": "schema",
    "SyncReport": "protocol",
    "Task": "schema",
    "Transition": "schema",
    "TrustDocument": "trust",
    "Unit": "trust",
    "Unreachable": "errors",
    "UpstreamError": "errors",
    "Writer": "writer",
    "export_bundle": "bundle",
    "found": "founding",
    "import_bundle": "bundle",
    "sync": "client",
}

__all__ = [
    "Certificate",
    "Document",
    "DocumentType",
    "Field",
    "InvalidInput",
    "Keyring",
    "LocalError",
    "NotAllowed",
    "NotFound",
    "OnestopError",
    "Parent",
    "Requester",
    "Responder",
    "Secrets",
    "SigningKey",
    "Standing",
    "Status",
    "Store",
    "StoreError",
    "Summary",
    "SyncReport",
    "Task",
    "Transition",
    "TrustDocument",
    "Unit",
    "Unreachable",
    "UpstreamError",
    "Writer",
    "export_bundle",
    "found",
    "import_bundle",
    "sync",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"onestop_sync.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__

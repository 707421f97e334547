"""Who may be a parent of this machine, by what the store knows of units and certificates."""

from __future__ import annotations

from onestop_sync import brief
from onestop_sync.errors import FormatError, UpstreamRefused
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate


def is_parent(store: Store, certificate: Certificate) -> bool:
    """Tells whether a machine may be a parent of this one."""
    document = store.trust.document
    if document.is_cut_off(certificate.key, certificate.unit) or not certificate.serves:
        return False
    return document.is_over(certificate.unit, store.unit)


def parent_authority(store: Store, node: bytes) -> Authority:
    """Returns by which authority a parent speaks.

    Args:
        store: The machine's store.
        node: Log of the parent's machine.

    Raises:
        FormatError: By none that is known here.
        UpstreamRefused: It is no parent of this machine's unit.
    """
    authority = store.authority(node)
    if not isinstance(authority, Authority):
        raise FormatError("The parent cannot prove that it belongs to this province.")
    if not is_parent(store, authority.certificate):
        raise UpstreamRefused("That server is not a parent of this machine's unit.", code="not_parent")
    return authority


def servers_above(store: Store) -> list[bytes]:
    """Returns the X25519 keys of the servers that may be a parent; none when they are too many to seal to."""
    found: set[bytes] = set()
    for _, certificate in store.trust.certificates():
        if certificate.serves and certificate.key != store.machine.public:
            best = store.trust.best_certificate(certificate.key)
            if best and best[1].seal and is_parent(store, best[1]):
                found.add(best[1].seal)
    return sorted(found) if len(found) <= brief.MOST_READERS else []

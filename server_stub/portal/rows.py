"""Tables of the portal, in the store's database and apart from its own: they can be dropped and begin anew.

What is sent anew after that is looked up first, so nothing is doubled.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from onestop_sync.store import Store

__all__ = ["dossier", "integration", "make_tables", "metadata", "setting", "status", "step"]

metadata: Final = sa.MetaData()
_Number: Final = sa.BigInteger().with_variant(sa.Integer, "sqlite")

dossier: Final = sa.Table(
    "portal_dossier",
    metadata,
    sa.Column("doc", sa.LargeBinary, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, index=True),  # MaHoSo; empty while there is none
    sa.Column("seen", sa.LargeBinary, nullable=False),  # fingerprint of the state that was last dealt with
    sa.Column("sent", sa.LargeBinary, nullable=False),  # digest of the document that the portal took
    sa.Column("status", sa.Text, nullable=False, index=True),  # waiting, sent, held, failing, none
    sa.Column("reason", sa.Text, nullable=False),  # why held or failing: codes, never words of a dossier
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_ms", _Number, nullable=False),  # not tried before
    sa.Column("lease_ms", _Number, nullable=False),  # until then one program has it in hand
    sa.Column("sent_ms", _Number, nullable=False),
)

# Each CapNhatTienDoHoSoMC that the portal has.
step: Final = sa.Table(
    "portal_step",
    metadata,
    sa.Column("doc", sa.LargeBinary, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
)

setting: Final = sa.Table(
    "portal_setting",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
)

# Who may file drafts: the token's hash, and the seed of its keys, sealed.
integration: Final = sa.Table(
    "portal_integration",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("token", sa.LargeBinary, nullable=False),
    sa.Column("seed", sa.LargeBinary, nullable=False),
    sa.Column("made_ms", _Number, nullable=False),
    sa.Column("ended_ms", _Number, nullable=False),
)

# The slow hashes of the file of statuses, sealed.
status: Final = sa.Table(
    "portal_status",
    metadata,
    sa.Column("doc", sa.LargeBinary, primary_key=True),
    sa.Column("about", sa.LargeBinary, nullable=False),  # of what it was made, by a keyed hash
    sa.Column("key", sa.LargeBinary, nullable=False),
)


def make_tables(store: Store) -> None:
    """Makes the tables where they are missing."""
    with store.writing() as transaction:
        metadata.create_all(transaction.connection)

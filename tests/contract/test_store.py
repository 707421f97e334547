"""The store's contract on an SQLite file, an encrypted SQLite file, and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psycopg
import pytest
import sqlalchemy as sa

from onestop_sync.testing.store_contract import FileContract, StoreContract


class _Sqlite:
    @pytest.fixture(autouse=True)
    def _begin(self, tmp_path: Path) -> Iterator[None]:
        self.begin(tmp_path, lambda name: f"sqlite:///{tmp_path / name}.db")  # type: ignore[attr-defined]
        yield
        self.end()  # type: ignore[attr-defined]


class _Cipher:
    @pytest.fixture(autouse=True)
    def _begin(self, tmp_path: Path) -> Iterator[None]:
        self.begin(tmp_path, lambda _: None)  # type: ignore[attr-defined]
        yield
        self.end()  # type: ignore[attr-defined]


class TestSqlite(_Sqlite, StoreContract):
    """On a plain file."""


class TestCipher(_Cipher, StoreContract):
    """On an encrypted file."""


class TestSqliteFile(_Sqlite, FileContract):
    """What can happen to a plain file."""


class TestCipherFile(_Cipher, FileContract):
    """What can happen to an encrypted file."""

    is_encrypted: ClassVar[bool] = True


class TestPostgres(StoreContract):
    """On PostgreSQL: each store has a schema of its own in one database."""

    @pytest.fixture(autouse=True)
    def _begin(self, tmp_path: Path, postgres_url: str) -> Iterator[None]:
        parts = sa.make_url(postgres_url)

        def schema(name: str) -> str:
            host = parts.query["host"]
            with psycopg.connect(
                host=str(host), user=parts.username, dbname=parts.database, autocommit=True
            ) as c:
                c.execute(f'CREATE SCHEMA IF NOT EXISTS "{name}"'.encode())
            return f"{postgres_url}&options={quote(f'-csearch_path={name}')}"

        self.begin(tmp_path, schema)
        yield
        self.end()

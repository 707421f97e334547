"""Statements that are compiled once for all databases of one kind: each test has several of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import sqlalchemy as sa


class Compiled(dict[Any, Any]):
    """What SQLAlchemy compiled, by kind of database instead of by each one.

    A key of SQLAlchemy begins with the dialect of one engine; those of one kind are all set up alike here.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """Returns a compiled statement, of whichever database of this kind."""
        return super().get(_of_kind(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: Any) -> Any:
    dialect, *rest = key
    return (dialect.name, dialect.dbapi.__name__, *rest)


def shared() -> Callable[[], Any]:
    """Lets every engine that is made from now on share what is compiled; returns what ends that."""
    options = {"compiled_cache": Compiled()}
    patch = mock.patch.object(sa, "create_engine", partial(sa.create_engine, execution_options=options))
    patch.start()
    return patch.stop

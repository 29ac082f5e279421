"""Databases for every room's tests: SQLite files, and a real PostgreSQL server where its program is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outrider.memory.store import Store
from tests.servers.postgres import PostgresServer, no_postgres


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'runs.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty SQLite store."""
    opened = Store(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole session; skipped where PostgreSQL is not installed."""
    if why := no_postgres():
        pytest.skip(why)
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'any.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def any_store(any_url: str) -> Iterator[Store]:
    """An open, empty store of each kind."""
    opened = Store(any_url)
    yield opened
    opened.close()

"""Databases for every room's tests: SQLite files, and a real PostgreSQL server where its program is installed.

What cannot run here is named (skips.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from outrider.memory.store import Store
from tests.servers.postgres import PostgresServer, no_postgres
from tests.skips import NoSkips, left_out

NOT_RUN = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--no-skips`."""
    parser.addoption("--no-skips", action="store_true", help="a skip that tests/skips.py does not list is a failure")


def pytest_configure(config: pytest.Config) -> None:
    """Skips become failures where they were asked not to happen."""
    if config.getoption("--no-skips"):
        config.pluginmanager.register(NoSkips(), "no-skips")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is not here; with `--no-skips` it stays in, and fails."""
    if not config.getoption("--no-skips"):
        items[:], config.stash[NOT_RUN] = left_out(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several tells the one that prints."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["not_run"] = session.config.stash.get(NOT_RUN, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What one of several processes left out."""
    node.config.stash[NOT_RUN] = getattr(node, "workeroutput", {}).get("not_run", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name what was left out."""
    for why, count in config.stash.get(NOT_RUN, {}).items():
        terminalreporter.write_line(f"NOT RUN {count} cases: {why}", yellow=True)


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

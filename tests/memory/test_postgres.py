"""What people meet with a PostgreSQL server: each refusal says why and gives the command that helps, which works."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from outrider.memory.errors import StoreError
from outrider.memory.store import Store
from tests.servers.postgres import PostgresServer, _program

pytestmark = pytest.mark.postgres


def refusal(url: str) -> StoreError:
    """The error of opening this database."""
    with pytest.raises(StoreError) as error:
        Store(url)
    return error.value


def do(command: str) -> None:
    """Run the command a message gave, as a person would."""
    words = shlex.split(command)
    subprocess.run([str(_program(words[0])), *words[1:]], check=True, capture_output=True)


def at(postgres: PostgresServer, name: str, who: str = "outrider", more: str = "") -> str:
    """The URL of a database of the test server."""
    return f"postgresql://{who}@/{name}?host={postgres.folder}{more}"


def test_postgres_without_the_database_gives_the_command_that_makes_it(postgres: PostgresServer) -> None:
    """The reason is not "start the server": it runs. What the message says to type makes a database that works."""
    error = refusal(at(postgres, "nosuch"))
    assert "no database 'nosuch'" in error.why
    do(error.fix.removeprefix("make it: "))
    Store(at(postgres, "nosuch")).close()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_postgres_database_of_another_encoding_is_refused_at_opening(postgres: PostgresServer, encoding: str) -> None:
    """Text would be lost or refused in the middle of a run; the command in the message makes one that takes everything."""
    name = f"enc_{encoding.lower()}"
    postgres.psql(
        "postgres", f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    error = refusal(at(postgres, name))
    assert f"its encoding is {encoding}" in error.why
    do(error.fix.partition("--memory: ")[2])
    Store(at(postgres, f"{name}_utf8")).close()


def test_postgres_role_that_may_not_make_tables_is_told_the_grant(postgres: PostgresServer) -> None:
    """The grant in the message is the one that is missing."""
    postgres.psql("postgres", 'CREATE ROLE "small fry" LOGIN')
    postgres.psql("postgres", "CREATE DATABASE rights")
    postgres.psql("rights", "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    url = at(postgres, "rights", "small%20fry")
    error = refusal(url)
    assert "may not make tables" in error.why
    postgres.psql("rights", error.fix.removeprefix("let its owner run: "))
    Store(url).close()


def test_postgres_role_that_may_not_touch_the_tables_is_told_the_grant(postgres: PostgresServer) -> None:
    """Somebody else's database: opening it needs rights on its tables."""
    Store(at(postgres, "postgres")).close()
    postgres.psql("postgres", "CREATE ROLE guest LOGIN")
    error = refusal(at(postgres, "postgres", "guest"))
    assert "GRANT SELECT" in error.fix
    postgres.psql("postgres", error.fix.removeprefix("let its owner run: "))
    Store(at(postgres, "postgres", "guest")).close()


@pytest.mark.parametrize(
    ("who", "more", "said"),
    [
        ("nobody_here", "", "nobody_here"),
        ("outrider", "&sslmode=sometimes", "sslmode"),
        ("outrider", "&colour=red", "colour"),
    ],
)
def test_postgres_says_which_part_of_the_url_is_wrong(postgres: PostgresServer, who: str, more: str, said: str) -> None:
    """A role or an option that does not exist is named; nobody is told to start a server that runs."""
    error = refusal(at(postgres, "postgres", who, more))
    assert said in str(error)
    assert "start it" not in error.fix


def test_postgres_wrong_password_is_a_wrong_password(postgres: PostgresServer) -> None:
    """The password is never in the message, and the message says that it is the password."""
    rules = Path(postgres.folder) / "data" / "pg_hba.conf"
    before = rules.read_text()
    postgres.psql("postgres", "CREATE ROLE careful LOGIN PASSWORD 'right'")
    rules.write_text(f"local all careful scram-sha-256\n{before}")
    try:
        postgres.psql("postgres", "SELECT pg_reload_conf()")
        error = refusal(at(postgres, "postgres", "careful:hunter2wrong"))
    finally:
        rules.write_text(before)
        postgres.psql("postgres", "SELECT pg_reload_conf()")
    assert "password authentication failed" in error.why
    assert "hunter2wrong" not in str(error)


def test_postgres_that_is_not_there_is_still_told_apart() -> None:
    """Only a server that does not answer is to be started."""
    assert "start it" in refusal("postgresql://me@127.0.0.1:1/nothing").fix

"""A real PostgreSQL server for tests: made in a temporary folder, on a Unix socket only, thrown away afterwards.
Runs as the user `postgres` when the tests run as root (the server refuses root). Does not keep anything durable.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

NEWEST_FIRST = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _program(name: str) -> str | None:
    for folder in NEWEST_FIRST:
        if (folder / name).is_file():
            return str(folder / name)
    return shutil.which(name)


def no_postgres() -> str:
    """Why no server can be started here, "" if one can."""
    if _program("initdb") is None or _program("pg_ctl") is None:
        return "PostgreSQL is not installed: no initdb in /usr/lib/postgresql/*/bin or on PATH"
    if os.geteuid() == 0:
        import pwd

        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "PostgreSQL does not run as root, and there is no user `postgres`"
    return ""


class PostgresServer:
    """`with PostgresServer() as server: server.new_database()` gives a URL. `restart()` restarts it, at once."""

    def __init__(self) -> None:
        self._count = itertools.count(1)
        self._root: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )

    def __enter__(self) -> PostgresServer:
        self.folder = Path(tempfile.mkdtemp(prefix="outrider-pg-"))
        if self._root:
            shutil.chown(self.folder, "postgres", "postgres")
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "outrider", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=50"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", "-o", options, "start")

    def stop(self) -> None:
        """Stop it as a crash would: no goodbye to anybody."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def new_database(self) -> str:
        """The URL of a database of its own."""
        name = f"test_{next(self._count)}"
        self.psql("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://outrider@/{name}?host={self.folder}"

    def psql(self, database: str, statement: str) -> str:
        """Run one statement, with nothing of ours in between."""
        done = self._run("psql", "-h", str(self.folder), "-U", "outrider", "-d", database, "-Atqc", statement)
        return done.stdout.strip()

    def _run(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = _program(name)
        assert program is not None, name
        with tempfile.TemporaryFile("w+") as said:  # pg_ctl leaves the server with its standard output: no pipe
            done = subprocess.run(
                [program, *arguments],
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                cwd="/",
                check=False,
                **self._root,
            )
            said.seek(0)
            output = said.read()
        assert done.returncode == 0, f"{name}: {output}"
        return subprocess.CompletedProcess(done.args, 0, stdout=output)

"""What a step costs the database server: runs at once on a PostgreSQL of its own, with fsync on, on a Unix socket.

Touches: a temporary server, thrown away. Its CPU is that of all its processes; its transactions and rows are its own count.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.subjects import OUTRIDER
from tests.servers.postgres import PostgresServer, no_postgres

if TYPE_CHECKING:
    from benchmarks.measures import Drivers
    from benchmarks.results import Cost

STEPS, DELAY_MS = 20, 50
COUNTS = "SELECT xact_commit, tup_inserted + tup_updated FROM pg_stat_database WHERE datname = '{}'"


class Server(PostgresServer):
    """The one of the tests, but it waits for its disk."""

    def start(self) -> None:
        """As theirs, with fsync and room for connections."""
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c max_connections=100"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", "-o", options, "start")

    def cpu_s(self) -> float:
        """Of the server and all its processes, those that have ended too."""
        postmaster = (self.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0]
        ticks = 0
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                text = entry.read_text()
            except OSError:
                continue
            fields = text.rpartition(")")[2].split()
            if entry.parent.name == postmaster:
                ticks += sum(map(int, fields[11:15]))
            elif fields[1] == postmaster:
                ticks += sum(map(int, fields[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def counts(self, database: str) -> tuple[int, int]:
        """Transactions, and rows written."""
        commits, rows = self.psql("postgres", COUNTS.format(database)).split("|")
        return int(commits), int(rows)


class Watch(threading.Thread):
    """Looks every second how many connections a database has."""

    def __init__(self, server: Server, database: str) -> None:
        super().__init__(daemon=True)
        self._server, self._database, self._over, self._most = server, database, threading.Event(), 0
        self.start()

    def run(self) -> None:
        """Until `most` is asked for."""
        query = f"SELECT numbackends FROM pg_stat_database WHERE datname = '{self._database}'"
        while not self._over.wait(1.0):
            self._most = max(self._most, int(self._server.psql("postgres", query)))

    def most(self) -> int:
        """End; how many there were at most."""
        self._over.set()
        self.join()
        return self._most


def on_postgres(drivers: Drivers, runs: int) -> Cost:
    """`runs` runs at once: the cost in the process that runs them, and what the server spent on each step."""
    if why := no_postgres():
        return {"left_out": why}
    server = Server()
    with server:
        url = server.new_database()
        name = url.partition("@/")[2].partition("?")[0]
        driver = drivers.warm(OUTRIDER)
        base = drivers.server.url(driver.kind, steps=STEPS, delay_ms=DELAY_MS)
        warm = driver.ask("many", 120.0, url=drivers.server.url(driver.kind, steps=1), steps=1, runs=2, memory=url)
        if "error" in warm:
            return warm
        time.sleep(1.1)  # the server counts once a second
        cpu_s, (commits, rows) = server.cpu_s(), server.counts(name)
        watch = Watch(server, name)
        cost = driver.ask("many", 600.0, calls=runs * STEPS, url=base, steps=STEPS, runs=runs, memory=url)
        connections = watch.most()
        if "error" in cost:
            return cost
        time.sleep(1.1)
        after, (more, written) = server.cpu_s(), server.counts(name)
    steps = runs * STEPS
    per_step = {
        "server_cpu_ms": (after - cpu_s) / steps * 1e3,
        "commits": (more - commits) / steps,
        "rows": (written - rows) / steps,
    }
    return cost | per_step | {"connections": connections}

"""Memory side by side with raw sqlite3 doing the least it could: append, read back, recall.

    python -m benchmarks.memory --rows 100000      prints medians; `python -m benchmarks.all` puts them on its page

Touches: a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from outrider.memory import recall
from outrider.memory.events import RunStarted, ToolReturned
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify

WORDS = [f"word{i}" for i in range(20_000)]


def texts(count: int) -> list[str]:
    """Observations of 40 words: few common ones, a long tail of rare ones."""
    chance = random.Random(1)
    return [" ".join(WORDS[int(20_000 * chance.random() ** 4)] for _ in range(40)) for _ in range(count)]


def timed(work: Callable[[], object]) -> float:
    """CPU seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def raw(file: Path, said: list[str]) -> tuple[float, float, sqlite3.Connection]:
    """Append one row a commit with full text, read all back: seconds of each."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, body TEXT)")
    db.execute("CREATE VIRTUAL TABLE recall USING fts5(text, content='', tokenize='porter unicode61')")

    def append() -> None:
        for number, text in enumerate(said):
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO events VALUES (?, ?)", (number, text))
            db.execute("INSERT INTO recall (rowid, text) VALUES (?, ?)", (number, text))
            db.execute("COMMIT")

    return timed(append), timed(lambda: db.execute("SELECT * FROM events").fetchall()), db


def recalls(store: Store, raw_db: sqlite3.Connection, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds on the clock of finding the ten best of three words: ours, and FTS5 asked for any of them."""
    chance, ours, theirs = random.Random(2), list[float](), list[float]()
    for _ in range(rounds):
        words = [WORDS[int(20_000 * chance.random() ** 4)] for _ in range(3)]
        began = time.perf_counter()
        recall.search(store, " ".join(words))
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        query = "SELECT rowid FROM recall WHERE recall MATCH ? ORDER BY rank LIMIT 10"
        raw_db.execute(query, (" OR ".join(words),)).fetchall()
        theirs.append(time.perf_counter() - began)
    return ours, theirs


def figures(rows: int) -> dict[str, dict[str, float]]:
    """Milliseconds by what was done: {"ours": …, "raw": …}. Appending and reading in CPU, recall on the clock."""
    said = texts(rows)
    with tempfile.TemporaryDirectory() as folder:
        raw_append, raw_read, raw_db = raw(Path(folder) / "raw.db", said)
        store = Store(f"sqlite:///{Path(folder) / 'runs.db'}")
        journal = Journal.create(store, RunStarted(goal="g", model="m"))

        def append() -> None:
            for number, text in enumerate(said):
                journal.append(ToolReturned(call_id=f"{number}.0", tool="look", text=text))

        def renew() -> None:
            for _ in range(200):
                journal.beat()

        found = {
            "append one observation": {"ours": timed(append) / rows, "raw": raw_append / rows},
            "read and decode one": {
                "ours": timed(lambda: [s.event for s in journal.read()]) / rows,
                "raw": raw_read / rows,
            },
            "last page of 50": {"ours": timed(lambda: [journal.tail(50) for _ in range(100)]) / 100},
            "renew a lease": {"ours": timed(renew) / 200},
            "verify one": {"ours": timed(lambda: verify(journal)) / rows},
        }
        ours, theirs = recalls(store, raw_db, 100)
        found["recall, median"] = {"ours": statistics.median(ours), "raw": statistics.median(theirs)}
        tenths = [statistics.quantiles(times, n=10)[8] for times in (ours, theirs)]
        found["recall, nine of ten under"] = {"ours": tenths[0], "raw": tenths[1]}
        raw_db.close()
        store.close()
    return {what: {who: seconds * 1e3 for who, seconds in both.items()} for what, both in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    for what, both in figures(parser.parse_args().rows).items():
        ratio = f"{both['ours'] / both['raw']:.1f} x raw sqlite3" if "raw" in both else ""
        print(f"{what:<28}{both['ours']:>9.3f} ms  {ratio}")


if __name__ == "__main__":
    main()

"""Memory side by side with raw sqlite3 doing the least it could: append, read back, recall. Prints ratios.

python benchmarks/memory.py --rows 100000
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    said = texts(rows)
    with tempfile.TemporaryDirectory() as folder:
        raw_append, raw_read, raw_db = raw(Path(folder) / "raw.db", said)
        store = Store(f"sqlite:///{Path(folder) / 'runs.db'}")
        journal = Journal.create(store, RunStarted(goal="g", model="m"))

        def append() -> None:
            for number, text in enumerate(said):
                journal.append(ToolReturned(call_id=f"{number}.0", tool="look", text=text))

        ours_append = timed(append)
        ours_read = timed(lambda: [s.event for s in journal.read()])
        print(f"append: {ours_append / rows * 1000:.3f} ms a commit, {ours_append / raw_append:.1f} x raw sqlite3")
        print(f"read and decode all: {ours_read:.2f} s, {ours_read / raw_read:.1f} x raw rows")
        page_s = timed(lambda: [journal.tail(50) for _ in range(100)])
        print(f"last page of 50: {page_s * 10:.2f} ms")
        print(f"verify: {timed(journal.verify):.2f} s")
        chance, ours, theirs = random.Random(2), [], []
        for _ in range(100):
            words = [WORDS[int(20_000 * chance.random() ** 4)] for _ in range(3)]
            began = time.perf_counter()
            recall.search(store, " ".join(words))
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            query = "SELECT rowid FROM recall WHERE recall MATCH ? ORDER BY rank LIMIT 10"
            raw_db.execute(query, (" OR ".join(words),)).fetchall()
            theirs.append(time.perf_counter() - began)
        for name, times in (("recall", ours), ("raw fts5, all words", theirs)):
            p50, p90 = statistics.median(times), statistics.quantiles(times, n=10)[8]
            print(f"{name}: p50 {p50 * 1000:.1f} ms, p90 {p90 * 1000:.1f} ms")
        raw_db.close()
        store.close()


if __name__ == "__main__":
    main()

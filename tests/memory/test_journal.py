"""The journal keeps what it was given, in order, for one writer; on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from itertools import islice, product
from pathlib import Path

import pytest
from sqlalchemy import delete, insert

from outrider.memory import schema
from outrider.memory.errors import LeaseLost, StoreError, UsageError
from outrider.memory.events import ModelReplied, Noted, RunStarted, ToolReturned
from outrider.memory.journal import PAGE, Journal
from outrider.memory.store import Store, digest_of
from outrider.memory.text import whole_characters
from outrider.memory.verify import verify
from tests.memory.samples import sample, step

START = RunStarted(goal="g", model="m")


def test_run_reads_back_as_it_was_appended(any_store: Store) -> None:
    """Every field, blob and hash comes back; `verify` agrees, and so does a second connection."""
    journal = sample(any_store)
    stored = list(journal.read())
    assert [s.seq for s in stored] == list(range(1, 14))
    assert [s.event for s in stored[5:9]] == step(2)
    assert verify(journal).ok
    again = Store(any_store.url.render_as_string(hide_password=False))
    assert list(Journal.open_for_reading(again, journal.run_id).read()) == stored
    again.close()


def test_pages_join_without_a_gap_when_a_run_is_longer_than_a_page(any_store: Store) -> None:
    """Reading is paged; nothing is lost or read twice at the seams."""
    journal = Journal.create(any_store, START)
    journal.append(*(Noted(text=str(i)) for i in range(2, 2 * PAGE + 2)))
    assert [s.seq for s in journal.read()] == list(range(1, 2 * PAGE + 2))
    assert [s.seq for s in journal.read(after=PAGE - 1, upto=PAGE + 1)] == [PAGE, PAGE + 1]
    assert [s.seq for s in journal.tail(3)] == [2 * PAGE - 1, 2 * PAGE, 2 * PAGE + 1]
    assert journal.at(PAGE).event == Noted(text=str(PAGE))


@pytest.mark.parametrize("seq", [0, -1, -(2**40), 3, 2**32 + 1, 2**33 + 1, 2**70])
def test_at_refuses_a_number_the_run_has_not(store: Store, seq: int) -> None:
    """A number outside the run never shows another run's event."""
    runs = [Journal.create(store, START) for _ in range(3)]
    runs[0].append(Noted(text="mine"))
    with pytest.raises(UsageError, match="has no event"):
        runs[0].at(seq)
    assert [s.seq for s in runs[0].read(after=-5, upto=2**80)] == [1, 2]


def test_append_is_all_or_nothing_when_one_event_cannot_be_stored(any_store: Store) -> None:
    """A commit that fails half way leaves no half."""
    journal = Journal.create(any_store, START)
    taken = {"id": journal._base + 3, "run_id": "x", "seq": 99, "at": "", "kind": "noted", "body": "{}", "hash": b""}
    with any_store.write() as db:
        db.execute(insert(schema.events), taken)  # the third event will not fit
    with pytest.raises(StoreError):
        journal.append(Noted(text="two"), Noted(text="three"), blobs={"d": b"data"})
    assert [s.seq for s in journal.read()] == [1]
    assert journal.head_seq == 1
    assert any_store.get_blob("d") is None
    with any_store.write() as db:
        db.execute(delete(schema.events).where(schema.events.c.run_id == "x"))
    journal.append(Noted(text="two"), Noted(text="three"), blobs={"d": b"data"})
    assert verify(journal).ok


def test_same_blob_is_kept_once(any_store: Store) -> None:
    """Equal outputs share their bytes."""
    journal = Journal.create(any_store, START)
    data = b"same" * 10_000
    for _ in range(2):
        journal.append(ToolReturned(call_id="1.0", blob=digest_of(data), size=len(data)), blobs={digest_of(data): data})
    with any_store.read() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM blobs").scalar() == 1
    assert verify(journal).ok


def test_two_open_writers_never_both_append(any_store: Store) -> None:
    """The one whose fence is old is told who has the run; what it wanted to write is not there."""
    first = Journal.create(any_store, START)
    first_fence = first._head.fence
    with any_store.write() as db:
        db.exec_driver_sql("UPDATE runs SET holder = 'elsewhere:1:1', beat = 0")
    second = Journal.open_for_writing(any_store, first.run_id)
    assert second._head.fence == (first_fence or 0) + 1
    second.append(Noted(text="second"))
    for _ in range(2):
        with pytest.raises(LeaseLost, match="no longer drives"):
            first.append(Noted(text="first"))
        with pytest.raises(LeaseLost):
            first.beat()
    first.release()  # of a lease it lost: the other's stays
    with pytest.raises(LeaseLost, match="another process"):
        Journal.open_for_writing(any_store, first.run_id)
    second.append(Noted(text="second"))
    assert [getattr(s.event, "text", "") for s in second.read()] == ["", "second", "second"]
    assert verify(second).ok


def test_reader_cannot_append(store: Store) -> None:
    """A journal opened for reading has no lease."""
    run = sample(store).run_id
    with pytest.raises(RuntimeError):
        Journal.open_for_reading(store, run).append(Noted(text="x"))


def test_find_run_takes_part_of_an_id_and_last(any_store: Store) -> None:
    """An id may be shortened while it stays the only one; wildcards of SQL are letters like any other."""
    for run_id in ("261123-aaaaaa", "261123-aaabbb", "261124-cccccc"):
        Journal.create(any_store, START, run_id=run_id).release()

    def find(wanted: str) -> str:
        return Journal.open_for_reading(any_store, wanted).run_id

    assert find("261123-aaaaaa") == "261123-aaaaaa"
    assert find("cccccc") == find("261124") == find("last") == "261124-cccccc"
    assert find("aaab") == "261123-aaabbb"
    for wanted in ("aaa", "261123", "nothing", "", "cc", "%%%", "___", "'; --", "\udcff\udcff\udcff", "x\0y"):
        with pytest.raises(UsageError):
            find(wanted)


def test_ids_never_meet_when_chance_gives_one_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new run never fails because another has its id."""
    ids = iter(["261123-twiced", "261123-twiced", "261123-others"])
    monkeypatch.setattr("outrider.memory.journal.new_run_id", lambda: next(ids))
    runs = [Journal.create(store, START).run_id for _ in range(2)]
    assert runs == ["261123-twiced", "261123-others"]


def test_run_is_never_there_without_its_first_event(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process killed while it begins a run leaves nothing that `resume last` would fall over."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("outrider.memory.journal.write", killed)
    with pytest.raises(KeyboardInterrupt):
        Journal.create(store, START)
    monkeypatch.undo()
    with pytest.raises(UsageError):
        Journal.open_for_reading(store, "last")


async def test_follow_gives_each_event_once_while_another_writes(any_store: Store) -> None:
    """A watcher sees what is committed, in order, and nothing else."""
    journal = Journal.create(any_store, START)
    watcher = Journal.open_for_reading(any_store, journal.run_id)
    got: list[int] = []

    async def watch() -> None:
        async for stored in watcher.follow(poll_s=0.01):
            got.append(stored.seq)
            if stored.seq == 6:
                return

    task = asyncio.create_task(watch())
    for i in range(5):
        journal.append(Noted(text=str(i)))
        await asyncio.sleep(0.01)
    await asyncio.wait_for(task, 10)
    assert got == [1, 2, 3, 4, 5, 6]


def test_fork_of_a_fork_reads_each_shared_part_from_its_owner(any_store: Store) -> None:
    """Shared events are not copied; what the parents do afterwards is not seen."""
    root = Journal.create(any_store, START)
    root.append(*(Noted(text=f"root {i}") for i in range(2, 6)))
    child = Journal.create(any_store, Noted(text="child 4"), parent=root.run_id, fork_seq=3)
    child.append(Noted(text="child 5"))
    grandchild = Journal.create(any_store, Noted(text="grandchild 5"), parent=child.run_id, fork_seq=4)
    root.append(Noted(text="root later"))
    child.append(Noted(text="child later"))
    texts = [getattr(s.event, "text", "goal") for s in grandchild.read()]
    assert texts == ["goal", "root 2", "root 3", "child 4", "grandchild 5"]
    assert [s.seq for s in grandchild.read(after=2, upto=4)] == [3, 4]
    assert [s.seq for s in grandchild.tail(2)] == [4, 5]
    assert verify(grandchild).ok
    assert verify(child).ok
    with any_store.read() as db:
        assert db.exec_driver_sql("SELECT count(*) FROM events").scalar() == 6 + 3 + 1


@pytest.mark.parametrize("text", ["\ud800 alone", "nul \0 here", "emoji 🦦", "\x1b[31m", "\u2028"])
def test_any_text_is_kept(any_store: Store, text: str) -> None:
    """No text a model, a tool or a person can come up with loses a run."""
    journal = Journal.create(any_store, RunStarted(goal=text, model=text))
    journal.append(Noted(text=text), ModelReplied(step=1, text=text), ToolReturned(call_id="1.0", text=text))
    assert verify(journal).ok
    kept = whole_characters(text)
    assert [getattr(s.event, "text", kept) for s in journal.read()] == [kept] * 4


def test_huge_text_of_rare_words_is_kept(any_store: Store) -> None:
    """Full text has its limits (PostgreSQL: 1 MB of words a row); an observation over them is kept all the same."""
    words = " ".join("".join(letters) for letters in islice(product("абвгдежзик", repeat=5), 100_000))
    data = words.encode()
    journal = Journal.create(any_store, START)
    journal.append(
        ToolReturned(call_id="1.0", text=words[:100], blob=digest_of(data), size=len(words)),
        blobs={digest_of(data): data},
    )
    journal.append(Noted(text="x" * 3_000_000))
    assert verify(journal).ok


def test_database_file_is_private(tmp_path: Path) -> None:
    """What a run saw is nobody else's business: the folder that is made for it is closed to others."""
    store = Store(f"sqlite:///{tmp_path / 'new' / 'deep' / 'runs.db'}")
    assert (tmp_path / "new" / "deep").stat().st_mode & 0o077 == 0
    store.close()

"""Group commit: what runs of one loop append together is one transaction, acknowledged once it is on disk, each run for itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from outrider.memory.appending.group import until_free
from outrider.memory.errors import LeaseLost, StoreError
from outrider.memory.events import Noted, RunStarted, ToolReturned
from outrider.memory.journal import Journal, Stored
from outrider.memory.store import Store, digest_of
from outrider.memory.verify import verify

START = RunStarted(goal="g", model="m")


class Unwritable(Noted):
    """An event that no JSON can be made of."""

    def body(self) -> str:
        raise ValueError("no JSON")


def ignore(stored: Sequence[Stored], error: BaseException | None) -> None:
    """A listener that has nothing to do."""


def watch(store: Store, heard: Callable[[str], object]) -> None:
    """Tell `heard` each statement of the writer, as SQLite executes it."""
    assert store._kept is not None
    store._kept.connection.dbapi_connection.set_trace_callback(heard)  # type: ignore[union-attr]


def texts(journal: Journal) -> list[str]:
    """What was noted in a run, as another reader sees it now."""
    return [s.event.text for s in journal.read() if isinstance(s.event, Noted)]


def test_appends_of_one_turn_are_one_transaction(store: Store) -> None:
    """Fifty runs that append together wait for one commit, not for fifty; each chain verifies."""
    journals = [Journal.create(store, START) for _ in range(50)]
    statements = list[str]()
    watch(store, statements.append)

    async def together() -> None:
        await asyncio.gather(*(j.submit([Noted(text="a"), Noted(text="b")], {}, ignore) for j in journals))

    asyncio.run(together())
    assert statements.count("COMMIT") == 1
    for journal in journals:
        assert texts(journal) == ["a", "b"]
        assert verify(journal).ok


def test_nothing_is_acknowledged_before_it_is_on_disk(any_store: Store) -> None:
    """At the moment an append is done, and when its listener is told, another connection reads it."""
    journals = [Journal.create(any_store, START) for _ in range(5)]
    heard = []

    async def one(journal: Journal) -> None:
        for n in range(20):
            await journal.submit(
                [Noted(text=str(n))], {}, lambda s, e: heard.append((e, texts(journal)[-1:] == [s[0].event.text]))
            )
            assert texts(journal)[-1] == str(n)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(journal) for journal in journals))

    asyncio.run(all_of_them())
    assert heard == [(None, True)] * 100
    assert all(verify(journal).ok for journal in journals)


def test_appends_of_a_run_keep_their_order(any_store: Store) -> None:
    """Many appends without waiting in between come to disk in the order they were made, with their blobs."""
    journal, data = Journal.create(any_store, START), b"x" * 5000

    async def many() -> None:
        returned = ToolReturned(call_id="1.0", blob=digest_of(data), size=len(data))
        waits = [journal.submit([Noted(text=str(n))], {}, ignore) for n in range(30)]
        waits.append(journal.submit([returned], {digest_of(data): data}, ignore))
        await asyncio.gather(*waits)

    asyncio.run(many())
    assert texts(journal) == [str(n) for n in range(30)]
    assert any_store.get_blob(digest_of(data)) == data
    assert verify(journal).ok


def test_a_lost_lease_is_its_own_run_s_trouble(any_store: Store) -> None:
    """A run another process took fails; the runs that were committed with it are on disk."""
    lost, kept = Journal.create(any_store, START), Journal.create(any_store, START)
    with any_store.write() as db:
        db.exec_driver_sql(
            f"UPDATE runs SET fence = fence + 1, holder = 'elsewhere:1:1' WHERE run_id = '{lost.run_id}'"
        )

    async def both() -> list[BaseException | None]:
        waits = (lost.submit([Noted(text="x")], {}, ignore), kept.submit([Noted(text="y")], {}, ignore))
        return await asyncio.gather(*waits, return_exceptions=True)

    first, second = asyncio.run(both())
    assert isinstance(first, LeaseLost)
    assert second is None
    assert (texts(lost), texts(kept)) == ([], ["y"])


class Cut(Store):
    """A database whose answer to a commit does not arrive so often: it was made, or not. The next ones go well."""

    def __init__(self, url: str) -> None:
        self.cuts: list[bool] = []  # of the next commits: whether they are made all the same
        super().__init__(url)

    @contextmanager
    def write(self, *, wait: bool = True) -> Iterator[Connection]:
        """As that of the database itself."""
        made = self.cuts.pop(0) if self.cuts else None
        try:
            with super().write(wait=wait) as db:
                yield db
                if made is False:
                    raise ConnectionError
        except ConnectionError:
            pass
        if made is not None:
            raise StoreError("the connection was lost", "during COMMIT", "try again")


@pytest.mark.parametrize("cuts", [[True], [False], [True, True], [False, True], [False, False, True]])
def test_a_commit_without_an_answer_is_judged_for_each_run_by_its_own_rows(any_url: str, cuts: list[bool]) -> None:
    """The first run of the transaction was taken by another process; that says nothing of whether the others were kept."""
    store = Cut(any_url)
    lost, *kept = (Journal.create(store, START) for _ in range(3))
    with store.write() as db:
        db.exec_driver_sql(f"UPDATE runs SET fence = fence + 1 WHERE run_id = '{lost.run_id}'")

    async def both() -> list[BaseException | None]:
        waits = [one.submit([Noted(text="x")], {}, ignore) for one in (lost, *kept)]
        return await asyncio.gather(*waits, return_exceptions=True)

    store.cuts = cuts
    first, *others = asyncio.run(both())
    assert isinstance(first, StoreError)
    assert others == [None, None]
    assert [texts(one) for one in (lost, *kept)] == [[], ["x"], ["x"]]
    assert all(verify(one).ok for one in kept)
    for one in kept:
        one.append(Noted(text="again"))
    store.close()


def test_an_event_that_cannot_be_written_spoils_no_other_run(any_store: Store) -> None:
    """It fails with what its run appended behind it; the neighbours land, and the run can append again."""
    bad, good = Journal.create(any_store, START), Journal.create(any_store, START)

    async def both() -> list[BaseException | None]:
        waits = [
            bad.submit([Unwritable(text="x")], {}, ignore),
            good.submit([Noted(text="fine")], {}, ignore),
            bad.submit([Noted(text="behind it")], {}, ignore),
        ]
        return await asyncio.gather(*waits, return_exceptions=True)

    failed, landed, behind = asyncio.run(both())
    assert failed is not None
    assert behind is not None
    assert landed is None
    assert (texts(bad), texts(good)) == ([], ["fine"])
    bad.append(Noted(text="again"))
    assert texts(bad) == ["again"]
    assert verify(bad).ok


def test_a_listener_that_raises_fails_its_own_run_alone(store: Store) -> None:
    """Whoever listens to one run cannot keep another from hearing that it is on disk."""
    loud, quiet = Journal.create(store, START), Journal.create(store, START)

    def raises(stored: Sequence[Stored], error: BaseException | None) -> None:
        raise RuntimeError("the listener's")

    async def both() -> list[BaseException | None]:
        waits = (loud.submit([Noted(text="x")], {}, raises), quiet.submit([Noted(text="y")], {}, ignore))
        return await asyncio.gather(*waits, return_exceptions=True)

    first, second = asyncio.run(both())
    assert isinstance(first, RuntimeError)
    assert second is None


def test_a_locked_database_does_not_hold_up_the_loop(store: Store) -> None:
    """While another process writes, other work of the loop goes on; the append lands once the database is free."""
    journal = Journal.create(store, START)
    other = sqlite3.connect(str(store.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def meanwhile() -> None:
        wait = journal.submit([Noted(text="late")], {}, ignore)
        free = asyncio.ensure_future(until_free(store))
        for _ in range(20):
            await asyncio.sleep(0.01)
        assert not wait.done()
        assert not free.done()
        other.execute("COMMIT")
        await asyncio.gather(wait, free)

    asyncio.run(meanwhile())
    other.close()
    assert texts(journal) == ["late"]


def test_a_thread_that_writes_does_not_hold_up_the_loop(store: Store) -> None:
    """The same where another thread of this process is inside a transaction."""
    journal, inside, leave = Journal.create(store, START), threading.Event(), threading.Event()

    def hold() -> None:
        with store.write():
            inside.set()
            leave.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(30)

    async def meanwhile() -> None:
        wait = journal.submit([Noted(text="late")], {}, ignore)
        await asyncio.sleep(0.1)
        assert not wait.done()
        leave.set()
        await wait

    asyncio.run(meanwhile())
    holder.join()
    assert texts(journal) == ["late"]


def test_a_database_that_stays_locked_is_reported(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """After as long as any writer waits the append fails with what to do, and the next one can be made."""
    monkeypatch.setattr("outrider.memory.appending.group.BUSY_S", 0.1)
    journal = Journal.create(store, START)
    other = sqlite3.connect(str(store.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def wait_for_it() -> None:
        with pytest.raises(StoreError, match="another process holds"):
            await journal.submit([Noted(text="x")], {}, ignore)
        other.execute("COMMIT")
        await journal.submit([Noted(text="y")], {}, ignore)

    asyncio.run(wait_for_it())
    other.close()
    assert texts(journal) == ["y"]


def test_a_durable_store_commits_in_a_thread(tmp_path: Path) -> None:
    """The disk is waited for beside the loop, and what waits meanwhile becomes the next transaction."""
    store = Store(f"sqlite:///{tmp_path / 'memory.db'}", durable=True)
    journals = [Journal.create(store, START) for _ in range(8)]

    threads = set()
    watch(store, lambda statement: threads.add(threading.get_ident()) if statement == "COMMIT" else None)

    async def all_of_them() -> None:
        for n in range(10):
            await asyncio.gather(*(j.submit([Noted(text=str(n))], {}, ignore) for j in journals))

    asyncio.run(all_of_them())
    assert all(texts(j) == [str(n) for n in range(10)] for j in journals)
    assert threads
    assert threading.get_ident() not in threads
    store.close()

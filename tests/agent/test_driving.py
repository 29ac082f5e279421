"""What a run holds while it is driven is given back, however it is left."""

from __future__ import annotations

import asyncio
import sqlite3
import threading

from outrider.agent import Agent
from outrider.agent.driving import drive
from outrider.memory.events import Noted
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from tests.agent.helpers import Actor, says


class Held:
    """Something a tool keeps open, like a sandbox."""

    closed = False

    def close(self) -> None:
        self.closed = True


async def test_cancelled_a_second_time_while_it_cleans_up_it_still_gives_back_lease_and_sandbox(store: Store) -> None:
    """A person who presses Ctrl-C twice while the database is busy leaves nothing that others would wait for."""
    live = await Agent(Actor(says("seven"), delay_s=60), tools=["plan"], memory=store).prepare("wait")
    held = live.tool_context.scratch["held"] = Held()
    driving = asyncio.create_task(drive(live))
    while live.state.asked is None or live.pending:
        await asyncio.sleep(0.02)
    other = sqlite3.connect(str(store.url.database), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    busy = threading.Timer(1.0, lambda: other.execute("COMMIT"))
    busy.start()
    live.stage(Noted(text="what came back"))
    driving.cancel()
    await asyncio.sleep(0.2)
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)
    busy.join()
    other.close()
    assert held.closed
    Journal.open_for_writing(store, live.journal.run_id).release()

"""A batch of goals that compute, on Ray nodes of this machine: the same goals on one node and on two, one CPU each.

Touches: Ray nodes and a PostgreSQL it starts, and ends. Does not promise: what machines with a network between them give.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.results import Cost
from tests.servers.postgres import PostgresServer, no_postgres

GOALS, STEPS = 40, 2
TOOL = '''
from outrider.tools import tool

@tool(effect="read")
def compute(n: int) -> str:
    """Compute for about a quarter of a second."""
    return str(sum(i * i for i in range(3_000_000 + n)))
'''


def batch_on(nodes: int) -> Cost:
    """Seconds of all goals on `nodes` nodes of one CPU, starting the nodes left out."""
    if importlib.util.find_spec("ray") is None:
        return {"left_out": "ray is not installed here (pip install 'outrider[ray]')"}
    if why := no_postgres():
        return {"left_out": why}
    with PostgresServer() as server, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_batch(server.new_database(), nodes, Path(folder)))


async def _batch(url: str, count: int, folder: Path) -> Cost:
    from ray.cluster_utils import Cluster as Nodes

    from outrider.agent.cluster.driver import Cluster, Place
    from outrider.agent.cluster.node import Orders
    from outrider.agent.fleet.lines import items_of
    from outrider.memory.spending.fleet import Slice, open_fleet
    from outrider.memory.store import Store

    replies = [*({"tool": "compute", "arguments": {"n": n}} for n in range(STEPS)), {"text": "It is computed."}]
    (folder / "s.json").write_text(json.dumps({"replies": replies}))
    store = Store(url)
    fleet = open_fleet(store, "ray", Slice())
    store.close()
    model, settings = f"scripted:{folder / 's.json'}", {"tools": ("plan",)}
    orders = Orders(url, model, fleet, 8 * count, {}, settings, files={"compute.py": TOOL.encode()})
    machine = Nodes()
    try:
        for _ in range(count):
            machine.add_node(num_cpus=1, object_store_memory=80_000_000)
        states, first = Counter[str](), 0.0
        async for outcome in Cluster(Place(machine.address), orders, folder, folder).outcomes(
            items_of([f"goal {n}" for n in range(GOALS)])
        ):
            first = first or time.perf_counter()  # the actors are up
            states[outcome.state] += 1
        spent_s = time.perf_counter() - first
    finally:
        await asyncio.to_thread(machine.shutdown)
    if states != {"answered": GOALS}:
        return {"error": f"goals ended as {dict(states)}"}
    return {"wall_s": spent_s, "cpu_s": 0.0, "goals": GOALS - 1}

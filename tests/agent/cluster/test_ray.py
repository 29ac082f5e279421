"""A batch on a Ray cluster of several nodes on this machine, with a real PostgreSQL: a node dies, and nothing else does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from outrider.agent.cluster.driver import Cluster, Place, connect
from outrider.agent.cluster.node import Orders
from outrider.agent.fleet.lines import items_of
from outrider.agent.history.run_view import list_runs
from outrider.memory.errors import UsageError
from outrider.memory.spending.fleet import Slice, in_all, open_fleet
from outrider.memory.store import Store
from tests.servers.postgres import PostgresServer

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]
TOOLS = '''
from outrider.tools import ToolContext, tool

@tool(effect="write")
def mark(text: str, context: ToolContext) -> str:
    """Write a line down."""
    with open({marks!r}, "a") as file:
        file.write(context.run_id + " " + context.call_id + "\\n")
    (context.workspace / f"out-{{context.run_id}}.txt").write_text(text)
    return f"written {{text}}"
'''


def orders(url: str, folder: Path, limit: str) -> Orders:
    replies: list[Any] = [{"tool": "mark", "arguments": {"text": f"x{n}"}, "delay_s": 0.2} for n in range(2)]
    script = {"replies": [*replies, {"text": "It is seven.", "delay_s": 0.2}], "price": {"input": 1, "output": 1}}
    (folder / "s.json").write_text(json.dumps(script))
    store = Store(url)
    fleet = open_fleet(store, "ray", Slice(Decimal(limit)))
    store.close()
    tools = TOOLS.format(marks=str(folder / "marks.txt")).encode()
    settings = {"tools": ("plan",)}
    return Orders(url, f"scripted:{folder / 's.json'}", fleet, 24, {"usd": 1.0}, settings, files={"mark.py": tools})


async def test_a_node_that_is_killed_costs_no_goal_and_no_effect(tmp_path: Path, postgres: PostgresServer) -> None:
    """Three nodes, 200 goals, one node killed -9 midway: all are answered, no effect happened twice, the budget is held."""
    from ray.cluster_utils import Cluster as Nodes

    url, workspace = postgres.new_database(), tmp_path / "work"
    workspace.mkdir()
    (workspace / "in.txt").write_text("in")
    nodes = Nodes()
    made = [nodes.add_node(num_cpus=1, object_store_memory=80_000_000) for _ in range(3)]
    cluster = Cluster(Place(nodes.address), orders(url, tmp_path, "20"), tmp_path, workspace)
    states, done = Counter[str](), 0
    try:
        async for outcome in cluster.outcomes(items_of([f"goal {n}" for n in range(200)])):
            states[outcome.state] += 1
            done += 1
            if done == 60:
                await asyncio.to_thread(nodes.remove_node, made[-1], False)
    finally:
        await asyncio.to_thread(nodes.shutdown)
    assert states == {"answered": 200}
    marks = Counter((tmp_path / "marks.txt").read_text().splitlines())
    assert max(marks.values()) == 1, "an effect happened twice"
    store = Store(url)
    runs = list(list_runs(store, 1000))
    assert len(runs) == 200
    spent = sum((run.spent.usd for run in runs), Decimal(0))
    assert spent <= in_all(store, cluster.fleet.id).usd <= Decimal(20)
    store.close()
    assert len(list(workspace.glob("out-*.txt"))) >= 200 - cluster.files_lost - 24, "files came back"


async def test_a_budget_over_all_holds_across_nodes(tmp_path: Path, postgres: PostgresServer) -> None:
    """Two nodes that would spend more than there is: together they stay below, and say what was not done."""
    from ray.cluster_utils import Cluster as Nodes

    url = postgres.new_database()
    nodes = Nodes()
    for _ in range(2):
        nodes.add_node(num_cpus=1, object_store_memory=80_000_000)
    cluster = Cluster(Place(nodes.address), orders(url, tmp_path, "0.03"), tmp_path, tmp_path)
    try:
        states = Counter(
            [outcome.state async for outcome in cluster.outcomes(items_of([f"goal {n}" for n in range(60)]))]
        )
    finally:
        await asyncio.to_thread(nodes.shutdown)
    assert sum(states.values()) == 60
    assert states["answered"] < 60
    store = Store(url)
    assert sum((run.spent.usd for run in list_runs(store, 1000)), Decimal(0)) <= Decimal("0.03")
    store.close()


def test_an_address_where_nothing_answers_is_said(tmp_path: Path) -> None:
    """It names the address and what to start."""
    with pytest.raises(UsageError, match="there is no cluster"):
        connect("127.0.0.1:1")


@contextmanager
def head(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A cluster as `ray start --head` makes it, that asks for its token; its address for Ray's client, and an environment that has the token."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        gcs, client = one.getsockname()[1], other.getsockname()[1]
    env = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    env |= {"RAY_AUTH_TOKEN": "c0ffee" * 8, "RAY_USAGE_STATS_ENABLED": "0"}
    command = [Path(sys.executable).parent / "ray", "start", "--head", "--block", f"--port={gcs}", f"--ray-client-server-port={client}",
               "--num-cpus=2", "--include-dashboard=false", "--object-store-memory=80000000"]  # fmt: skip
    with (folder / "head.log").open("w") as log:
        started = subprocess.Popen(
            command, env=env | {"RAY_AUTH_MODE": "token"}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and started.poll() is None:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", client)) == 0:
                    break
            time.sleep(0.2)
        yield f"ray://127.0.0.1:{client}", env
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        try:
            started.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()


def test_a_batch_goes_to_a_cluster_by_the_address_of_its_client(tmp_path: Path) -> None:
    """`--on ray://HOST:PORT` from outside the cluster, which asks for its token as Ray's do by default: all goals are answered."""
    (tmp_path / "goals.txt").write_text("".join(f"goal {n}\n" for n in range(6)))
    (tmp_path / "s.json").write_text(json.dumps({"replies": [{"text": "It is seven."}]}))
    with head(tmp_path) as (address, env):
        command = [Path(sys.executable).parent / "outrider", "batch", "goals.txt", "--on", address, "-j", "4",
                   "--model", f"scripted:{tmp_path / 's.json'}", "--memory", str(tmp_path / "m.db")]  # fmt: skip
        for _ in range(3):
            done = subprocess.run(
                command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False
            )
            if "Initialization failure from server" not in done.stderr:
                break  # Ray gives the process that serves a client 30 s to begin; the same command goes on after that
    assert done.returncode == 0, done.stderr + (tmp_path / "head.log").read_text()
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted((one["line"], one["answer"]) for one in outcomes) == [(n, "It is seven.") for n in range(1, 7)]

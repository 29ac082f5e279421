"""What a step costs: the floor (one HTTP request and one commit), our provider alone, and the whole agent.

    python -m benchmarks.steps            a table, five minutes at most
    python -m benchmarks.steps --json     one object, for a script

Everything runs against a scripted model server in a process of its own (tests/servers/openai_server.py), so CPU is this
process's alone. Each number is the best of `--repeat`: on a shared machine the least disturbed. "exponent" is the slope
of CPU per run between 100 and 400 steps on log paper: 1.0 is flat per step, 2.0 walks the whole history every step.
Targets and what other frameworks cost: docs/models.md.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import math
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outrider.agent import Agent, Budget
from outrider.agent.models.model import CallDraft, Message, Request, ToolSpec
from outrider.agent.models.openai.model import OpenAIModel
from outrider.tools import tool
from tests.servers.openai_server import OpenAIServer

STEPS = (10, 100, 400)
RUNS, RUN_STEPS, LATENCY_S = 50, 20, 0.05
OBSERVATION = "a line of what the tool saw, as long as such lines are. " * 4  # 220 bytes
SYSTEM = "You are a careful agent that works step by step. " * 16
SPECS = [
    ToolSpec(f"tool_{n}", "does one thing well. " * 4, {"type": "object", "properties": {"n": {"type": "integer"}}})
    for n in range(12)
]


@dataclass(frozen=True)
class Cost:
    """Of one measurement: seconds of CPU in this process, and on the clock."""

    cpu_s: float
    wall_s: float


def measured(work: Callable[[], object], repeat: int) -> Cost:
    """The least CPU and the least time of `repeat` runs of `work`, after one that warms up."""
    work()
    costs = []
    for _ in range(repeat):
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        work()
        costs.append((time.process_time() - cpu_s, time.perf_counter() - wall_s))
    return Cost(min(cpu for cpu, _ in costs), min(wall for _, wall in costs))


def script(steps: int) -> list[dict[str, Any]]:
    """`steps` different tool calls, then an answer."""
    return [
        *({"tool": "look", "arguments": {"n": n}} for n in range(steps)),
        {"text": "Done: all steps were looked at."},
    ]


# the three ways to take N steps


def floor(server: OpenAIServer, steps: int, folder: Path) -> None:
    """The least that is possible in Python: ready bytes, one connection, one row and one commit a step."""
    file = folder / f"floor-{time.monotonic_ns()}.db"
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("CREATE TABLE step (n INTEGER PRIMARY KEY, body TEXT)")
    wire = http.client.HTTPConnection("127.0.0.1", server.port)
    head = b'{"model":"m","messages":[' + json.dumps({"role": "system", "content": SYSTEM}).encode()
    history = [head]
    for n in range(steps):
        wire.request("POST", "/v1/chat/completions", b",".join(history) + b"]}", {"Content-Type": "application/json"})
        message = json.loads(wire.getresponse().read())["choices"][0]["message"]
        call_id = message["tool_calls"][0]["id"]
        answer = {"role": "tool", "tool_call_id": call_id, "content": OBSERVATION}
        history += [json.dumps(message).encode(), json.dumps(answer).encode()]
        with database:
            database.execute("INSERT INTO step VALUES (?, ?)", (n, history[-1].decode()))
    wire.close()
    database.close()


async def provider(model: OpenAIModel, steps: int) -> None:
    """The provider alone: the same history, our encoding, our wire, our reading."""
    messages = [Message("system", SYSTEM), Message("user", "go")]
    for n in range(steps):
        reply = await model.reply(Request(messages, SPECS, 1000))
        call = CallDraft(id=f"{n}.0", name=reply.calls[0].name, arguments=reply.calls[0].arguments)
        messages += [Message("assistant", reply.text, (call,)), Message("tool", OBSERVATION, call_id=call.id)]


@tool(effect="read")
def look(n: int) -> str:
    """Look at one thing.

    n: which thing, from 0
    """
    return f"{n}: {OBSERVATION}"


def agent_of(server: OpenAIServer, folder: Path, steps: int) -> Agent:
    """A whole agent: loop, ledger, policy, toolbox, journal on disk."""
    memory = f"sqlite:///{folder / f'memory-{time.monotonic_ns()}.db'}"
    budget = Budget(steps=steps + 5, seconds=600)
    return Agent("openai:m", base_url=server.base_url, api_key="x", tools=[look], memory=memory, budget=budget)


# measurements


def per_step(repeat: int, counts: Sequence[int], folder: Path) -> dict[str, dict[str, float]]:
    """CPU milliseconds a step, by way and number of steps."""
    table: dict[str, dict[str, float]] = {"floor": {}, "provider": {}, "agent": {}}
    for steps in counts:
        with OpenAIServer(script(steps), select="turns", apart=True) as server:
            ways: dict[str, Callable[[], object]] = {
                "floor": lambda: floor(server, steps, folder),  # noqa: B023  (called before the loop goes on)
                "provider": lambda: asyncio.run(with_model(server, lambda m: provider(m, steps))),  # noqa: B023
                "agent": lambda: answered(agent_of(server, folder, steps).run("look at everything").state),  # noqa: B023
            }
            for name, work in ways.items():
                table[name][str(steps)] = measured(work, repeat).cpu_s / steps * 1000
    for row in table.values():
        low, high = str(counts[-2]), str(counts[-1])
        growth = row[high] * int(high) / (row[low] * int(low))
        row["exponent"] = math.log(growth) / math.log(int(high) / int(low))
    return table


def at_once(repeat: int, folder: Path) -> dict[str, Cost]:
    """50 runs of 20 steps against a model that takes 50 ms, in one process: the ideal is a little over a second."""

    async def agents(server: OpenAIServer) -> None:
        agent = agent_of(server, folder, RUN_STEPS)
        runs = await asyncio.gather(*(agent.arun("look at everything") for _ in range(RUNS)))
        await agent.aclose()
        for run in runs:
            answered(run.state)

    async def providers(model: OpenAIModel) -> None:
        await asyncio.gather(*(provider(model, RUN_STEPS) for _ in range(RUNS)))

    with OpenAIServer(script(RUN_STEPS), latency_s=LATENCY_S, select="turns", apart=True) as server:
        return {
            "provider": measured(lambda: asyncio.run(with_model(server, providers)), repeat),
            "agent": measured(lambda: asyncio.run(agents(server)), repeat),
        }


def chunk_us(repeat: int) -> float:
    """CPU microseconds for each streamed piece of text."""
    words = 4000
    with OpenAIServer([{"text": " ".join(f"w{n}" for n in range(words))}], apart=True) as server:
        pieces: list[str] = []
        request = Request([Message("user", "go")], [], 20_000, on_text=pieces.append)

        async def stream(model: OpenAIModel) -> None:
            await model.reply(request)

        return measured(lambda: asyncio.run(with_model(server, stream)), repeat).cpu_s / words * 1e6


async def with_model(server: OpenAIServer, work: Callable[[OpenAIModel], Awaitable[None]]) -> None:
    """Run `work` with a model that is closed after it."""
    model = OpenAIModel("m", base_url=server.base_url, api_key="x")
    try:
        await work(model)
    finally:
        await model.aclose()


def answered(state: str) -> None:
    """A benchmark of runs that fail measures nothing."""
    if state != "answered":
        raise SystemExit(f"a run ended as {state!r}")


def report(result: dict[str, Any]) -> str:
    """The result as a table for people."""
    lines = ["CPU ms a step" + "".join(f"{c:>10}" for c in [*result["steps"], "exponent", "× floor"])]
    for name, row in result["per_step_ms"].items():
        last = str(result["steps"][-1])
        ratio = row[last] / result["per_step_ms"]["floor"][last]
        cells = [*(f"{row[str(n)]:.2f}" for n in result["steps"]), f"{row['exponent']:.2f}", f"{ratio:.1f}"]
        lines.append(f"{name:<13}" + "".join(f"{cell:>10}" for cell in cells))
    ideal_s = (RUN_STEPS + 1) * LATENCY_S
    lines.append(f"{RUNS} runs × {RUN_STEPS} steps × {LATENCY_S * 1000:.0f} ms at once (ideal {ideal_s:.2f} s)")
    for name, cost in result["at_once"].items():
        lines.append(f"{name:<13}{cost['wall_s']:>8.2f} s {cost['cpu_s']:>8.2f} s CPU")
    return "\n".join([*lines, f"one streamed piece {result['chunk_us']:.0f} µs CPU"])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--steps", default=",".join(map(str, STEPS)), help="numbers of steps, two at least")
    flags = parser.parse_args()
    counts = [int(n) for n in flags.steps.split(",")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = {
            "steps": counts,
            "per_step_ms": per_step(flags.repeat, counts, folder),
            "at_once": {name: vars(cost) for name, cost in at_once(flags.repeat, folder).items()},
            "chunk_us": chunk_us(flags.repeat),
        }
    print(json.dumps(result) if flags.json else report(result))


if __name__ == "__main__":
    main()

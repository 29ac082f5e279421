"""`outrider serve` from outside: with and without the token, followed by many, killed and started again."""

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
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from outrider.agent.agent import Agent
from outrider.agent.serving.api import Api
from outrider.agent.serving.client import Client, ServerError
from outrider.agent.serving.following import Hub
from outrider.agent.serving.openapi import document
from outrider.agent.serving.worker import Worker
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.tools.openapi.operations import read_operations
from outrider.tools.openapi.reading import read_document
from tests.cli.program import Program

TOKEN = "a-long-random-word-for-tests"
TOOLS = '''
from outrider.tools import ToolContext, tool

@tool(effect="write")
def mark(text: str, context: ToolContext) -> str:
    """Write a line down."""
    return note(text, context)

def note(text, context):
    with (context.workspace / "marks.txt").open("a") as file:
        file.write(context.run_id + " " + context.call_id + "\\n")
    return f"written {text}"

@tool(effect="network")
def send(text: str, context: ToolContext) -> str:
    """Send a text."""
    return note(text, context)
'''


@dataclass
class Server:
    """`outrider serve` in a process of its own, at one port over every start."""

    program: Program
    port: int
    model: str
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        tools = self.program.folder / "served.py"
        tools.write_text(TOOLS)
        self.process = self.program.start(
            "serve", "--port", str(self.port), "--model", self.model, "--tool", "plan", "--tools-from", str(tools), "-j", "64"
        )  # fmt: skip
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.ask("/v1/health")
                return
            except OSError:
                assert self.process.poll() is None, self.process.communicate()
                time.sleep(0.05)
        raise AssertionError("the server did not come up")

    def kill(self, number: int = signal.SIGKILL) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)
        self.process.communicate(timeout=60)

    def ask(self, path: str, body: Any = None, **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        given = {name: text for name, text in given.items() if text}
        with urlopen(Request(self.url + path, data, given), timeout=30) as reply:
            return json.loads(reply.read())

    def refused(self, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        with pytest.raises(HTTPError) as caught:
            self.ask(path, body, **headers)
        return caught.value.code, caught.value.read().decode()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, {"OUTRIDER_SERVE_TOKEN": TOKEN})


@pytest.fixture
def server(program: Program) -> Iterator[Server]:
    calls = [{"tool": "mark", "arguments": {"text": f"x{n}"}, "delay_s": 0.1} for n in range(4)]
    made = Server(program, free_port(), program.script(*calls, {"text": "It is seven.", "delay_s": 0.1}))
    made.start()
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(server.url, TOKEN) as made:
        yield made


async def test_a_goal_is_given_followed_and_answered(client: Client) -> None:
    """Every event comes once, in order; the run is there to be read; the same key is the same run."""
    run = await client.submit("what is it", key="k1", label="mine", budget={"steps": 9})
    events = [event async for event in client.follow(run)]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["kind"], events[-1]["kind"]) == ("run_started", "stopped")
    done = await client.get(run)
    assert (done["state"], done["answer"], done["budget"]["steps"]) == ("answered", "It is seven.", 9)
    assert await client.submit("what is it", key="k1", label="mine", budget={"steps": 9}) == run
    with pytest.raises(ServerError, match="another goal") as caught:
        await client.submit("something else", key="k1")
    assert caught.value.status == 409
    assert await client.submit("what is it", key="k2") != run
    assert [one["run"] for one in await client.runs(label="mine")] == [run]


def test_nothing_answers_without_the_token(server: Server) -> None:
    """Every address there is, one that is not, the description and the health check: 401, and not a word more."""
    paths = [path.replace("{run}", "x").replace("{call}", "y") for path in document()["paths"]]
    for path in [*paths, "/", "/docs", "/v1/nothing"]:
        for wrong in ("", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"):
            code, said = server.refused(path, Authorization=wrong)
            assert code == 401
            assert "token" in said
    assert server.refused("/v1/runs", {"goal": "x"}, Authorization="")[0] == 401


def test_other_names_and_pages_are_refused(server: Server) -> None:
    """A rebound name, a page of a browser, a request that is too long: none reaches a handler."""
    assert server.refused("/v1/health", Host="evil.example")[0] == 400
    assert server.refused("/v1/health", Host=f"evil.example:{server.port}")[0] == 400
    assert server.refused("/v1/runs", {"goal": "x"}, Origin="https://evil.example")[0] == 403
    assert server.refused("/v1/runs", {"goal": "x"}, Origin="null")[0] == 403
    assert server.refused("/v1/runs", {"goal": "x" * 12_000_000})[0] == 413


@pytest.mark.parametrize(
    "body",
    [{}, [], {"goal": ""}, {"goal": "a", "tools_from": ["/etc/passwd"]}, {"goal": "a", "workspace": "../.."},
     {"goal": "a", "workspace": "/etc"}, {"goal": "a", "budget": {"usd": -1}}, {"goal": "a", "model": "none:x"},
     {"goal": "a", "base_url": "http://169.254.169.254"}],
)  # fmt: skip
def test_a_goal_that_cannot_be_meant_is_refused_with_why(server: Server, body: Any) -> None:
    """400 and the reason; nothing is run. A goal names no files of the server and no address to send keys to."""
    code, said = server.refused("/v1/runs", body)
    assert code == 400
    assert set(json.loads(said)["error"]) == {"what", "why", "fix"}
    assert server.ask("/v1/runs")["runs"] == []


@pytest.mark.parametrize("spelled", ["{file}", "./{name}", "{name}", "../{parent}/{name}", " {file} "])
def test_no_file_of_the_server_is_read_for_a_goal(server: Server, tmp_path: Path, spelled: str) -> None:
    """Not as the schema of an answer, which comes back with the run, and not as a model: whoever has the token may not read the disk."""
    (tmp_path / "auths.json").write_text(json.dumps({"auths": {"registry": "planted-value-0123456789"}}))
    named = spelled.format(file=tmp_path / "auths.json", name="auths.json", parent=tmp_path.name)
    code, said = server.refused("/v1/runs", {"goal": "a", "schema": named})
    assert (code, "planted-value" in said) == (400, False)
    for model in (f"scripted:{named}", f" scripted:{named}", f"llama:{tmp_path}/x", "llama:x.gguf", "llama:../x.GGUF"):
        assert server.refused("/v1/runs", {"goal": "a", "model": model})[0] == 400
    assert server.ask("/v1/runs")["runs"] == []


def test_what_is_not_there_is_said_so(server: Server) -> None:
    """No run, no call, no address, a number that is none."""
    for path in ("/v1/runs/nobody", "/v1/runs/nobody/events", "/v1/nothing"):
        assert server.refused(path)[0] == 404
    for path in ("/v1/runs/nobody/cancel", "/v1/runs/nobody/resume", "/v1/runs/nobody/approvals/1"):
        assert server.refused(path, {})[0] == 404
    run = server.ask("/v1/runs", {"goal": "a"})["run"]
    assert server.refused(f"/v1/runs/{run[:-1]}")[0] == 404, "a part of an id is none"
    assert server.refused(f"/v1/runs/{run}/events", Last_Event_ID="x")[0] == 400
    assert server.refused("/v1/runs?limit=0")[0] == 400


async def test_a_cancelled_run_is_left_and_goes_on_when_it_is_told_to(client: Client) -> None:
    """It stops after its step and is not taken up by itself; with more of a budget it goes on to its end."""
    run = await client.submit("what is it")
    async for event in client.follow(run):
        if event["kind"] == "tool_called":
            await client.cancel(run)
            break
    assert (await client.result(run))["state"] == "interrupted"
    await asyncio.sleep(6)
    assert (await client.get(run))["state"] == "interrupted", "nobody took it up by itself"
    await client.resume(run, budget={"steps": "+5"})
    assert (await client.result(run))["state"] == "answered"
    with pytest.raises(ServerError) as caught:
        await client.resume(run)
    assert caught.value.status == 409


async def test_a_call_that_needs_a_yes_waits_for_it(program: Program) -> None:
    """It is listed with its arguments; yes lets it run, no does not; deciding twice is refused."""
    calls = [{"tool": "send", "arguments": {"text": text}} for text in ("hello", "again")]
    served = Server(program, free_port(), program.script(*calls, {"text": "It is seven."}))
    served.start()
    try:
        async with Client(served.url, TOKEN) as client:
            run = await client.submit("send it")
            first = await _waits(client, run)
            assert first["arguments"] == {"text": "hello"}
            await client.approve(run, first["call"])
            second = await _waits(client, run, but=first["call"])
            await client.deny(run, second["call"], reason="not twice")
            assert (await client.result(run))["state"] in ("answered", "partial")
            with pytest.raises(ServerError):
                await client.approve(run, second["call"])
            marks = (program.work / "marks.txt").read_text().splitlines()
            assert marks == [f"{run} {first['call'].rpartition('-')[0]}"]
    finally:
        served.kill()


async def _waits(client: Client, run: str, but: str = "") -> dict[str, Any]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := [one for one in await client.approvals() if one["run"] == run and one["call"] != but]:
            return found[0]
        await asyncio.sleep(0.1)
    raise AssertionError("no call waits")


@pytest.mark.parametrize(
    ("runs", "clients"), [(8, 16), pytest.param(40, 200, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
async def test_killed_and_started_again_every_run_goes_on_and_no_event_is_missed(
    server: Server, runs: int, clients: int
) -> None:
    """Clients follow live runs; the server is killed -9 twice; each of them gets every event once, and every run is answered."""

    async def listen(client: Client, run: str) -> list[int]:
        return [event["seq"] async for event in client.follow(run)]

    async with Client(server.url, TOKEN, patience_s=120) as client:
        given = [await client.submit(f"goal {n}", key=str(n)) for n in range(runs)]
        listening = [asyncio.create_task(listen(client, given[n % runs])) for n in range(clients)]
        for _ in range(2):
            await asyncio.sleep(0.4)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        heard = await asyncio.wait_for(asyncio.gather(*listening), 300)
        states = Counter([(await client.result(run))["state"] for run in given])
    assert states == {"answered": runs}
    store = Store(f"sqlite:///{next(server.program.home.rglob('*.db'))}")
    for number, seqs in enumerate(heard):
        head = Journal.open_for_reading(store, given[number % runs]).head_seq
        assert seqs == list(range(1, head + 1)), "an event was missed, doubled or out of order"
    store.close()
    marks = Counter((server.program.work / "marks.txt").read_text().splitlines())
    assert max(marks.values()) == 1, "an effect happened twice"


async def test_told_to_stop_it_leaves_runs_that_go_on(server: Server, client: Client) -> None:
    """SIGTERM: the runs are left after their step; the next start takes them up."""
    given = [await client.submit(f"goal {n}") for n in range(6)]
    await asyncio.sleep(0.3)
    await asyncio.to_thread(server.kill, signal.SIGTERM)
    await asyncio.to_thread(server.start)
    assert [(await client.result(run))["state"] for run in given] == ["answered"] * 6


def test_a_place_that_others_reach_must_be_asked_for_by_name(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither without --public nor without a token of one's own; a token that is short is none."""
    model = program.script({"text": "x"})
    refused = program.here(monkeypatch, capfd, "serve", "--host", "0.0.0.0", "--model", model)
    assert (refused.code, "--public" in refused.err) == (2, True)
    program.environment.pop("OUTRIDER_SERVE_TOKEN")
    monkeypatch.delenv("OUTRIDER_SERVE_TOKEN")
    refused = program.here(monkeypatch, capfd, "serve", "--host", "0.0.0.0", "--public", "--model", model)
    assert (refused.code, "token" in refused.err) == (2, True)
    (program.work / "short").write_text("abc")
    refused = program.here(monkeypatch, capfd, "serve", "--token-file", "short", "--model", model)
    assert (refused.code, "letters" in refused.err) == (2, True)


def test_the_example_runs_as_it_stands(server: Server) -> None:
    """examples/serve_client.py gives two goals, follows them and prints their answers; again it finds the same runs."""
    example = Path(__file__).parents[3] / "examples" / "serve_client.py"
    env = server.program.env() | {"OUTRIDER_URL": server.url}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(example), "one", "two"], env=env, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert sorted(done.stdout.splitlines()) == ["one It is seven.", "two It is seven."]
    assert len(server.ask("/v1/runs")["runs"]) == 2


def test_the_example_says_what_to_start_when_there_is_no_server(tmp_path: Path) -> None:
    """Not a minute of silence and a traceback: what it asks, that nobody is there, and the command that starts it."""
    example = Path(__file__).parents[3] / "examples" / "serve_client.py"
    env = {
        **os.environ,
        "OUTRIDER_HOME": str(tmp_path),
        "OUTRIDER_URL": "http://127.0.0.1:9",
        "OUTRIDER_SERVE_TOKEN": "t" * 40,
    }
    for token in (env, {name: value for name, value in env.items() if name != "OUTRIDER_SERVE_TOKEN"}):
        done = subprocess.run(
            [sys.executable, str(example), "one"], env=token, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (1, "", False)
        assert "asking http://127.0.0.1:9" in done.stderr
        assert "outrider serve" in done.stderr


def test_the_description_names_every_address_and_our_own_reader_reads_it(tmp_path: Path, store: Store) -> None:
    """The OpenAPI document has the routes there are, no more and no less."""
    agent = Agent("starter", memory=store)
    routes = Api(Worker(agent, 1, Hub()), Hub(), tmp_path).routes()
    there = {(route.path.replace(":str", ""), m) for route in routes for m in (route.methods or ()) if m != "HEAD"}
    told = {(path, method.upper()) for path, methods in document()["paths"].items() for method in methods}
    assert told == there
    read = read_operations(read_document(json.dumps(document()), "api.json"), base="http://127.0.0.1:1")
    assert {one.name for one in read.operations} >= {"submitGoal", "followRun", "answerCall"}

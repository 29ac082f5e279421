"""`openai-responses:` against a loopback server: items out and in, reasoning kept between steps, whole and streamed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.models import open_model
from outrider.agent.models.openai.responses import ResponsesModel
from outrider.memory.events import ModelReplied
from outrider.memory.store import Store
from outrider.tools import tool

Answer = Callable[[dict[str, Any]], dict[str, Any]]
USAGE = {"input_tokens": 50, "output_tokens": 9, "total_tokens": 59, "output_tokens_details": {"reasoning_tokens": 4}}
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "I need it."}],
    "encrypted_content": "c2Vj",
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "ping", "arguments": "{}"}


def says(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


@contextmanager
def serving(*answers: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that answers POST /v1/responses with these outputs (or bodies), streamed when asked."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(body | {"path": self.path})
            answer = answers[min(len(seen), len(answers)) - 1]
            whole = answer if isinstance(answer, dict) else {"status": "completed", "output": answer, "usage": USAGE}
            data = json.dumps(whole).encode()
            if body.get("stream"):
                texts = [p["text"] for i in whole["output"] if i["type"] == "message" for p in i["content"]]
                events = [{"type": "response.output_text.delta", "delta": text} for text in texts]
                events.append({"type": f"response.{whole['status']}", "response": whole})
                data = "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if body.get("stream") else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1", seen
    server.shutdown()


def run(url: str, stream: bool = False) -> Any:
    @tool
    def ping() -> str:
        """Say pong."""
        return "pong"

    model = ResponsesModel("gpt-x", base_url=url, api_key="k", stream=stream)
    return Agent(model=model, tools=[ping], memory=Store("sqlite://")).run("do it")


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_items_go_back_as_they_came_and_calls_are_tied_to_results(stream: bool) -> None:
    """The API refuses a call without its reasoning item, and a result without its call."""
    with serving([REASONING, CALL], [says("done")]) as (url, seen):
        done = run(url, stream)
    assert (done.state, str(done.answer)) == ("answered", "done"), done.detail
    first, second = seen
    assert first["path"] == "/v1/responses"
    assert first["store"] is False
    assert first["tools"][0]["name"] == "ping"
    kinds = [item.get("type", item.get("role")) for item in second["input"]]
    assert kinds[-3:] == ["reasoning", "function_call", "function_call_output"]
    assert second["input"][-3] == REASONING
    assert second["input"][-2]["call_id"] == second["input"][-1]["call_id"]
    replied = next(s.event for s in done.events() if isinstance(s.event, ModelReplied))
    assert (replied.reasoning, replied.usage.reasoning_tokens if replied.usage else 0) == ("I need it.", 4)


def test_cut_and_failed_responses_are_no_answers() -> None:
    """Incomplete: joined with what follows; failed: said."""
    cut = {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [says("one ")],
        "usage": USAGE,
    }
    with serving(cut, [says("two")]) as (url, _):
        assert str(run(url).answer) == "one two"
    failed = {"status": "failed", "error": {"code": "invalid_api_key", "message": "bad key"}, "output": []}
    with serving(failed) as (url, seen):
        done = run(url)
    assert (done.exit_code, len(seen)) == (5, 1)
    assert "bad key" in done.detail


def test_refusal_is_the_answer_and_named() -> None:
    """As on the other wire."""
    refusal = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "I will not."}]}
    with serving([refusal]) as (url, _):
        done = run(url)
    assert (done.state, str(done.answer)) == ("refused", "I will not.")


async def test_it_is_opened_by_its_name() -> None:
    """`openai-responses:NAME` with the settings of `openai:`."""
    model = await open_model("openai-responses:gpt-x", base_url="http://127.0.0.1:1/v1", api_key="k", max_context=5000)
    assert (model.name, model.limits.context) == ("openai-responses:gpt-x", 5000)
    await model.aclose()

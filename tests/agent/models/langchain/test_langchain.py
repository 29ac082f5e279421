"""LangChain chat models: those made by name, against a real server; and any instance, from Python."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from outrider.agent import Agent, Budget
from outrider.agent.models.langchain.model import LangChainModel
from outrider.agent.models.model import CallDraft, ContextOverflow, Message, ModelFailure, Reply, Request, ToolSpec
from outrider.memory.errors import ModelUnavailable, OutriderError, UsageError
from tests.servers.openai_server import OpenAIServer

ASK = (Message("system", "be brief"), Message("user", "hello"))
TOOLS = (ToolSpec("clock", "tells the time", {"type": "object", "properties": {"zone": {"type": "string"}}}),)
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LANGSMITH_TRACING", "OUTRIDER_ALLOW_TRACING"):
        monkeypatch.delenv(name, raising=False)


def request(
    messages: Any = ASK, tools: Any = (), timeout_s: float = 30.0, on_text: Any = None, limit: int = 99
) -> Request:
    return Request(messages, tools, limit, timeout_s, on_text)


async def ask(server: OpenAIServer, asked: Request | None = None, **settings: Any) -> Reply:
    model = LangChainModel("openai:gpt-5.5-pro", base_url=server.base_url, api_key="k", **settings)
    return await model.reply(asked or request())


@BOTH
async def test_a_named_model_speaks_to_its_server(stream: bool) -> None:
    """Messages, tools and the limit arrive; text, calls and usage come back; the Responses API is not used."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    with OpenAIServer([{"text": "so", "tool": "clock", "arguments": {"zone": "UTC"}, "usage": usage}]) as server:
        reply = await ask(server, request(tools=TOOLS), stream=stream)
    sent = server.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.json["tools"][0]["function"]["name"] == "clock"
    assert 99 in (sent.json.get("max_tokens"), sent.json.get("max_completion_tokens"))
    assert [m["role"] for m in sent.json["messages"]] == ["system", "user"]
    assert (reply.text, reply.finish_reason) == ("so", "tool_calls")
    assert [(c.name, json.loads(c.arguments)) for c in reply.calls] == [("clock", {"zone": "UTC"})]
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens) == (10, 5, 4)


async def test_watcher_sees_the_words_as_they_come() -> None:
    """Watching alone asks for a stream."""
    seen: list[str] = []
    with OpenAIServer([{"text": "one two three"}]) as server:
        reply = await ask(server, request(on_text=seen.append))
    assert len(seen) == 3
    assert "".join(seen) == reply.text


@BOTH
async def test_broken_arguments_are_kept_for_the_loop_to_see(stream: bool) -> None:
    """LangChain sets them aside; the model must be told what was wrong."""
    with OpenAIServer([{"tool": "clock", "arguments": "{broken"}]) as server:
        reply = await ask(server, request(tools=TOOLS), stream=stream)
    assert [(c.name, c.arguments) for c in reply.calls] == [("clock", "{broken")]


async def test_history_keeps_calls_and_answers_together() -> None:
    """One id on both sides, broken arguments mended, errors marked."""
    calls = (
        CallDraft(id="3.1", name="clock", arguments='{"zone": "UTC"}'),
        CallDraft(id="3.2", name="x", arguments="{"),
    )
    history = (
        *ASK,
        Message("assistant", "", calls=calls),
        Message("tool", "noon", call_id="3.1", label="clock"),
        Message("tool", "no", call_id="3.2", label="x", ok=False),
    )
    with OpenAIServer() as server:
        await ask(server, request(history))
    assistant, first, second = server.requests[0].json["messages"][2:]
    assert [c["id"] for c in assistant["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert json.loads(assistant["tool_calls"][1]["function"]["arguments"]) == {"broken": "{"}


async def test_tools_are_bound_once_for_a_list() -> None:
    """Binding walks every schema."""
    with OpenAIServer() as server:
        model = LangChainModel("openai:x", base_url=server.base_url, api_key="k")
        await model.reply(request(tools=TOOLS))
        bound = model._bound[2]
        await model.reply(request(tools=TOOLS))
        assert model._bound[2] is bound
        await model.reply(request(tools=TOOLS, limit=7))
    assert 7 in server.requests[2].json.values()


@pytest.mark.parametrize(
    ("reply", "stream", "retryable", "billed"),
    [
        ({"status": 429, "headers": {"Retry-After": "7"}}, False, True, False),
        ({"status": 500}, False, True, True),
        ({"status": 401}, False, False, False),
        ({"status": 404}, False, False, False),
        ({"text": "x y z", "cut": True}, True, True, True),
        ({"text": "x y z", "cut": True}, False, True, True),
        ({"body": {"choices": []}}, False, True, True),
        ({"body": {"error": {"message": "odd"}}}, False, True, True),
        ({"body": "<html>"}, False, True, True),
        ({"text": "x", "delay_s": 5}, False, True, True),
    ],
)
async def test_failures_are_one_attempt_with_their_marks(
    reply: Any, stream: bool, retryable: bool, billed: bool
) -> None:
    """No hidden retries: the ledger sees each attempt."""
    with OpenAIServer([reply]) as server, pytest.raises(ModelFailure) as caught:
        await ask(server, request(timeout_s=2), stream=stream)
    assert (caught.value.retryable, caught.value.billed) == (retryable, billed)
    assert len(server.requests) == 1
    if reply.get("status") == 429:
        assert caught.value.retry_after_s == 7


async def test_a_request_too_long_is_told_apart() -> None:
    """So that the loop can shorten it."""
    error = {"message": "maximum context length is 8192 tokens", "code": "context_length_exceeded"}
    with OpenAIServer([{"status": 400, "body": {"error": error}}]) as server, pytest.raises(ContextOverflow):
        await ask(server)


async def test_a_server_that_is_not_there_is_a_failure() -> None:
    """No traceback."""
    model = LangChainModel("openai:x", base_url="http://127.0.0.1:1/v1", api_key="k")
    with pytest.raises(ModelFailure, match="cannot reach"):
        await model.reply(request())


@pytest.mark.parametrize("name", ["nobody:x", "openai:x", "anthropic:claude-sonnet-4-5", "nothing-known"])
def test_what_cannot_be_opened_says_what_is_missing(name: str) -> None:
    """An unknown provider, a missing key, a missing package."""
    with pytest.raises(OutriderError) as caught:
        LangChainModel(name)
    assert caught.value.exit_code in (2, 5)
    if name.startswith("anthropic") and "langchain_anthropic" not in sys.modules:
        assert isinstance(caught.value, ModelUnavailable)
        assert "pip install langchain-anthropic" in caught.value.fix


# instances


class Custom(BaseChatModel):
    """The least a LangChain model has to be: it knows no finish reason, and keeps what it was given."""

    seen: list[Any] = []  # noqa: RUF012  (a pydantic field: copied for each instance)
    max_tokens: int = 5
    error: Any = None

    @property
    def _llm_type(self) -> str:
        return "custom"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        if self.error:
            raise self.error
        self.seen.append((messages, more, self.max_tokens))
        call = {"name": "clock", "args": {"zone": "UTC"}, "id": "1"}
        parts: Any = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "so \ud800"}]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(parts, tool_calls=[call] if more else []))])

    def bind_tools(self, tools: Any, **more: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(each) for each in tools], **more)


async def test_any_chat_model_instance_is_accepted() -> None:
    """Parts are joined without the thinking, calls read, no usage invented."""
    custom = Custom()
    model = LangChainModel(custom)
    history = (*ASK, Message("assistant", "", calls=(CallDraft(id="1.1", name="clock"),)))
    reply = await model.reply(request((*history, Message("tool", "bad", call_id="1.1", ok=False)), tools=TOOLS))
    assert reply.text.startswith("so ")
    reply.text.encode()
    assert [c.name for c in reply.calls] == ["clock"]
    assert reply.usage is None
    assert reply.finish_reason == "tool_calls"
    messages, more, limit = custom.seen[0]
    assert limit == 99
    assert custom.max_tokens == 5  # the caller's own instance is left as it was
    assert more["tools"][0]["function"]["name"] == "clock"
    assert isinstance(messages[-1], ToolMessage)
    assert messages[-1].status == "error"
    assert model.price is None
    assert model.name.startswith("langchain:")


async def test_a_model_without_tools_says_so() -> None:
    """`bind_tools` of the base class raises NotImplementedError."""
    fake = GenericFakeChatModel(messages=iter([AIMessage("hi")]))
    with pytest.raises(ModelFailure, match="cannot call tools"):
        await LangChainModel(fake).reply(request(tools=TOOLS))


@BOTH
async def test_a_model_that_reports_nothing_is_believed(stream: bool) -> None:
    """A custom model has no finish reason to forget."""
    fake = GenericFakeChatModel(messages=iter([AIMessage("one two")]))
    assert (await LangChainModel(fake, stream=stream).reply(request())).text == "one two"


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyError("x"), OSError("gone")])
async def test_whatever_an_integration_raises_is_a_failure(error: Exception) -> None:
    """The loop never sees another class."""
    with pytest.raises(ModelFailure) as caught:
        await LangChainModel(Custom(error=error)).reply(request())
    assert caught.value.billed


# what real integrations and people do


class Slow(Custom):
    """Has only a call that waits."""

    seconds: float = 8.0

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
        time.sleep(self.seconds)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("late"))])


def test_any_instance_drives_an_agent(tmp_path: Any) -> None:
    """`Agent(model=<a LangChain chat model>)` works as it stands, with a price if one is given."""

    class Calm(Custom):
        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> ChatResult:
            return ChatResult(generations=[ChatGeneration(message=AIMessage("calm"))])

    agent = Agent(Calm(), memory=f"sqlite:///{tmp_path}/m.db", price_in=1, price_out=1, budget=Budget(usd=1))
    run = agent.run("be calm")
    assert (run.state, str(run.answer)) == ("answered", "calm")
    assert run.spent.usd > 0
    with pytest.raises(UsageError, match="base_url"):
        Agent(Calm(), base_url="http://127.0.0.1:1/v1")
    for thing in (object(), Custom, 3):
        with pytest.raises(UsageError, match="not a model"):
            Agent(thing)  # type: ignore[arg-type]


@BOTH
async def test_a_model_that_only_waits_is_left_behind_at_its_time(stream: bool) -> None:
    """Its thread may hang; the request comes back in its time all the same, with the words if they come in time."""
    began = time.monotonic()
    with pytest.raises(ModelFailure) as caught:
        await LangChainModel(Slow(), stream=stream).reply(request(timeout_s=0.3))
    assert caught.value.retryable
    assert time.monotonic() - began < 3
    assert (await LangChainModel(Slow(seconds=0.01), stream=stream).reply(request())).text == "late"


def test_a_model_that_hangs_does_not_keep_the_process() -> None:
    """A run of 2 s with a model that never comes back ends in a process that ends."""
    import subprocess

    program = (
        "from tests.agent.models.langchain.test_langchain import Slow\n"
        "from outrider.agent import Agent, Budget\n"
        "print(Agent(Slow(seconds=60), memory='sqlite://', budget=Budget(seconds=2)).run('x').stop_reason)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout.strip() == "budget", done.stderr
    assert time.monotonic() - began < 40


@BOTH
async def test_arguments_that_are_a_list_are_told_to_the_model(stream: bool) -> None:
    """LangChain refuses to make a message of them; the call reaches the loop all the same, with one request."""
    with OpenAIServer([{"tool": "clock", "arguments": "[1, 2]"}]) as server:
        reply = await ask(server, request(tools=TOOLS), stream=stream)
    assert [(c.name, json.loads(c.arguments)) for c in reply.calls] == [("clock", [1, 2])]
    assert len(server.requests) == 1


@BOTH
async def test_a_refusal_is_the_reply(stream: bool) -> None:
    """What a provider says instead of an answer is not an empty reply."""
    said = {"text": "", "message": {"refusal": "I will not."}, "finish_reason": "content_filter"}
    with OpenAIServer([said]) as server:
        reply = await ask(server, stream=stream)
    if not stream:  # the integration drops a refusal that comes in pieces: what is left is the filter's name
        assert (reply.text, reply.outcome) == ("I will not.", "refused")
    assert reply.finish_reason == ("content_filter" if stream else "refusal")


@BOTH
async def test_a_call_written_as_text_is_a_call(stream: bool) -> None:
    """The same reader as everywhere: markup is neither shown nor the answer."""
    shown: list[str] = []
    said = '<think>What time?</think>\n<tool_call>\n{"name": "clock", "arguments": {"zone": "UTC"}}\n</tool_call>'
    with OpenAIServer([{"text": said}]) as server:
        reply = await ask(server, request(tools=TOOLS, on_text=shown.append if stream else None), stream=stream)
    assert [(c.name, json.loads(c.arguments)) for c in reply.calls] == [("clock", {"zone": "UTC"})]
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("", "What time?", "tool_calls")
    assert shown == []


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("<think>plan</think>The answer is 42"),
        AIMessage("The answer is 42", additional_kwargs={"reasoning_content": "plan"}),
        AIMessage(
            [{"type": "thinking", "thinking": "plan", "signature": "x"}, {"type": "text", "text": "The answer is 42"}]
        ),
        AIMessage([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "plan"}]}, "The answer is 42"]),
    ],
)
async def test_thoughts_are_kept_apart_from_the_answer(message: AIMessage) -> None:
    """However the integration hands them over."""
    reply = await LangChainModel(GenericFakeChatModel(messages=iter([message]))).reply(request())
    assert (reply.text, reply.reasoning) == ("The answer is 42", "plan")


async def test_a_stream_that_repeats_itself_is_stopped() -> None:
    """As with any other model: it does not burn its limit."""
    loop = "The sea is blue and the sky is blue. " * 4000
    with OpenAIServer([{"text": loop, "chunk_bytes": 2000, "chunk_delay_s": 0.001}]) as server:
        reply = await ask(server, stream=True)
    assert reply.finish_reason == "repetition"
    assert len(reply.text) < 2000


async def test_a_cut_call_is_not_run() -> None:
    """Half a call at the reply's limit has a flaw, and is asked again."""
    with OpenAIServer([{"tool": "clock", "arguments": '{"zone": "U', "finish_reason": "length"}]) as server:
        reply = await ask(server, request(tools=TOOLS))
    assert "cut" in reply.flaw


async def test_only_a_missing_bind_tools_is_said_to_be_missing() -> None:
    """A model whose own code raises NotImplementedError has another problem, and hears about that one."""
    with pytest.raises(ModelFailure) as caught:
        await LangChainModel(Custom(error=NotImplementedError("no audio here"))).reply(request(tools=TOOLS))
    assert "no audio here" in caught.value.why
    assert "bind_tools" not in str(caught.value)


async def test_not_found_gives_advice_that_fits() -> None:
    """The name behind `langchain:` is no address."""
    said = {"status": 404, "body": {"error": {"message": "no such model"}}}
    with OpenAIServer([said]) as server, pytest.raises(ModelFailure) as caught:
        await ask(server)
    assert "no such model" in caught.value.why
    assert "langchain:" not in caught.value.fix


@pytest.mark.parametrize(("name", "said"), [("nosuch:model", "no provider 'nosuch'"), ("antropic:x", "anthropic"), ("unknown-thing", "names no provider")])  # fmt: skip
def test_a_provider_there_is_not_is_named_with_near_ones(name: str, said: str) -> None:
    """`langchain:provider:model` was written; what is wrong is the provider."""
    with pytest.raises(UsageError) as caught:
        LangChainModel(name)
    assert said in f"{caught.value.why} {caught.value.fix}"


# tracing


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Stands for LangSmith: keeps what it is sent."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers.get("content-length", 0))))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b"{}")

        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


TRACED = """
import asyncio, sys
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.tracers.langchain import wait_for_all_tracers
from outrider.agent.models.langchain import LangChainModel
from outrider.agent.models.model import Message, Request
model = LangChainModel(GenericFakeChatModel(messages=iter([AIMessage("the reply")])))
asyncio.run(model.reply(Request((Message("user", "private goal"),), (), 9, on_text=(print if sys.argv[1] == "s" else None))))
wait_for_all_tracers()
"""


@pytest.mark.parametrize(("allowed", "mode"), [("0", "w"), ("0", "s"), ("1", "w")])
def test_nothing_goes_to_langsmith_unless_asked_for(collector: Any, allowed: str, mode: str) -> None:
    """LANGSMITH_TRACING in the environment would send the prompts; the control shows that this collector would see it."""
    import os
    import subprocess

    url, got = collector
    env = os.environ | {"LANGSMITH_TRACING": "true", "LANGCHAIN_TRACING_V2": "true", "LANGSMITH_API_KEY": "k"}
    env |= {"LANGSMITH_ENDPOINT": url, "OUTRIDER_ALLOW_TRACING": allowed}
    subprocess.run([sys.executable, "-c", TRACED, mode], check=True, timeout=90, env=env, capture_output=True)
    time.sleep(0.2)
    assert bool(got) is (allowed == "1")

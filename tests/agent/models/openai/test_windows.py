"""Whole runs against servers with a window: every wording of a refusal, short keys, small budgets, silent cuts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outrider.agent import Agent
from outrider.agent.asking.offered import MOST_SHARE
from outrider.agent.budget import Budget
from outrider.agent.history.run_view import Run
from outrider.agent.live_run import LOCAL_RATIO
from outrider.agent.models.model import tools_bytes
from outrider.agent.models.openai.model import OpenAIModel
from outrider.memory.store import Store
from outrider.tools import tool
from tests.agent.helpers import Actor, says
from tests.servers.openai_server import OpenAIServer, Seen

WORDINGS = {
    "openai": (400, "This model's maximum context length is {window} tokens. However, you requested {total} tokens ({prompt} in the "
               "messages, {reply} in the completion). Please reduce the length of the messages or completion."),
    "vllm": (400, "'max_tokens' or 'max_completion_tokens' is too large: {reply}. This model's maximum context length is {window} tokens "
             "and your request has {prompt} input tokens ({reply} > {window} - {prompt})."),
    "gemini": (400, "The input token count ({prompt}) exceeds the maximum number of tokens allowed ({window})."),
    "llama-server": (400, "request ({prompt} tokens) exceeds the available context size ({window} tokens), try increasing it"),
    "lm studio": (400, "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: {prompt}>= n_ctx: "
                  "{window}). Try to load the model with a larger context length, or provide a shorter input."),
    "tgi": (422, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= {window}. Given: {prompt} `inputs` tokens and "
            "{reply} `max_new_tokens`"),
    "qwen": (400, "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, {window}]"),
    "anthropic": (400, "prompt is too long: {prompt} tokens > {window} maximum"),
    "mistral": (400, "Prompt contains {prompt} tokens and 0 draft tokens, too large for model with {window} maximum context length"),
    "groq": (413, "Request too large for model `x` on tokens per minute (TPM): Limit {window}, Requested {total}, please reduce"),
    "nginx": (413, "<html><head><title>413 Request Entity Too Large</title></head></html>"),
    "no words": (400, "Bad Request"),
}  # fmt: skip


@tool
def look(what: str) -> str:
    """Look at something.

    what: what to look at
    """
    return f"saw {what}: " + "lorem ipsum dolor sit amet consectetur " * 148  # 5.8 kB


def server_with(window: int, wording: str, steps: int, key: str = "") -> OpenAIServer:
    """A server that counts four bytes a token, refuses what does not fit, and wants `steps` calls before it answers."""
    done = [0]

    def reply(seen: Seen) -> dict[str, Any]:
        body = seen.json
        prompt = len(seen.body) // 4
        limit = body.get("max_tokens") or body.get("max_completion_tokens")
        if prompt + limit > window:
            status, words = WORDINGS[wording]
            said = words.format(window=window, prompt=prompt, reply=limit, total=prompt + limit)
            return {"status": status, "body": said if status == 413 else {"error": {"message": said, "key": key}}}
        usage = {"prompt_tokens": prompt, "completion_tokens": 20}
        assert "find the thing" in body["messages"][0]["content"] + body["messages"][1]["content"]
        done[0] += 1
        if done[0] > steps:
            return {"text": "found it", "usage": usage}
        return {"tool": "look", "arguments": {"what": f"item {done[0]}"}, "usage": usage}

    return OpenAIServer([reply])


def run(
    store: Store, server: OpenAIServer, tools: Any, *, key: str = "x", max_context: int | None = None, **more: Any
) -> Run:
    model = OpenAIModel("m", base_url=server.base_url, api_key=key, max_context=max_context)
    return Agent(model=model, tools=tools, memory=store, **more).run("find the thing")


SLOW = [pytest.param(window, marks=pytest.mark.slow) for window in (16_384, 32_768)]


@pytest.mark.parametrize("key", ["x", "sk-a-long-key-of-somebody-0123456789"])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("window", [8192, *SLOW])
@pytest.mark.parametrize("wording", WORDINGS)
def test_long_run_is_answered_whatever_the_window_and_its_words(
    store: Store, wording: str, window: int, told: bool, key: str
) -> None:
    """30 steps with results of 5.8 kB: the goal stays in sight, the run ends with an answer, the limits hold."""
    with server_with(window, wording, 30, key) as server:
        done = run(store, server, [look], key=key, max_context=window if told else None,
                   budget=Budget(tokens=5_000_000))  # fmt: skip
    assert (done.state, str(done.answer)) == ("answered", "found it"), done.detail
    assert done.spent.tokens <= 5_000_000
    assert done.spent.calls == 30
    if len(key) > 8:
        assert key not in json.dumps([s.event.model_dump(mode="json") for s in done.events()])


def test_default_tools_fit_a_window_of_8192_from_the_first_request(store: Store) -> None:
    """`--max-context 8192` works with all built-in tools, or with those that fit the goal and `find_tool`."""
    with server_with(8192, "openai", 0) as server:
        done = run(store, server, None, max_context=8192)
    assert done.state == "answered"
    assert len(server.requests[0].json["tools"]) >= 10
    assert len(server.requests) == 1


def test_twelve_thousand_tokens_are_two_steps_with_the_default_tools(store: Store) -> None:
    """Our own tool list is counted by a measured ratio, not by its bytes."""
    replies = [{"tool": "note", "arguments": {"text": "a"}}, {"text": "done"}]

    def counted(reply: dict[str, Any]) -> Any:
        return lambda seen: reply | {"usage": {"prompt_tokens": len(seen.body) // 4, "completion_tokens": 10}}

    with OpenAIServer([counted(reply) for reply in replies]) as server:
        done = run(store, server, None, budget=Budget(tokens=12_000))
    assert (done.state, done.spent.steps) == ("answered", 2)
    assert done.spent.tokens <= 12_000


def test_small_window_is_offered_the_tools_that_fit_the_goal_and_a_way_to_the_rest(store: Store) -> None:
    """With 2,048 tokens a model gets a handful of tools; `find_tool` tells of others, which can be called from then on."""
    replies: list[Any] = [
        {"tool": "find_tool", "arguments": {"query": "how many words a text has"}},
        {"tool": "text_stats", "arguments": {"operation": "words", "text": "one two"}},
        {"text": "2"},
    ]
    with OpenAIServer([lambda seen, r=r: r | {"usage": {"prompt_tokens": len(seen.body) // 4, "completion_tokens": 9}}
                       for r in replies]) as server:  # fmt: skip
        done = run(store, server, None, max_context=2048)
    assert done.state == "answered", done.detail
    first, second = ([t["function"]["name"] for t in server.requests[n].json["tools"]] for n in (0, 1))
    assert "find_tool" in first
    assert 2 <= len(first) <= 8
    assert "text_stats" in second
    assert all(len(seen.body) < 2048 * 4 for seen in server.requests)
    assert all(seen.json["max_tokens"] <= 512 for seen in server.requests)


def test_model_that_counts_its_own_tokens_is_offered_more_of_the_tools(store: Store) -> None:
    """A local model is told tools as one-line signatures: a fifth of a token a byte (LOCAL_RATIO), so more of them fit a window."""
    offered = {}
    for exact in (False, True):
        model = Actor(says("done"), context=6144)
        model.counts_exactly = exact  # type: ignore[attr-defined]
        Agent(model=model, memory=store).run("find the thing")
        offered[exact] = [spec.name for spec in model.asked[0].tools]
        assert tools_bytes(model.asked[0].tools) * (LOCAL_RATIO if exact else 0.25) <= 6144 * MOST_SHARE
    assert len(offered[True]) > len(offered[False])
    assert "find_tool" in offered[False]


def test_prompt_cut_in_silence_is_noticed_named_and_sent_again_shorter(store: Store) -> None:
    """Ollama's default: the oldest messages are dropped without a word, the goal first."""
    steps = [0]

    def reply(seen: Seen) -> dict[str, Any]:
        prompt = len(seen.body) // 4
        usage = {"prompt_tokens": min(prompt, 4096), "completion_tokens": 20}
        steps[0] += 1
        if prompt > 4096:
            return {"text": "what was I to do?", "usage": usage}  # it no longer knows the goal
        if steps[0] > 8:
            return {"text": "found it", "usage": usage}
        return {"tool": "look", "arguments": {"what": f"item {steps[0]}"}, "usage": usage}

    with OpenAIServer([reply]) as server:
        done = run(store, server, [look])
    assert (done.state, str(done.answer)) == ("answered", "found it"), done.answer
    warnings = [s.event.text for s in done.events() if s.kind == "noted" and s.event.by == "warning"]  # type: ignore[attr-defined]
    assert len(warnings) == 1
    assert "OLLAMA_CONTEXT_LENGTH" in warnings[0]
    assert "--max-context" in warnings[0]


def test_results_of_one_step_that_alone_are_too_long_are_shown_shorter(store: Store) -> None:
    """Eight results of 5.8 kB in one step do not fit 8,192 tokens however many older steps are left out."""
    eight = [{"tool": "look", "arguments": {"what": f"item {n}"}} for n in range(8)]

    def reply(seen: Seen) -> dict[str, Any]:
        prompt = len(seen.body) // 4
        if prompt + seen.json["max_tokens"] > 8192:
            return {"status": 400, "body": {"error": {"message": "too many tokens"}}}
        usage = {"prompt_tokens": prompt, "completion_tokens": 99}
        if '"tool"' in seen.body.decode():
            return {"text": "found it", "usage": usage}
        return {"calls": eight, "usage": usage}

    with OpenAIServer([reply]) as server:
        done = run(store, server, [look])
    assert (done.state, str(done.answer)) == ("answered", "found it"), done.detail


def test_refusal_that_is_about_something_else_costs_few_tries(store: Store) -> None:
    """A 400 that a shorter request does not cure is shown as it is."""
    refusal = {"status": 400, "body": {"error": {"message": "unknown field: frobnicate"}}}
    with OpenAIServer([refusal]) as server:
        done = run(store, server, [look])
    assert done.exit_code == 5
    assert "frobnicate" in done.detail
    assert len(server.requests) <= 3


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store(f"sqlite:///{tmp_path / 'm.db'}")
    yield opened
    opened.close()

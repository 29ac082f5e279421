"""Real LangChain tools, toolkits, retrievers and runnables as tools of a run, and an agent as a LangChain tool."""

from __future__ import annotations

import base64
import json
import warnings
from pathlib import Path
from typing import Annotated, Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool, InjectedToolCallId, StructuredTool, ToolException
from langchain_core.tools import tool as lc_tool
from langchain_core.vectorstores import InMemoryVectorStore
from pydantic import BaseModel, Field

from outrider.agent import Agent
from outrider.agent.history.run_view import Run
from outrider.memory.errors import UsageError
from outrider.memory.events import ToolCalled, ToolReturned
from outrider.memory.store import Store
from outrider.tools.builtin import from_file
from outrider.tools.langchain import from_langchain
from tests.agent.helpers import Actor, call, calls, observations, run, says

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain_community.agent_toolkits import FileManagementToolkit
    from langchain_community.tools.requests.tool import RequestsGetTool
    from langchain_community.utilities.requests import TextRequestsWrapper


@lc_tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


def returned(done: Run) -> list[ToolReturned]:
    return [s.event for s in done.events() if isinstance(s.event, ToolReturned)]


def use(store: Store, given: Any, *drafts: tuple[str, dict[str, Any]], **more: Any) -> Run:
    model = Actor(*(calls(call(name, json.dumps(arguments))) for name, arguments in drafts), says("done"))
    return run(store, model, [given], policy={"network": "allow"}, **more)


def test_a_tool_is_called_with_checked_arguments_and_its_result_is_of_strangers(store: Store) -> None:
    """Result, wrong arguments, and who is believed."""
    done = use(
        store, multiply, ("multiply", {"a": 6, "b": 7}), ("multiply", {"a": "x", "b": 7}), ("multiply", {"a": 1})
    )
    first, second, third = returned(done)
    assert (first.text, first.ok, first.origin) == ("42", True, "untrusted")
    assert "do not fit" in second.text
    assert not second.ran
    assert "b" in third.text


def test_a_schema_that_is_a_dict_is_checked_here(store: Store) -> None:
    """LangChain itself would pass on whatever a model wrote."""
    schema = {
        "type": "object",
        "properties": {"q": {"type": "string"}},
        "required": ["q"],
        "additionalProperties": False,
    }
    got: list[Any] = []

    def look(**given: Any) -> str:
        got.append(given)
        return "found"

    one = StructuredTool.from_function(look, name="look", description="Look.", args_schema=schema)
    done = use(store, one, ("look", {"q": 7, "z": 1}), ("look", {"q": "x"}))
    assert "do not fit" in observations(done)[0]
    assert got == [{"q": "x"}]


def test_nobody_there_means_that_an_undeclared_tool_does_not_run(store: Store) -> None:
    """By default a call sends, so it is asked about; the person may declare that it only reads."""
    drafts = calls(call("multiply", '{"a": 2, "b": 3}'))
    refused = run(store, Actor(drafts, says("done")), [multiply])
    assert observations(refused)[0].startswith("Not allowed")
    allowed = run(store, Actor(drafts, says("done")), from_langchain(multiply, effect="read"))
    assert observations(allowed) == ["6"]


def test_an_async_tool_is_awaited_and_a_sync_one_may_be_slow_without_holding_the_run(store: Store) -> None:
    """The async form is preferred; a sync tool that hangs is stopped at its time."""
    import asyncio
    import time

    async def wait(n: int) -> str:
        await asyncio.sleep(0)
        return f"awaited {n}"

    def hang() -> str:
        time.sleep(30)
        return "late"

    def broken(n: int) -> str:
        raise AssertionError("the sync form was used")

    both = StructuredTool.from_function(broken, coroutine=wait, name="wait", description="Wait.")
    slow = from_langchain(StructuredTool.from_function(hang, name="hang", description="Hang."), timeout_s=0.3)
    done = use(store, [both, slow], ("wait", {"n": 1}), ("hang", {}))
    assert observations(done)[0] == "awaited 1"
    assert "stopped after 0.3 s" in observations(done)[1]


def test_errors_are_observations(store: Store) -> None:
    """What it raises, what it handles itself, and what its own checks say."""

    def fails(n: int) -> str:
        raise ToolException("no such item")

    class Even(BaseModel):
        n: int = Field(multiple_of=2)

    raised = StructuredTool.from_function(fails, name="raised", description="x")
    handled = StructuredTool.from_function(fails, name="handled", description="x", handle_tool_error=True)
    checked = StructuredTool.from_function(lambda n: "even", name="checked", description="x", args_schema=Even)
    done = use(store, [raised, handled, checked], ("raised", {"n": 1}), ("handled", {"n": 1}), ("checked", {"n": 3}))
    first, second, third = returned(done)
    assert not first.ok
    assert "no such item" in first.text
    assert not second.ok
    assert second.text == "no such item"
    assert "do not fit" in third.text


def test_artifacts_pictures_and_injected_ids_are_kept(store: Store) -> None:
    """An artifact is a file of the run, a picture too, and the model is not shown the argument LangChain fills in."""

    @lc_tool(response_format="content_and_artifact")
    def report(topic: str, tool_call_id: Annotated[str, InjectedToolCallId]) -> tuple[Any, Any]:
        """Report."""
        picture = base64.b64encode(b"\x89PNG....").decode()
        parts = [{"type": "text", "text": f"about {topic} in {tool_call_id}"},
                 {"type": "image", "base64": picture, "mime_type": "image/png"}]  # fmt: skip
        return parts, {"rows": [1, 2]}

    (made,) = from_langchain(report)
    assert set(made.parameters["properties"]) == {"topic"}
    done = use(store, report, ("report", {"topic": "tea"}))
    (seen,) = returned(done)
    assert seen.text.startswith("about tea in 1.0")
    assert [(one.name, one.media_type) for one in seen.artifacts] == [
        ("part1.png", "image/png"), ("artifact.json", "application/json"),
    ]  # fmt: skip


def test_a_toolkit_of_others_is_its_tools(store: Store, tmp_path: Path) -> None:
    """langchain-community's file toolkit: written, listed and read through the run."""
    (tmp_path / "theirs").mkdir()
    toolkit = FileManagementToolkit(root_dir=str(tmp_path / "theirs"))
    done = use(
        store, toolkit, ("write_file", {"file_path": "a.txt", "text": "hello"}), ("list_directory", {}),
        ("read_file", {"file_path": "a.txt"}), ("read_file", {"file_path": "../../etc/passwd"}),
    )  # fmt: skip
    assert observations(done)[1:3] == ["a.txt", "hello"]
    assert "root:" not in observations(done)[3]


def test_a_web_tool_of_others_works_on_loopback(store: Store) -> None:
    """langchain-community's requests tool, to a server of ours."""
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"a page")

        def log_message(self, *_: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        get = RequestsGetTool(requests_wrapper=TextRequestsWrapper(), allow_dangerous_requests=True)
        done = use(store, get, ("requests_get", {"url": f"http://127.0.0.1:{server.server_port}/"}))
        assert observations(done) == ["a page"]
    finally:
        server.shutdown()


def test_a_retriever_finds_passages_with_their_sources(store: Store) -> None:
    """A vector store's retriever takes a query."""
    shelf = InMemoryVectorStore(DeterministicFakeEmbedding(size=8))
    shelf.add_documents([Document("Tea is dried leaves.", metadata={"source": "tea.txt"})])
    done = use(store, from_langchain(shelf.as_retriever(), name="facts"), ("facts", {"query": "tea"}))
    assert observations(done) == ['[1] {"source":"tea.txt"}\nTea is dried leaves.']


def test_a_runnable_takes_its_input(store: Store) -> None:
    """One of text is asked for `input`; one of a dict for its fields."""

    def count(text: str) -> int:
        return len(text)

    length = from_langchain(RunnableLambda(count), name="length", description="How long a text is.")
    done = use(store, length, ("length", {"input": "four"}), ("length", {"inputs": "four"}))
    assert observations(done)[0] == "4"
    assert "do not fit" in observations(done)[1]


def test_a_model_is_refused_as_a_tool() -> None:
    """Its cost would not be counted."""
    with pytest.raises(UsageError, match="is a model"):
        from_langchain(FakeListChatModel(responses=["x"]))


def test_a_tools_file_may_hold_them(tmp_path: Path) -> None:
    """Bare, and with their effect declared."""
    file = tmp_path / "their_tools.py"
    file.write_text(
        "from langchain_core.tools import tool\nfrom outrider.tools.langchain import from_langchain\n"
        '@tool\ndef one(n: int) -> int:\n    "One."\n    return n\n'
        '@tool\ndef two(n: int) -> int:\n    "Two."\n    return n\ndeclared = from_langchain(two, effect="read")\n'
    )
    found = {made.name: made.effect for made in from_file(file)}
    assert found == {"one": "network", "two": "read"}


def test_an_agent_is_a_langchain_tool(store: Store) -> None:
    """Sync, async, its run as the artifact, and an end short of the goal said in words."""
    agent = Agent(model=Actor(says("It is 42.")), tools=[], memory=store)
    made = agent.as_langchain_tool(name="helper")
    assert isinstance(made, BaseTool)
    message = made.invoke({"type": "tool_call", "name": "helper", "args": {"goal": "find it"}, "id": "1"})
    assert message.content == "It is 42."
    assert message.artifact["state"] == "answered"
    short = Agent(model=Actor(says("STATUS: not found\nNothing.")), tools=[], memory=store).as_langchain_tool()
    assert "[the run ended not_found" in short.invoke({"goal": "find it"})
    assert "there is no goal" in short.invoke({"goal": " "})


async def test_an_agent_as_a_tool_is_awaited(store: Store) -> None:
    """Inside a loop too."""
    made = Agent(model=Actor(says("yes")), tools=[], memory=store).as_langchain_tool()
    assert await made.ainvoke({"goal": "is it"}) == "yes"


def test_the_call_on_record_is_what_the_tool_got(store: Store) -> None:
    """Nothing is added or lost on the way."""
    done = use(store, multiply, ("multiply", {"a": 6, "b": 7}))
    called = [s.event for s in done.events() if isinstance(s.event, ToolCalled)]
    assert called[0].arguments == {"a": 6, "b": 7}
    assert called[0].effect == "network"

"""What LangChain calls a tool, a toolkit, a retriever or a runnable, as tools of ours.
May touch: whatever the thing itself touches. It runs as the person's own code, outside the sandbox.
Does not promise: that it does what it says. Unless the person declares otherwise each call sends (and so is asked about), and
what comes back was written by strangers. Arguments are checked here: LangChain checks nothing where a schema is a dict.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from outrider.memory.errors import UsageError
from outrider.memory.events import Effect, Origin
from outrider.memory.text import for_model
from outrider.tools.json_schema import checker, usable
from outrider.tools.langchain.results import observed, of_documents
from outrider.tools.tool import Observation, Tool, ToolContext

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

MOST_DESCRIPTION = 2000  # characters


def is_langchain(value: Any) -> bool:
    """Whether `from_langchain` takes it. Imports nothing: where LangChain was not imported, there is nothing of it."""
    if "langchain_core" not in sys.modules or inspect.isclass(value):
        return False
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseToolkit

    return isinstance(value, Runnable | BaseToolkit)


def is_tool(value: Any) -> bool:
    """Whether a value of a tools file is meant as a tool: a LangChain tool or toolkit, not every runnable it builds with."""
    if not is_langchain(value):
        return False
    from langchain_core.tools import BaseTool, BaseToolkit

    return isinstance(value, BaseTool | BaseToolkit)


def from_langchain(
    value: Any,
    *,
    effect: Effect = "network",
    origin: Origin = "untrusted",
    name: str = "",
    description: str = "",
    timeout_s: float = 60.0,
) -> list[Tool]:
    """The tools of a LangChain tool, toolkit, retriever or runnable.

    effect: what a call may do, which decides who approves; only you know. name, description: in place of its own (not of
    a toolkit). Raises UsageError for what is no tool, among it a chat model, whose cost a run could not count.
    """
    from langchain_core.language_models import BaseLanguageModel
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable
    from langchain_core.tools import BaseTool, BaseToolkit

    if isinstance(value, BaseToolkit):
        listed = value.get_tools()
        return [
            one for each in listed for one in from_langchain(each, effect=effect, origin=origin, timeout_s=timeout_s)
        ]
    if isinstance(value, BaseLanguageModel):
        raise UsageError(
            f"{type(value).__name__} is a model, no tool", "what it costs would not be counted",
            "give it as the model of an Agent, or of a child agent",
        )  # fmt: skip
    about = {"effect": effect, "origin": origin, "timeout_s": timeout_s, "fresh_s": 0.0}
    if isinstance(value, BaseTool):
        return [_tool(value, name, description, about)]
    if isinstance(value, BaseRetriever):
        return [_retriever(value, name, description, about)]
    if isinstance(value, Runnable):
        return [_runnable(value, name, description, about)]
    raise UsageError(
        f"{type(value).__name__} is nothing of LangChain that can be a tool", "a tool, toolkit, retriever or runnable is",
        "give functions to `@tool`",
    )  # fmt: skip


def _tool(theirs: BaseTool, name: str, description: str, about: dict[str, Any]) -> Tool:
    name = _name(name or theirs.name)
    schema = usable(_schema_of(theirs))

    def call(arguments: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        return {"type": "tool_call", "name": theirs.name, "args": arguments, "id": context.call_id or "call"}

    async def run_async(arguments: dict[str, Any], context: ToolContext) -> Observation:
        return observed(await theirs.ainvoke(call(arguments, context), _quiet()))

    def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        return observed(theirs.invoke(call(arguments, context), _quiet()))

    chosen = run_async if _is_async(theirs) else run  # a call that is only sync runs in a thread that nobody joins
    return _made(name, description or theirs.description, schema, chosen, about)


def _is_async(theirs: BaseTool) -> bool:
    from langchain_core.tools import BaseTool

    own = getattr(theirs, "coroutine", None)
    return own is not None if hasattr(theirs, "coroutine") else type(theirs)._arun is not BaseTool._arun


def _schema_of(theirs: BaseTool) -> Any:
    """What a model may write: without the arguments that LangChain fills in itself."""
    schema = theirs.tool_call_schema
    if isinstance(schema, dict):
        return schema
    from pydantic import BaseModel

    return schema.model_json_schema() if issubclass(schema, BaseModel) else schema.schema()


def _retriever(theirs: Any, name: str, description: str, about: dict[str, Any]) -> Tool:
    schema = {
        "type": "object",
        "properties": {"query": {"type": "string", "description": "what to look for"}},
        "required": ["query"],
        "additionalProperties": False,
    }

    async def run_async(arguments: dict[str, Any], context: ToolContext) -> Observation:
        return of_documents(await theirs.ainvoke(arguments["query"], _quiet()))

    def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        return of_documents(theirs.invoke(arguments["query"], _quiet()))

    from langchain_core.retrievers import BaseRetriever

    own = type(theirs)._aget_relevant_documents is not BaseRetriever._aget_relevant_documents
    says = description or "Find passages of documents that fit a query."
    return _made(_name(name or theirs.get_name()), says, schema, run_async if own else run, about)


def _runnable(theirs: Any, name: str, description: str, about: dict[str, Any]) -> Tool:
    try:
        wanted = theirs.get_input_jsonschema()
    except Exception:  # pydantic raises several for inputs that have no schema
        wanted = {}
    plain = usable(wanted) if wanted.get("properties") else None
    inner = {key: value for key, value in wanted.items() if key not in ("title", "$defs")}
    wrapped = {"type": "object", "properties": {"input": inner}, "required": ["input"], "additionalProperties": False}
    schema = plain if plain is not None else usable(wrapped | ({"$defs": wanted["$defs"]} if "$defs" in wanted else {}))

    def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        return observed(theirs.invoke(arguments if plain is not None else arguments.get("input"), _quiet()))

    says = description or f"{theirs.get_name()} (a LangChain runnable)."
    return _made(_name(name or theirs.get_name()), says, schema, run, about)


def _made(name: str, description: str, schema: dict[str, Any], run: Callable[..., Any], about: dict[str, Any]) -> Tool:
    said = " ".join(for_model(description or name).split())[:MOST_DESCRIPTION]
    schema = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return Tool(name, said, schema, run, checker(name, schema), source="langchain", **about)


def _name(theirs: str) -> str:
    """The name in the characters a model may be shown."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", theirs).strip("_")[:64]
    return plain if re.match(r"[A-Za-z_]", plain) else f"tool_{plain}"[:64]


def _quiet() -> Any:
    """No callbacks of ours; those of the tool itself stay."""
    return {"callbacks": []}

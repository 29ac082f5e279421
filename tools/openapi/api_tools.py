"""Tools of an OpenAPI document: one an operation, or, for a large API, one that finds operations and one that calls them.
May touch: the network, through the gateway, at the document's server and nowhere else.
Does not promise: that a server does what its document says. What it answers is a stranger's text, and so is what the document says:
it is cut, cleaned and quoted, and pinned by a digest for as long as a run goes on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from outrider.memory.errors import UsageError
from outrider.memory.events import Effect
from outrider.memory.text import for_model
from outrider.tools.foreign_words import digest_of_words, plain_schema, quoted
from outrider.tools.json_schema import validator
from outrider.tools.net.gateway import fetch
from outrider.tools.net.pace import net_of
from outrider.tools.openapi.auth import Auth, auth_of, signed
from outrider.tools.openapi.operations import MAX_NAME, Operation, plain_name, read_operations
from outrider.tools.openapi.reading import read_document
from outrider.tools.openapi.request import build
from outrider.tools.tool import Arguments, Tool, ToolContext, ToolError, shape
from outrider.tools.web.answer_text import shown_answer

MOST = 40  # operations that are tools of their own; more are found by words
FOUND = 8  # operations a search shows
MAX_BODY = 1_000_000  # bytes of an answer
MOST_PATH = 200  # characters of a path that are shown


@dataclass(frozen=True, slots=True)
class Api:
    """What an OpenAPI document gave. left_out: operations that cannot be called, and why."""

    title: str
    tools: tuple[Tool, ...]
    operations: int
    left_out: dict[str, str]
    server: str


def read_api(text: str, name: str, *, secret: str = "", server: str = "", base: str = "") -> Api:
    """The tools of a document. name: what their names begin with. secret: the name of the secret that signs calls.

    server: the address to call in place of the document's. Raises UsageError for what is no OpenAPI document.
    """
    document = read_document(text, name)
    read = read_operations(document, base=base)
    auth = auth_of(read.security, secret)
    left_out, calls = dict(read.left_out), {}
    for operation in read.operations:
        try:
            one = _Call(
                operation, server or operation.server, auth, _arguments(operation), validator(_arguments(operation))
            )
        except (ValueError, TypeError) as error:
            left_out[f"{operation.method} {operation.path}"] = str(error)[:300]
            continue
        if not one.server.startswith(("http://", "https://")):
            left_out[f"{operation.method} {operation.path}"] = "the document names no server: give one"
            continue
        calls[operation.name] = one
    if not calls:
        why = next(iter(left_out.values()), "it has no operations")
        raise UsageError(f"no operation of {name} can be called", why, "check the file, or name its server")
    prefix, said = plain_name(name), digest_of_words(text, server)
    tools = _one_each(prefix, calls) if len(calls) <= MOST else (_finder(prefix, calls), _caller(prefix, calls))
    tools = tuple(replace(one, digest=said) for one in tools)
    return Api(read.title, tools, len(calls), left_out, next(iter(calls.values())).server)


# ---- one operation ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """An operation that can be called."""

    operation: Operation
    server: str
    auth: Auth
    schema: dict[str, Any]
    validator: Any

    @property
    def effect(self) -> Effect:
        return (
            "read"
            if self.operation.method in ("GET", "HEAD", "OPTIONS") and not self.operation.body_type
            else "network"
        )

    @property
    def about(self) -> str:
        said = self.operation.description.rstrip(".")
        where = f"{self.operation.method} {' '.join(for_model(self.operation.path).split())[:MOST_PATH]}"
        return f"{where}, of which its document says: {quoted(said)}" if said else f"{where}."

    def check(self, arguments: Arguments) -> dict[str, Any]:
        """The arguments, if they fit the schema. Raises ToolError that says what would be right."""
        given = {key: value for key, value in arguments.items() if value is not None or key in self.schema["required"]}
        wrong = []
        for error in self.validator.iter_errors(given):
            place = ".".join(map(str, error.instance_path))
            wrong.append(f"{place}: {error.message}" if place else error.message)
            if len(wrong) == 5:
                break
        if wrong:
            name = self.operation.name
            fix = f"call it as {shape(name, self.schema)}"
            raise ToolError(f"the arguments of {name} do not fit", "; ".join(wrong)[:1000], fix)
        return given

    async def run(self, arguments: dict[str, Any], context: ToolContext) -> str:
        """Ask the server, and show what it answers."""
        request = build(replace(self.operation, server=self.server), arguments, context)
        request = await signed(request, self.auth, context)
        got = await fetch(
            request.url, method=request.method, headers={"Accept": "application/json, */*;q=0.5"} | request.headers,
            content=request.content, allowed=context.allowed_hosts, net=net_of(context.settings), max_bytes=MAX_BODY,
            deadline_s=max(1.0, min(40.0, context.seconds_left() - 1)),
        )  # fmt: skip
        return shown_answer(got)


def _arguments(operation: Operation) -> dict[str, Any]:
    """The JSON Schema of a call: a property a parameter, and `body`."""
    properties = {one.name: plain_schema(one.schema) for one in operation.parameters}
    required = [one.name for one in operation.parameters if one.required]
    if operation.body_type:
        properties["body"] = plain_schema(operation.body_schema or {})
        required += ["body"] if operation.body_required else []
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _one_each(prefix: str, calls: Mapping[str, _Call]) -> tuple[Tool, ...]:
    made = []
    taken: set[str] = set()
    for name, call in calls.items():
        full = f"{prefix}_{name}"[:MAX_NAME]
        count = 1
        while full in taken:
            count += 1
            full = f"{f'{prefix}_{name}'[: MAX_NAME - 4]}_{count}"
        taken.add(full)
        made.append(Tool(full, call.about, call.schema, _runner(call.run), call.check, call.effect, origin="untrusted"))
    return tuple(made)


def _runner(
    run: Callable[[dict[str, Any], ToolContext], Awaitable[str]],
) -> Callable[[dict[str, Any], ToolContext], Any]:
    async def asked(arguments: dict[str, Any], context: ToolContext) -> str:
        return await run(arguments, context)

    return asked


# ---- a large API -----------------------------------------------------------------------------------------------------


def _finder(prefix: str, calls: Mapping[str, _Call]) -> Tool:
    """Finds operations by words, with the arguments they take."""
    schema = {
        "type": "object",
        "properties": {"words": {"type": "string"}},
        "required": ["words"],
        "additionalProperties": False,
    }

    def run(arguments: dict[str, Any], context: ToolContext) -> str:
        return found_operations(str(arguments["words"]), calls, prefix)

    def check(arguments: Arguments) -> dict[str, Any]:
        if not isinstance(arguments.get("words"), str) or set(arguments) != {"words"}:
            raise ToolError(
                "the arguments do not fit", "one text is taken", f"call it as {prefix}_find_operation(words: string)"
            )
        return dict(arguments)

    about = f"Find an operation of {prefix} ({len(calls)} operations) by words; call it with {prefix}_call_operation."
    return Tool(f"{prefix}_find_operation"[:MAX_NAME], about, schema, run, check, "read", origin="untrusted")


def found_operations(words: str, calls: Mapping[str, _Call], prefix: str) -> str:
    """The operations that fit some words best, each with its arguments as JSON Schema."""
    wanted = _stems(words)
    scored = sorted(
        ((_score(wanted, call.operation), name) for name, call in calls.items()), key=lambda one: (-one[0], one[1])
    )
    best = [name for score, name in scored[:FOUND] if score > 0]
    if not best:
        return f"no operation fits {words[:100]!r}; try other words, such as the name of what you look for"
    return "\n".join(f"{name}: {calls[name].about} arguments: {_brief(calls[name].schema)}" for name in best)


def _brief(schema: dict[str, Any]) -> str:
    text = json.dumps({"properties": schema["properties"], "required": schema["required"]}, ensure_ascii=False)
    return text if len(text) <= 3000 else shape("", schema)


def _stems(text: str) -> set[str]:
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text)
    words = [word.lower() for word in re.findall(r"[A-Za-z0-9]+", split)]
    return {word[:-1] if word.endswith("s") and len(word) > 3 else word for word in words}


def _score(wanted: set[str], operation: Operation) -> float:
    name, path, about = _stems(operation.name), _stems(operation.path), _stems(operation.description)
    return sum(3 * (word in name) + 2 * (word in path) + (word in about) for word in wanted) - 0.01 * len(name | path)


def _caller(prefix: str, calls: Mapping[str, _Call]) -> Tool:
    """Calls an operation by its name."""
    schema = {
        "type": "object", "required": ["operation"], "additionalProperties": False,
        "properties": {"operation": {"type": "string"}, "arguments": {"type": "object", "default": {}}},
    }  # fmt: skip

    def chosen(arguments: Arguments) -> _Call:
        name = str(arguments.get("operation"))
        if name not in calls:
            near = get_close_matches(name, calls, n=3, cutoff=0.5)
            fix = f"did you mean {' or '.join(near)}?" if near else f"find it with {prefix}_find_operation"
            raise ToolError(f"there is no operation {name[:80]!r}", "it is not in the document", fix)
        return calls[name]

    def check(arguments: Arguments) -> dict[str, Any]:
        given = arguments.get("arguments") or {}
        if not isinstance(given, dict) or not set(arguments) <= {"operation", "arguments"}:
            fix = f"call it as {prefix}_call_operation(operation: string, arguments: object)"
            raise ToolError("the arguments do not fit", "an operation and an object of its arguments are taken", fix)
        return {"operation": str(arguments.get("operation")), "arguments": chosen(arguments).check(given)}

    async def run(arguments: dict[str, Any], context: ToolContext) -> str:
        return await calls[arguments["operation"]].run(arguments["arguments"], context)

    def effect(arguments: Arguments) -> Effect:
        name = str(arguments.get("operation"))
        return calls[name].effect if name in calls else "network"

    about = f"Call an operation that {prefix}_find_operation found."
    return Tool(f"{prefix}_call_operation"[:MAX_NAME], about, schema, run, check, effect, origin="untrusted")

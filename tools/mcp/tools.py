"""What an MCP server offers, as tools of ours: names made unique, descriptions fenced and capped, arguments checked here.
May touch: the server, through its connection. Does not promise: that a tool does what it says; its words are untrusted.

Each tool is pinned when the run is put together: a digest over its description and schema. A server that describes it
otherwise later is refused for that tool, so that what a person saw is what is called.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError
from outrider.memory.events import Effect
from outrider.tools.foreign_words import digest_of_words, plain_schema, quoted
from outrider.tools.json_schema import checker, usable
from outrider.tools.mcp.connection import START_S, Connection, connect
from outrider.tools.mcp.results import observation, resource_text
from outrider.tools.mcp.servers import ServerSpec, read_servers
from outrider.tools.tool import Observation, Tool, ToolContext, ToolError

LISTED = 20  # resources or prompts named in a description


def mcp_tools(file: Path) -> list[Tool]:
    """The tools of every server a file names. Starts them all at once. Raises UsageError if one cannot be used."""
    connections = [connect(spec) for spec in read_servers(file)]
    starting = [(one, one.begin(_listing(one))) for one in connections]
    found: list[Tool] = []
    for connection, future in starting:
        try:
            listed: list[Tool] = connection.result(future, START_S + 15)
            found += listed
        except ToolError as error:
            raise UsageError(error.what, error.why, error.fix) from error
    return found


async def _listing(connection: Connection) -> list[Tool]:
    spec = connection.spec
    offered = [one for one in await connection.list_tools() if not spec.tools or _fits(one.name, spec.tools)]
    taken: set[str] = set()
    found = [_tool(connection, one, taken) for one in offered]
    if resources := await connection.list_resources():
        found.append(_resources(connection, resources, taken))
    if prompts := await connection.list_prompts():
        found.append(_prompts(connection, prompts, taken))
    return found


def _tool(connection: Connection, offered: Any, taken: set[str]) -> Tool:
    spec, theirs = connection.spec, str(offered.name)
    schema: dict[str, Any] = plain_schema(usable(offered.input_schema))
    pinned = digest(offered)
    reads = _fits(theirs, spec.read)
    effect: Effect = "read" if reads else spec.effect

    async def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        seconds = min(spec.timeout_s, context.seconds_left())

        async def call() -> Any:
            await connection.ready()
            if digest(await _described(connection, theirs)) != pinned:
                raise ToolError(
                    f"the MCP server {spec.name!r} changed its tool {theirs!r}",
                    "its description or schema is not the one this run began with", "do without it, or start a new run",
                )  # fmt: skip
            return await connection.ask("call_tool", theirs, arguments, seconds, again=reads)

        return observation(await connection.wait(call(), seconds + 2))

    name = _name(spec, theirs, taken)
    return Tool(
        name, _description(spec, offered.description or offered.title or theirs), schema, run, checker(name, schema),
        effect=effect, origin="untrusted", timeout_s=spec.timeout_s + 5, fresh_s=0, digest=pinned,
    )  # fmt: skip


async def _described(connection: Connection, name: str) -> Any:
    """The tool as the server describes it now; its listing is asked for again only when the server was started again."""
    known = connection.known
    if name not in known:
        known |= {str(one.name): one for one in await connection.list_tools()}
    return known.get(name)


def digest(offered: Any) -> str:
    """What a tool says of itself, in one line."""
    if offered is None:
        return ""
    return digest_of_words(offered.name, offered.description, offered.input_schema)


def _resources(connection: Connection, resources: list[Any], taken: set[str]) -> Tool:
    listed = ", ".join(str(one.uri) for one in resources[:LISTED]) + (" …" if len(resources) > LISTED else "")

    async def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        seconds = min(connection.spec.timeout_s, context.seconds_left())
        got = await connection.wait(connection.ask("read_resource", str(arguments["uri"])), seconds)
        return resource_text(got)

    return _own(connection, "read_resource", f"Read a resource of this server by its URI: {listed}", "uri", run, taken)


def _prompts(connection: Connection, prompts: list[Any], taken: set[str]) -> Tool:
    listed = ", ".join(str(one.name) for one in prompts[:LISTED]) + (" …" if len(prompts) > LISTED else "")

    async def run(arguments: dict[str, Any], context: ToolContext) -> Observation:
        seconds = min(connection.spec.timeout_s, context.seconds_left())
        got = await connection.wait(connection.ask("get_prompt", str(arguments["name"])), seconds)
        texts = [getattr(message.content, "text", "") for message in got.messages]
        return Observation("\n\n".join(filter(None, texts)) or "(an empty prompt)")

    return _own(connection, "get_prompt", f"Read a prompt of this server by its name: {listed}", "name", run, taken)


def _own(connection: Connection, name: str, says: str, argument: str, run: Callable[..., Any], taken: set[str]) -> Tool:
    schema = {
        "type": "object", "properties": {argument: {"type": "string"}}, "required": [argument], "additionalProperties": False,
    }  # fmt: skip
    full = _name(connection.spec, name, taken)
    reads = _fits(name, connection.spec.read)
    return Tool(
        full, _description(connection.spec, says), schema, run, checker(full, schema),
        effect="read" if reads else connection.spec.effect, origin="untrusted", timeout_s=connection.spec.timeout_s + 5, fresh_s=0,
    )  # fmt: skip


def _name(spec: ServerSpec, theirs: str, taken: set[str]) -> str:
    """`server_tool`, of the characters a model may be shown, 64 at most, and no name twice."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", f"{spec.name}_{theirs}")[:64]
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain[:60]}_{number}", number + 1
    taken.add(name)
    return name


def _description(spec: ServerSpec, theirs: str) -> str:
    """The server's words, marked as its own and cut: they are information about the tool, never instructions."""
    return f"Tool of the MCP server {spec.name}, which says of it: {quoted(theirs)}"


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

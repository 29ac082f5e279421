"""`outrider tools`: which tools there are, what one takes, and one call by hand."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.commands import tools_add
from outrider.agent.cli.flags import Json, Memory, ToolFlags, takes
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.tools.tool import Tool

app = typer.Typer(
    name="tools",
    cls=Group,
    help="Which tools there are; call one by hand.",
    rich_markup_mode=None,
)
app.add_typer(tools_add.app)
app.command("remove", cls=Command)(tools_add.remove)
FAILED = 4
From = Annotated[
    list[str] | None,
    typer.Option("--tools-from", metavar="FILE", help="Add the @tool functions of a Python file.", show_default=False),
]


@app.command("list", cls=Command)
def list_tools(tools_from: From = None, json: Json = False) -> None:
    """List the tools a run has: what each may do (its effect), where it is from, and what it does."""
    from outrider.agent.cli.given import mcp_of, read_config
    from outrider.agent.review.lines import Line, one_line

    found = _collect([*mcp_of(read_config()), *(tools_from or ())])
    wide, source = max(len(tool.name) for tool in found), max(len(_source(tool)) for tool in found)
    for tool in found:
        if json:
            out_json(_told(tool))
            continue
        head = ((f"{tool.name:{wide}}  ", "tool"), (f"{_effect(tool):12}  {_source(tool):{source}}  ", "dim"))
        out_lines([Line(((one_line(tool.description, 300), "plain"),), head)])  # type: ignore[arg-type]


@app.command(cls=Command)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A tool.", show_default=False)],
    tools_from: From = None,
    json: Json = False,
) -> None:
    """Show what a tool does and takes."""
    from outrider.memory.text import for_terminal
    from outrider.tools.tool import shape

    tool = _one(name, tools_from)
    if json:
        out_json(_told(tool))
        return
    strangers = ", results written by strangers" if tool.origin == "untrusted" else ""
    out(f"{for_terminal(shape(tool.name, tool.parameters))}\n\n{for_terminal(tool.description)}\n")
    out(f"effect: {_effect(tool)}{strangers}; stopped after {tool.timeout_s:g} s")
    for key, about in (tool.parameters.get("properties") or {}).items():
        if said := about.get("description"):
            out(f"  {for_terminal(key)}: {for_terminal(str(said))}")


@app.command(cls=Command)
@takes(ToolFlags)
def call(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A tool.", show_default=False)],
    flags: ToolFlags,
    args: Annotated[str, typer.Option("--args", metavar="JSON", help='Its arguments: \'{"path": "a.txt"}\'.')] = "{}",
    memory: Memory = None,
    json: Json = False,
) -> None:
    """Run one tool by hand, under the policy and the sandbox of a run. Exit code 4: it was denied, or failed."""
    from outrider.agent.cli.call_tool import call_by_hand
    from outrider.agent.cli.given import read_config, settings_of
    from outrider.memory.text import for_terminal

    _refuse_no_object(args)
    config = read_config()
    settings = settings_of(flags, config)
    done = call_by_hand(_one(name, list(settings.get("tools_from", ()))), args, settings, memory)
    if json:
        out_json({"tool": name, "ok": done.seen.ok, "text": done.seen.text, "origin": done.seen.origin})
    elif done.seen.ok:
        out(for_terminal(done.seen.text))
    else:
        say(done.seen.text)
    if done.detail:
        say(done.detail)
    raise typer.Exit(0 if done.seen.ok else FAILED)


def _refuse_no_object(args: str) -> None:
    try:
        read = json_text.loads(args)
    except (ValueError, RecursionError) as error:
        raise UsageError("--args is not JSON", str(error)[:200], '--args \'{"path": "a.txt"}\'') from None
    if not isinstance(read, dict):
        raise UsageError("--args is no JSON object", f"it is {args[:60]}", 'name each argument: \'{"path": "a.txt"}\'')


def _collect(files: list[str] | None) -> list[Tool]:
    from outrider.agent.cli.added import with_added
    from outrider.tools.builtin import collect

    return collect(None, with_added({"tools_from": tuple(files or ())})["tools_from"], _skills())


def _skills() -> list[Tool]:
    from outrider.agent.cli.given import read_config
    from outrider.agent.settings.skills import skill_folders
    from outrider.tools.skills.loading import skill_tool
    from outrider.tools.skills.shelf import read_shelf

    skills = read_shelf(skill_folders(read_config())).skills
    return [skill_tool(skills)] if skills else []


def _one(name: str, files: list[str] | None) -> Tool:
    from outrider.tools.builtin import BUILT_IN, built_in

    if name in BUILT_IN and not files:
        return built_in(name)
    found = {tool.name: tool for tool in _collect(files)}
    if name not in found:
        raise UsageError(f"there is no tool {name!r}", "it is not in the list", f"there are {', '.join(sorted(found))}")
    return found[name]


def _source(tool: Tool) -> str:
    """Where a tool is from: `built-in`, `file my_tools.py`, `mcp config.toml`, `openapi …`, `skill`, `prompt …`, `langchain`."""
    from outrider.memory.text import for_terminal

    return for_terminal(tool.source or "built-in")[:40]


def _effect(tool: Tool) -> str:
    return "by arguments" if callable(tool.effect) else tool.effect


def _told(tool: Tool) -> dict[str, Any]:
    plain = {
        "name": tool.name,
        "description": tool.description,
        "effect": _effect(tool),
        "origin": tool.origin,
        "source": _source(tool),
    }
    return plain | {"parameters": json_text.loads(json_text.dumps(tool.parameters, default=str))}

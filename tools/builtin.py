"""Which tools there are: the built-in ones by name, a person's own file, and installed packages.
May touch: imports the modules it names; runs a person's tools file. Does not promise: that such a file is harmless.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from outrider.memory.errors import UsageError
from outrider.memory.given.file import read_given
from outrider.tools.prompts.reading import holds_prompts
from outrider.tools.tool import Tool, tool

BUILT_IN: dict[str, str] = {  # a tool is one more line; imported when a run wants it
    "python": "outrider.tools.code.code_tools",
    "shell": "outrider.tools.code.code_tools",
    "read_file": "outrider.tools.files.file_tools",
    "write_file": "outrider.tools.files.file_tools",
    "edit_file": "outrider.tools.files.file_tools",
    "move_file": "outrider.tools.files.move_tools",
    "copy_file": "outrider.tools.files.move_tools",
    "delete_file": "outrider.tools.files.move_tools",
    "list_files": "outrider.tools.files.file_tools",
    "search_files": "outrider.tools.files.file_tools",
    "table": "outrider.tools.data.table",
    "text_stats": "outrider.tools.data.text_stats",
    "calculate": "outrider.tools.calc.calculate",
    "dates": "outrider.tools.calc.dates",
    "units": "outrider.tools.calc.units",
    "sql_query": "outrider.tools.data.sql_query",
    "web_search": "outrider.tools.web.web_tools",
    "read_page": "outrider.tools.web.web_tools",
    "hub_search": "outrider.tools.hub.hub_tools",
    "hub_model": "outrider.tools.hub.hub_tools",
    "hub_choose": "outrider.tools.hub.choose",
    "hub_run": "outrider.tools.inference.hub_run",
    "http_request": "outrider.tools.web.http_request",
    "recall": "outrider.tools.control.recall",
    "note": "outrider.tools.control.recall",
    "plan": "outrider.tools.control.plan",
    "ask_user": "outrider.tools.control.ask",
    "delegate": "outrider.tools.control.delegate",
}
ENTRY_POINTS = "outrider.tools"


def built_in(name: str) -> Tool:
    """A built-in tool. Raises UsageError, naming near ones, if there is none of that name."""
    module = BUILT_IN.get(name)
    if module is None:
        near = get_close_matches(name, BUILT_IN, n=3, cutoff=0.6) or sorted(BUILT_IN)
        raise UsageError(f"there is no built-in tool {name!r}", "it is not in the list", f"use {', '.join(near)}")
    found: Tool = getattr(importlib.import_module(module), name)
    return found


def collect(
    names: Sequence[str] | None = None, files: Iterable[str | Path] = (), extra: Iterable[Tool] = ()
) -> list[Tool]:
    """The tools of a run: `names` of built-in ones (None: all, and those of installed packages), files, and `extra`.

    A person's own tool replaces a built-in one of its name.
    """
    found = {name: built_in(name) for name in (BUILT_IN if names is None else names)}
    if names is None:
        found |= {tool.name: tool for tool in installed()}
    for file in files:
        found |= {tool.name: tool for tool in from_file(file)}
    return list((found | {tool.name: tool for tool in extra}).values())


def replaced(tools: Iterable[Tool]) -> list[str]:
    """Names of built-in tools in whose place another stands: a person should know when `python` is not the sandboxed one."""
    return [tool.name for tool in tools if tool.name in BUILT_IN and built_in(tool.name) is not tool]


def as_tools(value: Any) -> list[Tool]:
    """What a person gave as a tool: a Tool, a function, something of LangChain, or a list of these. Raises UsageError."""
    if isinstance(value, Tool):
        return [value]
    if isinstance(value, list | tuple):
        return [one for inner in value for one in as_tools(inner)]
    from outrider.tools.langchain.accept import from_langchain, is_langchain

    return from_langchain(value) if is_langchain(value) else [tool(value)]


def installed() -> list[Tool]:
    """Tools of installed packages: entry points of the group `outrider.tools`, each a Tool or a list of them."""
    found: list[Tool] = []
    for point in entry_points(group=ENTRY_POINTS):
        try:
            value = point.load()
        except Exception as error:
            raise UsageError(
                f"the tools of package entry point {point.name!r} cannot be loaded",
                f"{type(error).__name__}: {error}",
                "update or uninstall that package",
            ) from error
        listed = [value] if isinstance(value, Tool) else [one for one in value if isinstance(one, Tool)]
        found += [one if one.source else replace(one, source=f"package {point.name}") for one in listed]
    return found


def holds_servers(file: Path) -> bool:
    """Whether a tools file names MCP servers: TOML, or JSON with `mcpServers`."""
    return file.suffix.lower() == ".toml" or (file.suffix.lower() == ".json" and b'"mcpServers"' in read_given(file))


def from_file(path: str | Path) -> list[Tool]:
    """The tools a Python file makes with `@tool`, or those of an OpenAPI file (.json, .yaml).

    Raises UsageError when it cannot be read, raises, or has none.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        why = "it is a folder" if file.is_dir() else "no such file"
        raise UsageError(f"there is no tools file {str(path)!r}", why, "a Python file, MCP servers (JSON) or OpenAPI")
    if holds_prompts(file):
        from outrider.tools.prompts.reading import tools_of as prompts_of

        return _from("prompt", file, prompts_of(file))
    if holds_servers(file):
        from outrider.tools.mcp.tools import mcp_tools

        return _from("mcp", file, mcp_tools(file))
    if file.suffix.lower() in (".json", ".yaml", ".yml"):
        from outrider.tools.openapi.added import tools_of

        return _from("openapi", file, tools_of(file))
    return _from_python(path, file)


def _from_python(path: str | Path, file: Path) -> list[Tool]:
    """The tools a Python file makes; it is run for that. Raises UsageError."""
    spec = importlib.util.spec_from_file_location(f"outrider_tools_{abs(hash(file.resolve())):x}", file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{str(path)!r} cannot be a tools file", "it is not a Python file", "name it something.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # type hints of its functions are looked up there
    try:
        spec.loader.exec_module(module)
    except UsageError:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise UsageError(f"the tools file {str(path)!r} failed", _where(error, file), "fix it and try again") from error
    found = _made_in(module)
    if not found:
        raise UsageError(
            f"the tools file {str(path)!r} has no tools",
            "a tool is a function with `@tool` from outrider.tools",
            "decorate at least one function",
        )
    return _from("file", file, found)


def _from(kind: str, file: Path, found: list[Tool]) -> list[Tool]:
    """The tools with where they are from, as far as it is not said yet."""
    return [one if one.source else replace(one, source=f"{kind} {file.name}") for one in found]


def _made_in(module: Any) -> list[Tool]:
    """The tools a module holds, alone or in lists, and its LangChain tools and toolkits; each once."""
    from outrider.tools.langchain.accept import is_tool

    found: dict[str, Tool] = {}
    for value in vars(module).values():
        listed = value if isinstance(value, list | tuple) else [value]
        if listed and all(isinstance(one, Tool) or is_tool(one) for one in listed):
            found |= {one.name: one for one in as_tools(listed)}
    return list(found.values())


def _where(error: BaseException, file: Path) -> str:
    if isinstance(error, OSError) and error.filename == str(file):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}" if error.lineno else error.msg
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    at = f"line {lines[-1]}: " if lines else ""
    return f"{at}{type(error).__name__}: {error}"

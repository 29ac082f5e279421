"""Which MCP servers a person named: `mcpServers` JSON as other programs use it, or `[mcp.NAME]` tables of the configuration.
May touch: reads the file it is given and the environment variables its `${NAME}` ask for.
Does not promise: that a server is harmless. A stdio server is a program of the person's choice, run as the person.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from outrider.memory.errors import UsageError, words_of
from outrider.memory.events import Effect
from outrider.memory.given.file import read_given_text

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class ServerSpec(BaseModel):
    """One server. Either `command` (with args, env, cwd) or `url` (with headers).

    effect: what its tools may do, as far as approval goes; its own word for it is not believed. read: tools (patterns with
    `*`) that only read. tools: which of its tools are taken, () for all. timeout_s: of one call.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    command: str = ""
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    cwd: str | None = None
    url: str = ""
    headers: dict[str, str] = {}
    effect: Effect = "network"
    read: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    timeout_s: float = Field(default=60.0, gt=0, le=3600)

    @model_validator(mode="after")
    def _one_way(self) -> ServerSpec:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either `command` (a program) or `url` (an address)")
        return self


def read_servers(file: Path) -> list[ServerSpec]:
    """The servers of a file. Raises UsageError: what is wrong, and where."""
    try:
        text = read_given_text(file)
        data: Any = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{str(file)!r} cannot be read", words_of(error)[:300], "give JSON with mcpServers, or TOML"
        ) from error
    found = (data.get("mcpServers") or data.get("mcp") or data.get("servers")) if isinstance(data, dict) else None
    if not isinstance(found, dict) or not found:
        raise UsageError(
            f"{str(file)!r} names no MCP servers", "it has no `mcpServers` (JSON) or `[mcp.NAME]` (TOML)",
            '{"mcpServers": {"time": {"command": "mcp-server-time"}}}',
        )  # fmt: skip
    return [_read(file, str(name), one) for name, one in found.items()]


def _read(file: Path, name: str, one: Any) -> ServerSpec:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:60]!r} cannot be the name of an MCP server", "letters, digits, _ and -, 32 at most", "rename it"
        )
    if not isinstance(one, dict):
        raise UsageError(
            f"the MCP server {name!r} in {str(file)!r} is not a table", "a table was expected", "see docs/mcp.md"
        )
    try:
        return ServerSpec.model_validate(_filled(name, one) | {"name": name})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"the MCP server {name!r} in {str(file)!r} is not described right",
            f"{where}: {first['msg']}",
            "see docs/mcp.md",
        ) from error


def _filled(server: str, value: Any) -> Any:
    """`${NAME}` from the environment, as these files are written; a variable that is not set is an error, never empty."""
    if isinstance(value, dict):
        return {key: _filled(server, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(server, inner) for inner in value]
    if not isinstance(value, str):
        return value

    def one(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise UsageError(
                f"the MCP server {server!r} needs {found[1]}", "that environment variable is not set", "set it"
            )
        return os.environ[found[1]]

    return _VARIABLE.sub(one, value)

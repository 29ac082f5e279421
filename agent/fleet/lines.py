"""A file of goals, read as it is worked on: JSON lines, CSV or plain lines. A wrong line is told apart and the rest goes on.
May touch: reads that file. Does not promise: to notice a file that changes while it is read.

What a goal is (its digest) does not depend on its place in the file or on how its line is spelt, so lines may be added,
moved and corrected between two starts.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, field_validator

from outrider.agent.budget import Budget
from outrider.memory.errors import OutriderError, UsageError
from outrider.memory.spending.fleet import short_digest

MOST_LINE = 16 * 1024 * 1024  # bytes
Format = Literal["jsonl", "csv", "plain"]
SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".txt": "plain"}
LIMITS = ("usd", "tokens", "steps", "seconds", "calls", "wall_seconds")


def _listed(value: Any) -> Any:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


Words = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_listed)]


class GoalLine(BaseModel):
    """One goal. What it does not say is what the command, or the agent, says for all.

    id: a name of your own, which comes back with the result. budget: limits of this goal (usd, tokens, steps, seconds, calls).
    tools: built-in tools. tools_from: Python files with tools, or JSON files with MCP servers. schema: what the answer must
    be, as a JSON Schema, a file or "name, age int".
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)
    goal: Annotated[str, Field(min_length=1)]
    id: str = ""
    model: str | None = None
    base_url: str | None = None
    budget: dict[str, JsonValue] = {}
    label: str | None = None
    workspace: str | None = None
    tools: Words | None = None
    tools_from: Words | None = None
    schema_: dict[str, JsonValue] | None = Field(default=None, alias="schema")

    @field_validator("goal")
    @classmethod
    def _says_something(cls, goal: str) -> str:
        if not goal.strip():
            raise ValueError("there is no goal")
        return goal

    @field_validator("id", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("model")
    @classmethod
    def _is_model(cls, spec: str | None) -> str | None:
        if spec is not None and ":" in spec:  # any other word may be an alias
            from outrider.agent.models import split_spec

            _plainly(lambda: split_spec(spec))
        return spec

    @field_validator("budget")
    @classmethod
    def _are_limits(cls, budget: dict[str, Any]) -> dict[str, Any]:
        if strange := set(budget) - {*LIMITS, "soft", "per_tool"}:
            raise ValueError(f"there is no limit {', '.join(sorted(strange))}: {', '.join(LIMITS)}")
        _plainly(lambda: Budget().raised(**budget))
        return budget

    @field_validator("schema_", mode="before")
    @classmethod
    def _is_schema(cls, schema: Any) -> Any:
        from outrider.agent.structured.schema import checked, schema_of

        if schema is None:
            return None
        return _plainly(lambda: schema_of(schema) if isinstance(schema, str) else checked(schema, "schema"))


def _plainly(check: Any) -> Any:
    """What a check gives; what it raises as a ValueError, for pydantic to name the field."""
    try:
        return check()
    except OutriderError as error:
        raise ValueError(f"{error.what}: {error.why}") from error
    except TypeError as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Item:
    """A goal of a batch: where it stands (from 1) and what names it whatever its place is."""

    number: int
    line: GoalLine
    digest: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that is no goal, and why."""

    number: int
    why: str


def read_lines(file: IO[bytes], kind: Format) -> Iterator[Item | Wrong]:
    """The goals of an open file, one after the other; empty lines are skipped, in plain ones those that begin with #, too."""
    if kind == "csv":
        yield from _csv(file)
        return
    for number, raw in _raw_lines(file):
        if raw is None:
            yield Wrong(number, f"the line is above {MOST_LINE // 1024 // 1024} MiB")
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Wrong(number, f"not UTF-8: {error.reason}, at byte {error.start + 1}")
            continue
        if not text.strip() or (kind == "plain" and text.lstrip().startswith("#")):
            continue
        yield _of_json(number, text) if kind == "jsonl" else item_of(number, {"goal": text.strip()})


def items_of(goals: Iterable[str | Mapping[str, Any]]) -> Iterator[Item | Wrong]:
    """The same of goals in a program: texts, or dicts with the fields of a line."""
    for number, goal in enumerate(goals, 1):
        yield item_of(number, {"goal": goal} if isinstance(goal, str) else dict(goal))


def item_of(number: int, fields: dict[str, Any]) -> Item | Wrong:
    """One goal, or what is wrong with it."""
    try:
        line = GoalLine.model_validate(fields)
    except ValidationError as error:
        return Wrong(number, "; ".join(map(_said, error.errors(include_url=False, include_input=False)[:5])))
    kept = line.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    try:
        plain = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        return Wrong(number, str(error))
    return Item(number, line, short_digest(plain.encode("utf-8", "surrogatepass"), 13))


def kind_of(path: Path | None, first: bytes) -> Format:
    """What a file holds, by its name, or where that does not tell by its first bytes."""
    if path is not None and path.suffix.lower() in SUFFIXES:
        return SUFFIXES[path.suffix.lower()]
    return "jsonl" if first.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "plain"


def _raw_lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """(number, bytes without their end) of each line; None for one that is too long, of which no more is held."""
    number = 0
    while raw := file.readline(MOST_LINE):
        number += 1
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if len(raw) >= MOST_LINE and not raw.endswith(b"\n"):
            while (more := file.readline(MOST_LINE)) and not more.endswith(b"\n"):
                pass
            yield number, None
        else:
            yield number, raw.rstrip(b"\r\n")


def _of_json(number: int, text: str) -> Item | Wrong:
    try:
        read = json.loads(text)
    except json.JSONDecodeError as error:
        return Wrong(number, f"not JSON: {error.msg}, at character {error.colno}")
    except (ValueError, RecursionError) as error:
        return Wrong(number, f"not JSON: {error}")
    if isinstance(read, str):
        read = {"goal": read}
    if not isinstance(read, dict):
        return Wrong(number, 'not a goal: a line is one JSON object, {"goal": "…"}')
    return item_of(number, read)


def _csv(file: IO[bytes]) -> Iterator[Item | Wrong]:
    """Rows under a header that names fields; limits have a column each."""
    texts = (("" if raw is None else raw.decode("utf-8", "replace")) + "\n" for _, raw in _raw_lines(file))
    rows = csv.reader(texts)
    header = [name.strip() for name in next(rows, [])]
    known = {field.alias or name for name, field in GoalLine.model_fields.items()} - {"budget"} | set(LIMITS)
    if "goal" not in header or set(header) - known:
        why = "it has no column goal" if "goal" not in header else f"it names {', '.join(sorted(set(header) - known))}"
        raise UsageError("the first line of the CSV file does not name the fields of a goal", why,
                         f"name some of: {', '.join(sorted(known))}")  # fmt: skip
    while True:
        number = rows.line_num + 1  # of the row's first line: a quoted goal may hold several
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Wrong(number, f"not CSV: {error}")
            continue
        if row is None:
            return
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(header):
            yield Wrong(number, f"it has {len(row)} cells under a header of {len(header)}")
            continue
        if any("\ufffd" in cell for cell in row):
            yield Wrong(number, "not UTF-8")
            continue
        given: dict[str, Any] = {name: cell for name, cell in zip(header, row, strict=False) if cell.strip()}
        limits = {name: given.pop(name) for name in LIMITS if name in given}
        yield item_of(number, given | ({"budget": limits} if limits else {}))


def _said(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said

"""A file of goals to score an agent with: one JSON object a line, a goal and how to tell that it was reached.
May touch: reads that file. Does not promise: that a goal can be reached, or that a check is a good one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator, model_validator

from outrider.memory.errors import OutriderError, UsageError, words_of
from outrider.memory.given.file import read_given_text

MOST_BYTES = 64 * 1024 * 1024
MOST_NAMED = 20  # bad lines named in one error
CHECKS = ("expect", "regex", "equals", "number", "file", "python", "schema_", "state")
Text = Annotated[str, Field(min_length=1)]


class GoalLine(BaseModel):
    """One line. All its checks must hold, and the run must be `answered`, unless `state` names another end.

    expect: text (or each of several) the answer contains, whatever the case. equals: the whole answer. regex: found in it.
    number: a number of the answer, within `tolerance`. file: path in the workspace → its text, contained (or equal with
    a final newline aside, if `exact`); null: there is no such file. python: a function of the file given by --checks.
    schema: the answer is data of this shape. files: what lies in the workspace at the start. workspace: a folder to copy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)
    goal: Text
    id: Text | None = None
    expect: Text | tuple[Text, ...] | None = None
    equals: str | None = None
    regex: Text | None = None
    number: float | None = Field(default=None, allow_inf_nan=False)
    tolerance: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    file: dict[str, str | None] | None = None
    exact: bool = False
    python: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")] | None = None
    schema_: dict[str, JsonValue] | None = Field(default=None, alias="schema")
    state: str | None = None
    files: dict[str, str] = {}
    workspace: str | None = None

    @field_validator("file", "files")
    @classmethod
    def _inside(cls, paths: dict[str, Any] | None) -> dict[str, Any] | None:
        for path in paths or ():
            pure = PurePosixPath(path)
            if not path or pure.is_absolute() or ".." in pure.parts or "\0" in path:
                raise ValueError(f"{path!r} is no path inside the workspace")
        return paths

    @field_validator("regex")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return pattern

    @field_validator("schema_")
    @classmethod
    def _is_schema(cls, schema: dict[str, Any] | None) -> dict[str, Any] | None:
        from outrider.agent.structured.schema import checked

        try:
            return None if schema is None else checked(schema, "schema")
        except OutriderError as error:
            raise ValueError(f"{error.what}: {error.why}") from error

    @field_validator("state")
    @classmethod
    def _is_state(cls, state: str | None) -> str | None:
        from outrider.agent.history.ends import EXIT_CODES

        if state is not None and state not in EXIT_CODES:
            raise ValueError(f"there is no state {state!r}: {', '.join(EXIT_CODES)}")
        return state

    @model_validator(mode="after")
    def _has_check(self) -> Self:
        if all(getattr(self, check) is None for check in CHECKS):
            names = ", ".join(check.rstrip("_") for check in CHECKS)
            raise ValueError(f"it has no check: one of {names}")
        if self.tolerance and self.number is None:
            raise ValueError("tolerance goes with number")
        return self


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal with its place in the file. name: its id, or "line 12"."""

    number: int
    name: str
    line: GoalLine


def read_goals(file: Path) -> list[Goal]:
    """The goals of a file; empty lines and those that begin with # are skipped. Raises UsageError that names every bad line."""
    goals: list[Goal] = []
    wrong: list[str] = []
    for number, text in enumerate(_text(file).split("\n"), 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            line = GoalLine.model_validate(json.loads(text))
            goals.append(Goal(number, line.id or f"line {number}", line))
        except ValidationError as error:
            wrong += [f"line {number}: {_said(one)}" for one in error.errors(include_url=False, include_input=False)]
        except json.JSONDecodeError as error:
            wrong.append(f"line {number}: not JSON: {error.msg}, at character {error.colno}")
        except (ValueError, RecursionError) as error:
            wrong.append(f"line {number}: not JSON: {error}")
    names = [goal.name for goal in goals]
    wrong += [
        f"line {goal.number}: another line has the id {goal.name!r}" for goal in goals if names.count(goal.name) > 1
    ]
    if wrong:
        more = f" and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise UsageError(
            f"{len(wrong)} mistakes in {str(file)!r}" if len(wrong) > 1 else f"a mistake in {str(file)!r}",
            "\n       ".join(wrong[:MOST_NAMED]) + more,
            'each line is one JSON object: {"goal": "What is 2 + 2?", "number": 4} (docs/eval.md)',
        )
    if not goals:
        raise UsageError(
            f"there is no goal in {str(file)!r}", "it is empty", "write one JSON object a line (docs/eval.md)"
        )
    return goals


def _text(file: Path) -> str:
    try:
        return read_given_text(file, MOST_BYTES, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{str(file)!r} cannot be read",
            words_of(error),
            "name a file of goals (docs/eval.md)",
        ) from error


def _said(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said

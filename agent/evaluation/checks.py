"""Whether a run reached its goal: each check says nothing, or what is wrong in one line.
May touch: reads the workspace of the run; calls a function of the person's own. Does not promise: to be fair; a check
is only as good as who wrote it.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from outrider.agent.evaluation.goals import Goal, GoalLine
from outrider.agent.history.run_view import Run
from outrider.memory.errors import UsageError, words_of

MOST_BYTES = 16 * 1024 * 1024  # of a file that is looked at
Functions = dict[str, Callable[..., Any]]
_NUMBER = re.compile(r"[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
MOST_CHARS = 200_000  # of an answer that a pattern is tried on


def wrong_with(run: Run, line: GoalLine, workspace: Path, functions: Functions) -> str:
    """What the first check that fails says; "" if the goal was reached."""
    return next(filter(None, _all(run, line, workspace, functions)), "")


def _all(run: Run, line: GoalLine, workspace: Path, functions: Functions) -> Iterator[str]:
    answer, wanted = str(run.answer), line.state or "answered"
    if run.state != wanted:
        yield f"the run ended {run.state}, not {wanted}{f' ({run.detail[:200]})' if run.detail else ''}"
    expected = (line.expect,) if isinstance(line.expect, str) else line.expect or ()
    for text in expected:
        if text.casefold() not in answer.casefold():
            yield f"{text!r} is not in the answer"
    if line.equals is not None and answer.strip() != line.equals.strip():
        yield f"the answer is not {line.equals!r}"
    if line.regex is not None:
        yield _searched(line.regex, answer)
    if line.number is not None:
        yield _number(answer, line)
    if line.schema_ is not None and run.value is None and wanted == "answered":
        yield "the answer is not data of the schema"
    for path, content in (line.file or {}).items():
        yield _file(workspace, path, content, line.exact)
    if line.python is not None:
        yield _called(functions[line.python], line.python, answer, workspace)


def numbers_in(text: str) -> list[float]:
    """The numbers of a text, in order; thousands may be separated by commas."""
    found = []
    for match in _NUMBER.finditer(text):
        plain = match[0].replace(",", "").replace("−", "-").rstrip(".")
        try:
            found.append(float(plain))
        except ValueError:
            continue
    return found


def _number(answer: str, line: GoalLine) -> str:
    """The last number of the answer that is not one of the goal's own (or the last of all) must be the one."""
    asked = set(numbers_in(line.goal))
    there = numbers_in(answer)
    own = [number for number in there if number not in asked] or there
    if not own:
        return "there is no number in the answer"
    wanted = line.number or 0.0
    off = f" ± {line.tolerance:g}" if line.tolerance else ""
    return "" if abs(own[-1] - wanted) <= line.tolerance else f"the number is {own[-1]:g}, not {wanted:g}{off}"


def _searched(pattern: str, answer: str) -> str:
    return "" if re.search(pattern, answer[:MOST_CHARS]) else f"nothing in the answer fits {pattern!r}"


def _file(workspace: Path, path: str, text: str | None, exact: bool) -> str:
    file = workspace / path
    try:
        inside = file.resolve().is_relative_to(workspace.resolve())
        if text is None:
            return f"there is a file {path!r}" if file.exists() else ""
        if not inside or not file.is_file():
            return f"there is no file {path!r}"
        if file.stat().st_size > MOST_BYTES:
            return f"the file {path!r} is too long to look at"
        held = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return f"the file {path!r} cannot be read: {words_of(error)}"
    if exact:
        return "" if held.rstrip("\n") == text.rstrip("\n") else f"the file {path!r} holds something else"
    return "" if text in held else f"the file {path!r} does not hold {text[:100]!r}"


def _called(function: Callable[..., Any], name: str, answer: str, workspace: Path) -> str:
    """True or None: reached; False: not; text: what is wrong. An exception is the check's own fault, and said."""
    try:
        said = function(answer, workspace)
    except AssertionError as error:
        return f"{name}: {error or 'an assertion failed'}"
    except Exception as error:
        return f"{name} failed itself: {type(error).__name__}: {error}"
    if isinstance(said, str):
        return f"{name}: {said}" if said else ""
    return "" if said or said is None else f"{name} says no"


def load_functions(file: Path | None, goals: list[Goal]) -> Functions:
    """The functions of a checks file that the goals name. Raises UsageError for one that is missing, or no file."""
    wanted = {goal.line.python for goal in goals if goal.line.python}
    if not wanted:
        return {}
    if file is None:
        raise UsageError(
            f"{', '.join(sorted(wanted))}: no function of that name",
            "goals name Python functions, and no file of checks was given",
            "name the file: --checks FILE.py",
        )
    loaded = importlib.util.spec_from_file_location("outrider_checks", file)
    if not file.is_file() or loaded is None or loaded.loader is None:
        raise UsageError(f"{str(file)!r} is no Python file", "it cannot be loaded", "name the file: --checks FILE.py")
    module = importlib.util.module_from_spec(loaded)
    try:
        loaded.loader.exec_module(module)
    except Exception as error:
        raise UsageError(f"{str(file)!r} cannot be loaded", f"{type(error).__name__}: {error}", "correct it") from error
    if missing := sorted(name for name in wanted if not callable(getattr(module, name, None))):
        raise UsageError(
            f"{str(file)!r} has no function {', '.join(missing)}", "goals name it", "write it, or correct the goals"
        )
    return {name: getattr(module, name) for name in wanted}

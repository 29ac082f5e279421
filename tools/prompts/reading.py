"""Prompts and chains of a TOML or YAML file.
May touch: reads that one file. Does not promise: that a chain makes sense; only that its prompts are there.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from outrider.memory.errors import UsageError, words_of
from outrider.memory.given.file import read_given, read_given_text
from outrider.tools.prompts.prompt import Chain, Example, Prompt
from outrider.tools.tool import Tool

ENDINGS = (".toml", ".yaml", ".yml")
_TYPES = {"int": "integer", "number": "number", "bool": "boolean"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_EXAMPLE = '[prompt.route]\nask = "Which team?"\noutput = ["claims", "hr", "it"]'


class _Example(BaseModel):
    model_config = ConfigDict(extra="forbid")
    input: str = Field(min_length=1)
    output: JsonValue


class _Prompt(BaseModel):
    model_config = ConfigDict(extra="forbid")
    ask: str = Field(min_length=1)
    output: list[str] | dict[str, JsonValue] | str | None = None
    examples: list[_Example] = []
    about: str = ""
    share: float = Field(default=0.2, gt=0, le=0.9)
    shots: int | None = Field(default=None, ge=0)


class _Chain(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: list[str] = Field(min_length=1, max_length=20)
    about: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    prompt: dict[str, _Prompt] = Field(min_length=1)
    chain: dict[str, _Chain] = {}


def holds_prompts(file: Path) -> bool:
    """Whether a file is one of prompts: TOML or YAML with a table `prompt`."""
    if file.suffix.lower() not in ENDINGS:
        return False
    return bool(re.search(rb"^\s*(?:\[\s*prompt\s*\.|prompt\s*:)", read_given(file)[:1_000_000], re.MULTILINE))


def read_prompts(file: Path, shots: int | None = None) -> tuple[dict[str, Prompt], dict[str, Chain]]:
    """(prompts, chains) of a file by name; `shots`: at most so many examples of each. Raises UsageError."""
    try:
        read = _File.model_validate(_data(file))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{str(file)!r} is no file of prompts", f"{where}: {first['msg']}", _EXAMPLE) from error
    prompts = {name: _prompt(name, one, shots) for name, one in read.prompt.items()}
    chains = {}
    for name, chain in read.chain.items():
        missing = [step for step in chain.steps if step not in prompts]
        if missing or name in prompts or not _NAME.fullmatch(name):
            why = f"it names {missing[0]!r}, which is no prompt" if missing else "the name is taken, or is none"
            raise UsageError(f"the chain {name!r} of {str(file)!r} cannot be", why, f"there is {', '.join(prompts)}")
        chains[name] = Chain(name, tuple(prompts[step] for step in chain.steps), chain.about)
    return prompts, chains


def tools_of(file: Path) -> list[Tool]:
    """Every prompt and chain of a file as a tool. Raises UsageError."""
    prompts, chains = read_prompts(file)
    return [*(one.tool() for one in prompts.values()), *(one.tool() for one in chains.values())]


def _prompt(name: str, one: _Prompt, shots: int | None) -> Prompt:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of a prompt", "it is a tool's name", "use letters, digits, _, -")
    examples = tuple(Example(each.input, each.output) for each in one.examples)
    made = Prompt(name, one.ask, _output(one.output), examples, one.about, one.share, one.shots)
    return made if shots is None else replace(made, shots=shots)


def _output(given: Any) -> Any:
    """Labels, a schema, or None for "text"; a plain type by its name."""
    if given in (None, "text"):
        return None
    if isinstance(given, str):
        if given not in _TYPES:
            raise UsageError(f"{given[:80]!r} is no output", f"text, {', '.join(_TYPES)}, labels or a schema", _EXAMPLE)
        return {"type": _TYPES[given]}
    if isinstance(given, list) and (not given or len(set(given)) != len(given)):
        raise UsageError("the labels of an output cannot be", "there are none, or two are the same", "name each once")
    return given


def _data(file: Path) -> Any:
    try:
        text = read_given_text(file)
        if file.suffix.lower() == ".toml":
            return tomllib.loads(text)
        import yaml

        return yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{str(file)!r} cannot be read", words_of(error)[:300], _EXAMPLE) from error
    except Exception as error:  # yaml has several
        raise UsageError(f"{str(file)!r} is not YAML", str(error)[:300], _EXAMPLE) from error

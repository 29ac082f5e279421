"""The contract of a tool, on one page: `@tool`, `Tool`, `ToolContext`, `Observation`, `ToolError`.
Touches nothing itself. A tool is a function with hints and a docstring; its schema is made from them.
Does not promise: that a tool is safe; `effect` says what it may do and the policy decides (policy.py).
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Union, get_args, get_origin, overload

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import to_json

from outrider.memory.errors import OutriderError, UsageError
from outrider.memory.events import Effect, Origin, PlanStep
from outrider.tools.files.kept import (
    Change as Change,
)  # a type of the contract; it lives where the sandbox can import it alone
from outrider.tools.signature import Callee, hint_of, model_of, read_callable, read_docstring
from outrider.tools.signature import shape as shape  # part of the contract's page

if TYPE_CHECKING:
    from outrider.memory.listings import Listings

Arguments = Mapping[str, Any]


class ToolError(OutriderError):
    """A tool could not do it. The model sees what, why and fix as the observation; nothing else."""

    def __str__(self) -> str:
        return f"{self.what}. Why: {self.why}. To fix: {self.fix}"


@dataclass(frozen=True, slots=True)
class File:
    """A picture or file a tool made: kept whole with the run and shown in the transcript."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Observation:
    """What a tool saw. `text` goes to the model (trimmed), `origin` overrides the tool's, `private` names what private data is in it (None: what the tool's kind says), `files` go to the transcript,
    `changes` are kept so that `outrider undo` can put the workspace back."""

    text: str
    ok: bool = True
    origin: Origin | None = None
    files: tuple[File, ...] = ()
    changes: tuple[Change, ...] = ()
    private: tuple[str, ...] | None = None


class Memory(Protocol):
    """What a tool may ask of the run's memory."""

    def search(self, query: str, *, limit: int = 10, run: str | None = None) -> list[dict[str, Any]]:
        """Observations, answers and notes that match, best first: {run, seq, at, kind, tool, text}."""
        ...

    def read(self, run: str, handle: int | str) -> str:
        """The whole text of one stored observation, by its call ("3.1") or its event (12). Raises ToolError if there is none."""
        ...

    def note(self, text: str) -> None:
        """Keep a note with the run."""
        ...

    def plan(self, items: tuple[str, ...], steps: tuple[PlanStep, ...] = ()) -> tuple[PlanStep, ...]:
        """Replace the run's plan; the steps as they are kept, one that has begun before with its call of then."""
        ...


def _nothing(_: str) -> None:
    return None


def _hide_nothing(name: str, value: str) -> None:
    pass


def _as_it_is(text: str) -> str:
    return text


@dataclass(slots=True)
class ToolContext:
    """What a tool gets if it asks for it with a parameter annotated `ToolContext`. One per run, `call_id` per call.

    workspace: the only folder a tool may write to. seconds_left(): working time the call has, seconds.
    ask(question) -> the person's answer, or None when nobody is there. progress(text): one line for the person.
    call_tool(name, arguments): another tool of this run, through policy, budget and journal.
    delegate(goal, share, tools): a child run with a share of what is left of the budget.
    prompt(system, text, schema, share, part): one answer of the run's model to a text, in a child run without tools; part
    tells answers of one call apart.
    run_steps(steps): the steps of a plan that name a tool, each when what it needs is done.
    secret(name) -> its value; secret_hosts: the hosts each may go to, where the person said so. mask(text): without them.
    hide(name, value): mask this too from now on, for what a server gave in exchange for a secret.
    unsafe: the person gave up the sandbox. scratch: kept by a tool between calls of one run, by tool name;
    a value with a `close()` method is closed when the run ends. settings: per-tool settings from the configuration.
    listings: what the model hub listed before, for look-ups with no network.
    """

    workspace: Path
    run_id: str = ""
    call_id: str = ""
    memory: Memory | None = None
    ask: Callable[[str], Awaitable[str | None]] | None = None
    progress: Callable[[str], None] = _nothing
    call_tool: Callable[[str, dict[str, Any]], Awaitable[Observation]] | None = None
    delegate: Callable[[str, float, tuple[str, ...]], Awaitable[Observation]] | None = None
    prompt: Callable[[str, str, dict[str, Any] | None, float, str], Awaitable[Observation]] | None = None
    run_steps: Callable[[tuple[PlanStep, ...]], Awaitable[Observation]] | None = None
    seconds_left: Callable[[], float] = lambda: 60.0
    secret: Callable[[str], str | None] = lambda name: None
    secret_hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mask: Callable[[str], str] = _as_it_is
    hide: Callable[[str, str], None] = _hide_nothing
    isolation: str = "auto"
    unsafe: bool = False
    allowed_hosts: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    scratch: dict[str, Any] = field(default_factory=dict)
    listings: Listings | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the rest of the program sees it.

    parameters: JSON Schema (object). check(arguments) -> the arguments made right, or raises ToolError saying what
    would be right. run(arguments, context) -> Observation or anything `observe` understands; sync or async.
    effect may depend on the arguments (http_request: GET reads, POST sends). timeout_s: working seconds a call may take.
    serial: never beside another call of the same reply. fresh_s: how long an identical read counts as already done.
    source: where it is from, for people ("mcp servers.json"); "": built in, or given by a program.
    waits: it may wait for a person, whose time is not the run's: only its own timeout_s ends it.
    private: whether what it gives is private data, so that what is sent afterwards is asked about (tools/policy/two.py).
    None: files and databases are, and what a person's own tools read; what strangers wrote is not.
    digest: names what a stranger (an MCP server, an OpenAPI document) says of it; a run that is taken up refuses another.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    run: Callable[[dict[str, Any], ToolContext], Any]
    check: Callable[[Arguments], dict[str, Any]]
    effect: Effect | Callable[[Arguments], Effect] = "read"
    origin: Origin = "trusted"
    timeout_s: float = 60.0
    serial: bool = False
    fresh_s: float = 3600.0
    waits: bool = False
    private: bool | None = None
    digest: str = ""
    source: str = ""

    def effect_of(self, arguments: Arguments) -> Effect:
        """The effect of this very call."""
        return self.effect(arguments) if callable(self.effect) else self.effect


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    effect: Effect | Callable[[Arguments], Effect] = "read",
    name: str = "",
    origin: Origin = "trusted",
    timeout_s: float = 60.0,
    serial: bool = False,
    fresh_s: float = 3600.0,
    waits: bool = False,
    private: bool | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a `Tool` of a function: name from its name, schema from its hints, descriptions from its docstring.

    The docstring's first paragraph is what the model reads; lines such as `days: how many, 1 to 365` describe
    parameters. Options are the fields of `Tool`. Raises UsageError for a function that cannot be a tool.
    """

    def make(fn: Callable[..., Any]) -> Tool:
        return _from_function(fn, **options)

    return make if function is None else make(function)


def _from_function(fn: Callable[..., Any], *, name: str = "", **options: Any) -> Tool:
    callee = read_callable(fn, name)
    name, effect = callee.name, options.get("effect", "read")
    if not callable(effect) and effect not in get_args(Effect):
        raise UsageError(
            f"tool {name!r} has the effect {effect!r}",
            "the effect decides who must approve its calls",
            f"use one of {', '.join(get_args(Effect))}",
        )
    summary, about = read_docstring(callee.doc)
    fields, context_name = _fields(callee, about)
    model, schema = model_of(name, fields)

    def run(arguments: dict[str, Any], context: ToolContext) -> Any:
        return fn(**arguments, **({context_name: context} if context_name else {}))

    run.__wrapped__ = fn  # type: ignore[attr-defined]  # so that an async function is seen to be one
    return Tool(name, summary, schema, run, _checker(name, model, schema), **options)


def _fields(callee: Callee, about: dict[str, str]) -> tuple[dict[str, Any], str]:
    """(a field of the model of arguments for each parameter, the name of the one that gets the ToolContext or "")."""
    fields: dict[str, Any] = {}
    context_name = ""
    for parameter in callee.parameters:
        hint = hint_of(callee, parameter)
        if _is_context(hint):
            context_name = parameter.name
            continue
        if parameter.name.startswith("_"):
            raise UsageError(
                f"tool {callee.name!r}: parameter {parameter.name!r} looks private",
                "a model is shown every parameter",
                "name it without the leading _",
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        described = Field(default, description=about.get(parameter.name), alias=parameter.name)
        fields[f"p{len(fields)}"] = (hint, described)  # a name of ours: `schema` and `copy` mean something to pydantic
    return fields, context_name


def _is_context(hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(_is_context(part) for part in get_args(hint))
    return hint is ToolContext


def _checker(name: str, model: type[BaseModel], schema: dict[str, Any]) -> Callable[[Arguments], dict[str, Any]]:
    optional = {key for key in schema.get("properties", {}) if key not in schema.get("required", ())}

    def check(arguments: Arguments) -> dict[str, Any]:
        given = dict(arguments)
        try:
            try:
                checked = model.model_validate(given)
            except ValidationError as error:  # null where a value may be left out means that it is left out
                empty = {e["loc"][0] for e in error.errors() if len(e["loc"]) == 1 and e["input"] is None} & optional
                if not empty:
                    raise
                checked = model.model_validate({key: value for key, value in given.items() if key not in empty})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:5])
            raise ToolError(f"the arguments of {name} do not fit", wrong, f"call it as {shape(name, schema)}") from None
        return {str(field.alias): getattr(checked, key) for key, field in model.model_fields.items()}

    return check


def observe(value: Any) -> Observation:
    """An Observation of whatever a tool returned: text as it is, None as "done", everything else as JSON.

    Raises ToolError for a value that has no JSON form.
    """
    if isinstance(value, Observation):
        return value
    if value is None:
        return Observation("done (no output)")
    if isinstance(value, str):
        return Observation(value)
    if isinstance(value, bytes):
        return Observation(value.decode("utf-8", "replace"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    try:
        return Observation(to_json(value, inf_nan_mode="constants").decode())
    except (ValueError, TypeError) as error:
        raise ToolError(
            "the tool's result cannot be shown", str(error), "return text, numbers, lists, dicts or dataclasses"
        ) from error

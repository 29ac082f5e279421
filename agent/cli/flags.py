"""The flags that several commands share, each written once, and what they come to as settings and a budget.
Reads the configuration and the environment. Does not promise: that the values make sense together; the engine checks.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast, get_type_hints

import typer

from outrider.memory.errors import UsageError

if TYPE_CHECKING:
    from outrider.agent.cli.progress import Progress

MODEL, BUDGET, TOOLS, SANDBOX = "Model", "Budget (hard limits)", "Tools and policy", "Sandbox"


def _option(*names: str, under: str, help: str, metavar: str | None = None) -> Any:
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=under, show_default=False)


Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="URL", help="The database runs are kept in: sqlite:///FILE or postgresql://…",
                 show_default=False),
]  # fmt: skip
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Settings of your configuration under this name (docs/config.md).",
                 show_default=False),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.", show_default=False)]


@dataclass(frozen=True)
class ToolFlags:
    """Which tools there are and what they may do."""

    tools_from: Annotated[
        list[str] | None,
        _option(
            "--tools-from",
            under=TOOLS,
            metavar="FILE",
            help="Add the @tool functions of a Python file, or MCP servers of a JSON file (again for more).",
        ),
    ] = None
    skills_from: Annotated[
        list[str] | None,
        _option("--skills-from", under=TOOLS, metavar="DIR",
                help="Add an Agent Skill, or a folder of them (again for more)."),
    ] = None  # fmt: skip
    workspace: Annotated[
        str | None,
        _option("--workspace", under=TOOLS, metavar="DIR", help="The folder tools work in (default: this one)."),
    ] = None
    yes: Annotated[
        list[str] | None,
        _option("--yes", under=TOOLS, metavar="EFFECT,…",
                help="Allow effects (network, spend, write, …) or tools by name without asking."),
    ] = None  # fmt: skip
    send_to: Annotated[
        list[str] | None,
        _option("--send-to", under=TOOLS, metavar="HOST",
                help="Let the run send to this host without asking, private data too (host, host:port, *.host)."),
    ] = None  # fmt: skip
    allow_host: Annotated[
        list[str] | None,
        _option("--allow-host", under=TOOLS, metavar="HOST", help="Let tools reach a private or local host."),
    ] = None
    secret: Annotated[
        list[str] | None,
        _option("--secret", under=TOOLS, metavar="NAME[@HOST]",
                help="Let tools use an environment variable as {{secret:NAME}}, at HOST alone if one is named; its value is never shown or stored."),
    ] = None  # fmt: skip
    isolation: Annotated[
        str | None,
        _option(
            "--isolation", under=SANDBOX, metavar="NAME", help="Run code in this isolation (see `outrider doctor`)."
        ),
    ] = None
    unsafe_no_sandbox: Annotated[
        bool,
        _option("--unsafe-no-sandbox", under=SANDBOX, help="Run code on this machine as you, isolated from nothing."),
    ] = False

    def settings(self, policy: dict[str, Any]) -> dict[str, Any]:
        """The fields of `Settings` that were given; `policy` is what `--yes` adds to."""
        yes = tuple(_words(self.yes))
        given: dict[str, Any] = {
            "tools_from": tuple(self.tools_from or ()),
            "skills": _skill_folders(self.skills_from),
            "workspace": self.workspace,
            "allowed_hosts": tuple(_words(self.allow_host)),
            "secrets": named_secrets(self.secret),
            "isolation": known_isolation(self.isolation),
            "unsafe": self.unsafe_no_sandbox,
            "policy": _policy(policy, yes, bool(self.tools_from), _words(self.send_to)) if yes or self.send_to else {},
        }
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class RunFlags(ToolFlags):
    """Everything a run can be told, when it starts and when it is resumed."""

    model: Annotated[
        str | None,
        _option("--model", "-m", under=MODEL, metavar="PROVIDER:NAME",
                help="openai:…, llama:…, langchain:…, scripted:…, builtin, starter or an alias (default: the best found, see `outrider models`)."),
    ] = None  # fmt: skip
    base_url: Annotated[
        str | None, _option("--base-url", under=MODEL, metavar="URL", help="An OpenAI-compatible server.")
    ] = None
    api_key_env: Annotated[
        str | None,
        _option("--api-key-env", under=MODEL, metavar="NAME",
                help='The environment variable that holds the key (default: OPENAI_API_KEY; "-": send none).'),
    ] = None  # fmt: skip
    price_in: Annotated[
        float | None, _option("--price-in", under=MODEL, metavar="USD", help="Dollars per million input tokens.")
    ] = None
    price_out: Annotated[
        float | None, _option("--price-out", under=MODEL, metavar="USD", help="Dollars per million output tokens.")
    ] = None
    max_context: Annotated[
        int | None,
        _option("--max-context", under=MODEL, metavar="TOKENS", help="The model's window, where it is not known."),
    ] = None
    adapter: Annotated[
        str | None, _option("--adapter", under=MODEL, metavar="FILE", help="An adapter that `outrider tune` made, for a llama: model.")
    ] = None  # fmt: skip
    temperature: Annotated[
        float | None,
        _option("--temperature", under=MODEL, metavar="N", help="How freely the model samples, 0 to 2 (0: not at all)."),
    ] = None  # fmt: skip
    top_p: Annotated[
        float | None,
        _option("--top-p", under=MODEL, metavar="N", help="Sample from this share of the likeliest words, up to 1."),
    ] = None
    seed: Annotated[int | None, _option("--seed", under=MODEL, metavar="N", help="The seed of its sampling.")] = None
    max_output: Annotated[
        int | None, _option("--max-output", under=MODEL, metavar="TOKENS", help="The longest reply to ask for.")
    ] = None
    reasoning_effort: Annotated[
        str | None,
        _option("--reasoning-effort", under=MODEL, metavar="LEVEL", help="How hard it thinks: none, minimal, low, medium, high …"),
    ] = None  # fmt: skip
    option: Annotated[
        list[str] | None,
        _option("--option", under=MODEL, metavar="NAME=VALUE",
                help="Any other field of the request to the model, such as top_k=40 (again for more)."),
    ] = None  # fmt: skip
    usd: Annotated[str | None, _option("--usd", under=BUDGET, metavar="N", help="Dollars.")] = None
    tokens: Annotated[str | None, _option("--tokens", under=BUDGET, metavar="N", help="Tokens, in and out.")] = None
    steps: Annotated[str | None, _option("--steps", under=BUDGET, metavar="N", help="Times the model is asked.")] = None
    seconds: Annotated[str | None, _option("--seconds", under=BUDGET, metavar="N", help="Working time.")] = None
    wall_seconds: Annotated[
        str | None,
        _option("--wall-seconds", under=BUDGET, metavar="N", help="Time on the clock, waits for you included."),
    ] = None
    calls: Annotated[str | None, _option("--calls", under=BUDGET, metavar="N", help="Tool calls.")] = None
    soft: Annotated[
        str | None,
        _option(
            "--soft", under=BUDGET, metavar="SHARE", help="At this share of a limit (80%) the model is told to wrap up."
        ),
    ] = None
    approve_within: Annotated[
        str | None,
        _option("--approve-within", under=TOOLS, metavar="TIME",
                help="With nobody at the terminal, wait so long (90s, 10m, 2h) for a yes from the page, `outrider approve` or a program."),
    ] = None  # fmt: skip
    tool: Annotated[
        list[str] | None,
        _option("--tool", under=TOOLS, metavar="NAME", help="Only this built-in tool (again for more)."),
    ] = None
    memory: Memory = None
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object to stdout instead of the answer.", show_default=False)
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress on stderr.", show_default=False)
    ] = False  # fmt: skip
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show calls and results at length while it runs.", show_default=False)
    ] = False  # fmt: skip
    bell: Annotated[
        bool, typer.Option("--bell", help="Ring when it asks you, and when it is over.", show_default=False)
    ] = False  # fmt: skip

    def progress(self) -> Progress:
        """What shows the run while it goes on. Raises UsageError for flags that contradict each other."""
        from outrider.agent.cli.progress import Progress

        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose were both given", "one asks for less, one for more", "give one")
        return Progress(quiet=self.quiet, verbose=self.verbose, bell=self.bell)

    def limits(self) -> dict[str, str]:
        """The limits that were given, as written."""
        units = ("usd", "tokens", "steps", "seconds", "calls", "wall_seconds", "soft")
        return {unit: value for unit in units if (value := getattr(self, unit)) is not None}

    def options(self) -> dict[str, Any]:
        """The options of the model that were given, checked. Raises UsageError."""
        from outrider.agent.models.options import NAMED, check_context, checked, read_option

        check_context(self.max_context)
        named = {name: getattr(self, name) for name in NAMED}
        return checked(dict(map(read_option, self.option or ())) | {k: v for k, v in named.items() if v is not None})

    def settings(self, policy: dict[str, Any]) -> dict[str, Any]:
        """The fields of `Settings` that were given."""
        from outrider.agent.settings.secret_store import value_of

        if self.api_key_env not in (None, "-") and not value_of(str(self.api_key_env)):
            raise UsageError(
                f"there is no key in {self.api_key_env!r}",
                "no environment variable of that name is set, and none is kept",
                "set it, keep it (outrider secrets set), or name another",
            )
        given = {
            "base_url": self.base_url,
            "api_key_env": self.api_key_env,
            "price_in": self.price_in,
            "price_out": self.price_out,
            "max_context": self.max_context,
            "adapter": self.adapter,
            "options": self.options() or None,
            "tools": tuple(_words(self.tool)) or None,
        }
        return super().settings(policy) | {name: value for name, value in given.items() if value is not None}


_Flags = TypeVar("_Flags")


def takes(kind: type[_Flags]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of the dataclass `kind` as flags; it gets them as one value named `flags`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in inspect.signature(command).parameters.values()
            if parameter.name != "flags"
        ]

        @functools.wraps(command)
        def with_flags(**given: Any) -> None:
            names = {one.name for one in fields(cast(Any, kind))}
            command(
                flags=kind(**{name: value for name, value in given.items() if name in names}),
                **{name: value for name, value in given.items() if name not in names},
            )

        shared = list(_parameters(kind))
        del with_flags.__wrapped__
        with_flags.__signature__ = inspect.Signature(own + shared)  # type: ignore[attr-defined]
        with_flags.__annotations__ = {one.name: one.annotation for one in own + shared}
        return with_flags

    return decorate


def _parameters(kind: type[Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    order = {title: place for place, title in enumerate((MODEL, BUDGET, TOOLS, SANDBOX))}
    kept = sorted(fields(kind), key=lambda one: order.get(_panel(hints[one.name]), 9))
    for one in kept:
        yield inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name]
        )


def _panel(hint: Any) -> str:
    return getattr(hint.__metadata__[0], "rich_help_panel", None) or ""


def _words(given: list[str] | None) -> list[str]:
    """The words of a flag that may be given several times, each time with several words."""
    return [word.strip() for part in given or () for word in part.split(",") if word.strip()]


def _policy(before: dict[str, Any], yes: tuple[str, ...], own_tools: bool, send_to: list[str]) -> dict[str, Any]:
    from outrider.tools.builtin import BUILT_IN
    from outrider.tools.policy import EFFECTS, Policy

    strange = [] if own_tools else [word for word in yes if word not in EFFECTS and word not in BUILT_IN]
    if strange:
        raise UsageError(
            f"--yes does not know {', '.join(map(repr, strange))}",
            "it is neither an effect nor a tool",
            f"effects are {', '.join(EFFECTS)}",
        )
    return Policy.of(before, yes=yes, send_to=send_to).as_json()


def known_isolation(name: str | None) -> str | None:
    """An isolation by its name. Raises UsageError for one there is not, and for none at all: that has a flag of its own."""
    if not name or name == "auto":
        return name
    from outrider.tools.sandbox.choose import IN_ORDER

    names = ", ".join(("auto", *(one.name for one in IN_ORDER)))
    if name == "none":
        raise UsageError(
            "no sandbox is not an isolation", "it must be asked for by its name", "use --unsafe-no-sandbox"
        )
    if name not in names.split(", "):
        raise UsageError(f"there is no isolation {name!r}", "it is not in the list", f"there are {names}")
    return name


def _skill_folders(names: list[str] | None) -> tuple[str, ...]:
    """Folders of skills that were asked for by name: each there, or the run would go without them in silence."""
    for name in names or ():
        if not os.path.isdir(os.path.expanduser(name)):  # noqa: PTH111, PTH112  (pathlib costs every command its start)
            raise UsageError(
                f"there are no skills in {name!r}", "it is no folder", "name a folder with a SKILL.md in it"
            )
    return tuple(names or ())


def named_secrets(names: list[str] | None) -> tuple[str, ...]:
    """The secrets as settings hold them, "NAME" or "NAME@host": their values are masked from here on."""
    from outrider.agent.cli.output import hide_values
    from outrider.agent.settings.secret_store import values_of
    from outrider.tools.net.named_secrets import split_binding

    found = tuple(_words(names))
    bare = [split_binding(word)[0] for word in found]
    values = values_of(bare)
    if missing := [name for name in bare if name not in values]:
        raise UsageError(
            f"there is no secret {', '.join(map(repr, missing))}",
            "no environment variable of that name is set, and none is kept",
            f"set it, or keep it: outrider secrets set {missing[0]}",
        )
    hide_values(values)
    return found

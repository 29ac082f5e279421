"""`outrider policy`: what calls may do without a question, and which rule says so. Only translates (tools/policy)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outrider.agent.cli.given import read_config
from outrider.agent.cli.help import Command, Group
from outrider.agent.cli.output import out, out_json

app = typer.Typer(name="policy", cls=Group, help="Show what is allowed, asked and denied, and why.")


@app.command("show", cls=Command)
def show(
    json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout.", show_default=False)] = False,
) -> None:
    """Print the policy in force as TOML: the built-in defaults, the configuration and the policy file."""
    from outrider.agent.settings.policy_file import policy_file

    policy = _policy()
    if json:
        out_json(policy.as_json() | {"effects": dict(policy.effects), "file": str(policy_file())})
        return
    lines = ["# Decided in this order: rules, tools, effects; then the rule of two (docs/policy.md).", "[policy]"]
    lines += [f"{effect} = {_text(decision)}" for effect, decision in policy.effects.items()]
    lines += [f"send_to = {_text(list(policy.send_to))}"] if policy.send_to else []
    lines += ["", "[policy.tools]"] if policy.tools else []
    lines += [f"{name} = {_text(decision)}" for name, decision in policy.tools.items()]
    for rule in policy.rules:
        lines += ["", "[[policy.rules]]", *(f"{name} = {_text(value)}" for name, value in rule.as_json().items())]
    lines += ["", f"# rules given for always are kept in {policy_file()}"]
    out("\n".join(lines))


@app.command("why", cls=Command)
def why(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="A tool's name.", show_default=False)],
    arguments: Annotated[str, typer.Argument(metavar="ARGS", help="Its arguments as JSON.")] = "{}",
    tools_from: Annotated[
        list[str] | None,
        typer.Option("--tools-from", metavar="FILE", help="Add the tools of a Python file.", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout.", show_default=False)] = False,
) -> None:
    """Say what would become of a call, and which rule decides."""
    from outrider.tools.builtin import collect
    from outrider.tools.policy.reach import reach_of
    from outrider.tools.toolbox import Toolbox

    call = Toolbox(collect(None, tools_from or ())).prepare(tool, arguments)
    reach = reach_of(call.tool, call.effect, call.arguments)
    decision, reason, given = _policy().decide(reach)
    told: dict[str, Any] = {
        "decision": decision,
        "because": reason,
        "effect": call.effect,
        "sends to": list(reach.hosts),
        "paths": list(reach.paths),
        "secrets": list(reach.secrets),
    }
    if reach.sends and decision == "allow" and not given:
        told["but"] = "it sends: once the run holds private data it asks, unless the goal names the host (rule of two)"
    if decision == "ask":
        told["without a person"] = "deny; --yes, --send-to or a rule allows it"
    if json:
        out_json(told)
        return
    for name, value in told.items():
        if value:
            out(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def _policy() -> Any:
    from outrider.tools.policy import Policy

    return Policy.of(read_config().get("policy"))


def _text(value: Any) -> str:
    import json

    return json.dumps(value)

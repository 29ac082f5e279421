"""`outrider completion SHELL`: the script that completes commands, flags, runs, models and tools in a shell."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from outrider.agent.cli.output import out


class Shell(StrEnum):
    """Shells there is a script for."""

    bash = "bash"
    zsh = "zsh"
    fish = "fish"


def command(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.", show_default=False)],
) -> None:
    """Print the completion script of a shell.

    bash: source <(outrider completion bash) in ~/.bashrc; zsh: the same in ~/.zshrc; fish: outrider completion fish >
    ~/.config/fish/completions/outrider.fish
    """
    from outrider.agent.cli.support.completion import script

    flags, groups = _table(context.find_root())
    out(script(shell.value, flags, groups))


def _table(root: Any) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """(command → its flags, command → its subcommands) of the whole program."""
    flags, groups = {"": _flags(root.command, root)}, {}
    for name in root.command.list_commands(root):
        one = root.command.get_command(root, name)
        flags[name] = _flags(one, root)
        if inner := getattr(one, "commands", None):
            groups[name] = sorted(inner)
            flags[name] += [flag for each in inner.values() for flag in _flags(each, root) if flag not in flags[name]]
    return flags, groups


def _flags(command: Any, context: Any) -> list[str]:
    return [
        flag
        for parameter in command.get_params(context)
        if parameter.param_type_name == "option"
        for flag in parameter.opts
    ]

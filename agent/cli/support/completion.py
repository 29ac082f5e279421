"""Completion for bash, zsh and fish: a script that holds every command and flag, and asks the program only for what changes.
May touch: reads the configuration, the folder of pulled models, a SQLite database of runs (never writes one).
Does not promise: to complete runs kept in PostgreSQL. It never fails: a key press must not print an error.

Only words that no shell can take for anything else are given: what a file or a stranger named is data here too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

SAFE = re.compile(r"[\w.:/@+][\w.:/@+-]{0,199}", re.ASCII)
RUN_COMMANDS = (
    "resume",
    "fork",
    "show",
    "verify",
    "replay",
    "undo",
    "diff",
    "compare",
    "export",
    "view",
    "label",
    "rm",
)
OF_FLAG = {
    "--model": "models", "-m": "models", "--models": "models", "--profile": "profiles", "--template": "templates",
    "-t": "templates", "--tool": "tools", "--continue": "runs",
}  # fmt: skip

Flags = Mapping[str, Sequence[str]]  # command → its flags


OF_PLACE = {  # command, or command and subcommand → what its bare words are
    **dict.fromkeys(RUN_COMMANDS, "runs"), "completion": "shells", "help": "topics", "tools call": "tools", "tools show": "tools",
}  # fmt: skip


def script(shell: str, flags: Flags, groups: Flags) -> str:
    """The script for a shell. groups: command → its subcommands."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](flags, groups)


def _cases(flags: Flags, groups: Flags) -> str:
    """What bash and zsh both read: from prev, command, second and cur to kind (what to ask for) and list (words)."""
    rows = "\n".join(f"    '{name}') list='{' '.join(found)}' ;;" for name, found in flags.items())
    inner = "\n".join(f"    '{name} ') list=\"$list {' '.join(found)}\" ;;" for name, found in groups.items())
    of_flag = "\n".join(f"    {flag}) kind={kind} ;;" for flag, kind in OF_FLAG.items())
    places = "\n".join(
        f"    '{place}{'' if ' ' in place else ' '}'*) place={kind} ;;" for place, kind in OF_PLACE.items()
    )
    first = " ".join(dict.fromkeys([*(name for name in flags if " " not in name and name), *flags.get("", ())]))
    return f"""  case "$prev" in
{of_flag}
  esac
  case "$command" in
    '') list='{first}' ;;
{rows}
  esac
  case "$command $second" in
{inner}
  esac
  case "$command $second" in
{places}
  esac
  case "$cur" in -*) place='' ;; esac
  [ -z "$kind" ] && kind="$place"
  [ -n "$kind" ] && list="$(command outrider __complete "$kind" 2>/dev/null)"
"""


def _bash(flags: Flags, groups: Flags) -> str:
    return f"""_outrider() {{
  local line="${{COMP_LINE:0:COMP_POINT}}" cur prev command='' second='' kind='' place='' list='' word given i
  cur="${{line##* }}"
  prev="${{COMP_WORDS[COMP_CWORD-1]}}"
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in
      -*) ;;
      *) if [ -z "$command" ]; then command="${{COMP_WORDS[i]}}"; else second="${{COMP_WORDS[i]}}"; break; fi ;;
    esac
  done
{_cases(flags, groups)}  COMPREPLY=()
  while IFS= read -r word; do
    case "$word" in "$cur"*) [ -n "$word" ] && COMPREPLY+=("$word") ;; esac
  done <<< "$(printf '%s\\n' $list)"
  given="${{cur%"${{cur##*:}}"}}"
  [ -n "$given" ] && COMPREPLY=("${{COMPREPLY[@]#"$given"}}")
  return 0
}}
complete -o default -F _outrider outrider
"""


def _zsh(flags: Flags, groups: Flags) -> str:
    return f"""#compdef outrider
_outrider() {{
  local cur="$words[CURRENT]" prev="$words[CURRENT-1]" command='' second='' kind='' place='' list='' i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "$words[i]" in
      -*) ;;
      *) if [ -z "$command" ]; then command="$words[i]"; else second="$words[i]"; break; fi ;;
    esac
  done
{_cases(flags, groups)}  found=(${{=list}})
  compadd -a found
  [ -z "$kind" ] && [ -n "$command" ] && _files
  return 0
}}
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}
if [ "$funcstack[1]" = _outrider ]; then _outrider; else compdef _outrider outrider; fi
"""


def _fish(flags: Flags, groups: Flags) -> str:
    lines = ["complete -c outrider -e"]
    first = "__fish_use_subcommand"
    for name in flags:
        if name and " " not in name:
            lines.append(f"complete -c outrider -n {first} -f -a {name}")
    for name, found in flags.items():
        seen = f'"__fish_seen_subcommand_from {name}"' if name else first
        for flag in found:
            kind = OF_FLAG.get(flag)
            value = f" -x -a '(outrider __complete {kind})'" if kind else ""
            spelt = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
            lines.append(f"complete -c outrider -n {seen} {spelt}{value}")
    for name, inner in groups.items():
        seen = f"__fish_seen_subcommand_from {name}; and not __fish_seen_subcommand_from {' '.join(inner)}"
        lines.append(f'complete -c outrider -n "{seen}" -f -a "{" ".join(inner)}"')
    for place, kind in OF_PLACE.items():
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in place.split())
        lines.append(f"complete -c outrider -n \"{seen}\" -f -a '(outrider __complete {kind})'")
    return "\n".join(lines) + "\n"


def values(kind: str) -> list[str]:
    """The words of one kind: runs, models, tools, profiles, templates, shells, topics. Empty where something is wrong."""
    found: dict[str, None] = {}
    with suppress(Exception):  # a wrong configuration, a locked file: the command itself will say it
        for word in _KINDS[kind]():
            if SAFE.fullmatch(word):
                found[word] = None
    return list(found)


def _runs() -> Iterator[str]:
    import sqlite3

    from outrider.agent.settings.config import default_memory

    yield "last"
    url = default_memory()
    if not url.startswith("sqlite:///"):
        return
    file = Path(url.removeprefix("sqlite:///")).resolve()
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=0.2)) as db:
        query = "SELECT run_id FROM runs WHERE parent IS NULL OR fork_seq IS NOT NULL ORDER BY number DESC LIMIT 50"
        yield from [str(row[0]) for row in db.execute(query)]


def _models() -> Iterator[str]:
    from outrider.agent.settings.config import data_folder, read_config

    config = read_config()
    yield from config.get("alias") or {}
    yield from [str(config["model"])] if config.get("model") else []
    yield from ("builtin", "starter", "openai:", "llama:", "langchain:", "scripted:")
    pulled = data_folder() / "models"
    for file in sorted(pulled.glob("**/*.gguf"))[:100] if pulled.is_dir() else ():
        yield f"llama:{file}"


def _tools() -> Iterator[str]:
    from outrider.tools.builtin import BUILT_IN

    yield from BUILT_IN


def _profiles() -> Iterator[str]:
    from outrider.agent.settings.config import read_config

    yield from read_config().get("profile") or {}


def _templates() -> Iterator[str]:
    from outrider.agent.settings.templates import template_names

    yield from template_names()


def _shells() -> Iterator[str]:
    yield from ("bash", "zsh", "fish")


def _topics() -> Iterator[str]:
    from outrider.agent.cli.support.topics import TOPICS

    yield from TOPICS


_KINDS: dict[str, Callable[[], Iterator[str]]] = {
    "runs": _runs, "models": _models, "tools": _tools, "profiles": _profiles, "templates": _templates, "shells": _shells,
    "topics": _topics,
}  # fmt: skip

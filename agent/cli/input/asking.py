"""A goal where none was given on the command line: from a file, from what is piped in, from an editor or from a question.
May touch: reads the file and standard input; starts $VISUAL or $EDITOR on a file of its own. Does not promise: that it is wise.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from outrider.agent.cli.input.attach import Attachments, piped_in
from outrider.agent.cli.prompts import is_there
from outrider.memory.errors import UsageError, words_of
from outrider.memory.events import Attachment
from outrider.memory.given.file import read_given_text

MOST_CHARS = 1_000_000
HINT = "\n# Say what you want above. Lines that begin with # are left out; an empty goal starts nothing.\n"
NONE = UsageError("there is no goal", "it is empty", 'say what you want: outrider run "…"')


def goal_of_file(name: str) -> str:
    """The goal that a file holds (`@goal.md` and `goal.md` are the same). Raises UsageError."""
    path = Path(name.removeprefix("@")).expanduser()
    try:
        text = read_given_text(path, encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"the goal {str(path)!r} cannot be read", error.strerror or str(error), "name a file"
        ) from None
    except UnicodeDecodeError:
        raise UsageError(f"the goal {str(path)!r} cannot be read", "it is not UTF-8 text", "name a text") from None
    return checked(text)


def checked(goal: str) -> str:
    """The goal, if it is one. Raises UsageError for an empty one, and for one longer than any model reads."""
    if not goal.strip():
        raise NONE
    if len(goal) > MOST_CHARS:
        raise UsageError(
            f"the goal is {len(goal):,} characters long",
            f"a goal has {MOST_CHARS:,} at the most",
            'give the text as a file beside a short goal: outrider run "summarise" text.txt',
        )
    return goal


def asked_for() -> str:
    """What the person at the terminal wants: written in their editor, or typed. Raises UsageError."""
    if not is_there():
        raise NONE
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    return checked(_edited(editor) if editor else _typed())


def _typed() -> str:
    sys.stderr.write("What do you want? ")
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _edited(editor: str) -> str:
    with tempfile.TemporaryDirectory(prefix="outrider-") as folder:
        file = Path(folder) / "goal.md"
        file.write_text(HINT, encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(editor), str(file)], check=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"the editor {editor!r} does not start", words_of(error), "set VISUAL or EDITOR") from None
        if done.returncode:
            raise UsageError(f"the editor {editor!r} failed", f"exit code {done.returncode}", "nothing was started")
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#")).strip()


def wanted(
    words: list[str], goal_file: str | None, template: str | None, config: dict[str, Any]
) -> tuple[str, list[str], dict[str, Any]]:
    """(the goal, files that come with it, the configuration with what a template says over it). Raises UsageError."""
    if template is not None:
        from outrider.agent.cli.given import from_template
        from outrider.agent.settings.templates import sort_words

        given, files = sort_words(words)
        goal, config = from_template(template, [f"{name}={value}" for name, value in given.items()], config)
        return checked(goal), files, config
    if goal_file is not None:
        return goal_of_file(goal_file), words, config
    if words and words[0] != "-":
        return checked(words[0]), words[1:], config
    piped = piped_in()
    if piped is None and not words:
        return asked_for(), [], config
    return checked((piped or b"").decode("utf-8", "replace").removeprefix("\ufeff")), words[1:], config


def attached(files: list[str], goal_was_piped: bool, workspace: str, small: int) -> tuple[Attachment, ...]:
    """What the goal comes with: the files, and what is piped in unless that was the goal. Raises UsageError."""
    piped = None if goal_was_piped else piped_in()
    if not files and piped is None:
        return ()
    collected = Attachments(Path(workspace).expanduser().resolve(), small=small)
    for name in files:
        collected.add_file(name)
    if piped is not None:
        collected.add_text(piped)
    return tuple(collected.kept)

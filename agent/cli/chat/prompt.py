"""Where a person types: history, completion of commands and files, several lines. Plain lines where nobody sits.
May touch: the terminal; the history file in the data folder. Does not promise: an editor; Enter sends, Alt-Enter breaks the line.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outrider.agent.cli.prompts import is_there

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer

LEAVE = "Ctrl-D or /exit leaves; everything said is kept"


class Typed:
    """Reads what a person says, a goal or a command at a time."""

    def __init__(
        self, commands: Mapping[str, str], say: Callable[[str], None], words: Callable[[str], Iterable[str]]
    ) -> None:
        self._say = say
        self._session = _session(commands, words) if is_there() else None

    async def read(self) -> str | None:
        """The next thing said, None when there is no more. Ctrl-C throws away what was typed and no more."""
        if self._session is None:
            line = await asyncio.to_thread(sys.stdin.readline)
            return line.rstrip("\n") if line else None
        while True:
            try:
                said = await self._session.prompt_async("> ", prompt_continuation="… ")
            except KeyboardInterrupt:
                self._say(LEAVE)
                continue
            except EOFError:
                return None
            return str(said)


def _session(commands: Mapping[str, str], words: Callable[[str], Iterable[str]]) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings
    from prompt_toolkit.output import create_output

    keys = KeyBindings()

    @keys.add("enter")
    def send(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def break_line(event: Any) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(
        history=_history(),
        completer=_completer(commands, words),
        complete_while_typing=False,
        multiline=True,
        key_bindings=keys,
        output=create_output(stdout=sys.stderr),
        enable_open_in_editor=True,
    )


def _history() -> Any:
    """What was typed in chats before, kept for the person alone; in memory only where it cannot be kept."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    from outrider.agent.settings.config import data_folder

    file = data_folder() / "chat_history"
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))


def _completer(commands: Mapping[str, str], words: Callable[[str], Iterable[str]]) -> Completer:
    from prompt_toolkit.completion import Completer, Completion

    class Names(Completer):
        def get_completions(self, document: Any, complete_event: Any) -> Iterable[Completion]:
            before = document.text_before_cursor
            last = before.rpartition(" ")[2].rpartition("\n")[2]
            if before.startswith("/") and " " not in before:
                for name, about in commands.items():
                    if name.startswith(before):
                        yield Completion(name, -len(before), display_meta=about)
                return
            command = before.partition(" ")[0]
            found = words(command) if command in commands else ()
            for word in (*(word for word in found if word.startswith(last)), *_files(last)):
                yield Completion(word, -len(last))

    return Names()


def _files(word: str) -> Iterable[str]:
    """Files and folders that a word begins; one that begins with @ is attached to the goal."""
    at = "@" if word.startswith("@") else ""
    typed = word.removeprefix("@")
    if not typed and not at:
        return
    folder, slash, start = typed.rpartition("/")
    here = Path(folder + slash or ".").expanduser()
    try:
        names = sorted(one.name + ("/" if one.is_dir() else "") for one in here.iterdir())
    except OSError:
        return
    for name in names:
        if name.startswith(start) and (start.startswith(".") or not name.startswith(".")):
            yield f"{at}{folder}{slash}{name}"

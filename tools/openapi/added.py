"""OpenAPI documents a person added: kept as one file each, with the name, the secret and the server they said.
May touch: reads and writes files in the folder it is handed. Does not promise: to notice when the API changes; add it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from outrider.memory.errors import UsageError, words_of
from outrider.tools.openapi.api_tools import Api, read_api
from outrider.tools.tool import Tool

ENDING = ".openapi.json"


@dataclass(frozen=True, slots=True)
class Added:
    """One document as it was added. source: where it came from. called: the server its calls go to, once it was read."""

    name: str
    text: str
    secret: str = ""
    server: str = ""
    source: str = ""
    called: str = ""

    def read(self) -> Api:
        """Its tools. Raises UsageError."""
        base = self.source if self.source.startswith(("http://", "https://")) else ""
        return read_api(self.text, self.name, secret=self.secret, server=self.server, base=base)


def add(folder: Path, one: Added) -> tuple[Path, Api]:
    """Keep a document, once it has been read. Raises UsageError for one that cannot be used, or a name that cannot be one."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,29}", one.name):
        raise UsageError(f"{one.name!r} cannot be a name", "it begins the names of tools", "use letters and digits")
    api = one.read()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{one.name}{ENDING}"
    kept = {
        "name": one.name,
        "secret": one.secret,
        "server": one.server,
        "source": one.source,
        "called": api.server,
        "document": one.text,
    }
    file.write_text(json.dumps(kept), encoding="utf-8")
    return file, api


def remove(folder: Path, name: str) -> bool:
    """Take a document out; False if there is none of that name."""
    file = folder / f"{name}{ENDING}"
    if re.search(r"[/\\]", name) or not file.is_file():
        return False
    file.unlink()
    return True


def added_files(folder: Path) -> tuple[str, ...]:
    """The files of what was added."""
    return tuple(str(file) for file in sorted(folder.glob(f"*{ENDING}"))) if folder.is_dir() else ()


def read_added(file: Path) -> Added:
    """What a file of `add` holds, or any OpenAPI document under the name of its file. Raises UsageError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(file)!r} cannot be read", words_of(error), "give an OpenAPI file") from error
    if file.name.endswith(ENDING):
        try:
            kept = json.loads(text)
            return Added(*(str(kept[key]) for key in ("name", "document", "secret", "server", "source", "called")))
        except (ValueError, KeyError, TypeError):
            pass
    return Added(re.sub(r"[^A-Za-z0-9_-]+", "_", file.name.split(".")[0])[:30] or "api", text)


def tools_of(file: Path) -> list[Tool]:
    """The tools of an OpenAPI file. Raises UsageError."""
    return list(read_added(file).read().tools)


def secret_words(files: tuple[str, ...]) -> Iterator[str]:
    """The secrets that added documents name, each bound to its own server: NAME@host:port."""
    for file in files:
        one = read_added(Path(file))
        if one.secret:
            server = urlsplit(one.called or one.read().server)
            port = server.port or (80 if server.scheme == "http" else 443)
            yield f"{one.secret}@{server.hostname}:{port}"

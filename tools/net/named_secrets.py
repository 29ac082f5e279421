"""`{{secret:NAME}}`: finding the names in what a model wrote, and filling in the values at the way out, host by host.
Touches nothing: values come from whoever runs the tool. Does not promise: that a server keeps what it is sent to itself.

What decides whether a call needs a person (`names_in`) and what fills in (`Filler`) read a text with the same pattern,
value by value: a spelling that one of them knows and the other does not would be a way around the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from outrider.tools.net.addresses import is_allowed, short
from outrider.tools.tool import ToolError

_SECRET = re.compile(r"\{\{\s*secret:\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
MAX_DEPTH = 100


def texts_in(value: Any, depth: int = 0) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif depth > MAX_DEPTH:
        return
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts_in(key, depth + 1)
            yield from texts_in(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_in(inner, depth + 1)


def names_in(value: Any) -> tuple[str, ...]:
    """Names of the secrets that `Filler` would fill into this value, each once."""
    return tuple(dict.fromkeys(found[1] for text in texts_in(value) for found in _SECRET.finditer(text)))


def split_binding(word: str) -> tuple[str, tuple[str, ...]]:
    """("NAME", hosts) of "NAME" or "NAME@host,host:port": where the secret may go; no host: wherever a person says yes."""
    name, _, hosts = word.partition("@")
    return name.strip(), tuple(host.strip() for host in hosts.replace("+", ",").split(",") if host.strip())


def bound_hosts(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """{name: hosts} of secrets as a run's settings hold them."""
    return dict(split_binding(word) for word in words)


class Filler:
    """Fills values in by name, for a request to one host. Raises ToolError for one that may not go there."""

    def __init__(
        self, secret: Callable[[str], str | None], hosts: Mapping[str, tuple[str, ...]], host: str, port: int
    ) -> None:
        self._secret, self._hosts, self._host, self._port = secret, hosts, host, port

    def text(self, text: str, encode: Callable[[str], str] = str) -> str:
        """`text` with every `{{secret:NAME}}` replaced by `encode(value)`."""
        return _SECRET.sub(lambda found: encode(self._value(found[1])), text)

    def value(self, value: Any) -> Any:
        """A JSON value with the secrets in its strings filled in (before it is encoded, so that a quote is escaped)."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        return value

    def _value(self, name: str) -> str:
        value = self._secret(name)
        if not value:
            raise ToolError(
                f"there is no secret {name}",
                "none of that name was given to this run",
                "go on without it, or ask the person to set it",
            )
        hosts = self._hosts.get(name, ())
        if hosts and not is_allowed(self._host, self._port, hosts):
            raise ToolError(
                f"the secret {name} is not sent to {short(self._host)}",
                f"it may only go to {', '.join(hosts)}",
                "use that host, or go on without it",
            )
        return value

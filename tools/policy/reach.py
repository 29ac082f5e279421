"""What a call would touch, read from its arguments before it runs: hosts it sends to, paths, secrets.
Touches nothing. Does not promise: to know what a person's own tool does beyond its effect and its arguments.

A call *sends* when words a model chose leave the machine: its effect is `network` or `spend`, or what comes back was written
by strangers (origin "untrusted": a page, a search, a hub, an API). A GET sends too: its address is a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from outrider.memory.events import Effect
from outrider.tools.net.named_secrets import names_in, texts_in
from outrider.tools.tool import Tool

PATHS = ("path", "path2", "paths", "to", "source", "destination", "target", "file", "files", "folder", "database")
ADDRESSES = ("url", "address", "endpoint", "base_url", "database")
PLACES = ("where", "uri", "href", "link", "webhook")  # an address where it begins like one
SEARCHES = ("web_search", "hub_search", "hub_choose")
OWN_HOSTS = (*SEARCHES, "hub_model")  # tools that choose their host themselves
_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Reach:
    """What one call would touch. hosts: "host:port", and the tool's name where the tool itself chooses the host."""

    tool: str
    effect: Effect
    sends: bool = False
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def reach_of(tool: Tool, effect: Effect, arguments: Mapping[str, Any]) -> Reach:
    """What this call would touch."""
    sends = effect in ("network", "spend") or tool.origin == "untrusted"
    own = () if _goes_where_it_says(tool, arguments) else (tool.name,)
    return Reach(
        tool.name,
        effect,
        sends,
        tuple(dict.fromkeys((*_hosts(arguments), *own))) if sends else (),
        tuple(dict.fromkeys(_paths(arguments))),
        names_in(arguments),
    )


def _goes_where_it_says(tool: Tool, arguments: Mapping[str, Any]) -> bool:
    """Whether the call goes to an address among its arguments. A search, an MCP server or an operation of an API goes where
    it always goes: an address in its words is no more than words.
    """
    if tool.name in OWN_HOSTS or tool.digest:
        return False
    named = any(text.strip() for name in ADDRESSES for text in texts_in(arguments.get(name)))
    return named or any(_URL.match(text) for name in PLACES for text in texts_in(arguments.get(name)))


def _paths(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name in PATHS:
        for text in texts_in(arguments[name]) if name in arguments else ():
            if text and "://" not in text:
                yield text


def _hosts(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, value in arguments.items():
        for text in texts_in(value):
            if name in ADDRESSES and "://" not in text and text.strip():
                text = f"https://{text.strip()}"
            if _URL.match(text):
                yield host_of(text)


def host_of(url: str) -> str:
    """ "host:port" of an address, in small letters; "?" for one that cannot be understood (no rule names that)."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or _PORTS.get(parts.scheme.lower(), 0)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return "?"
    if not host.isascii():  # one name in other letters is one host: as the gateway will ask for it
        host = _in_ascii(url)
    if "@" in parts.netloc or "\\" in url or not host or any(c.isspace() or ord(c) < 32 for c in url.strip()):
        return "?"
    return f"{host}:{port}" if ":" not in host else f"[{host}]:{port}"


def _in_ascii(url: str) -> str:
    """The host of an address as it goes on the wire (punycode); "" if the gateway refuses it."""
    import httpx2

    try:
        return httpx2.URL(url.strip()).raw_host.decode("ascii").rstrip(".").lower()
    except (httpx2.InvalidURL, ValueError, TypeError):
        return ""


def host_fits(host: str, pattern: str) -> bool:
    """Whether "host:port" is what `pattern` names: "host" (80 and 443), "host:port", "*.host", "host:*"."""
    pattern = pattern.strip().lower()
    if not pattern.isascii() and "://" not in pattern:
        star = "*." if pattern.startswith("*.") else ""
        plain, colon, given_port = pattern.removeprefix("*.").partition(":")
        pattern = f"{star}{_in_ascii(f'https://{plain}') or plain}{colon}{given_port}"
    name, _, port = host.rpartition(":")
    if not name:  # a tool's own name
        return host == pattern
    wanted, colon, wanted_port = pattern.rpartition(":")
    if not colon or not (wanted_port.isdigit() or wanted_port == "*") or (":" in wanted and not wanted.startswith("[")):
        wanted, wanted_port = pattern, ""
    ports = port in ("80", "443") if not wanted_port else wanted_port in ("*", port)
    fits = name == wanted or (wanted.startswith("*.") and name.endswith(wanted[1:]) and len(name) > len(wanted) - 1)
    return ports and fits

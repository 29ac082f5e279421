"""The rule of two: a run that holds private data may not send words a model chose, unless a person let it. No model judges.
Touches nothing. Does not promise: that what the person named (a host in the goal, --send-to) is a good place.

Three flags: `untrusted` (it read what strangers wrote), `private` (it holds private data), `sends` (it sends something out).
Private is what it *read*: files of the workspace, databases, memory of other runs, a person's answers, what a person's own
tools gave. Nobody vouches for what stands in a file either, so private data counts as what a stranger may have written: the
first two flags fall together there, and sending is asked about at once.

What may be sent all the same, with private data at hand:
- to a host the person named: in the goal (with its port), by --send-to, or in the policy;
- an address exactly as a search gave it, or as it stands in a file the goal names: its author knows it already;
- the words of a search the goal asks for, as long as nothing was read but files the goal names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from outrider.tools.net.named_secrets import texts_in
from outrider.tools.policy.reach import OWN_HOSTS, SEARCHES, Reach, host_fits, host_of

MOST_LINKS = (
    8  # addresses of a search that are opened with private data at hand: choosing among them tells a little, too
)
_URL = re.compile(r"https?://[^\s<>\"'`\\)\]}]+", re.IGNORECASE)
_BARE = re.compile(
    r"(?<![\w@./-])((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}|localhost|\d{1,3}(?:\.\d{1,3}){3})(:\d{1,5})?(?![\w@-])",
    re.IGNORECASE,
)
# Endings of files that are endings of hosts, too: "notes.md" in a goal is a file.
_FILES = frozenset(
    [
        "md",
        "py",
        "sh",
        "rs",
        "pl",
        "pm",
        "ps",
        "cc",
        "so",
        "ai",
        "app",
        "zip",
        "mov",
        "mp3",
        "mp4",
        "txt",
        "csv",
        "tsv",
        "json",
        "jsonl",
        "xml",
        "yaml",
        "yml",
        "toml",
        "ini",
        "cfg",
        "log",
        "db",
        "sqlite",
        "html",
        "htm",
        "pdf",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "js",
        "ts",
        "jsx",
        "tsx",
        "css",
        "c",
        "h",
        "cpp",
        "hpp",
        "go",
        "java",
        "kt",
        "rb",
        "php",
        "lua",
        "r",
        "ipynb",
        "tar",
        "gz",
        "bz2",
        "xz",
        "parquet",
        "bin",
        "dat",
        "bak",
        "env",
        "lock",
        "sql",
        "tex",
        "rst",
        "me",
    ]
)
_WORD = re.compile(r"\w+")
_ID = re.compile(r"(?<![\w./-])[\w.-]{1,96}/[\w.-]{1,96}(?![\w/])")
_SEARCHING = re.compile(
    r"\b(?:search|web|internet|online|google|look(?:ing)? (?:it |them |this |that )?up|find out|hub|models?)\b",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Flags:
    """What a run has read, and from where. Told by its events; see agent/state.py.

    goal: the person's own words, also in a child run, whose goal a model wrote. private, untrusted: sources in words, in
    order. unnamed: some of it is not in a file the goal names. links, file_links: addresses that may be opened as they are.
    """

    goal: str = ""
    private: list[str] = field(default_factory=list)
    untrusted: list[str] = field(default_factory=list)
    unnamed: bool = False
    sent: bool = False
    links: set[str] = field(default_factory=set)
    file_links: set[str] = field(default_factory=set)
    opened: int = 0

    def read_private(self, source: str, text: str, paths: Iterable[str]) -> bool:
        """Private data was read. Returns whether that is the first time.

        text: where addresses in it are those of the file's author; "" where the run could have put one there.
        """
        first = not self.private
        if source not in self.private:
            self.private.append(source)
        wanted = tuple(paths)
        if wanted and all(self.names_file(path) for path in wanted):
            self.file_links.update(_addresses(text))
        else:
            self.unnamed = True
        return first

    def read_untrusted(self, source: str, tool: str, text: str, asked: Iterable[str] = ()) -> bool:
        """Strangers' words were read. Returns whether that is the first time. asked: the words of the call, which its result
        may only repeat: an address among them is the model's own."""
        first = not self.untrusted
        if source not in self.untrusted:
            self.untrusted.append(source)
        if tool in SEARCHES:
            own = [_letters(one) for one in asked]
            self.links.update(one for one in _addresses(text) if not any(_letters(one) in words for words in own))
        return first

    def names_file(self, path: str) -> bool:
        """Whether the goal names this file."""
        name = path.rstrip("/").rpartition("/")[2]
        return len(name) > 2 and bool(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", self.goal, re.IGNORECASE))

    def names_host(self, host: str) -> bool:
        """Whether the goal names this "host:port"."""
        return any(host_fits(host, one) for one in hosts_in(self.goal))

    def why_ask(self, reach: Reach, arguments: Mapping[str, Any]) -> str:
        """Why a person must be asked before this call sends, "" if not."""
        if not reach.sends or not self.private:
            return ""
        if reach.hosts and all(self.names_host(host) for host in reach.hosts):
            return ""
        if reach.tool in SEARCHES and not self.untrusted and not self.unnamed and _SEARCHING.search(self.goal):
            return ""
        if self._as_it_was_given(arguments) or (reach.tool in OWN_HOSTS and self._in_words_of_the_goal(arguments)):
            return ""
        read = ", ".join(self.private[:3]) + (" …" if len(self.private) > 3 else "")
        strangers = f" and {', '.join(self.untrusted[:2])} could have asked for it" if self.untrusted else ""
        return f"the run has read {read}, and this sends words a model chose to {', '.join(reach.hosts)}{strangers}"

    def _as_it_was_given(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the only thing sent is an address (or a model's id) exactly as a search or a named file gave it."""
        sent = [name for name, value in arguments.items() if value and name not in ("url", "model", "method")]
        given = _address(arguments)
        few = self.opened < MOST_LINKS
        return not sent and ((given in self.links and few) or (given in self.file_links and (few or not self.unnamed)))

    def _in_words_of_the_goal(self, arguments: Mapping[str, Any]) -> bool:
        """Whether all that is said stands in the goal: the person's own words."""
        known = set(_WORD.findall(self.goal.casefold()))
        said = {word for text in texts_in(list(arguments.values())) for word in _WORD.findall(text.casefold())}
        return said <= known

    def called(self, arguments: Mapping[str, Any]) -> None:
        """A call that sends began."""
        given = _address(arguments)
        if self.private and (given in self.links or given in self.file_links):
            self.opened += 1


def in_words(source: str) -> str:
    """A source of private data as a person reads it: "file:notes.txt" → the file notes.txt."""
    kind, _, name = source.partition(":")
    known = {"files": "files of the workspace", "memory": "memory of other runs", "database": "a database"}
    if kind == "tool":
        return f"what {name} gave"
    return f"the file {name}" if kind in ("file", "changed") else known.get(source, source)


def _letters(text: str) -> str:
    """A text without what a cleaner may drop or change on the way."""
    return "".join(_WORD.findall(text.casefold()))


def _address(arguments: Mapping[str, Any]) -> str:
    return str(arguments.get("url") or arguments.get("model") or "").strip()


def hosts_in(text: str) -> Iterator[str]:
    """Hosts a text names, as `host_fits` takes them: of addresses with their port, and bare names."""
    for found in _URL.finditer(text):
        host = host_of(found[0].rstrip(".,;:!?"))
        if host != "?":
            yield host
    for found in _BARE.finditer(_URL.sub(" ", text)):
        name = found[1].lower()
        if name.rpartition(".")[2] not in _FILES or found[2]:
            yield name + (found[2] or "")
            yield f"www.{name}{found[2] or ''}"


def _addresses(text: str) -> Iterator[str]:
    """Addresses in a text, and what may be the id of a model on the hub."""
    yield from _ID.findall(text)
    for found in _URL.finditer(text):
        yield found[0]
        yield found[0].rstrip(".,;:!?")

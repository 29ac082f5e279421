"""Tells what a model thought from what it said: thinking in tags, in channels (gpt-oss), in fields of its own.
Touches nothing. Does not promise: to know a tag nobody has used; such text stays part of the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think", "antThinking")
_PAIRS: dict[str, str] = {f"<{tag}>": f"</{tag}>" for tag in _TAGS} | {
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|START_THINKING|>": "<|END_THINKING|>",
    "<|think|>": "<|/think|>",
    "<|channel>thought": "<channel|>",
}
OPENERS = tuple(_PAIRS)
CLOSERS = tuple(_PAIRS.values())
_OPEN = re.compile("|".join(re.escape(each) for each in sorted(OPENERS, key=len, reverse=True)), re.I)
_CLOSE = re.compile("|".join(re.escape(each) for each in sorted(CLOSERS, key=len, reverse=True)), re.I)
_CLOSE_OF = {opener.lower(): closer for opener, closer in _PAIRS.items()}


@dataclass(frozen=True, slots=True)
class Parted:
    """`said`: the answer's text; `thought`: the reasoning; `closed` False: the reasoning had no end."""

    said: str
    thought: str = ""
    closed: bool = True


def part(text: str) -> Parted:
    """Reasoning written into the text, taken out of it. A tag that is only quoted (in backticks) is text."""
    thoughts: list[str] = []
    rest = text
    while opened := _OPEN.match(rest.lstrip()):
        body = rest.lstrip()[opened.end() :]
        found = re.search(re.escape(_CLOSE_OF[opened[0].lower()]), body, re.I) or _bare_close(body)
        if found is None:
            return Parted("", _joined([*thoughts, body]), closed=False)
        thoughts.append(body[: found.start()])
        rest = body[found.end() :]
    found = _bare_close(rest)  # the template wrote the opening tag, so only the end of it came
    if found and (not thoughts or not rest[: found.start()].strip()):
        thoughts.append(rest[: found.start()])
        rest = rest[found.end() :]
        if _OPEN.match(rest.lstrip()):
            more = part(rest)
            return Parted(more.said, _joined([*thoughts, more.thought]), more.closed)
    rest, later = _blocks_of_their_own(rest, everywhere=bool(thoughts))
    thoughts += later
    return Parted(rest.strip() if thoughts else text, _joined(thoughts))


_RESPONSE = re.compile(r"\A\s*<\|START_RESPONSE\|>(.*?)(?:<\|END_RESPONSE\|>\s*)?\Z", re.S)
_ANSWER = re.compile(r"\A\s*<(response|answer)>(.*?)(?:</\1>\s*)?\Z", re.S)


def unwrapped(said: str, *, after_thought: bool) -> str:
    """An answer without the tags some models write around it; plain ones (ERNIE) only where a thought came before."""
    if found := _RESPONSE.match(said):
        return found[1].strip()
    found = _ANSWER.match(said) if after_thought else None
    return found[2].strip() if found and f"<{found[1]}>" not in found[2] else said


def _joined(thoughts: list[str]) -> str:
    return "\n".join(each.strip() for each in thoughts if each.strip())


def _bare_close(text: str) -> re.Match[str] | None:
    """The first closing tag that no opening tag belongs to and that nobody quotes."""
    for found in _CLOSE.finditer(text):
        if _OPEN.search(text, 0, found.start()):
            return None
        if not is_quoted(text, found.start(), found.end()):
            return found
    return None


def _blocks_of_their_own(text: str, *, everywhere: bool) -> tuple[str, list[str]]:
    """Complete blocks further on that begin a line (or, after a first one, anywhere), taken out."""
    thoughts: list[str] = []
    at = 0
    while opened := _OPEN.search(text, at):
        closed = re.compile(re.escape(_CLOSE_OF[opened[0].lower()]), re.I).search(text, opened.end())
        starts_line = not text[: opened.start()].rpartition("\n")[2].strip()
        own = (everywhere or starts_line) and not is_quoted(text, opened.start(), opened.end())
        if not own or (closed is None and not everywhere):
            at = opened.end()
            continue
        end = closed or re.compile(r"\Z").search(text)
        assert end is not None
        thoughts.append(text[opened.end() : end.start()])
        text, at = text[: opened.start()] + text[end.end() :], opened.start()
    return text, thoughts


def is_quoted(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] stands in quotes, in a code span or in a fence: then it is spoken of, not used."""
    before, after = text[:start], text[end : end + 1]
    if before[-1:] in "`\"'“‘«" and before[-1:] and (after in "`\"'”’»" or before[-1:] == "`"):
        return True
    line = before.rpartition("\n")[2]
    fences = len(re.findall(r"^\s{0,3}(?:`{3}|~{3})", before, re.M))
    return fences % 2 == 1 or line.count("`") % 2 == 1 or line.lstrip().startswith(">")


# -- gpt-oss (harmony) ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Channels:
    """A reply in gpt-oss's channels: what was said, what was thought, and (recipient, body, whole) of each call."""

    said: str
    thought: str
    calls: tuple[tuple[str, str, bool], ...]


_HARMONY = re.compile(r"\A\s*(?:<\|start\|>\s*assistant[^<]*)?<\|channel\|>|\A\s*<\|start\|>\s*assistant")
_SEGMENT = re.compile(
    r"(?:<\|start\|>\s*(?P<role>[^<]*))?(?:<\|channel\|>(?P<channel>[^<]*)(?:<\|constrain\|>[^<]*)?)?<\|message\|>"
    r"(?P<body>.*?)(?P<end><\|(?:end|call|return|start|channel)\|>|\Z)",
    re.S,
)
_PLAIN = re.compile(r"\Aanalysis(?=[A-Z\s]).*?assistant(?:final|commentary)", re.S)  # the special tokens were cut out


def channels(text: str) -> Channels | None:
    """A reply in channels, taken apart; None for any other text."""
    if _PLAIN.match(text):
        text = _with_tokens(text)
    if not _HARMONY.match(text) or "<|message|>" not in text:
        return None
    said, thought, calls = list[str](), list[str](), list[tuple[str, str, bool]]()
    at = 0
    while segment := _SEGMENT.search(text, at):
        at = segment.end() - (len(segment["end"]) if segment["end"] in ("<|start|>", "<|channel|>") else 0)
        header = f"{segment['role'] or ''} {segment['channel'] or ''}"
        to = re.search(r"to=([^\s<]+)", header)
        body = segment["body"].strip()
        if to and to[1] not in ("assistant", "user"):
            calls.append((to[1], body, segment["end"] != ""))
        elif "analysis" in header:
            thought.append(body)
        elif body:
            said.append(body)
    return Channels("\n\n".join(said), "\n".join(thought), tuple(calls))


def _with_tokens(text: str) -> str:
    text = re.sub(r"\Aanalysis", "<|channel|>analysis<|message|>", text)
    text = re.sub(r"assistantfinal", "<|end|><|start|>assistant<|channel|>final<|message|>", text)
    return re.sub(
        r"assistantcommentary\s*(to=[\w.]+)?\s*(?:json)?",
        lambda m: f"<|end|><|start|>assistant<|channel|>commentary {m[1] or ''}<|message|>",
        text,
    )


# -- fields of their own --------------------------------------------------------------------------------------------


def in_fields(message: dict[str, Any]) -> str:
    """Reasoning that came in a field of its own: `reasoning_content`, `reasoning`, `thinking` or `reasoning_details`."""
    for field in ("reasoning_content", "reasoning", "thinking", "reasoning_text"):
        if isinstance(text := message.get(field), str) and text:
            return text
        if isinstance(text, dict) and isinstance(inner := text.get("content") or text.get("text"), str):
            return inner
    details = message.get("reasoning_details")
    parts = [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    texts = [part.get("text") or part.get("summary") for part in parts]
    return "".join(text for text in texts if isinstance(text, str)) or _in_parts(message.get("content"))


def _in_parts(content: Any) -> str:
    """Thinking parts of a content list (Mistral, Anthropic)."""
    if not isinstance(content, list):
        return ""
    thoughts = []
    for part in content:
        if isinstance(part, dict) and part.get("type") in ("thinking", "reasoning", "reasoning_text"):
            inner = part.get("thinking") or part.get("text") or part.get("reasoning") or part.get("summary")
            if isinstance(inner, list):
                inner = "".join(each.get("text", "") for each in inner if isinstance(each, dict))
            thoughts.append(inner if isinstance(inner, str) else "")
    return "".join(thoughts)

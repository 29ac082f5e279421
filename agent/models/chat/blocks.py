"""Replies in marks of their own that are no text around a call but the whole message: typed blocks (Inkling), XTML (Kimi K3); and
marks that are others' marks with something added (MiniMax M3, Hunyuan 4, DeepSeek V4), made plain.
Touches nothing. Does not promise: to read a string argument that holds the very mark that ends it.

Sources: docs.vllm.ai, vllm.parser and vllm.tool_parsers (inkling, kimi_k3, minimax_m3, hy_v4, deepseek_v4).
"""

from __future__ import annotations

import html
import json
import re
from typing import Any

from outrider.agent.models.chat.reasoning import Channels

_BLOCK = re.compile(
    r"<\|content_(thinking|text|invoke_tool_json)\|>(.*?)(<\|(?:end_message|content_model_end_sampling)\|>|(?=<\|message_model\|>)|\Z)",
    re.S,
)
_CHANNEL = re.compile(r"<\|open\|>(\w+)[^<]*<\|sep\|>(.*?)(<\|close\|>\1<\|sep\|>|\Z)", re.S)
_CALL = re.compile(r"<\|open\|>call\b([^<]*)<\|sep\|>(.*?)(<\|close\|>call<\|sep\|>|\Z)", re.S)
_ARGUMENT = re.compile(r"<\|open\|>argument\b([^<]*)<\|sep\|>(.*?)<\|close\|>argument<\|sep\|>", re.S)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_DSML = re.compile(r"(</?)[｜|]DSML[｜|]\s*")
_SUFFIX = re.compile(r"(</?(?:tool_calls?|tool_sep|arg_key|arg_value)):[\w-]{4,24}>")
_MINIMAX = "]<]minimax[>["


def typed_blocks(text: str) -> Channels | None:
    """A reply made of typed blocks, taken apart; None for any other text."""
    start = text.lstrip()
    if start.startswith(("<|message_model|>", "<|content_")):
        return _inkling(start)
    return _kimi(start) if start.startswith("<|open|>") else None


def _inkling(text: str) -> Channels | None:
    said, thought, calls = list[str](), list[str](), list[tuple[str, str, bool]]()
    for kind, body, end in _BLOCK.findall(text):
        if kind == "invoke_tool_json":
            calls.append(_named(body, bool(end)))
        else:
            (thought if kind == "thinking" else said).append(body.strip())
    return Channels("\n\n".join(said), "\n".join(thought), tuple(calls)) if said or thought or calls else None


def _named(body: str, whole: bool) -> tuple[str, str, bool]:
    try:
        call = json.loads(body, strict=False)
        return str(call["name"]), json.dumps(call.get("args", call.get("arguments", {})), ensure_ascii=False), whole
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", body.strip(), whole


def _kimi(text: str) -> Channels | None:
    said, thought, calls = list[str](), list[str](), list[tuple[str, str, bool]]()
    for name, body, _ in _CHANNEL.findall(text):
        if name == "tools":
            calls += [
                (_attributes(head).get("tool", ""), _arguments(inner), bool(end))
                for head, inner, end in _CALL.findall(body)
            ]
        else:
            (said if name == "response" else thought).append(body.strip())
    return Channels("\n\n".join(said), "\n".join(thought), tuple(calls)) if said or thought or calls else None


def _attributes(head: str) -> dict[str, str]:
    return {key: html.unescape(value) for key, value in _ATTRIBUTE.findall(head)}


def _arguments(body: str) -> str:
    made: dict[str, Any] = {}
    for head, value in _ARGUMENT.findall(body):
        told = _attributes(head)
        try:
            made[told.get("key", "")] = value if told.get("type") == "string" else json.loads(value)
        except (ValueError, RecursionError):
            made[told.get("key", "")] = value
    return json.dumps(made, ensure_ascii=False)


def plain_marks(text: str) -> str:
    """The same text in the marks that text_calls.py reads."""
    if "DSML" in text:
        text = _DSML.sub(r"\1｜DSML｜", text)
    if _MINIMAX in text:
        text = _minimax(text)
    return _SUFFIX.sub(r"\1>", text)


def _minimax(text: str) -> str:
    """MiniMax M3: every tag has a mark before it, parameters are tags named after them, and may nest (`item`: a list)."""
    before, *parts = text.split(_MINIMAX)
    made, name = [before], ""
    stack: list[tuple[str, list[tuple[str, Any]], str]] = []
    for part in parts:
        tag, _, words = part.partition(">")
        if opened := re.match(r'<invoke name="?([^">]+)"?', tag):
            name, stack = opened[1], [("", [], "")]
        elif tag == "</invoke" and len(stack) == 1:
            call = {"name": name, "arguments": _tree(stack.pop()) or {}}
            made.append(f"<tool_call>{json.dumps(call, ensure_ascii=False)}</tool_call>{words}")
        elif stack and tag.startswith("</"):
            if len(stack) < 2 or stack[-1][0] != tag[2:]:
                return text
            inner = stack.pop()
            stack[-1][1].append((inner[0], _tree(inner)))
        elif stack and tag.startswith("<"):
            stack.append((tag[1:], [], words))
        elif tag not in ("<tool_call", "</tool_call"):
            return text
        else:
            made.append(words)
    return text if stack else "".join(made)


def _tree(node: tuple[str, list[tuple[str, Any]], str]) -> Any:
    _, children, words = node
    if not children:
        return words
    if all(tag == "item" for tag, _ in children):
        return [value for _, value in children]
    return dict(children)

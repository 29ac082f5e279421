"""Makes one Reply of what a server sent: the answer, the reasoning and the calls told apart, whatever dialect they came in.
Touches nothing. A call written as text runs only if the whole reply is such calls, the tool is on offer and the arguments
fit; one that is marked as a call beyond doubt and does not fit is handed on, so that the model is told what is right.
Does not promise: that an answer is true. `Reply.flaw` says why a reply is none to act on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from outrider.agent.models.chat.blocks import typed_blocks
from outrider.agent.models.chat.reasoning import Channels, channels, part, unwrapped
from outrider.agent.models.chat.text_calls import Found, begins_call, find_calls
from outrider.agent.models.model import CallDraft, Reply, ToolSpec, Usage
from outrider.memory.events import Outcome
from outrider.tools.arguments import BadArguments, matching_name, read_arguments, read_object
from outrider.tools.json_schema import validator

CUT, FILTERED, ERROR = "length", "content_filter", "error"
_REASONS = {  # finish reasons as servers call them → ours
    "max_tokens": CUT, "max_output_tokens": CUT, "MAX_TOKENS": CUT, "model_length": CUT, "token_limit": CUT,
    "content_filtered": FILTERED, "safety": FILTERED, "SAFETY": FILTERED, "RECITATION": FILTERED, "sensitive": FILTERED,
    "blocked": FILTERED, "PROHIBITED_CONTENT": FILTERED, "guardrail_intervened": FILTERED,
    "eos": "stop", "end_turn": "stop", "stop_sequence": "stop", "STOP": "stop", "eos_token": "stop", "completed": "stop",
    "function_call": "tool_calls", "tool_use": "tool_calls", "tool_call": "tool_calls",
    "network_error": ERROR, "internal_error": ERROR, "failed": ERROR, "abort": ERROR, "cancelled": ERROR,
    "malformed_function_call": ERROR, "MALFORMED_FUNCTION_CALL": ERROR, "insufficient_system_resource": ERROR,
}  # fmt: skip


def read_reply(
    text: str,
    calls: Sequence[CallDraft] = (),
    *,
    tools: Sequence[ToolSpec] = (),
    reasoning: str = "",
    refusal: str = "",
    finish: str = "",
    usage: Usage | None = None,
    kept: Mapping[str, Any] | None = None,
) -> Reply:
    """The reply in these parts, as they came: `calls` native ones, `reasoning` what came in a field of its own."""
    said, thought, found = _parted(text, tools if not calls else ())
    reasoning = "\n".join(each.strip() for each in (reasoning, thought) if each.strip())
    reason = _REASONS.get(finish, finish) or ("tool_calls" if calls else "stop")
    drafts = tuple(calls)
    if found is not None and not drafts:
        said, drafts = _taken(found, said, tools, cut=reason == CUT)
    if drafts and reason == "stop":
        reason = "tool_calls"
    if refusal and not said.strip() and not drafts:
        said, reason = refusal, "refusal" if reason in ("stop", FILTERED) else reason
    outcome: Outcome = "refused" if reason == "refusal" else "answered"
    reply = Reply(said, drafts, usage, reason, outcome, reasoning=reasoning, kept=dict(kept or {}) if drafts else {})
    flaw = _flaw(reply, bool(tools), unended=bool(drafts) and not calls and _unended(found))
    return replace(reply, flaw=flaw) if flaw else reply


def _parted(text: str, tools: Sequence[ToolSpec]) -> tuple[str, str, Found | Channels | None]:
    """(what was said, what was thought, the calls found in the text)."""
    if not text:
        return "", "", None
    if (split := channels(text) or typed_blocks(text)) is not None:
        return split.said, split.thought, split if split.calls else None
    parted = part(text)
    parted = replace(parted, said=unwrapped(parted.said, after_thought=bool(parted.thought)))
    if not tools:
        return parted.said, parted.thought, None
    names = [spec.name for spec in tools]
    kinds = _Kinds(tools)
    if not parted.closed and not parted.said:  # a model that forgot to end its thinking before it called
        late = find_calls(parted.thought, names, kinds)
        if late and late.strong and not late.broken and all(_fits(c.name, c.arguments, tools) for c in late.calls):
            return "", late.prose, Found("", late.calls, strong=True)
        return "", parted.thought, None
    return parted.said, parted.thought, find_calls(parted.said, names, kinds)


def _taken(
    found: Found | Channels, said: str, tools: Sequence[ToolSpec], *, cut: bool
) -> tuple[str, tuple[CallDraft, ...]]:
    """(the prose, the calls) if the calls are to be taken as such; else all of it as it was said."""
    if isinstance(found, Channels):
        return said, tuple(CallDraft(name=name, arguments=body or "{}") for name, body, _ in found.calls)
    names = [spec.name for spec in tools]
    fit = not found.broken and all(_fits(call.name, call.arguments, tools) for call in found.calls)
    known = all(matching_name(call.name, names) for call in found.calls)
    if fit or found.strong or (known and not found.prose and not found.broken):
        return found.prose, tuple(CallDraft(name=call.name, arguments=call.arguments) for call in found.calls)
    return said, ()


def _fits(name: str, arguments: str, tools: Sequence[ToolSpec]) -> bool:
    """Whether a tool on offer can be meant, and these arguments fit its schema."""
    meant = matching_name(name, [spec.name for spec in tools])
    spec = next((spec for spec in tools if spec.name == meant), None)
    if spec is None:
        return False
    try:
        read, _ = read_arguments(arguments, spec.parameters, spec.name)
    except BadArguments:
        return False
    valid = _validator(spec)
    return valid is None or bool(valid.is_valid(read))


@lru_cache(maxsize=256)
def _validator(spec: ToolSpec) -> Any:
    """The checker of a tool's schema; None for a schema that cannot be read."""
    try:
        return validator(spec.parameters)
    except Exception:  # a stranger's schema may be anything
        return None


class _Kinds:
    """(tool, parameter) → its JSON type, "" if it is not one plain type."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._schemas = {spec.name: spec.parameters for spec in tools}

    def __call__(self, tool: str, key: str) -> str:
        properties = self._schemas.get(tool, {}).get("properties")
        node = properties.get(key) if isinstance(properties, dict) else None
        if not isinstance(node, dict):
            return ""
        kinds = {part.get("type") for part in node.get("anyOf", [node]) if isinstance(part, dict)} - {"null"}
        return str(kinds.pop()) if len(kinds) == 1 else ""


def _unended(found: Found | Channels | None) -> bool:
    """Whether the last call has no end of its own, so that it may have been cut."""
    if isinstance(found, Channels):
        return not found.calls[-1][2]
    return found is not None and found.open


def _flaw(reply: Reply, tools: bool, *, unended: bool) -> str:
    """Why this is no reply to act on, "" if it is."""
    if reply.finish_reason == ERROR:
        return "the server broke the reply off (finish_reason: error)"
    if reply.finish_reason == CUT:
        return _cut(reply, tools, unended=unended)
    if reply.finish_reason == "tool_calls" and not reply.calls:
        return "it ended with finish_reason tool_calls and held no call"
    return ""


def _cut(reply: Reply, tools: bool, *, unended: bool) -> str:
    """What was cut at the reply's limit, where half of it is no use."""
    if reply.calls:
        last = reply.calls[-1].arguments
        whole = read_object(last) is not None and last.strip() not in ("", "{")
        return "" if whole and not unended else "a tool call was cut at the reply's limit"
    if tools and begins_call(reply.text):
        return "a tool call was cut at the reply's limit"
    if reply.reasoning and not reply.text.strip():
        return "the reply's limit was reached while the model was still reasoning"
    return ""

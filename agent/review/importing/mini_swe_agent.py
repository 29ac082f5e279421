"""mini-swe-agent's trajectories (`*.traj.json`): messages whose shell commands stand in fenced blocks or in `extra.actions`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from outrider.agent.review.importing.turns import (
    CallTurn,
    Conversation,
    Turn,
    dollars_of,
    from_messages,
    inside,
    text_of,
    usage_of,
)

_CODE = re.compile(r'(?:<returncode>|"returncode":)\s*(-?\d+)')
_BLOCK = re.compile(r"```(?:bash|sh|shell|mswea_bash_command)?[ \t]*\n(.*?)\n```", re.DOTALL)


def recognises(data: Any) -> bool:
    """Its files name their format, or hold messages beside an `info` with an exit status."""
    if not isinstance(data, dict) or not isinstance(data.get("messages"), list):
        return False
    info = data.get("info")
    named = str(data.get("trajectory_format", "")).startswith("mini-swe-agent")
    return named or (isinstance(info, dict) and "exit_status" in info)


def read(data: dict[str, Any]) -> Iterator[Conversation]:
    """The run in the file."""
    info, messages = data.get("info"), [m for m in data["messages"] if inside(m, "role") != "exit"]  # it repeats `info`
    model = inside(info, "config", "model", "model_name") or "unknown"
    one = from_messages(messages, source="mini-swe-agent", model=str(model))
    _find_actions(one, messages)
    one.ended = str(inside(info, "exit_status") or "")
    one.answer = text_of(inside(info, "submission"))
    one.usd = dollars_of(inside(info, "model_stats", "instance_cost"))
    _note_usage(one, messages)
    yield one


def _note_usage(one: Conversation, messages: list[Any]) -> None:
    """What each request used, and which commands failed, as its messages say beside their text."""
    replies = [m for m in messages if isinstance(m, dict) and m.get("role") == "assistant"]
    for turn, message in zip((t for t in one.turns if t.role == "assistant"), replies, strict=False):
        extra = message.get("extra")
        response = extra.get("response") if isinstance(extra, dict) else None
        turn.usage = usage_of(response.get("usage")) if isinstance(response, dict) else None
        for call in turn.calls:
            if call.result is not None and (code := _CODE.search(call.result)):
                call.ok = code[1] == "0"


def _find_actions(one: Conversation, messages: list[Any]) -> None:
    """Turn the text of each assistant message into the command it ran, and the message after it into the result."""
    extras = [m.get("extra") for m in messages if isinstance(m, dict) and m.get("role") == "assistant"]
    turns: list[Turn] = []
    number = 0
    for turn in one.turns:
        if turn.role == "assistant":
            if not turn.calls:
                turn.calls = [CallTurn("bash", {"command": c}) for c in _commands(turn.text, _at(extras, number))]
            number += 1
            turns.append(turn)
            continue
        open_call = next((c for c in turns[-1].calls if c.result is None), None) if turns else None
        if open_call is None:
            turns.append(turn)
        else:
            open_call.result, open_call.ok = (
                turn.text,
                "<returncode>0</returncode>" in turn.text or "<returncode>" not in turn.text,
            )
    one.turns = turns


def _commands(text: str, extra: Any) -> list[str]:
    actions = extra.get("actions") if isinstance(extra, dict) else None
    if isinstance(actions, list):
        found = [str(a.get("command", "")) if isinstance(a, dict) else str(a) for a in actions]
        return [command for command in found if command]
    return _BLOCK.findall(text)[:1]


def _at(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else None

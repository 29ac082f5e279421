"""Runs as chat JSON lines for supervised fine-tuning (TRL, PEFT): {"messages", "tools"} a line, and a datasheet beside it.
Touches journals, to read. Does not promise: that the answers are right; it keeps runs that ended answered unless asked
for others, drops repeats, and masks secrets and addresses of keys again.

Only the assistant's tokens are to be learnt: `CHAT_TEMPLATE` marks them with {% generation %}, which
`apply_chat_template(..., return_assistant_tokens_mask=True)` and TRL's `assistant_only_loss=True` understand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

from outrider.agent.history.run_view import Run, read_run
from outrider.agent.review.export.conversation import messages, tools
from outrider.agent.review.story import steps
from outrider.memory.journal import Journal

CHAT_TEMPLATE = (
    "{% if tools %}{{ '<|im_start|>system\nTools:\n' }}{% for tool in tools %}{{ (tool.function if tool.function else tool) | tojson }}\n"
    "{% endfor %}{{ '<|im_end|>\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}"
    "{% for call in message.tool_calls or [] %}{{ '<tool_call>' }}"
    "{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}{{ '</tool_call>' }}{% endfor %}"
    "{{ '<|im_end|>' }}{% endgeneration %}{% else %}{{ message.content }}{{ '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SUCCESS = ("answered",)


@dataclass(slots=True)
class Chosen:
    """What went in and what did not: the datasheet. `states`: which ends are kept; `models`: patterns, () for all."""

    states: tuple[str, ...] = SUCCESS
    models: tuple[str, ...] = ()
    supported_only: bool = True
    runs: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    by_model: dict[str, int] = field(default_factory=dict)
    turns: int = 0
    _seen: set[bytes] = field(default_factory=set)

    def line(self, journal: Journal) -> str | None:
        """The line of one run, or None with the reason counted."""
        run = read_run(journal.store, journal.run_id)
        if why := self._why_not(run):
            self._leave_out(why)
            return None
        told = list(steps(journal.read()))
        row = {"messages": messages(told), "tools": tools(told)}
        digest = blake2b(json.dumps(row["messages"], sort_keys=True).encode(), digest_size=16).digest()
        if digest in self._seen:
            self._leave_out("the same conversation again")
            return None
        if not any(turn["role"] == "assistant" for turn in row["messages"]):
            self._leave_out("the model said nothing")
            return None
        self._seen.add(digest)
        self.runs.append(run.id)
        self.by_model[run.model] = self.by_model.get(run.model, 0) + 1
        self.turns += sum(turn["role"] == "assistant" for turn in row["messages"])
        return json.dumps(row, ensure_ascii=False)

    def datasheet(self) -> dict[str, Any]:
        """What the file holds, for whoever trains on it or has to approve that."""
        return {
            "format": "chat messages with tools, one conversation a line",
            "conversations": len(self.runs),
            "assistant_turns": self.turns,
            "models": self.by_model,
            "note": "check that the licence of each model allows training on what it wrote",
            "kept": {
                "states": list(self.states),
                "models": list(self.models) or "all",
                "supported": self.supported_only,
            },
            "left_out": self.left_out,
            "runs": self.runs,
            "chat_template": CHAT_TEMPLATE,
        }

    def _why_not(self, run: Run) -> str:
        if run.state not in self.states:
            return f"state {run.state}"
        if self.models and not any(fnmatchcase(run.model, pattern) for pattern in self.models):
            return "another model"
        if self.supported_only and run.answer.unsupported:
            return "a claim of the answer has no support"
        return ""

    def _leave_out(self, why: str) -> None:
        """Count it."""
        self.left_out[why] = self.left_out.get(why, 0) + 1


def write(journal: Journal) -> Iterator[str]:
    """One run, whatever became of it: who names a run wants it."""
    line = Chosen(states=(read_run(journal.store, journal.run_id).state,), supported_only=False).line(journal)
    if line is not None:
        yield line + "\n"

"""`scripted:FILE.json`: replies from a file, for tests, demos that say so, and trying out tools without a model.
Touches one file, once. Deterministic: tokens are bytes / 4, rounded up; the price is 0 unless the file has one.
Does not promise: that a script fits the tools of a run; what it calls is checked like any model's call.

A reply belongs to a turn, and the turn is the number of assistant messages already in the request: so a run that is
resumed goes on at the right place, and many runs can share one model. Entries with "error" and empty ones are tries
before the next reply. docs/models.md shows the format.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from outrider.agent.models.chat.encode import MessageBytes, ToolBytes
from outrider.agent.models.model import CallDraft, Limits, Message, ModelFailure, Price, Reply, Request, Seen, Usage
from outrider.memory.errors import UsageError
from outrider.memory.given.file import read_given
from outrider.memory.text import whole_characters

MOST_SCRIPT_BYTES = 20_000_000
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Call(_Strict):
    tool: str
    arguments: dict[str, JsonValue] | str = {}  # a string is sent as it is, so that it can be wrong


class _Error(_Strict):
    what: str = "a scripted error"
    retryable: bool = True
    billed: bool = False
    retry_after_s: Seconds | None = None


class _Entry(_Strict):
    text: str = ""
    tool: str | None = None
    arguments: dict[str, JsonValue] | str = {}
    calls: tuple[_Call, ...] = ()
    usage: Usage | None = None
    finish_reason: str | None = None
    delay_s: Seconds = 0.0
    error: _Error | str | None = None


class _PerMillion(_Strict):
    input: Decimal = Field(ge=0, allow_inf_nan=False)
    output: Decimal = Field(ge=0, allow_inf_nan=False)


class _Script(_Strict):
    replies: tuple[_Entry, ...] = Field(min_length=1)
    loop: bool = False
    price: _PerMillion | None = None
    context: int | None = Field(default=None, gt=0)


class ScriptedModel:
    """`ScriptedModel("demo.json")`, or from Python `ScriptedModel(replies=[{"tool": "now"}, {"text": "it is late"}])`.

    loop: begin again after the last reply (default: a ModelFailure says that the script is over).
    Raises UsageError for a file or a reply that is not a script, and says where.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        replies: Sequence[Mapping[str, Any]] | None = None,
        loop: bool | None = None,
        max_context: int | None = None,
    ) -> None:
        if (path is None) == (replies is None):
            raise UsageError("a scripted model needs one script", "it got none, or two", "use scripted:FILE.json")
        where = str(path) if path is not None else "the replies"
        data: Any = _read(Path(path)) if path is not None else [dict(reply) for reply in replies or ()]
        script = _checked(data, where)
        self.name = f"scripted:{path if path is not None else 'python'}"
        self.limits = Limits(context=max_context or script.context)
        each = script.price
        self.price: Price | None = Price(Decimal(0), Decimal(0), source="local")
        if each is not None:
            self.price = Price(each.input, each.output, source=where)
        self._loop = script.loop if loop is None else loop
        self._turns = _by_turn(script.replies)
        self._attempts: WeakKeyDictionary[Message, dict[int, int]] = WeakKeyDictionary()  # first message → turn → tries
        self._messages, self._tools = MessageBytes(), ToolBytes()

    counts_exactly = True

    async def reply(self, request: Request) -> Reply:
        """The reply of this turn. Waits `delay_s` at most until the time is over."""
        entry = self._entry(request)
        if entry.delay_s:
            await asyncio.sleep(min(entry.delay_s, request.timeout_s))
        if entry.delay_s > request.timeout_s:
            raise ModelFailure(f"{self.name} did not answer in time", f"the script waits {entry.delay_s:g} s",
                               "give it more time", retryable=True, billed=True)  # fmt: skip
        if entry.error is not None:
            raise self._scripted_error(entry.error)
        reply = self._spoken(entry, request)
        if request.on_text and reply.text:
            request.on_text(reply.text)
        return reply

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """Exact: the tokens this model will report as input."""
        sizes = sum(map(len, self._messages.pieces(request.messages)))
        return -(-(sizes + len(self._tools.joined(request.tools))) // 4)

    async def aclose(self) -> None:
        """Nothing to close."""

    def _entry(self, request: Request) -> _Entry:
        turn = sum(message.role == "assistant" for message in request.messages)
        if turn >= len(self._turns) and not self._loop:
            raise ModelFailure(
                f"the script {self.name} is over",
                f"it has {len(self._turns)} replies, and this is turn {turn + 1}",
                'add a reply, or set "loop": true',
            )
        entries = self._turns[turn % len(self._turns)]
        attempts = self._attempts.setdefault(request.messages[0], {}) if request.messages else {}
        attempts[turn] = attempts.get(turn, 0) + 1
        return entries[min(attempts[turn], len(entries)) - 1]

    def _scripted_error(self, error: _Error | str) -> ModelFailure:
        given = _Error(what=error) if isinstance(error, str) else error
        return ModelFailure(given.what, f"the script {self.name} says so here", "change the script",
                            retryable=given.retryable, billed=given.billed, retry_after_s=given.retry_after_s)  # fmt: skip

    def _spoken(self, entry: _Entry, request: Request) -> Reply:
        room = request.max_tokens * 4  # bytes: a scripted model keeps its limit too
        text, cut = _cut(whole_characters(entry.text), room)
        room -= len(text.encode())
        calls = []
        drafts = (
            *([_Call(tool=entry.tool, arguments=entry.arguments)] if entry.tool is not None else []),
            *entry.calls,
        )
        for position, call in enumerate(drafts):
            raw = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments, ensure_ascii=False)
            name, raw = whole_characters(call.tool), whole_characters(raw)
            arguments, short = _cut(raw, max(room - len(name.encode()), 0))
            room -= len(arguments.encode()) + len(name.encode())
            cut = cut or short or room < 0
            calls.append(CallDraft(id=f"call_{position}", name=name, arguments=arguments))
        finish = entry.finish_reason
        if finish is None:
            finish = "tool_calls" if calls else "stop"
        if cut:
            finish, calls = "length", calls if room >= 0 else calls[:-1]
        return Reply(text=text, calls=tuple(calls), usage=self._usage(entry, request, room), finish_reason=finish)

    def _usage(self, entry: _Entry, request: Request, room: int) -> Usage | None:
        if "usage" in entry.model_fields_set:
            return entry.usage
        sizes = sum(map(len, self._messages.pieces(request.messages))) + len(self._tools.joined(request.tools))
        written = request.max_tokens * 4 - max(room, 0)
        return Usage(input_tokens=-(-sizes // 4), output_tokens=-(-written // 4))


def _by_turn(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Entries grouped by turn. Errors and empty replies leave no assistant message, so they belong to the turn of the
    next reply: they are the tries before it."""
    turns: list[list[_Entry]] = [[]]
    for entry in entries:
        if turns[-1] and _says_something(turns[-1][-1]):
            turns.append([])
        turns[-1].append(entry)
    return turns


def _says_something(entry: _Entry) -> bool:
    return entry.error is None and bool(entry.text.strip() or entry.tool is not None or entry.calls)


def _cut(text: str, room: int) -> tuple[str, bool]:
    """`text` in at most `room` bytes of UTF-8, and whether anything was lost."""
    data = text.encode("utf-8", "replace")
    return (text, False) if len(data) <= room else (data[:room].decode("utf-8", "ignore"), True)


def _read(path: Path) -> Any:
    fix = 'a script is JSON like [{"tool": "python", "arguments": {"code": "print(1)"}}, {"text": "1"}]'
    try:
        return json.loads(read_given(path, MOST_SCRIPT_BYTES))
    except OSError as error:
        raise UsageError(f"cannot read the script {path}", error.strerror or str(error), "check the path") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the script {path} is not JSON", str(error)[:200], fix) from error


def _checked(data: Any, where: str) -> _Script:
    try:
        return _Script.model_validate({"replies": data} if isinstance(data, list) else data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top"
        fix = "a reply has text, or tool and arguments, or calls; beside it usage, finish_reason, delay_s, error"
        raise UsageError(f"{where} is not a script", f"{place}: {first['msg']}", fix) from error

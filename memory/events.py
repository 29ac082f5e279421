"""The vocabulary: every kind of thing that can happen in a run, one frozen class each.
Touches nothing. The rest of the program projects these (event sourcing): transcript, cost table, resume, replay, export.

Old rows always read: a field that is added gets a default, an unknown field is ignored, and an unknown
kind becomes `Unknown`. A field is never renamed and never changes its meaning.
Does not promise: that a reader knows what a later version meant by an `Unknown` event.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from outrider.memory.text import whole_characters

Effect = Literal["read", "write", "execute", "network", "spend"]
Origin = Literal["trusted", "untrusted"]
Decision = Literal["allow", "ask", "deny"]
Outcome = Literal["answered", "partial", "not_found", "refused", "unable"]  # what an answer says of itself
StopReason = Literal[
    "answered", "partial", "not_found", "refused", "unable", "budget", "stuck", "denied", "invalid", "interrupted", "model", "error",
]  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Usage(_Part):
    """Tokens a provider reported for one request.

    Parts of `input_tokens`: `cached_tokens` read from a cache, `cache_write_tokens` written to one, `audio_input_tokens`.
    Parts of `output_tokens`: `reasoning_tokens`, `audio_output_tokens`.
    """

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)
    cached_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)
    audio_input_tokens: int = Field(default=0, ge=0)
    reasoning_tokens: int = Field(default=0, ge=0)
    audio_output_tokens: int = Field(default=0, ge=0)


class Amount(_Part):
    """What something costs or may cost: tokens (input + output) and dollars."""

    tokens: int = Field(default=0, ge=0)
    usd: Decimal = Field(default=Decimal(0), ge=0)

    def __eq__(self, other: object) -> bool:  # each event that is written is compared with its defaults
        return isinstance(other, Amount) and self.tokens == other.tokens and self.usd == other.usd


class CallDraft(_Part):
    """A tool call as the model wrote it: nothing in it is checked. `id` is the provider's and may repeat.

    extra: fields of the call we have no use for, which its provider may want back (Gemini's thought signatures).
    """

    id: str = ""
    name: str
    arguments: str = "{}"
    extra: dict[str, JsonValue] = {}


class Artifact(_Part):
    """A file or picture a tool made, stored whole in the blob table."""

    name: str
    media_type: str
    digest: str
    size: int = Field(ge=0)


class FileChange(_Part):
    """A file of the workspace that a call changed: the digests of its content before and after, None: there was none.

    after_kept: whether the content after is stored too; what is large is only named, for `undo` needs what was before.
    form: what was there before: a file, an executable one ("x"), a link (the content is where it led), a folder.
    """

    path: str
    before: str | None = None
    after: str | None = None
    after_kept: bool = True
    form: Literal["", "x", "link", "folder"] = ""


class Citation(_Part):
    """A claim of the answer and the observation (`seq` of its event) that supports it; None: nothing does."""

    claim: str
    seq: int | None
    quote: str = ""


class Attachment(_Part):
    """What a goal came with: a text shown whole, the path tools reach it by, or a picture (its digest as shown). `note`: how it is given."""

    name: str
    text: str = ""
    path: str = ""
    size: int = Field(default=0, ge=0)
    note: str = ""
    picture: str = ""
    media_type: str = ""
    data: bytes = Field(default=b"", exclude=True, repr=False)  # of the picture, until it is stored


class Event(BaseModel):
    """Base of every event. `kind` is the discriminator and is stored in its own column, not in the body."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str

    def body(self) -> str:
        """The event as compact JSON, without `kind`, without defaults: exactly what is stored and hashed. U+FFFD for half a character."""
        try:
            return self.model_dump_json(exclude={"kind"}, exclude_defaults=True)
        except PydanticSerializationError:
            sound = type(self).model_validate(_sound(self.model_dump()))
            return sound.model_dump_json(exclude={"kind"}, exclude_defaults=True)


def _sound(value: Any) -> Any:
    """The same value in text that UTF-8 can hold."""
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {_sound(key): _sound(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(inner) for inner in value]
    return value


class RunStarted(Event):
    """The goal and everything `resume` must know. `tools` holds each tool's name, description, schema, effect.

    trust: `marker` of this run's fences; for a child also the person's `goal` and what its parent had read.
    `today`: the line that tells the model the date where the person is; "" in runs from before there was one.
    """

    kind: Literal["run_started"] = "run_started"
    goal: str
    model: str
    budget: dict[str, JsonValue] = {}
    policy: dict[str, JsonValue] = {}
    tools: tuple[dict[str, JsonValue], ...] = ()
    system: str = ""
    workspace: str = ""
    settings: dict[str, JsonValue] = {}
    price: dict[str, JsonValue] | None = None
    limits: dict[str, int | None] = {}
    versions: dict[str, str] = {}
    parent: str | None = None
    trust: dict[str, JsonValue] = {}
    label: str = ""
    today: str = ""
    attachments: tuple[Attachment, ...] = ()


class GoalGiven(Event):
    """Another goal for the same run, with everything said so far as its context: a chat is one run with many goals."""

    kind: Literal["goal_given"] = "goal_given"
    goal: str
    attachments: tuple[Attachment, ...] = ()


class ModelAsked(Event):
    """A request is about to be sent. `reserved` is the most it can cost; `elapsed_s` is the run's working time so far.

    size: UTF-8 bytes of its messages and tools, to learn from the reply how many bytes this server counts as a token.
    """

    kind: Literal["model_asked"] = "model_asked"
    step: int
    purpose: Literal["step", "ending", "summary", "tool"] = "step"
    reserved: Amount = Amount()
    max_tokens: int = 0
    size: int = 0
    request_digest: str = ""
    elapsed_s: float = 0.0


class ModelReplied(Event):
    """A request came back, or failed (`error`). `cost` is what the ledger counts: what was reported, else the reservation.

    reasoning: what the model thought before it spoke, never part of the answer. kept: fields of the reply that its provider
    wants back with the next request. over: the part of `cost` that was reported beyond the reservation. window: the model's
    window in tokens, as the server just told it; None: nothing new.
    """

    kind: Literal["model_replied"] = "model_replied"
    step: int
    text: str = ""
    reasoning: str = ""
    calls: tuple[CallDraft, ...] = ()
    kept: dict[str, JsonValue] = {}
    usage: Usage | None = None
    cost: Amount = Amount()
    over: Amount = Amount()
    window: int | None = None
    finish_reason: str = ""
    latency_s: float = 0.0
    error: str = ""
    outcome: Outcome = "answered"  # what a provider itself said of an answer, beside its words
    elapsed_s: float = 0.0


class ToolCalled(Event):
    """A tool is about to run. `call_id` is ours (`step.position`), unique in the run.

    repaired: what had to be put right in the call as the model wrote it, in words; "" for a call that was sound.
    sends: where words a model chose go. repeats: whose words its arguments repeat, in words.
    """

    kind: Literal["tool_called"] = "tool_called"
    call_id: str
    tool: str
    arguments: dict[str, JsonValue] = {}
    effect: Effect = "read"
    decision: Decision = "allow"
    reason: str = ""
    repaired: str = ""
    sends: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()


class ToolReturned(Event):
    """What came back, or why nothing did. `text` is what the model is shown; `blob` holds the whole if it was cut.

    `ran` is False when the call was refused before anything happened (unknown tool, bad arguments, denied).
    `detail` is for the person only (a traceback) and never reaches the model. private: sources of private data in it,
    such as "file:notes.txt".
    """

    kind: Literal["tool_returned"] = "tool_returned"
    call_id: str
    tool: str = ""
    text: str = ""
    ok: bool = True
    ran: bool = True
    blob: str | None = None
    size: int = 0
    wall_s: float = 0.0
    origin: Origin = "trusted"
    artifacts: tuple[Artifact, ...] = ()
    changes: tuple[FileChange, ...] = ()
    detail: str = ""
    private: tuple[str, ...] = ()
    waited_s: float = 0.0  # for a person, while it ran
    elapsed_s: float = 0.0


class Share(_Part):
    """A part of a budget handed to a child run, or what the child used of it. Units as in the budget.

    per_tool: calls by tool name; of a share only those that are limited.
    """

    usd: Decimal = Field(default=Decimal(0), ge=0)
    tokens: int = Field(default=0, ge=0)
    steps: int = Field(default=0, ge=0)
    calls: int = Field(default=0, ge=0)
    per_tool: dict[str, int] = {}


class ChildStarted(Event):
    """A call handed a goal to a child run. `share` is the most it can use, and counts as spent until it ends."""

    kind: Literal["child_started"] = "child_started"
    call_id: str
    child: str
    share: Share = Share()


class ChildEnded(Event):
    """The child run ended; what it did not use of its share is back."""

    kind: Literal["child_ended"] = "child_ended"
    call_id: str
    child: str
    cost: Share = Share()


class PlanStep(_Part):
    """A step of a plan. needs: ids of steps that come before it. call: the id of the call that does it, if it names a
    tool; its state is what became of that call. done: of a step without a tool, as the agent says."""

    id: str
    text: str = ""
    needs: tuple[str, ...] = ()
    tool: str = ""
    arguments: dict[str, JsonValue] = {}
    call: str = ""
    done: bool = False


class PlanChanged(Event):
    """The agent's plan: one line an item, and the same as a graph (agent/plan/graph.py tells the state of its steps)."""

    kind: Literal["plan_changed"] = "plan_changed"
    items: tuple[str, ...] = ()
    steps: tuple[PlanStep, ...] = ()


class ApprovalAsked(Event):
    """A person is asked about a call. holds: the rule a yes for longer stands for. sends, repeats: as in `ToolCalled`."""

    kind: Literal["approval_asked"] = "approval_asked"
    call_id: str
    tool: str
    arguments: dict[str, JsonValue] = {}
    effect: Effect = "read"
    why: str = ""
    holds: dict[str, JsonValue] = {}
    sends: tuple[str, ...] = ()
    repeats: tuple[str, ...] = ()


class ApprovalGiven(Event):
    """The person's word: yes or no, for this call, this run or always.

    arguments: those the call gets in place of the model's (None: as they were asked about). reason: for the model to read.
    by, via: who said it, and where: "terminal", "program", "page", "cli", "api", or "nobody" when no answer came in time.
    """

    kind: Literal["approval_given"] = "approval_given"
    call_id: str
    approved: bool
    scope: Literal["once", "run", "always"] = "once"
    by: str = ""
    reason: str = ""
    arguments: dict[str, JsonValue] | None = None
    waited_s: float = 0.0
    via: str = ""


class FlagRaised(Event):
    """One of the three flags of the rule of two went up, and what raised it: "untrusted", "private" or "sends"."""

    kind: Literal["flag_raised"] = "flag_raised"
    call_id: str
    flag: Literal["untrusted", "private", "sends"]
    why: str = ""


class Noted(Event):
    """A note. `by` "agent": kept with the `note` tool; "outrider": said to the model (a bad reply, what is left);
    "warning": said to the person alone (a bill beyond its reservation, a prompt the server cut)."""

    kind: Literal["noted"] = "noted"
    text: str
    by: Literal["agent", "outrider", "person", "warning"] = "agent"


class Compacted(Event):
    """From here on the model sees `text` in place of what came before `upto` (a seq). The journal keeps everything.

    shorten: characters that are shown of each older tool result that stays; 0: all. With `upto` 0 nothing is left out.
    """

    kind: Literal["compacted"] = "compacted"
    upto: int
    text: str
    shorten: int = 0


class Interrupted(Event):
    """The process that drove the run stopped on purpose (Ctrl-C, SIGTERM); the run can be resumed."""

    kind: Literal["interrupted"] = "interrupted"
    reason: str
    elapsed_s: float = 0.0


class Resumed(Event):
    """The run goes on. `changes` holds what was asked to differ (budget, model, policy …)."""

    kind: Literal["resumed"] = "resumed"
    changes: dict[str, JsonValue] = {}
    unknown: tuple[str, ...] = ()  # call ids that were open: outcome unknown


class Answered(Event):
    """The answer. `partial` when a limit came first, or something of the goal is left out."""

    kind: Literal["answered"] = "answered"
    text: str
    citations: tuple[Citation, ...] = ()
    unsupported: tuple[str, ...] = ()
    partial: bool = False


class Stopped(Event):
    """The run ended. `unfinished` says what is left to do; `detail` why, in words for a person.

    reason: what the answer says of itself (`Outcome`), or why there was no more work: a budget, the model, a person.
    """

    kind: Literal["stopped"] = "stopped"
    reason: StopReason
    limit: str = ""
    detail: str = ""
    unfinished: str = ""
    elapsed_s: float = 0.0


class Unknown(Event):
    """An event of a kind this version does not know, kept as it was stored."""

    raw: dict[str, Any] = {}

    def body(self) -> str:
        raise TypeError("an unknown event is only read, never written")


KINDS: dict[str, type[Event]] = {
    cls.model_fields["kind"].default: cls
    for cls in (
        RunStarted, GoalGiven, ModelAsked, ModelReplied, ToolCalled, ToolReturned, ChildStarted, ChildEnded, PlanChanged, ApprovalAsked, ApprovalGiven,
        FlagRaised, Noted, Compacted, Interrupted, Resumed, Answered, Stopped,
    )
}  # fmt: skip
_JSON_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


def decode(kind: str, body: str) -> Event:
    """The event of a stored row. Never raises: a row that cannot be understood becomes `Unknown`."""
    cls = KINDS.get(kind)
    try:
        if cls is not None:
            return cls.model_validate_json(body)
        return Unknown(kind=kind, raw=_JSON_OBJECT.validate_json(body))
    except ValidationError:
        return Unknown(kind=kind, raw={"body": body})

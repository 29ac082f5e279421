"""`langchain:provider:model`: any LangChain chat model, by name or as an instance. LangChain is imported when one is made.
Touches what the integration touches. Nothing is sent to LangSmith, whatever the environment says, unless
OUTRIDER_ALLOW_TRACING=1.
Does not promise: our speed (LangChain costs 10 to 20 ms of CPU a step), nor that an integration keeps `max_tokens`
if it has no field for it, or makes no retries of its own if it cannot be told so.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from outrider.agent.models.chat import errors
from outrider.agent.models.chat.encode import wire_arguments, wire_id, wire_tool
from outrider.agent.models.chat.errors import Endpoint
from outrider.agent.models.chat.limits import is_overflow
from outrider.agent.models.chat.reader import read_reply
from outrider.agent.models.langchain.messages import Watched, read_message
from outrider.agent.models.langchain.refused import refused_calls
from outrider.agent.models.langchain.threads import Tell, in_thread
from outrider.agent.models.model import (
    Limits,
    Message,
    ModelFailure,
    Price,
    Reply,
    Request,
    Seen,
    ToolSpec,
    as_shown,
    byte_bound,
)
from outrider.memory.errors import ModelUnavailable, OutriderError, UsageError
from outrider.memory.text import whole_characters

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage

_LIMIT_FIELDS = ("max_tokens", "max_output_tokens", "num_predict", "max_new_tokens")  # as integrations call it


class LangChainModel:
    """`model`: "provider:name" for `init_chat_model`, or any BaseChatModel.

    max_context, max_output: in tokens (default: what LangChain's own table of models says). stream: as for `openai:`.
    Other settings go to `init_chat_model` (temperature …). Raises UsageError, ModelUnavailable (package or key missing).
    """

    def __init__(
        self,
        model: str | BaseChatModel,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        stream: bool | None = None,
        max_context: int | None = None,
        max_output: int = 4096,
        options: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(model, str):
            settings |= dict(options or {})
            settings |= {k: v for k, v in (("base_url", base_url), ("api_key", api_key)) if v is not None}
            self._chat, self.name = _init(model, settings), f"langchain:{model}"
        else:
            self._chat, self.name = model, _name_of(model)
        profile = getattr(self._chat, "profile", None) or {}
        self.limits = Limits(max_context or profile.get("max_input_tokens"), max_output)
        self.price: Price | None = _price(self.name, _address(self._chat, base_url))
        self._stream = stream
        self._limit_field = next((f for f in _LIMIT_FIELDS if f in type(self._chat).model_fields), None)
        self._messages: WeakKeyDictionary[Message, BaseMessage] = WeakKeyDictionary()
        self._bound: tuple[tuple[ToolSpec, ...], int, Any] = ((), -1, None)

    async def reply(self, request: Request) -> Reply:
        """One attempt, streamed only when somebody watches."""
        stream = request.on_text is not None if self._stream is None else self._stream
        messages = [self._message(each) for each in request.messages]
        try:
            with _tracing():
                runnable = self._runnable(request)
                async with asyncio.timeout(request.timeout_s):
                    watched = Watched(request) if stream else None
                    if _only_waits(self._chat, stream):
                        answer = await in_thread(_said, runnable, messages, watched)
                    elif watched:
                        answer = None
                        await _streamed(runnable, messages, watched)
                    else:
                        answer = await runnable.ainvoke(messages)
            return watched.reply() if watched else read_message(answer, request.tools)
        except OutriderError:
            raise
        except Exception as error:  # integrations raise anything; each becomes a failure the loop can weigh
            if calls := refused_calls(error):
                return Reply(calls=calls, finish_reason="tool_calls")
            if any(kind.__name__ == "ModelRefusalError" for kind in type(error).__mro__):
                return read_reply("", refusal=whole_characters(str(error)), finish="refusal")
            raise self._failure(error) from error

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """An upper bound on input tokens: bytes, where the provider has not counted."""
        return byte_bound(request, seen)

    async def aclose(self) -> None:
        """LangChain models close nothing."""

    def _runnable(self, request: Request) -> Any:
        """The chat model with the reply's limit and the tools bound: made once for each pair of them."""
        key = tuple(request.tools)
        if self._bound[:2] != (key, request.max_tokens):
            limited: Any = self._chat
            if self._limit_field:
                limited = self._chat.model_copy(update={self._limit_field: request.max_tokens})
            bound = self._with_tools(limited, key) if key else limited
            self._bound = (key, request.max_tokens, bound)
        return self._bound[2]

    def _with_tools(self, chat: Any, specs: tuple[ToolSpec, ...]) -> Any:
        try:
            return chat.bind_tools([wire_tool(spec) for spec in specs])
        except NotImplementedError as error:
            why = f"its bind_tools is not implemented ({type(self._chat).__name__})"
            raise ModelFailure(
                f"{self.name} cannot call tools", why, "use a chat model whose bind_tools works"
            ) from error

    def _message(self, message: Message) -> BaseMessage:
        made = self._messages.get(message)
        if made is None:
            made = self._messages[message] = _to_langchain(message)
        return made

    def _failure(self, error: Exception) -> ModelFailure:
        words, kind = errors.short(str(error)), type(error).__name__
        why = f"{kind}: {words}" if words else kind
        endpoint = Endpoint(self.name, self.name, "the provider's own setting")
        kinds = {each.__name__ for each in type(error).__mro__}
        if "ContextOverflowError" in kinds or (isinstance(error, ValueError) and is_overflow(words)):
            return errors.overflow(endpoint, why)
        if (status := _status(error)) == 404:
            fix = "check the model's name as its provider writes it, and the base_url you gave it, if you did"
            return ModelFailure(f"the provider of {self.name} does not know it", why, fix)
        if status:
            headers = {k.lower(): v for k, v in dict(getattr(_response(error), "headers", None) or {}).items()}
            return errors.from_status(endpoint, status, headers, words.encode(), tools_sent=bool(self._bound[0]))
        if isinstance(error, TimeoutError) or any("Timeout" in each for each in kinds):
            fix = "it is tried again while there is time"
            return ModelFailure(f"{self.name} did not answer in time", why, fix, retryable=True, billed=True)
        if any("Connect" in each for each in kinds):
            fix = "check the network and the address"
            return ModelFailure(f"cannot reach {self.name}", why, fix, retryable=True, billed=True)
        odd = isinstance(
            error, (LookupError, ValueError, TypeError, AttributeError)
        )  # how integrations meet bad replies
        fix = "it is tried again; if it stays, look at the provider's side" if odd else "look at the message above"
        retryable = odd or bool(getattr(error, "is_retryable", False))
        return ModelFailure(f"{self.name} failed", why, fix, retryable=retryable, billed=True)


async def _streamed(runnable: Any, messages: list[BaseMessage], watched: Watched) -> None:
    async for chunk in runnable.astream(messages):
        if watched.take(chunk):
            break


def _said(runnable: Any, messages: list[BaseMessage], watched: Watched | None, tell: Tell) -> AIMessage | None:
    """The answer of a model that only has calls that wait; run in a thread."""
    if watched is None:
        invoked: AIMessage = runnable.invoke(messages)
        return invoked
    for chunk in runnable.stream(messages):
        if watched.take(chunk, tell):
            break
    return None


def _only_waits(chat: BaseChatModel, stream: bool) -> bool:
    """Whether the model has no asynchronous way: LangChain then lends it a thread that the process waits for at its end."""
    from langchain_core.language_models import BaseChatModel

    kind = type(chat)
    whole = kind._agenerate is BaseChatModel._agenerate
    pieces = kind._astream is BaseChatModel._astream and kind._stream is not BaseChatModel._stream
    return pieces or (whole and kind._astream is BaseChatModel._astream) if stream else whole


def _to_langchain(message: Message) -> BaseMessage:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

    if message.role == "system":
        return SystemMessage(as_shown(message))
    if message.role == "user" and message.pictures:
        shown = [
            {"type": "image", "base64": base64.b64encode(one.data).decode("ascii"), "mime_type": one.media_type}
            for one in message.pictures
        ]
        return HumanMessage([{"type": "text", "text": as_shown(message)}, *shown])
    if message.role == "user":
        return HumanMessage(as_shown(message))
    if message.role == "tool":
        status = "success" if message.ok else "error"
        return ToolMessage(as_shown(message), tool_call_id=wire_id(message.call_id), name=message.label, status=status)
    calls = [
        {"name": call.name, "args": json.loads(wire_arguments(call.arguments)), "id": wire_id(call.id)}
        for call in message.calls
    ]
    return AIMessage(as_shown(message), tool_calls=calls)


def _init(name: str, settings: dict[str, Any]) -> BaseChatModel:
    from langchain.chat_models import init_chat_model

    vendor = name.partition(":")[0]
    if vendor == "openai":
        settings.setdefault("stream_usage", True)  # else no usage comes with a stream from any other server
        if settings.get("base_url") or os.environ.get("OPENAI_BASE_URL"):
            settings.setdefault("use_responses_api", False)  # names like gpt-5.5-pro would switch to an API few have
    try:
        with _tracing():
            chat = _without_retries(init_chat_model, name, settings)
    except ImportError as error:
        why = errors.short(str(error))
        fix = f"pip install langchain-{vendor.replace('_', '-')}"
        raise ModelUnavailable(f"langchain:{name} needs a package that is not here", why, fix) from error
    except Exception as error:  # a missing key is a different class in every integration
        why = errors.short(f"{type(error).__name__}: {error}")
        if isinstance(error, ValueError) and "model_provider" in str(error):
            raise _no_provider(name) from error
        fix = "give what the provider needs (usually a key in the environment)"
        raise ModelUnavailable(f"langchain:{name} cannot be opened", why, fix) from error
    return chat


def _no_provider(name: str) -> UsageError:
    """What is wrong with a name LangChain finds no provider in: it has none, or one there is not."""
    from langchain.chat_models import base

    vendor, colon, _ = name.partition(":")
    known = sorted(getattr(base, "_BUILTIN_PROVIDERS", ()))
    if not colon:
        fix = "write langchain:provider:model, such as langchain:anthropic:claude-sonnet-4-5"
        return UsageError(f"not a LangChain model: {name[:100]!r}", "it names no provider", fix)
    near = get_close_matches(vendor, known, n=3, cutoff=0.6) or known
    why = f"LangChain has no provider {vendor[:40]!r}"
    return UsageError(f"not a LangChain model: {name[:100]!r}", why, f"use one of {', '.join(near)}")


def _without_retries(init: Any, name: str, settings: dict[str, Any]) -> BaseChatModel:
    """Retries are the loop's: the ledger must see every attempt. Not every integration can be told."""
    try:
        made: BaseChatModel = init(name, max_retries=0, **settings)
    except (TypeError, ValueError) as error:
        if "max_retries" not in str(error):
            raise
        made = init(name, **settings)
    return made


def _tracing() -> AbstractContextManager[Any]:
    """LangSmith off for what runs inside: LANGSMITH_TRACING in the environment would send the prompts away."""
    if os.environ.get("OUTRIDER_ALLOW_TRACING") == "1":
        return nullcontext()
    import langsmith

    return langsmith.tracing_context(enabled=False)


def _name_of(chat: BaseChatModel) -> str:
    """ "langchain:provider:model" of an instance, from what it would tell a tracer."""
    try:
        told: Mapping[str, Any] = chat._get_ls_params()
    except Exception:  # an integration's own code: the name is a courtesy
        told = {}
    return f"langchain:{told.get('ls_provider') or chat._llm_type}:{told.get('ls_model_name') or 'model'}"


def _address(chat: BaseChatModel, base_url: str | None) -> str | None:
    return base_url or next((a for f in ("openai_api_base", "base_url") if (a := getattr(chat, f, None))), None)


def _price(spec: str, base_url: str | None) -> Price | None:
    from outrider.agent.models.prices import find_price

    return find_price(spec, base_url=base_url)


def _response(error: Exception) -> Any:
    return getattr(error, "response", None)


def _status(error: Exception) -> int | None:
    status = getattr(error, "status_code", None) or getattr(_response(error), "status_code", None)
    return status if isinstance(status, int) and 300 <= status < 600 else None

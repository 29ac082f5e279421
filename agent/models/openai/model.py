"""`openai:NAME`: any OpenAI-compatible endpoint (OpenAI, Ollama, vLLM, LM Studio, llama-server, OpenRouter, …).
Touches the network: the one base_url it is given. One request per `reply`, no retries but those the server refused unread.
Does not promise: that the server counts tokens honestly; a count it could not have is treated as none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from outrider.agent.models.advised import advice_for
from outrider.agent.models.chat import errors
from outrider.agent.models.chat.answer_form import form_of, unwrapped
from outrider.agent.models.chat.decode import BadReply, Repeating, ServerSaidError, StreamDecoder, decode_whole
from outrider.agent.models.chat.encode import ToolBytes, to_bytes
from outrider.agent.models.chat.errors import Endpoint
from outrider.agent.models.chat.limits import failed_generation, is_overflow, told_by
from outrider.agent.models.chat.pictures import Pictures
from outrider.agent.models.chat.reader import read_reply
from outrider.agent.models.model import (
    DEAR_PICTURE_TOKENS,
    PICTURE_TOKENS,
    ContextOverflow,
    Limits,
    ModelFailure,
    Price,
    Reply,
    Request,
    Seen,
    ToolSpec,
    byte_bound,
)
from outrider.agent.models.openai.exchange import Headers, HttpResponse, Post, Transport, TransportError
from outrider.agent.models.openai.habits import Habits
from outrider.agent.models.openai.transport import HttpTransport
from outrider.agent.models.options import checked
from outrider.agent.version import VERSION
from outrider.memory.errors import ModelUnavailable, UsageError
from outrider.memory.redaction import Masker

if TYPE_CHECKING:
    import ssl

    import openai

DEFAULT_URL = "https://api.openai.com/v1"
MAX_REPLY_BYTES = 4_000_000  # a reply of 128k tokens is half a megabyte of text
STREAM_BYTES_PER_TOKEN = 500  # each streamed token comes in a wrapper of 150 to 400 bytes
_UNTAGGED = re.compile(r"\br1\b|-r1|qwq|think|reason", re.I)  # their templates write the opening tag of the reasoning
_FORM = "response_format"
SPARE = 16  # tokens left free beside a prompt the server counted
LEAST_LEFT = 128  # tokens of reply below which fewer steps are better


def _said(options: Mapping[str, Any], max_output: int, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of the request that a person set, the checked ones and those of `body`. Raises UsageError."""
    said = checked({**options, "max_output": max_output})
    said.pop("max_output")
    return said | dict(body or {})


class OpenAIModel:
    """One model on one server. Safe for any number of runs at once on one event loop.

    base_url: up to and including /v1; default OPENAI_BASE_URL, else OpenAI. api_key: default OPENAI_API_KEY; "" sends none.
    stream: True, False, or None: only when somebody watches (`request.on_text`). max_context: the window in tokens.
    max_output: the longest reply to ask for, in tokens. temperature, top_p, seed, reasoning_effort: sent as they are;
    without temperature and top_p open weights get what their makers advise (advised.py). options, body: any other fields of
    the request. headers: extra HTTP headers.
    proxy: an HTTP proxy's address, "" for none; default: the environment's. tls: for a certificate of one's own (mTLS).
    client: a ready client of the `openai` SDK, for identities that it renews (Azure); its own address and proxy hold.
    Raises UsageError (a setting), ModelUnavailable (no key for OpenAI itself).
    """

    path = "/chat/completions"

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        stream: bool | None = None,
        max_context: int | None = None,
        max_output: int = 4096,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
        reasoning_effort: str | None = None,
        options: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        proxy: str | None = None,
        tls: ssl.SSLContext | None = None,
        client: openai.AsyncOpenAI | None = None,
    ) -> None:
        self.model, self.name = name, f"openai:{name}"
        own_url = str(client.base_url) if client is not None else base_url or os.environ.get("OPENAI_BASE_URL")
        self.base_url = (own_url or DEFAULT_URL).rstrip("/")
        self._limits, self._looked_up = Limits(context=max_context, max_output=max_output), max_context is not None
        key = os.environ.get("OPENAI_API_KEY", "") if api_key is None else api_key
        self._key, key_from = key.strip(), "OPENAI_API_KEY" if api_key is None else "--api-key"
        self.secrets = {key_from.removeprefix("--"): self._key} if self._key else {}  # a run masks them
        self.endpoint = Endpoint(self.name, self.base_url, key_from if self._key else "")
        named = {"temperature": temperature, "top_p": top_p, "seed": seed, "reasoning_effort": reasoning_effort}
        said = _said(named | dict(options or {}), max_output, body)
        extra = self._advised(said)
        self._pictures = Pictures()
        self._habits = Habits(name, stream, extra, frozenset(extra.keys() - said.keys()))
        self._masker = Masker(self.secrets)
        self._price: Price | tuple[()] | None = ()  # (): not looked up yet
        self._tools, self._reached, self._held = ToolBytes(), False, bool(_UNTAGGED.search(name))
        self._transport = self._open_transport(client, proxy, tls)
        self.on_body: Callable[[bytes], None] | None = None  # sees each whole reply as it came (checkup.py)
        self._headers = self._checked_headers(headers or {}, own_auth=client is None)

    @property
    def blind(self) -> bool:
        """Whether its server refused pictures: they are left out then, and the model is told."""
        return self._pictures.blind

    @property
    def _theirs(self) -> bool:
        """Whether this is OpenAI itself."""
        return urlsplit(self.base_url).hostname == urlsplit(DEFAULT_URL).hostname

    def _advised(self, said: dict[str, Any]) -> dict[str, Any]:
        """What was said, over what the makers of open weights advise; OpenAI's own models know their defaults."""
        advice = None if self._theirs or said.keys() & {"temperature", "top_p"} else advice_for(self.model)
        return (advice.options if advice else {}) | said

    @property
    def price(self) -> Price | None:
        """Looked up at the first use (it imports a table): only OpenAI and hosts the table knows have one."""
        if self._price == ():
            from outrider.agent.models.prices import find_price

            self._price = find_price(self.name, base_url=self.base_url)
        return self._price or None

    @price.setter
    def price(self, given: Price | None) -> None:
        self._price = given

    @property
    def limits(self) -> Limits:
        """The window is what the user said, what the table knows (as for the price), or what a refusal told."""
        if not self._looked_up:
            from outrider.agent.models.prices import find_window

            self._looked_up = True
            self._limits = self._with_window(find_window(self.name, base_url=self.base_url))
        return self._limits

    @limits.setter
    def limits(self, given: Limits) -> None:
        self._limits, self._looked_up = given, True

    async def reply(self, request: Request) -> Reply:
        """One attempt. A request that was refused unread because of a setting goes out again without it, once each."""
        try:
            return await self._reply(request)
        except (
            ModelFailure
        ) as failure:  # classified on the server's own words; now they are going to be shown and stored
            failure.args = tuple(map(self._masker.text, failure.args))
            failure.what, failure.why, failure.fix = failure.args
            raise

    async def _reply(self, request: Request) -> Reply:
        request = self._pictures.left_out(request) if self.blind else request
        while True:
            stream = request.on_text is not None if self._habits.stream is None else self._habits.stream
            form = self._form(request)
            shown = replace(request, on_text=None) if form else request  # nobody is to watch an envelope
            decoder = self._decoder(shown) if stream else None
            sent = self._settings(request, stream) | form
            answer = await self._send(request, sent, decoder)
            if answer.status == 200:
                if self.on_body:
                    self.on_body(answer.body)
                reply = self._read(answer, decoder, request)
                return _taken_out(reply, request.on_text if stream else None) if form else reply
            if (written := failed_generation(answer.body)) is not None and answer.status == 400:
                return _unread(written, request)
            if self._pictures.refused(answer.status, answer.body, request):
                request = self._pictures.left_out(request)
                continue
            if self._habits.learn(answer.status, _words(answer), sent):
                continue
            if (most := self._leaves(answer, sent)) is not None:
                request = replace(request, max_tokens=most)
                continue
            raise self._refusal(answer, bool(request.tools))

    async def count_bound(self, request: Request, seen: Seen | None) -> int:
        """An upper bound on input tokens: bytes, where the server has not counted."""
        picture = DEAR_PICTURE_TOKENS if "4o-mini" in self.model else PICTURE_TOKENS
        return byte_bound(request, seen, picture) + len(to_bytes(self._form(request)))  # servers put it into the prompt

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    def _decoder(self, request: Request) -> StreamDecoder:
        return StreamDecoder(request.on_text, request.tools, held=self._held)

    def _whole(self, body: bytes, tools: Sequence[ToolSpec]) -> Reply:
        return decode_whole(body, tools)

    def _with_window(self, window: int | None) -> Limits:
        return replace(self._limits, context=window)

    def _settings(self, request: Request, stream: bool) -> dict[str, Any]:
        return self._habits.settings(request.max_tokens, stream)

    def _form(self, request: Request) -> dict[str, Any]:
        """What holds the answer to its schema. Beside tools only where it is known not to keep a model from calling them
        (local servers hold every reply to it), or when the answer was given and only its form was wrong.
        """
        if request.answer_schema is None:
            return {}
        alone = not request.tools or request.answer_now or self._theirs
        if not alone or _FORM in self._habits.dropped | self._habits.extra.keys():
            return {}
        form = form_of(request.answer_schema, strict="strict" not in self._habits.dropped)
        return {_FORM: form} if form else {}

    def _body(self, request: Request, settings: dict[str, Any]) -> bytes:
        """The request's bytes, joined once: at 400 steps every copy of them costs 0.1 ms."""
        tools = b',"tools":' + self._tools.joined(request.tools) if request.tools else b""
        pieces = self._habits.messages.pieces(request.messages)
        pieces[0] = b'{"model":' + to_bytes(self.model) + b',"messages":[' + pieces[0]
        pieces[-1] += b"]" + tools + b"," + to_bytes(settings)[1:]
        return b",".join(pieces)

    async def _send(self, request: Request, settings: dict[str, Any], decoder: StreamDecoder | None) -> HttpResponse:
        body, sink = self._body(request, settings), decoder.feed if decoder else None
        most = MAX_REPLY_BYTES + (STREAM_BYTES_PER_TOKEN * request.max_tokens if decoder else 0)
        post = Post(self.path, self._headers, body, sink, request.timeout_s, most)
        try:
            answer = await self._transport.post(post)
        except TransportError as error:
            raise self._transport_failure(error) from error
        except Repeating:  # the decoder has what was said; the connection is closed
            answer = HttpResponse(200, {"content-type": "text/event-stream"}, b"")
        except BadReply as error:
            raise self._bad_reply(error) from error
        self._reached = True
        return answer

    def _read(self, answer: HttpResponse, decoder: StreamDecoder | None, request: Request) -> Reply:
        try:
            if decoder is not None and answer.headers.get("content-type", "").startswith("text/event-stream"):
                return decoder.reply()
            return self._whole(answer.body, request.tools)
        except BadReply as error:
            raise self._bad_reply(error) from error

    def _leaves(self, answer: HttpResponse, sent: dict[str, Any]) -> int | None:
        """The reply's limit that the window leaves beside this prompt, if the refusal told both and it is worth sending."""
        words, limit = _words(answer), sent.get(self._habits.limit_field)
        if answer.status not in (400, 413, 422) or not is_overflow(words) or not isinstance(limit, int):
            return None
        told = told_by(words)
        if told.window is None or told.prompt is None:
            return None
        self._learn_window(told.window)
        left = told.window - told.prompt - SPARE
        return left if LEAST_LEFT <= left < limit else None

    def _learn_window(self, window: int) -> None:
        if self.limits.context is None or self.limits.context > window:
            self.limits = replace(self.limits, context=window)

    def _refusal(self, answer: HttpResponse, tools_sent: bool) -> ModelFailure:
        failure = errors.from_status(self.endpoint, answer.status, answer.headers, answer.body, tools_sent=tools_sent)
        if isinstance(failure, ContextOverflow) and failure.context:
            self._learn_window(failure.context)
        return failure

    def _bad_reply(self, error: BadReply) -> ModelFailure:
        """A 200 that is no reply: the server did the work, so it may have charged for it."""
        if isinstance(error, ServerSaidError):
            failure = errors.from_body(self.endpoint, str(error), error.body, tools_sent=True)
            if isinstance(failure, ContextOverflow) and failure.context:
                self._learn_window(failure.context)
            if failure is not None:
                return failure
        fix = "it is tried again; if it stays, check that the address speaks the chat-completions API"
        what = f"{self.name} sent something that is not a reply"
        return ModelFailure(what, f"{error} (from {self.base_url})", fix, retryable=True, billed=True)

    def _transport_failure(self, error: TransportError) -> ModelFailure:
        why = f"{errors.short(error.why)} ({self.base_url})"
        if error.stage == "connect":
            fix = (
                "start the server (`ollama serve`, `llama-server -m FILE.gguf`, `vllm serve NAME`) "
                "or set --base-url to where it listens"
            )
            return ModelFailure(f"cannot reach {self.base_url}", why, fix, retryable=self._reached)
        if error.stage == "tls":
            fix = "check the address; for a private certificate authority set SSL_CERT_FILE to its certificate"
            return ModelFailure(f"no secure connection to {self.base_url}", why, fix)
        if error.stage == "size":
            fix = "the server does not keep max_tokens: check it, or use another"
            return ModelFailure(f"the reply of {self.name} is too large", why, fix, retryable=False, billed=True)
        what = (
            f"{self.name} did not answer in time" if error.stage == "timeout" else f"the reply of {self.name} was cut"
        )
        fix = "it is tried again while there is time; if it stays, look at the server's log"
        return ModelFailure(what, why, fix, retryable=True, billed=error.sent)

    def _open_transport(
        self, client: openai.AsyncOpenAI | None, proxy: str | None, tls: ssl.SSLContext | None
    ) -> Transport:
        if client is None and self.base_url == DEFAULT_URL and not self._key:
            raise ModelUnavailable(
                f"no key for {self.name}",
                "OPENAI_API_KEY is not set, and OpenAI answers nobody without one",
                "set OPENAI_API_KEY, or give --base-url of a server that needs none",
            )
        if client is None:
            return HttpTransport(self.base_url, proxy=proxy, tls=tls)
        from outrider.agent.models.openai.sdk_transport import SdkTransport

        return SdkTransport(client)

    def _checked_headers(self, extra: Mapping[str, str], *, own_auth: bool) -> Headers:
        fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        fields |= {"Accept-Encoding": "identity", "User-Agent": f"outrider/{VERSION}"}
        if self._key and own_auth:
            fields["Authorization"] = f"Bearer {self._key}"
        fields |= extra
        for name, value in fields.items():
            if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not re.fullmatch(r"[\x20-\x7e]*", value):
                what = "the API key" if name == "Authorization" else f"the header {errors.short(name, 40)!r}"
                raise UsageError(f"{what} cannot be sent", "it holds characters HTTP does not allow", "copy it again")
        return list(fields.items())


def _words(answer: HttpResponse) -> str:
    return answer.body[:20_000].decode("utf-8", "replace")


def _taken_out(reply: Reply, show: Callable[[str], None] | None) -> Reply:
    """A reply that was asked for in a form, out of its envelope, and shown to whoever watches."""
    reply = unwrapped(reply)
    if show and reply.text.strip() and not reply.flaw:
        show(reply.text)
    return reply


def _unread(written: str, request: Request) -> Reply:
    """The reply of a model whose server could not read it: read here, or flawed and so asked for once more."""
    reply = read_reply(written, tools=request.tools)
    if reply.calls:
        return reply
    return replace(
        reply, text="", flaw=f"the server could not read the model's tool call: {errors.short(written, 200)!r}"
    )

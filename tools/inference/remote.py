"""Runs a model on somebody's server: an inference provider through the hub's router, or an endpoint by its address.
May touch: the network, through the HTTP gateway; the secret HF_TOKEN, where the person gave it and lets it go there.
Does not promise: that a provider keeps what it is sent to itself; that is why a call that sends asks first.

Start reading at `ask_server`. What the hub's own provider takes is plain HTTP (the input as it is, or JSON with
parameters); a provider that serves the model as a chat gets a chat completion. Other providers' own formats are built by
huggingface_hub in a child process, without the token.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from outrider.tools.hub.ask_hub import QUIET, settings_of
from outrider.tools.hub.card import Card, Provider
from outrider.tools.hub.tasks import Task
from outrider.tools.inference.inputs import Given
from outrider.tools.inference.result import Result, Unusable, checked, read_result, short, sniffed
from outrider.tools.net.gateway import fetch, parse
from outrider.tools.net.named_secrets import Filler
from outrider.tools.net.pace import net_of
from outrider.tools.process.deadlines import in_child
from outrider.tools.tool import ToolContext, ToolError

ROUTER = "https://router.huggingface.co"
TOKEN = "HF_TOKEN"  # noqa: S105  # the name of a secret
MOST_BYTES = 20_000_000
SECONDS = 60.0  # for one model; `seconds` of [hub]
_PORTS = {"http": 80, "https": 443}
_PROMPTS = {
    "image-to-text": "Describe this picture in one sentence.",
    "ocr": "Write out the text in this picture, and nothing else.",
    "summarization": "Summarize this text:\n\n{text}",
    "translation": "Translate this text{to}:\n\n{text}",
    "question-answering": "Answer from the text alone.\n\nText:\n{context}\n\nQuestion: {text}",
    "text-classification": "Which label fits this text? Answer with the label alone.\n\n{text}",
    "text-generation": "{text}",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. trusted: the person named the place, so that the token may go there and a private address is allowed."""

    url: str
    body: bytes
    media_type: str
    trusted: bool = True


def seconds_of(ctx: ToolContext) -> float:
    """Seconds one model may take."""
    own = settings_of(ctx).get("seconds")
    most = float(own) if isinstance(own, int | float) and not isinstance(own, bool) and own > 0 else SECONDS
    return max(0.5, min(most, ctx.seconds_left() - 2))


def own_server(ctx: ToolContext) -> str:
    """The person's own inference server ("" for none): `inference` of [hub], or HF_INFERENCE_ENDPOINT."""
    return str(settings_of(ctx).get("inference") or os.environ.get("HF_INFERENCE_ENDPOINT") or "").rstrip("/")


def providers_of(ctx: ToolContext, card: Card) -> tuple[Provider, ...]:
    """Who may be asked for a model: the person's own server for every one, else the providers that serve it now."""
    if own_server(ctx):
        return (Provider("hf-inference", card.id, card.task, True),)
    return tuple(provider for provider in card.providers if provider.live)


async def ask_provider(ctx: ToolContext, task: Task, card: Card, provider: Provider, given: Given) -> Result:
    """The result of one model by one provider. Raises Unusable with the reason it is passed over."""
    base = own_server(ctx) or f"{ROUTER}/hf-inference"
    if provider.name == "hf-inference" and provider.task != "conversational":
        tail = f"/pipeline/{task.tag}" if task.gives == "vectors" else ""
        call = Call(f"{base}/models/{quote(card.id)}{tail}", *_body(task, given))
    elif provider.task == "conversational":
        call = Call(f"{ROUTER}/v1/chat/completions", *_chat(task, given, f"{card.id}:{provider.name}"))
    else:
        call = await _foreign(task, card, provider, given)
    return await _result(ctx, task, call)


async def ask_endpoint(ctx: ToolContext, task: Task, url: str, given: Given) -> Result:
    """The result of the model behind an address: an Inference Endpoint, or a chat-completions server. Raises Unusable."""
    parse(url)
    if url.rstrip("/").endswith("/chat/completions"):
        return await _result(ctx, task, Call(url, *_chat(task, given, "default"), trusted=False))
    return await _result(ctx, task, Call(url, *_body(task, given), trusted=False))


async def _result(ctx: ToolContext, task: Task, call: Call) -> Result:
    got_type, body = await _sent(ctx, call)
    result = read_result(task, got_type, body)
    if not result.url:
        return result
    _, media = await _fetched(ctx, result.url)
    return checked(task, Result(media=media))


async def _sent(ctx: ToolContext, call: Call) -> tuple[str, bytes]:
    """(media type, body) of the answer. Raises Unusable."""
    own = own_server(ctx)
    place = urlsplit(call.url)
    port = place.port or _PORTS.get(place.scheme, 443)
    private = (f"{place.hostname}:{port}",) if call.trusted and own and call.url.startswith(own) else ()
    headers = {"content-type": call.media_type, "accept": "*/*"} | _token(ctx, place.hostname or "", port, call.trusted)
    seconds = seconds_of(ctx)
    try:
        got = await fetch(
            call.url, method="POST", headers=headers, content=call.body, allowed=(*ctx.allowed_hosts, *private),
            max_bytes=MOST_BYTES, deadline_s=seconds, max_redirects=0, net=net_of(ctx.settings),
        )  # fmt: skip
    except ToolError as error:
        late = "in time" in error.what
        raise Unusable(f"too slow: no answer in {seconds:g} s" if late else f"dead: {error.why}") from None
    if got.status != 200:
        raise Unusable(f"{_status(got.status)}: {short(got.text(), 160)}" if got.body else _status(got.status))
    if got.cut:
        raise Unusable(f"its answer is not whole: {got.cut}")
    return got.media_type, got.body


def _status(status: int) -> str:
    known = {
        401: "refused: it wants a token (--secret HF_TOKEN)", 402: "refused: it wants to be paid", 403: "gated or refused",
        404: "dead: nothing serves it", 410: "dead: it is no longer served", 429: "busy", 503: "busy or still loading",
    }  # fmt: skip
    return f"{known.get(status, 'dead' if status >= 500 else 'refused')} (status {status})"


def _token(ctx: ToolContext, host: str, port: int, trusted: bool) -> dict[str, str]:
    """The person's token, by its name: to the hub's router, or where it was bound to. Never to an address a model chose."""
    if not ctx.secret(TOKEN) or (not trusted and TOKEN not in ctx.secret_hosts):
        return {}
    if not trusted and not ctx.secret_hosts.get(TOKEN):
        return {}
    try:
        return {"authorization": Filler(ctx.secret, ctx.secret_hosts, host, port).text("Bearer {{secret:HF_TOKEN}}")}
    except ToolError:  # it is bound to another host: the request goes without it
        return {}


async def _fetched(ctx: ToolContext, url: str) -> tuple[str, bytes]:
    """What lies at an address a provider gave: only at a public one, without the token."""
    try:
        got = await fetch(
            url,
            allowed=ctx.allowed_hosts,
            max_bytes=MOST_BYTES,
            deadline_s=seconds_of(ctx),
            net=net_of(ctx.settings),
        )
    except ToolError as error:
        raise Unusable(f"its result could not be fetched: {error.what}") from None
    if got.status != 200 or got.cut or not sniffed(got.body):
        raise Unusable("its result could not be fetched whole")
    return got.media_type, got.body


# ---- bodies ----------------------------------------------------------------------------------------------------------


def _body(task: Task, given: Given) -> tuple[bytes, str]:
    """(body, media type) as the hub's own inference takes them."""
    if task.takes != "text" and not given.options:
        return given.data, given.media_type
    inputs: Any = given.text if task.takes == "text" else base64.b64encode(given.data).decode()
    if task.name == "question-answering":
        inputs = {"question": given.text, "context": given.context}
    value = {"inputs": inputs} | ({"parameters": dict(given.options)} if given.options else {})
    return json.dumps(value).encode(), "application/json"


def _chat(task: Task, given: Given, model: str) -> tuple[bytes, str]:
    """(body, media type) of a chat completion that does the task. Raises Unusable for one no chat does."""
    prompt = _PROMPTS.get(task.name)
    if prompt is None:
        raise Unusable(f"it is served as a chat, which gives no {task.gives}")
    to = f" into {given.options['tgt_lang']}" if given.options.get("tgt_lang") else ""
    words = prompt.replace("{to}", to).replace("{context}", given.context).replace("{text}", given.text)
    content: Any = words
    if task.takes == "image":
        picture = f"data:{given.media_type};base64,{base64.b64encode(given.data).decode()}"
        content = [{"type": "text", "text": words}, {"type": "image_url", "image_url": {"url": picture}}]
    value = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1024}
    return json.dumps(value).encode(), "application/json"


async def _foreign(task: Task, card: Card, provider: Provider, given: Given) -> Call:
    """The request as another provider takes it, built by huggingface_hub in a child. Raises Unusable."""
    asked = {
        "provider": provider.name, "model": card.id, "provider_model": provider.model, "task": provider.task,
        "text": given.text if task.takes == "text" else "", "data": base64.b64encode(given.data).decode(),
        "parameters": dict(given.options),
    }  # fmt: skip
    done = await in_child(
        "outrider.tools.inference.request_process", stdin=json.dumps(asked).encode(), seconds=20,
        environment={**{k: v for k, v in os.environ.items() if k != TOKEN}, **QUIET}, max_output=64 << 20,
    )  # fmt: skip
    try:
        told: Mapping[str, Any] = json.loads(done.output)
    except ValueError:
        told = {"error": "its request could not be built"}
    if "error" in told:
        raise Unusable(f"{provider.name}: {short(told['error'])}")
    if not str(told["url"]).startswith(f"{ROUTER}/"):  # the token goes to the hub's router alone
        raise Unusable(f"{provider.name} is not behind the hub's router")
    return Call(str(told["url"]), base64.b64decode(told["body"]), str(told["media_type"]))

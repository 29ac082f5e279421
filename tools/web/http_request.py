"""`http_request`: any HTTP request, through the HTTP gateway (net/gateway.py).
May touch: the network, where the gateway lets it; secrets the person named, filled in here and never shown.
Does not promise: that a server forgets what it is sent; that is why everything but looking up asks first.

A request only reads when it is a GET or HEAD without a body and without a secret: `{{secret:NAME}}` in an address
sends the secret to whoever the address belongs to, and a model may have been told that address by a web page.
What answers is masked (memory/redaction) like everything a tool gives, should it repeat the secret.
"""

from __future__ import annotations

import json as json_module
import re
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BeforeValidator

from outrider.memory.events import Effect
from outrider.memory.text import for_storage
from outrider.tools.net.gateway import Fetched, fetch, parse, proxy_of
from outrider.tools.net.named_secrets import Filler, names_in
from outrider.tools.tool import Arguments, ToolContext, ToolError, tool

MAX_BODY = 1_000_000  # bytes of an answer
SENT = 1_000_000  # bytes of a request's body
_PORTS = {"http": 80, "https": 443}
SHOWN_HEADERS = ("content-type", "content-length", "location", "retry-after", "etag", "last-modified", "link")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")

Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Method = Annotated[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], Upper]


def effect_of(arguments: Arguments) -> Effect:
    """`read` for a GET or HEAD that carries nothing, else `network`: something is sent out."""
    carries = arguments.get("body") or arguments.get("json") is not None
    looks_up = str(arguments.get("method", "GET")).upper() in ("GET", "HEAD")
    return "read" if looks_up and not carries and not names_in(arguments) else "network"


with warnings.catch_warnings():  # a parameter called "json" hides a deprecated method of the schema's class: intended
    warnings.simplefilter("ignore", UserWarning)

    @tool(effect=effect_of, origin="untrusted", timeout_s=60)
    async def http_request(
        url: str,
        ctx: ToolContext,
        method: Method = "GET",
        headers: dict[str, str] | None = None,
        body: str = "",
        json: Any = None,
    ) -> str:
        """Send an HTTP request to a web API; gives the status, a few headers and the body.

        url: the full address, starting with http:// or https://
        method: GET and HEAD look up; the others send something and may need approval
        headers: more headers; a secret is written {{secret:NAME}} and filled in on the way out
        body: text to send
        json: a value to send as JSON, instead of body
        """
        address = parse(_without_names(url))
        filler = Filler(ctx.secret, ctx.secret_hosts, address.host, address.port or _PORTS[address.scheme])
        content, wanted = _content(body, json, filler), _headers(headers or {}, filler)
        if json is not None:
            wanted.setdefault("content-type", "application/json")
        elif body:
            wanted.setdefault("content-type", "text/plain; charset=utf-8")
        full = filler.text(url.strip(), lambda value: quote(value, safe=""))
        if parse(full).host != address.host:
            raise ToolError(
                "a secret in the name of a host is refused",
                "every name server on the way would read it",
                "put it into a header",
            )
        got = await fetch(
            full, method=method, headers=wanted, content=content,
            allowed=ctx.allowed_hosts, proxy=proxy_of(ctx.settings), max_bytes=MAX_BODY, deadline_s=max(1.0, min(40.0, ctx.seconds_left() - 1)),
        )  # fmt: skip
        return _shown(got)


def _without_names(url: str) -> str:
    """The address with a letter for each `{{secret:NAME}}`: its host is known before a value is looked up."""
    return Filler(lambda name: "x", {}, "", 0).text(url.strip())


def _headers(headers: Mapping[str, str], filler: Filler) -> dict[str, str]:
    made = {}
    for name, text in headers.items():
        value = filler.text(text).strip()
        if not _HEADER.fullmatch(name.strip()) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise ToolError(
                f"{name[:100]!r} is not a header",
                "its name or value holds a character that is not allowed",
                "use letters, digits and -; one line",
            )
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise ToolError(
                f"the header {name} cannot be sent", "its value is not plain text", "leave out special characters"
            ) from None
        made[name.strip().lower()] = value
    return made


def _content(body: str, json: Any, filler: Filler) -> bytes | None:
    if body and json is not None:
        raise ToolError("the request has two bodies", "both body and json were given", "give one of them")
    if json is None and not body:
        return None
    text = json_module.dumps(filler.value(json), ensure_ascii=False) if json is not None else filler.text(body)
    data = text.encode("utf-8", "replace")
    if len(data) > SENT:
        raise ToolError("the body is too large to send", f"{len(data):,} bytes are over {SENT:,}", "send less")
    return data


def _shown(got: Fetched) -> str:
    lines = [f"status {got.status}", *(f"moved to {address}" for address in got.redirects[-1:])]
    lines += [f"{name}: {got.headers[name][:500]}" for name in SHOWN_HEADERS if name in got.headers]
    lines += [f"(cut: {got.cut})"] if got.cut else []
    return for_storage("\n".join(lines) + "\n\n" + _body(got)).rstrip()


def _body(got: Fetched) -> str:
    if not got.body:
        return "(no body)"
    text = got.text()
    if "json" in got.media_type and not got.cut:
        try:
            return json_module.dumps(json_module.loads(text), indent=1, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    if b"\0" in got.body[:4096] or text[:1000].count("\ufffd") > 100:
        return f"({len(got.body):,} bytes of {got.media_type or 'binary data'}, not shown)"
    return text

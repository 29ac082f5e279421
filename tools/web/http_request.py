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
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BeforeValidator

from outrider.memory.events import Effect
from outrider.tools.net.gateway import Fetched, fetch, parse
from outrider.tools.net.named_secrets import Filler, names_in
from outrider.tools.net.pace import net_of
from outrider.tools.tool import Arguments, ToolContext, ToolError, tool
from outrider.tools.web.answer_text import shown_answer
from outrider.tools.web.paging import joined, next_address, same_place
from outrider.tools.web.request_body import request_body

MAX_BODY = 1_000_000  # bytes of an answer
MAX_SHAPED = 10_000_000  # of one that `shape` picks from
MAX_SHAPE = 2000  # characters
MAX_PAGES = 20
TIME_S = 40.0
_PORTS = {"http": 80, "https": 443}
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")

Upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
Method = Annotated[Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], Upper]


def effect_of(arguments: Arguments) -> Effect:
    """`read` for a GET or HEAD that carries nothing, else `network`: something is sent out."""
    carries = any(arguments.get(part) for part in ("body", "form", "files")) or arguments.get("json") is not None
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
        form: dict[str, str] | None = None,
        files: dict[str, str] | None = None,
        pages: int = 1,
        shape: str = "",
    ) -> str:
        """Send an HTTP request to a web API; gives the status, a few headers and the body.

        url: the full address, starting with http:// or https://
        method: GET and HEAD look up; the others send something and may need approval
        headers: more headers; a secret is written {{secret:NAME}} and filled in on the way out
        body: text to send
        json: a value to send as JSON, instead of body
        form: fields of a form to send, instead of body
        files: files of the workspace to send with the form, as {field: path}
        pages: how many pages to follow and join, 1 to 20
        shape: a JMESPath expression that picks what is wanted of a JSON answer, such as "items[].name"
        """
        address = parse(_without_names(url))
        filler = Filler(ctx.secret, ctx.secret_hosts, address.host, address.port or _PORTS[address.scheme])
        content, kind = request_body(ctx, filler, body, json, form or {}, files or {})
        wanted = _headers(headers or {}, filler)
        wanted |= {"content-type": kind} if kind and "content-type" not in wanted else {}
        wish = _Wish(max(1, min(pages, MAX_PAGES)), _expression(shape))
        full = _filled_in(url, filler, address.host)
        ends = time.monotonic() + max(1.0, min(TIME_S, ctx.seconds_left() - 1))

        async def ask(address: str) -> Fetched:
            return await fetch(
                address, method=method, headers=wanted, content=content, allowed=ctx.allowed_hosts, net=net_of(ctx.settings),
                max_bytes=MAX_SHAPED if wish.shape else MAX_BODY, deadline_s=max(0.5, ends - time.monotonic()),
            )  # fmt: skip

        return await _answered(ask, full, wish, ends)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is wanted of an answer: how many pages, and a compiled JMESPath expression or None."""

    pages: int
    shape: Any


def _expression(text: str) -> Any:
    if not text.strip():
        return None
    import jmespath

    try:
        return jmespath.compile(text[:MAX_SHAPE])
    except jmespath.exceptions.JMESPathError as error:
        why = " ".join(str(error).split())[:300]
        raise ToolError("shape is not a JMESPath expression", why, 'write for example "items[].{name: name}"') from None


async def _answered(ask: Callable[[str], Awaitable[Fetched]], url: str, wish: _Wish, ends: float) -> str:
    """The first answer, or the pages that follow it in one, in the shape that was asked for."""
    got = await ask(url)
    value = _json(got)
    if (wish.pages == 1 and wish.shape is None) or not 200 <= got.status < 300:
        return shown_answer(got)
    if value is _NO_JSON:
        why = f"cut: {got.cut}" if got.cut else f"it is {got.media_type or 'without a type'}, not JSON"
        return shown_answer(got, f"pages and shape need a whole JSON answer; {why}")
    values, note, at = [value], "", got
    while len(values) < wish.pages:
        address, found_by = next_address(at.url, at.headers, values[-1])
        note = _why_no_more(address, at.url, len(values), ends)
        if note:
            break
        at = await ask(address)
        value = _json(at)
        if at.status != 200 or value is _NO_JSON:
            note = f"the page after these answered with status {at.status}"
            break
        values.append(value)
        note = f"followed by {found_by}"
    whole = joined(values) if len(values) > 1 else values[0]
    notes = f"{len(values)} page{'' if len(values) == 1 else 's'}; {note}" if wish.pages > 1 else ""
    return shown_answer(got, notes, _shaped(whole, wish.shape))


def _why_no_more(address: str, url: str, count: int, ends: float) -> str:
    """Why the next page is not asked for, "" if it is."""
    if not address:
        return "the answer names no next page" if count == 1 else "that is all"
    if not same_place(address, url):
        return f"the next page is on another server: {address[:300]}"
    if address == url:
        return "the next page is this very page"
    return "the time is over; there are more" if time.monotonic() > ends - 1 else ""


def _shaped(value: Any, shape: Any) -> str:
    if shape is None:
        return json_module.dumps(value, indent=1, ensure_ascii=False)
    import jmespath

    try:
        found = shape.search(value)
    except (jmespath.exceptions.JMESPathError, RecursionError, TypeError, ValueError) as error:
        why = " ".join(str(error).split())[:300]
        raise ToolError("shape does not fit the answer", why, "ask without shape to see the answer") from None
    if found is None or found == []:
        keys = f"; the answer has {', '.join(list(value)[:20])}" if isinstance(value, dict) else ""
        return f"(shape picks nothing{keys})"
    return found if isinstance(found, str) else json_module.dumps(found, indent=1, ensure_ascii=False)


_NO_JSON: Any = object()


def _json(got: Fetched) -> Any:
    """The answer's value, or _NO_JSON."""
    if got.cut or not got.body:
        return _NO_JSON
    try:
        return json_module.loads(got.text())
    except (ValueError, RecursionError):
        return _NO_JSON


def _filled_in(url: str, filler: Filler, host: str) -> str:
    """The address with its secrets. Raises ToolError for one in the name of the host."""
    full = filler.text(url.strip(), lambda value: quote(value, safe=""))
    if parse(full).host != host:
        why = "every name server on the way would read it"
        raise ToolError("a secret in the name of a host is refused", why, "put it into a header")
    return full


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

"""What a provider's refusal means: an HTTP status and a body become one ModelFailure with something to do about it.
Touches nothing. Shared by the providers that speak over a network.
Does not promise: that a server's own words are true; they are shown short, without control codes, as its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outrider.agent.models.chat.limits import is_overflow, never_fits, told_by, wait_told_s
from outrider.agent.models.model import ContextOverflow, ModelFailure
from outrider.memory.text import for_storage

_NO_TOOLS = re.compile(
    r"(?:support|require|enable)\w*\b.{0,60}\b(?:tool|function)|(?:tool|function)s?\b.{0,60}\b(?:support|require|enable)",
    re.I | re.S,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who was asked: `name` as the user wrote it, `url` of the server, `key_from`: where the key came from ("" = none sent)."""

    name: str
    url: str
    key_from: str = ""


def short(text: str, limit: int = 300) -> str:
    """One printable line of at most `limit` characters: other people's words, fit for an error message."""
    line = " ".join(for_storage(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def server_message(body: bytes) -> str:
    """The error message in a body, whichever of the usual shapes it has; else the body itself, in short."""
    try:
        data = json.loads(body[:100_000])
    except (ValueError, RecursionError):
        return short(body[:2000].decode("utf-8", "replace"))
    return short(error_text(data) or json.dumps(data))


def error_text(data: Any) -> str:
    """The message inside decoded JSON that reports an error ("" if it reports none)."""
    if isinstance(data, list) and data:
        return error_text(data[0])
    if not isinstance(data, dict):
        return ""
    error = data.get("error") or data.get("detail") or (data.get("message") if data.get("object") == "error" else "")
    if isinstance(error, dict):
        parts = [error.get(key) for key in ("message", "code", "type", "param")]
        return " · ".join(str(p) for p in parts if p not in (None, "")) or json.dumps(error)
    return error if isinstance(error, str) else (json.dumps(error) if error else "")


def overflow(endpoint: Endpoint, why: str, raw: str = "") -> ContextOverflow:
    """The failure for a request that is too long; reads the window from the server's words (`raw`: all of them)."""
    return ContextOverflow(
        f"the request is longer than {endpoint.name} takes",
        why,
        "set --max-context to the model's window so that older steps are summarised in time, or use a model with a larger one",
        context=told_by(f"{why} {raw}").window,
    )


def from_status(
    endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes, *, tools_sent: bool
) -> ModelFailure:
    """The failure for an HTTP answer other than 200."""
    words, raw = server_message(body), body[:20_000].decode("utf-8", "replace")
    why = f"HTTP {status} from {endpoint.url}: {words or 'no reason given'}"
    wait_s = wait_told_s(headers, raw)
    again = headers.get("x-should-retry", "") != "false"
    if status == 413 or (status in (400, 422, 500) and is_overflow(raw)) or (status == 429 and never_fits(raw)):
        return overflow(endpoint, why, raw)
    if refusal := _refused_key(endpoint, status, why, words):
        return refusal
    if tools_sent and status in (400, 404, 422, 500, 501) and _NO_TOOLS.search(words):
        return _no_tools(endpoint, why)
    if status == 429 or (status == 402 and wait_s is not None):
        return _limited(endpoint, why, words, wait_s, again)
    if status >= 500 or status in (408, 409, 425):
        fix = "try again in a while; if it stays, look at the server's own log"
        what = f"{endpoint.name} failed on the server's side"
        return ModelFailure(what, why, fix, retryable=again, billed=status >= 500, retry_after_s=wait_s)
    return _refused(endpoint, status, headers, why, words)


def _limited(endpoint: Endpoint, why: str, words: str, wait_s: float | None, again: bool) -> ModelFailure:
    spent = re.search(r"insufficient_quota|exceeded your current quota|billing", words, re.I)
    if spent and (wait_s is None or "insufficient_quota" in words):
        return ModelFailure(
            f"no credit left for {endpoint.name}", why, "add credit at the provider, or use another model"
        )
    fix = "wait, run fewer at once, or ask the provider for a higher limit"
    return ModelFailure(f"{endpoint.name} is rate limited", why, fix, retryable=again, retry_after_s=wait_s)


def _no_tools(endpoint: Endpoint, why: str) -> ModelFailure:
    return ModelFailure(
        f"{endpoint.name} cannot call tools on this server",
        why,
        "use a model made for tool calls, or switch them on in the server "
        "(vLLM: --enable-auto-tool-choice --tool-call-parser …; llama-server: --jinja)",
    )


def _refused(endpoint: Endpoint, status: int, headers: Mapping[str, str], why: str, words: str) -> ModelFailure:
    if status == 404 or "model_not_found" in words:
        fix = (
            f'check the model\'s name ("{endpoint.name.partition(":")[2]}"; `outrider models` lists what was found) '
            f"and the address ({endpoint.url}: most servers want it to end in /v1)"
        )
        return ModelFailure(f"{endpoint.name} was not found", why, fix)
    if 300 <= status < 400:
        where = short(headers.get("location", "elsewhere"), 200)
        fix = f"set --base-url to the address it moved to ({where})"
        return ModelFailure(f"{endpoint.url} answered with a redirect", why, fix)
    fix = "the request does not fit this server: check --base-url, the model's name and any extra body settings"
    return ModelFailure(f"{endpoint.name} refused the request", why, fix, maybe_long=status in (400, 422))


_BAD_KEY = re.compile(
    r"invalid_api_key|incorrect api key|invalid api key|api key not valid|authentication_error|unauthorized", re.I
)


def _refused_key(endpoint: Endpoint, status: int, why: str, words: str) -> ModelFailure | None:
    """The failure for a key that is not taken, whatever the status says."""
    if status not in (401, 403) and not (status < 500 and status != 429 and _BAD_KEY.search(words)):
        return None
    key = f"the key from {endpoint.key_from}" if endpoint.key_from else "no key was sent: OPENAI_API_KEY or --api-key"
    return ModelFailure(f"{endpoint.url} refused access to {endpoint.name}", why, f"check {key}, and what it may use")


def from_body(endpoint: Endpoint, words: str, body: bytes, *, tools_sent: bool) -> ModelFailure | None:
    """The failure for an error that came inside a 200, where its code or its words say what it is; None: they do not."""
    try:
        data = json.loads(body)
        error = data[0] if isinstance(data, list) and data else data
        error = error.get("error", error) if isinstance(error, dict) else {}
        code = error.get("code") if isinstance(error, dict) else None
    except (ValueError, RecursionError, AttributeError):
        code = None
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600:
        return from_status(endpoint, code, {}, body, tools_sent=tools_sent)
    why = f"from {endpoint.url}: {words}"
    if is_overflow(words):
        return overflow(endpoint, why)
    if _BAD_KEY.search(words):
        return _refused_key(endpoint, 401, why, words)
    if re.search(r"rate.?limit|too many requests", words, re.I):
        return _limited(endpoint, why, words, wait_told_s({}, words), again=True)
    return None

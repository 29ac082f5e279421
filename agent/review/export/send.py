"""Sends a run's spans to an OpenTelemetry collector: OTLP over HTTP, JSON, to the one address that the person named.
Touches the network through the gateway; reads OTEL_EXPORTER_OTLP_HEADERS. Does not promise: that a collector keeps what it took.
"""

from __future__ import annotations

import asyncio
import json
import os
from urllib.parse import unquote, urlsplit

from outrider.agent.review.export.otel import requests
from outrider.agent.review.lines import one_line
from outrider.memory.errors import OutriderError, UsageError
from outrider.memory.journal import Journal

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"  # as every exporter reads it: name=value, parted by commas
DEADLINE_S = 30.0


class NotTaken(OutriderError):
    """The collector could not be reached, or did not take the spans."""

    exit_code = 5


def send(journal: Journal, address: str) -> int:
    """Send every span of a run; returns how many. Sending again gives the same ids. Raises UsageError, NotTaken."""
    url = _traces(address)
    return asyncio.run(_send(journal, url))


def _traces(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        why = "" if parts.scheme in ("http", "https") and parts.hostname else "it is no URL of a web server"
        why = "there is no port 0" if parts.port == 0 else why
    except ValueError as error:  # a port that is no number or too large, half an IPv6 address
        why = str(error)
    if why:
        raise UsageError(
            f"{address[:100]!r} is not the address of a collector", why, "for example http://localhost:4318"
        )
    return parts._replace(path=parts.path if parts.path.strip("/") else "/v1/traces").geturl()


async def _send(journal: Journal, url: str) -> int:
    from outrider.tools.net.gateway import fetch
    from outrider.tools.tool import ToolError

    sent, host = 0, urlsplit(url).netloc.rpartition("@")[2]
    for body, count in requests(journal):
        try:
            answer = await fetch(
                url, method="POST", headers=_headers(), content=body.encode(), allowed=(host, host.partition(":")[0]),
                deadline_s=DEADLINE_S,
            )  # fmt: skip
        except ToolError as error:
            raise NotTaken(
                f"{sent} spans were sent, the rest not: {error.what}", error.why, "start the collector, or check --to"
            ) from None
        _check(answer.status, answer.body, sent)
        sent += count
    return sent


def _check(status: int, body: bytes, sent: int) -> None:
    """Raises NotTaken for an answer that does not take every span."""
    said = one_line(body[:2000].decode("utf-8", "replace"), 400)
    if not 200 <= status < 300:
        raise NotTaken(
            f"the collector answered {status}; {sent} spans were sent before",
            said or "it did not say why",
            "check --to and its settings",
        )
    refused, why = _refused(body)
    if refused:
        raise NotTaken(f"the collector refused {refused[:40]} spans", why or "it did not say why", "see its log")


def _refused(body: bytes) -> tuple[str, str]:
    """How many spans a collector says it did not take ("": none), and why. An answer that is not OTLP's says nothing of
    it: then the status says that it took them. A number stands there as text, or as a number.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    partial = answer.get("partialSuccess") if isinstance(answer, dict) else None
    if not isinstance(partial, dict):
        return "", ""
    refused = partial.get("rejectedSpans") or 0
    number = str(refused).strip() if isinstance(refused, int | float | str) else "an unknown number of"
    why = one_line(str(partial.get("errorMessage") or ""), 400)
    return ("" if number.strip("0.") == "" else number), why


def _headers() -> dict[str, str]:
    pairs = (one.partition("=") for one in os.environ.get(HEADERS, "").split(",") if "=" in one)
    own = {unquote(name.strip()): unquote(value.strip()) for name, _, value in pairs}
    return {"content-type": "application/json", **own}

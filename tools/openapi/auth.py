"""How a call proves who it is: bearer, basic, a key in a header, the query or a cookie, or OAuth2 client credentials.
May touch: the network for an OAuth2 token, through the gateway. The secret's value comes from the run, by name.
Does not promise: OAuth2 flows that need a person; a token got elsewhere works as a bearer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from outrider.tools.net.gateway import fetch, parse
from outrider.tools.net.named_secrets import Filler
from outrider.tools.net.pace import net_of
from outrider.tools.openapi.request import Request
from outrider.tools.tool import ToolContext, ToolError

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Auth:
    """secret: the name of a secret, "" for none. kind: bearer, basic, header, query, cookie or oauth2. name: of the key."""

    secret: str = ""
    kind: str = "bearer"
    name: str = ""
    token_url: str = ""


def auth_of(security: Mapping[str, Any], secret: str) -> Auth:
    """The first scheme of a document that one secret is enough for; a bearer token where it names none."""
    if not secret:
        return Auth()
    found = [auth for scheme in security.values() if (auth := _scheme(scheme, secret))]
    ranked = sorted(found, key=lambda one: ("bearer", "header", "query", "cookie", "basic", "oauth2").index(one.kind))
    return ranked[0] if ranked else Auth(secret)


def _scheme(scheme: Mapping[str, Any], secret: str) -> Auth | None:
    kind = str(scheme.get("type", "")).lower()
    if kind == "basic" or (kind == "http" and str(scheme.get("scheme", "")).lower() == "basic"):
        return Auth(secret, "basic")
    if kind in ("http", "openidconnect"):
        return Auth(secret, "bearer")
    if kind == "apikey" and scheme.get("in") in ("header", "query", "cookie"):
        return Auth(secret, str(scheme["in"]), str(scheme.get("name", "")))
    if kind == "oauth2":
        flows = scheme.get("flows")
        flow = flows.get("clientCredentials") if isinstance(flows, dict) else None
        token_url = flow.get("tokenUrl") if isinstance(flow, dict) else None
        if scheme.get("flow") == "application":
            token_url = scheme.get("tokenUrl")
        return Auth(secret, "oauth2", token_url=str(token_url)) if token_url else Auth(secret, "bearer")
    return None


async def signed(request: Request, auth: Auth, context: ToolContext) -> Request:
    """The request with the secret in its place. Raises ToolError where there is none, or it may not go there."""
    if not auth.secret:
        return request
    value = _value(auth, request.url, context)
    if auth.kind == "query":
        joiner = "&" if "?" in request.url else "?"
        return replace(request, url=f"{request.url}{joiner}{quote(auth.name, safe='')}={quote(value, safe='')}")
    if auth.kind == "cookie":
        cookie = "; ".join(filter(None, (request.headers.get("Cookie", ""), f"{auth.name}={quote(value, safe='')}")))
        return replace(request, headers=request.headers | {"Cookie": cookie})
    if auth.kind == "header":
        return replace(request, headers=request.headers | {auth.name: value})
    if auth.kind == "basic":
        pair = value if ":" in value else f"{value}:"
        context.hide(auth.secret, pair.partition(":")[2])
        return replace(
            request, headers=request.headers | {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        )
    if auth.kind == "oauth2":
        value = await _token(auth, value, context)
    return replace(request, headers=request.headers | {"Authorization": f"Bearer {value}"})


def _value(auth: Auth, url: str, context: ToolContext) -> str:
    address = parse(url)
    port = address.port or _PORTS[address.scheme]
    return Filler(context.secret, context.secret_hosts, address.host, port).text(f"{{{{secret:{auth.secret}}}}}")


async def _token(auth: Auth, value: str, context: ToolContext) -> str:
    """An access token for "client id:client secret", asked for once a run."""
    kept = context.scratch.setdefault("openapi_tokens", {})
    if auth.token_url in kept:
        return str(kept[auth.token_url])
    client, _, key = value.partition(":")
    if not key:
        raise ToolError(
            f"the secret {auth.secret} does not fit", "OAuth2 needs two parts", 'set it to "client id:client secret"'
        )
    _value(auth, auth.token_url, context)  # whether the secret may go to that host
    basic = base64.b64encode(f"{quote(client, safe='')}:{quote(key, safe='')}".encode()).decode()
    for part in (key, basic):  # an answer may repeat either, without the other half
        context.hide(auth.secret, part)
    got = await fetch(
        auth.token_url, method="POST", content=urlencode({"grant_type": "client_credentials"}).encode(),
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        allowed=context.allowed_hosts, net=net_of(context.settings), max_bytes=100_000,
    )  # fmt: skip
    try:
        token = str(json.loads(got.text())["access_token"])
    except (ValueError, KeyError, TypeError):
        why = f"the token server answered with status {got.status}"
        raise ToolError("no access token was given", why, f"check the secret {auth.secret}") from None
    context.hide(f"{auth.secret}_ACCESS", token)
    kept[auth.token_url] = token
    return token

"""Fuzzing for a while: `python -m tests.trust.fuzz [seconds]` throws random input at what reads foreign text.
No crash (an error of ours is no crash), no hang: each example has a second. Prints one line a target; exit code 1 for a find.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from outrider.agent.models.chat.decode import BadReply, StreamDecoder
from outrider.memory.errors import OutriderError
from outrider.memory.events import KINDS, decode
from outrider.memory.redaction import Masker
from outrider.tools.builtin import built_in
from outrider.tools.net.gateway import Fetched
from outrider.tools.net.robots import read_rules
from outrider.tools.openapi.api_tools import read_api
from outrider.tools.policy import Policy
from outrider.tools.policy.reach import reach_of
from outrider.tools.policy.two import Flags
from outrider.tools.tool import ToolError
from outrider.tools.toolbox import Toolbox

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(
    [
        "allow",
        "ask",
        "deny",
        "read",
        "network",
        "http_request",
        "*",
        "127.0.0.1:80",
        "[::1]:443",
        "../x",
        "{{secret:A}}",
        "",
    ]
)
NAMES = ("read_file", "http_request", "read_page", "write_file", "web_search", "python", "table", "recall")
BOX = Toolbox([built_in(name) for name in NAMES])


@given(st.sampled_from([*sorted(KINDS), "later"]), st.text(max_size=300) | JSON.map(lambda value: json.dumps(value)))
def events(kind: str, body: str) -> None:
    """A stored row of any kind with any body reads back as an event."""
    decode(kind, body)


@given(JSON | st.dictionaries(st.sampled_from(["read", "tools", "rules", "send_to", "x"]), JSON | WORDS | st.lists(st.dictionaries(
    st.sampled_from(["decision", "tool", "host", "path", "effect", "secret", "usd_over", "y"]), WORDS | JSON, max_size=5), max_size=3), max_size=4),
    st.sampled_from(NAMES), st.dictionaries(st.sampled_from(["url", "path", "query"]), st.text(max_size=60) | WORDS, max_size=3), st.text(max_size=80))  # fmt: skip
def policies(policy: Any, name: str, arguments: dict[str, Any], goal: str) -> None:
    """Any table is a policy or a usage error; any call gets a decision."""
    tool = BOX.tools[name]
    reach = reach_of(tool, tool.effect_of(arguments), arguments)
    flags = Flags(goal=goal)
    flags.read_private("x", goal, ("y",))
    flags.why_ask(reach, arguments)
    if isinstance(policy, dict):
        made = Policy.of(policy)
        assert made.decide(reach)[0] in ("allow", "ask", "deny")
        assert Policy.of(made.as_json()) == made


@given(st.sampled_from([*NAMES, "nothing"]), st.text(max_size=200) | JSON.map(lambda value: json.dumps(value)))
def arguments(name: str, text: str) -> None:
    """Whatever a model writes as arguments is a call or a clear error."""
    BOX.prepare(name, text)


@given(st.text(min_size=8, max_size=40), st.text(max_size=200))
def masks(value: str, text: str) -> None:
    """Masking ends, is idempotent, and leaves no value."""
    masker = Masker({"A": value})
    once = masker.text(text + value)
    assert len(value.strip()) < 8 or value in "{{secret:A}}" or value not in once


@given(
    st.lists(
        st.binary(max_size=60) | JSON.map(lambda value: b"data: " + json.dumps(value).encode() + b"\n\n"), max_size=8
    )
)
def streams(pieces: list[bytes]) -> None:
    """Server-sent events of any bytes, cut anywhere, are a reply or a bad reply."""
    decoder = StreamDecoder(lambda text: None)
    for piece in pieces:
        decoder.feed(piece)
    decoder.reply()


KEYS = st.sampled_from(
    ["openapi", "swagger", "info", "title", "servers", "url", "paths", "/a/{b}", "get", "post", "parameters", "name", "in", "schema", "type",
     "properties", "items", "$ref", "requestBody", "content", "application/json", "multipart/form-data", "components", "schemas", "enum", "allOf",
     "oneOf", "required", "style", "explode", "security", "securitySchemes", "operationId", "description", "default", "additionalProperties", "x"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["3.0.0", "3.1.0", "2.0", "path", "query", "header", "cookie", "body", "formData", "object", "array", "string", "integer", "b", "#/paths",
     "#/components/schemas/x", "#", "http://127.0.0.1/", "/v1", "{x}", "deepObject", "<|im_end|>", "\u202e”", True, [], {}]
)  # fmt: skip
TREE = st.recursive(
    VALUES | st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=8), inner, max_size=5),
    max_leaves=25,
)


def _document(operation: Any, more: dict[str, Any]) -> str:
    """An OpenAPI document around a random operation, and random parts over it."""
    paths = {"/a/{b}": {"get": operation, "post": {"requestBody": operation, "parameters": operation}}}
    whole = {"openapi": "3.0.0", "info": {"title": "x"}, "servers": [{"url": "https://e.org"}], "paths": paths}
    return json.dumps(whole | more)


@given(TREE, st.dictionaries(KEYS, TREE, max_size=3), JSON, st.integers(0, 400))
def apis(operation: Any, more: dict[str, Any], given_arguments: Any, cut: int) -> None:
    """Any document is tools, or a clear error; any arguments of them fit or are refused; what is shown of it is bounded."""
    text = _document(operation, more)
    for document in (text, text[:cut], json.dumps(operation)):
        try:
            api = read_api(document, "fuzzed")
        except OutriderError:
            continue
        for tool in api.tools:
            assert len(tool.description) < 1000
            assert "<|im_end|>" not in tool.description
            try:
                tool.check(given_arguments if isinstance(given_arguments, dict) else {"b": given_arguments})
            except ToolError:
                continue


@given(st.binary(max_size=400) | st.lists(st.sampled_from(
    [b"User-agent: *\n", b"Disallow: /", b"Allow: /*a$\n", b"\r\n", b"\xef\xbb\xbf", b"Crawl-delay: x\n", b"%ff", b"\0"]), max_size=20).map(b"".join),
    st.text(max_size=30))  # fmt: skip
def robots(body: bytes, path: str) -> None:
    """Any robots.txt allows or refuses any address."""
    rules = read_rules(Fetched("http://h/robots.txt", 200, {}, body))
    assert isinstance(rules, str) or rules.can_fetch(f"http://h/{path}", "outrider") in (True, False)


TARGETS: tuple[Callable[[], None], ...] = (events, policies, arguments, masks, streams, apis, robots)


def main(seconds: float) -> int:
    """Run every target for `seconds`; returns the exit code."""
    worst = 0
    for target in TARGETS:
        ends, rounds = time.monotonic() + seconds, 0
        inner = target.hypothesis.inner_test  # type: ignore[attr-defined]

        def forgiving(*args: Any, inner: Callable[..., None] = inner, **named: Any) -> None:
            try:
                inner(*args, **named)
            except (OutriderError, BadReply):
                return

        target.hypothesis.inner_test = forgiving  # type: ignore[attr-defined]
        fuzz = settings(
            max_examples=500,
            deadline=1000,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )(target)
        try:
            while time.monotonic() < ends:
                fuzz()
                rounds += 1
            sys.stdout.write(f"{target.__name__}: {rounds * 500:,} examples, nothing found\n")
        except Exception as error:
            worst = 1
            sys.stdout.write(f"{target.__name__}: {type(error).__name__}: {error}\n")
    return worst


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))

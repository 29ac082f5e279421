"""The second half of shapes.py: streams, errors, windows and bills, as bytes on the wire. Touches nothing."""

from __future__ import annotations

import json
from typing import Any

from tests.servers.shapes import KEY, A, B, Said, Shape

SSE = {"Content-Type": "text/event-stream"}


def event(delta: Any, finish: str | None = None, **more: Any) -> str:
    """One event of a stream."""
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish}], **more})}\n\n"


def call(arguments: str, name: str = "ping", **more: Any) -> Said:
    """One call of a delta."""
    return {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def _stream(name: str, body: str | bytes, *ran: str, answer: str = "done", **more: Any) -> Shape:
    return Shape("stream", name, ({"status": 200, "headers": SSE, "body": body},), ran, answer, stream=True, **more)


END, DONE = event({}, "stop"), "data: [DONE]\n\n"
CALLED = event({}, "tool_calls")
HI = event({"content": "hi "}) + event({"content": "there"})
_FULL = {"index": 0, "message": {"role": "assistant", "content": "hi there"}, "delta": {}, "finish_reason": "stop"}
STREAMS = (
    _stream("Windows line ends", (HI + END + DONE).replace("\n", "\r\n"), answer="hi there"),
    _stream("no space behind data:", (HI + END + DONE).replace("data: ", "data:"), answer="hi there"),
    _stream("comments between", ": OPENROUTER PROCESSING\n\n" + HI + ": ping\n\n" + END + DONE, answer="hi there"),
    _stream(
        "names and numbers of events",
        "".join(f"event: message\nid: {n}\n{e}" for n, e in enumerate([HI, END, DONE])),
        answer="hi there",
    ),
    _stream(
        "an event over two data lines",
        'data: {"choices": [{"index": 0, "delta": {"content":\ndata: "hi there"}, "finish_reason": "stop"}]}\n\n'
        + DONE,
        answer="hi there",
    ),
    _stream("no [DONE]", HI + END, answer="hi there"),
    _stream("no finish reason", HI + DONE, answer="hi there"),
    _stream("no blank line at the end", (HI + END).rstrip("\n"), answer="hi there"),
    _stream("byte-order mark first", "\ufeff" + HI + END + DONE, answer="hi there"),
    _stream(
        "no choices first (Azure)",
        'data: {"choices": [], "prompt_filter_results": []}\n\n' + HI + END + DONE,
        answer="hi there",
    ),
    _stream("delta null", event(None) + HI + event(None, "stop") + DONE, answer="hi there"),
    _stream(
        "finish reason with the last word",
        event({"content": "hi "}) + event({"content": "there"}, "stop") + DONE,
        answer="hi there",
    ),
    _stream(
        "whole message behind the pieces (Perplexity)",
        HI + f"data: {json.dumps({'choices': [_FULL]})}\n\n" + DONE,
        answer="hi there",
    ),
    _stream(
        "whole message beside each piece",
        event({"content": "hi "}).replace('"delta"', '"message": {"content": "hi "}, "delta"')
        + event({"content": "there"}, "stop").replace('"delta"', '"message": {"content": "hi there"}, "delta"')
        + DONE,
        answer="hi there",
    ),
    _stream(
        "a second choice nobody asked for",
        event({"content": "hi "})
        + event({"content": "NO"}).replace('"index": 0', '"index": 1')
        + event({"content": "there"}, "stop")
        + event({}, "stop").replace('"index": 0', '"index": 1')
        + DONE,
        answer="hi there",
    ),
    _stream(
        "text field instead of a delta",
        f"data: {json.dumps({'choices': [{'index': 0, 'text': 'hi there', 'finish_reason': 'stop'}]})}\n\n" + DONE,
        answer="hi there",
    ),
    _stream(
        "parts as content",
        event({"content": [{"type": "text", "text": "hi "}]})
        + event({"content": [{"type": "text", "text": "there"}]}, "stop"),
        answer="hi there",
    ),
    _stream(
        "U+2028 in it",
        'data: {"choices":[{"index":0,"delta":{"content":"hi\u2028there"},"finish_reason":"stop"}]}\n\n',
        answer="hi\nthere",
    ),
    _stream(
        "arguments in three pieces",
        event({"tool_calls": [call('{"no')]})
        + event({"tool_calls": [{"index": 0, "function": {"arguments": 'te": '}}]})
        + event({"tool_calls": [{"index": 0, "function": {"arguments": '"a"}'}}]})
        + CALLED
        + DONE,
        A,
    ),
    _stream(
        "id and name in every piece",
        "".join(event({"tool_calls": [call(p)]}) for p in ('{"no', 'te": ', '"a"}')) + CALLED + DONE,
        A,
    ),
    _stream(
        "index as text",
        event({"tool_calls": [call('{"no', index="0")]})
        + event({"tool_calls": [{"index": "0", "function": {"arguments": 'te": "a"}'}}]})
        + CALLED,
        A,
    ),
    _stream(
        "no index",
        event({"tool_calls": [{k: v for k, v in call('{"note": "a"}').items() if k != "index"}]}) + CALLED,
        A,
    ),
    _stream(
        "index null",
        event({"tool_calls": [call('{"no', index=None)]})
        + event({"tool_calls": [{"index": None, "function": {"arguments": 'te": "a"}'}}]})
        + CALLED,
        A,
    ),
    _stream(
        "index from 1",
        event({"tool_calls": [call('{"note": "a"}', index=1)]})
        + event({"tool_calls": [call('{"note": "b"}', index=2, id="c2")]})
        + CALLED,
        A,
        B,
    ),
    _stream(
        "two calls in one delta",
        event({"tool_calls": [call('{"note": "a"}'), call('{"note": "b"}', index=1, id="c2")]}, "tool_calls") + DONE,
        A,
        B,
    ),
    _stream(
        "pieces of two calls by turns",
        event({"tool_calls": [call("", index=0)]})
        + event({"tool_calls": [call("", index=1, id="c2")]})
        + "".join(
            event({"tool_calls": [{"index": n, "function": {"arguments": p}}]})
            for p in ('{"note": ', "?")
            for n in (0, 1)
        )
        .replace('"?"', '"\\"a\\"}"', 1)
        .replace('"?"', '"\\"b\\"}"')
        + CALLED,
        A,
        B,
    ),
    _stream(
        "arguments as an object",
        event({"tool_calls": [call("") | {"function": {"name": "ping", "arguments": {"note": "a"}}}]}, "tool_calls"),
        A,
    ),
    _stream("finish reason stop behind a call", event({"tool_calls": [call('{"note": "a"}')]}) + END + DONE, A),
    _stream(
        "first form of the API",
        event({"function_call": {"name": "ping", "arguments": ""}})
        + event({"function_call": {"arguments": '{"note": "a"}'}})
        + event({}, "function_call"),
        A,
    ),
    _stream("words, then a call", HI + event({"tool_calls": [call('{"note": "a"}')]}) + CALLED, A),
    _stream(
        "empty name behind",
        event({"tool_calls": [call('{"no')]}) + event({"tool_calls": [call('te": "a"}', name="", id="")]}) + CALLED,
        A,
    ),
    _stream(
        "text call over many pieces",
        "".join(event({"content": c}) for c in '<tool_call>{"name": "ping", "arguments": {"note": "a"}}</tool_call>')
        + END,
        A,
    ),
    _stream(
        "refusal in pieces",
        event({"refusal": "I will "}) + event({"refusal": "not."}) + END + DONE,
        answer="I will not.",
        exit=7,
    ),
    _stream("cut, then whole", HI, answer="done"),
    _stream(
        "error in the middle", HI + 'data: {"error": {"message": "upstream failed", "code": 502}}\n\n', answer="done"
    ),
    _stream("event: error", HI + 'event: error\ndata: {"error": "overloaded"}\n\n', answer="done"),
    _stream("garbage in the middle", HI + "data: {nonsense\n\n", answer="done"),
    _stream("empty", "", answer="done"),
    _stream("half a call, cut", event({"tool_calls": [call('{"no')]}), answer="done"),
    _stream("call cut at the limit", event({"tool_calls": [call('{"no')]}) + event({}, "length") + DONE, answer="done"),
)

_URL = "the upstream said"


def _error(name: str, *says: Said, **more: Any) -> Shape:
    return Shape("error", name, says, **more)


def _status(status: int, body: Any, **headers: str) -> Said:
    return {"status": status, "body": body, "headers": headers}


ERRORS = (
    _error("500, then well", _status(500, {"error": {"message": "oops"}})),
    _error("502 page, then well", _status(502, "<html><h1>502 Bad Gateway</h1></html>")),
    _error(
        "503 loading, then well",
        _status(503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}),
    ),
    _error(
        "529, then well",
        _status(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ),
    _error("408, then well", _status(408, {"error": "timeout"})),
    _error(
        "429 with a header in milliseconds",
        _status(429, {"error": {"message": "slow down"}}, **{"retry-after-ms": "30"}),
    ),
    _error("429 in words", _status(429, {"error": {"message": "Please retry after 0.05 seconds."}})),
    _error(
        "429 inside a 200",
        {"status": 200, "body": {"error": {"code": 429, "message": "Rate limited. Try again in 0.05s"}}},
    ),
    _error("connection dropped", {"drop": "before"}),
    _error("dropped behind the headers", {"drop": "headers", "text": "x"}),
    _error("empty 200", {"status": 200, "body": ""}),
    _error("choices null", {"status": 200, "body": {"choices": None}}),
    _error("choices empty", {"status": 200, "body": {"choices": []}}),
    _error("half a JSON", {"status": 200, "body": '{"choices": [{"mess'}),
    _error("finish reason error", {"text": "half of", "finish_reason": "error"}),
    _error("malformed call (Gemini)", {"text": "", "finish_reason": "MALFORMED_FUNCTION_CALL"}),
    _error("empty reply", {"text": ""}),
    _error("white space", {"text": " \n "}),
    _error(
        "unknown setting",
        _status(400, {"error": {"message": "Unrecognized request argument supplied: stream_options"}}),
        stream=True,
    ),
    _error(
        "max_completion_tokens wanted",
        _status(
            400,
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                    "param": "max_tokens",
                    "code": "unsupported_parameter",
                }
            },
        ),
    ),
    _error(
        "max_tokens wanted",
        _status(
            400,
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens' is not supported, use max_completion_tokens instead"
                }
            },
        ),
        _status(400, {"error": {"message": "max_completion_tokens: extra fields not permitted"}}),
        exit=5,
        answer=None,
    ),
    _error(
        "shorter replies only",
        _status(
            400,
            {
                "error": {
                    "message": "max_tokens must be less than or equal to `2048`, the maximum value for `max_tokens` is less than the `context_window`"
                }
            },
        ),
    ),
    _error(
        "shorter replies only (Fireworks)",
        _status(400, {"error": {"message": "Requests with max_tokens > 2048 must have stream=true"}}),
    ),
    _error(
        "text wanted beside calls",
        {"tool": "ping", "arguments": {"note": "a"}},
        _status(400, {"error": {"message": "messages.2.content: Input should be a valid string"}}),
        ran=(A,),
    ),
    _error(
        "key refused",
        _status(401, {"error": {"message": f"Incorrect API key provided: {KEY}."}}),
        answer=None,
        exit=5,
        requests=1,
        words="key",
    ),
    _error(
        "key refused in a page",
        _status(403, f"<html><body>Forbidden: {KEY}</body></html>"),
        answer=None,
        exit=5,
        requests=1,
    ),
    _error(
        "model unknown",
        _status(404, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}),
        answer=None,
        exit=5,
        requests=1,
        words="m",
    ),
    _error(
        "no credit",
        _status(402, {"error": {"message": "Insufficient credits"}}),
        answer=None,
        exit=5,
        requests=1,
        words="credit",
    ),
    _error(
        "quota is gone",
        _status(
            429,
            {
                "error": {
                    "message": "You exceeded your current quota, please check your plan and billing details.",
                    "code": "insufficient_quota",
                }
            },
        ),
        answer=None,
        exit=5,
        requests=1,
        words="quota",
    ),
    _error(
        "no tools (Ollama)",
        _status(400, {"error": {"message": "registry.ollama.ai/library/gemma:2b does not support tools"}}),
        answer=None,
        exit=5,
        words="tools",
    ),
    _error("words alone", _status(400, {"error": "model is not loaded"}), answer=None, exit=5, words="not loaded"),
    _error(
        "detail list (FastAPI)",
        _status(422, {"detail": [{"loc": ["body", "seed"], "msg": "extra fields not permitted"}]}),
        answer=None,
        exit=5,
        words="extra fields",
    ),
    _error(
        "message at the top",
        _status(400, {"message": "Invalid model: m", "type": "invalid_request_error"}),
        answer=None,
        exit=5,
        words="Invalid model",
    ),
    _error(
        "list of errors (Gemini)",
        _status(
            400,
            [
                {
                    "error": {
                        "code": 400,
                        "message": "API key not valid. Please pass a valid API key.",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ],
        ),
        answer=None,
        exit=5,
        requests=1,
        words="API key not valid",
    ),
    _error(
        "errors list (Cloudflare)",
        _status(400, {"success": False, "errors": [{"code": 5007, "message": "No such model m"}]}),
        answer=None,
        exit=5,
        words="No such model",
    ),
    _error(
        "error in the body of a 200 (OpenRouter)",
        {
            "status": 200,
            "body": {
                "error": {
                    "message": "Provider returned error",
                    "code": 502,
                    "metadata": {"raw": "x", "provider_name": "y"},
                }
            },
        },
    ),
    _error(
        "own key and another's",
        _status(400, {"error": {"message": f"bad: {KEY} and sk-ant-api03-Zq8rT2vLx9Wm4Kp7Yd3Hs6Nf1Bc5Jg0AeUiOoPQ"}}),
        answer=None,
        exit=5,
    ),
    _error("redirect", _status(307, "", Location="http://127.0.0.1:9/v1"), answer=None, exit=5, requests=1),
    _error(
        "page for programs that are lost",
        {"status": 200, "headers": {"Content-Type": "text/html"}, "body": f"<html>Sign in, {KEY}</html>"},
        _status(401, "no"),
        answer=None,
        exit=5,
    ),
    _error(
        "filter",
        {"text": "", "finish_reason": "content_filter"},
        {"text": "", "finish_reason": "content_filter"},
        answer=None,
        exit=5,
        words="content_filter",
    ),
    _error(
        "safety (Gemini)",
        {"text": "", "finish_reason": "SAFETY"},
        {"text": "", "finish_reason": "SAFETY"},
        answer=None,
        exit=5,
        words="filter",
    ),
    _error("refusal", {"text": None, "message": {"refusal": "I will not."}}, answer="I will not.", exit=7),
    _error(
        "refusal with a filter's reason",
        {"text": None, "message": {"refusal": "I will not."}, "finish_reason": "content_filter"},
        answer="I will not.",
        exit=7,
    ),
    _error(
        "tool_use_failed (Groq)",
        _status(
            400,
            {
                "error": {
                    "message": "Failed to call a function",
                    "code": "tool_use_failed",
                    "failed_generation": '<function=ping{"note": "a"}</function>',
                }
            },
        ),
        ran=(A,),
    ),
    _error(
        "answer cut, then the rest",
        {"text": "one two", "finish_reason": "length"},
        {"text": " three"},
        answer="one two three",
    ),
    _error(
        "answer cut by another name",
        {"text": "one two", "finish_reason": "MAX_TOKENS"},
        {"text": " three"},
        answer="one two three",
    ),
)

WINDOWS = {
    "OpenRouter": (400, "This endpoint's maximum context length is {window} tokens. However, you requested about {total} tokens ({prompt} of text input, {reply} in the output). Please reduce the length of either one."),
    "SGLang": (400, "The input ({prompt} tokens) is longer than the model's context length ({window} tokens)."),
    "SGLang, total": (400, "Requested token count exceeds the model's maximum context length of {window} tokens. You requested a total of {total} tokens: {prompt} tokens from the input messages and {reply} tokens for the completion."),
    "vLLM, decoder": (400, "The decoder prompt (length {prompt}) is longer than the maximum model length of {window}. Make sure that `max_model_len` is no smaller than the number of text tokens."),
    "TensorRT": (400, "Prompt length ({prompt}) exceeds maximum input length ({window}). Set log level to info and check TRTGptModel logs"),
    "llama-cpp-python": (400, "Requested tokens ({prompt}) exceed context window of {window}"),
    "LM Studio": (400, "Trying to keep the first {prompt} tokens when context the overflows. However, the model is loaded with context length of only {window} tokens, which is not enough."),
    "Cerebras": (400, "Please reduce the length of the messages or completion. Current length is {prompt} while limit is {window}"),
    "GitHub": (413, "Request body too large for m model. Max size: {window} tokens."),
    "xAI": (400, "This model's maximum prompt length is {window} but the request contains {prompt} tokens."),
    "Cohere": (400, "too many tokens: total number of tokens in the prompt cannot exceed {window} - received {prompt}. Try using a shorter prompt"),
    "Moonshot": (400, "Invalid request: Your request exceeded model token limit: {window} (requested: {prompt})"),
    "Zhipu": (400, "Prompt exceeds max length"),
    "Bedrock": (400, "Input is too long for requested model."),
    "Fireworks": (400, "The prompt is too long: {prompt}, model maximum context length: {window}"),
    "llama-server, error type": (400, '{{"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": {prompt}, "n_ctx": {window}}}'),
    "a 500 with the words": (500, "the request exceeds the available context size. try increasing the context size or enable context shift"),
    "inside a 200": (200, "This model's maximum context length is {window} tokens, you requested {total}"),
}  # fmt: skip


def _bill(name: str, usage: Any, tokens: int, **more: Any) -> Shape:
    return Shape("bill", name, ({"text": "done", "usage": usage},), (), "done", tokens=tokens, **more)


UNKNOWN = -1  # tokens: what was reserved stays spent
BILLS = (
    _bill("plain", {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}, 105),
    _bill("total above the sum", {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 150}, 150),
    _bill("total below the sum", {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 5}, 105),
    _bill("other names", {"input_tokens": 100, "output_tokens": 5}, 105),
    _bill("floats", {"prompt_tokens": 100.0, "completion_tokens": 5.0}, 105),
    _bill("numbers as text", {"prompt_tokens": "100", "completion_tokens": "5"}, UNKNOWN),
    _bill("negative", {"prompt_tokens": -1, "completion_tokens": 5}, UNKNOWN),
    _bill("absurd", {"prompt_tokens": 10**12, "completion_tokens": 5}, UNKNOWN),
    _bill("null", None, UNKNOWN),
    _bill("half of it", {"prompt_tokens": 100}, UNKNOWN),
    _bill("truth values", {"prompt_tokens": True, "completion_tokens": True}, UNKNOWN),
    _bill(
        "cached by DeepSeek's name",
        {"prompt_tokens": 100, "completion_tokens": 5, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
        105,
    ),
    _bill(
        "reasoning beyond the reply",
        {"prompt_tokens": 100, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 50}},
        155,
    ),
    _bill(
        "details null",
        {
            "prompt_tokens": 100,
            "completion_tokens": 5,
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        105,
    ),
    _bill("far beyond what was reserved", {"prompt_tokens": 90_000, "completion_tokens": 5}, 90_005, words="90,00"),
    Shape(
        "bill",
        "in every event of a stream",
        (
            {
                "status": 200,
                "headers": SSE,
                "body": event({"content": "hi "}, usage={"prompt_tokens": 100, "completion_tokens": 1})
                + event({"content": "there"}, "stop", usage={"prompt_tokens": 100, "completion_tokens": 2})
                + DONE,
            },
        ),
        (),
        "hi there",
        tokens=102,
        stream=True,
    ),
    Shape(
        "bill",
        "in an event of its own",
        (
            {
                "status": 200,
                "headers": SSE,
                "body": HI
                + END
                + 'data: {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 2}}\n\n'
                + DONE,
            },
        ),
        (),
        "hi there",
        tokens=102,
        stream=True,
    ),
    Shape(
        "bill",
        "in Groq's own field",
        (
            {
                "status": 200,
                "headers": SSE,
                "body": HI + event({}, "stop", x_groq={"usage": {"prompt_tokens": 100, "completion_tokens": 2}}) + DONE,
            },
        ),
        (),
        "hi there",
        tokens=102,
        stream=True,
    ),
    Shape(
        "bill",
        "a null one behind the true one",
        (
            {
                "status": 200,
                "headers": SSE,
                "body": event({"content": "hi there"}, usage={"prompt_tokens": 100, "completion_tokens": 2})
                + event({}, "stop", usage=None)
                + DONE,
            },
        ),
        (),
        "hi there",
        tokens=102,
        stream=True,
    ),
    Shape(
        "bill",
        "a zero one behind the true one",
        (
            {
                "status": 200,
                "headers": SSE,
                "body": event({"content": "hi there"}, usage={"prompt_tokens": 100, "completion_tokens": 2})
                + event({}, "stop", usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
                + DONE,
            },
        ),
        (),
        "hi there",
        tokens=102,
        stream=True,
    ),
    Shape(
        "bill",
        "an attempt that failed and may have cost",
        (_status(500, {"error": "x"}), {"text": "done", "usage": {"prompt_tokens": 100, "completion_tokens": 5}}),
        (),
        "done",
        tokens=UNKNOWN,
    ),
    Shape(
        "bill",
        "an attempt that was refused unread",
        (
            _status(429, {"error": {"message": "try again in 0.02s"}}),
            {"text": "done", "usage": {"prompt_tokens": 100, "completion_tokens": 5}},
        ),
        (),
        "done",
        tokens=105,
    ),
)

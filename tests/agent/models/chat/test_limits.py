"""What servers say of their limits, in their own wordings: numbers and waits are read, other words are left alone."""

from __future__ import annotations

import time

import pytest

from outrider.agent.models.chat.limits import (
    Told,
    duration_s,
    is_overflow,
    longest_reply,
    never_fits,
    told_by,
    wait_told_s,
)


@pytest.mark.parametrize(
    ("words", "window", "prompt"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested 8253 tokens (4157 in the messages, 4096 in the "
         "completion).", 8192, 4157),
        ("This model's maximum context length is 8192 tokens and your request has 5000 input tokens (4096 > 8192 - 5000).", 8192, 5000),
        ("The input token count (8483) exceeds the maximum number of tokens allowed (8192).", 8192, 8483),
        ("request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it", 8192, 9000),
        ('{"message": "exceed", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192}', 8192, 9000),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`", 4096, 5000),
        ("Range of input length should be [1, 30720]", 30720, None),
        ("prompt is too long: 250000 tokens > 200000 maximum", 200000, 250000),
        ("Prompt contains 9000 tokens and 0 draft tokens, too large for model with 8192 maximum context length", 8192, 9000),
        ("(n_keep: 5000>= n_ctx: 4096). Try to load the model with a larger context length", 4096, None),
        ("The input (9000 tokens) is longer than the model's context length (8192 tokens).", 8192, 9000),
        ("Request too large on tokens per minute (TPM): Limit 6000, Requested 7000", 6000, None),
        ("too many tokens", None, None),
    ],
)  # fmt: skip
def test_refusal_for_length_is_known_and_its_numbers_are_read(
    words: str, window: int | None, prompt: int | None
) -> None:
    """Each of these ended a run once."""
    assert is_overflow(words)
    assert told_by(words) == Told(window, prompt)


@pytest.mark.parametrize(
    "words", ["invalid api key", "model not found", "unknown field: frobnicate", "internal error", ""]
)
def test_other_words_are_no_refusal_for_length(words: str) -> None:
    """A shorter request would not cure them."""
    assert not is_overflow(words)
    assert longest_reply(words, 4096) is None


@pytest.mark.parametrize(
    ("words", "most"),
    [
        ("This model supports at most 2048 completion tokens, whereas you provided 4096.", 2048),
        ("the valid range of max_tokens is [1, 1024]", 1024),
        (
            "max_tokens: 4096 > 2000, which is the maximum allowed number of output tokens for claude-3-haiku-20240307",
            2000,
        ),
        ("max_tokens must be less than or equal to `1024`", 1024),
        (
            "maximum context length is 8192 tokens (4157 in the messages, 4096 in the completion); max_tokens too large",
            None,
        ),
    ],
)
def test_longest_reply_is_read(words: str, most: int | None) -> None:
    """And nothing else is taken for one."""
    assert longest_reply(words, 4096) == most


@pytest.mark.parametrize(
    ("headers", "words", "wait_s"),
    [
        ({"retry-after": "7"}, "try again in 99s", 7),
        ({}, "Please try again in 7.15s.", 7.15),
        ({}, "try again in 1m2.5s", 62.5),
        ({}, "retry after 20 seconds", 20),
        ({}, '"retryDelay": "34s"', 34),
        (
            {
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-reset-requests": "120ms",
                "x-ratelimit-remaining-requests": "0",
            },
            "",
            0.12,
        ),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, "", 1),
        ({}, "slow down", None),
    ],
)
def test_wait_is_read_from_headers_words_and_used_up_limits(
    headers: dict[str, str], words: str, wait_s: float | None
) -> None:
    """What the server asks for is what is waited."""
    assert wait_told_s(headers, words) == (pytest.approx(wait_s) if wait_s is not None else None)


def test_reset_may_be_a_point_in_time() -> None:
    """OpenRouter says milliseconds since 1970."""
    wait_s = wait_told_s({"x-ratelimit-reset": str(int((time.time() + 30) * 1000))})
    assert wait_s is not None
    assert 20 < wait_s <= 30


def test_duration_of_anything_else_is_none() -> None:
    """No number is made up."""
    assert [duration_s(text) for text in ("", "soon", "1x", "12", "1m x")] == [None] * 5


def test_one_request_above_a_minutes_allowance_never_fits() -> None:
    """Waiting does not help; with something used already it does."""
    assert never_fits("Limit 6000, Requested 7000")
    assert not never_fits("Limit 6000, Used 5000, Requested 2000")

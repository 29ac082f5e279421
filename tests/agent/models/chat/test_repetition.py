"""A phrase said over and over is seen while it is written; what only looks alike is not."""

from __future__ import annotations

import pytest

from outrider.agent.models.chat.repetition import TIMES, Watch, repeated_tail, said_once


@pytest.mark.parametrize(
    "phrase", ["ha", "I am sorry. ", "x * 271 = 32244400, 107444400 ", "long words " * 20 + "end. "]
)
def test_repetition_is_seen_and_said_once(phrase: str) -> None:
    """Whatever the phrase and wherever the cut falls, it is found and left in the text one time."""
    text = "The answer: " + phrase * 400
    for cut in (len(text), len(text) - 1, len(text) - len(phrase) // 2):
        found = repeated_tail(text[:cut])
        assert found
        once = said_once(text[:cut], found)
        assert len(once) <= len("The answer: ") + 2 * len(phrase)
        assert text.startswith(once)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "-" * 120,  # a ruled line
        "0, " * 60,  # a row of a matrix
        "\n".join(f"line {n} of the file" for n in range(500)),
        "\n".join("    assert f(1) == 1" for _ in range(TIMES - 1)),
        "One phrase. " * 50 + "And then the answer, which is something else.",
    ],
)
def test_repetition_is_not_seen_where_there_is_none(text: str) -> None:
    """Tables, lists and a few equal lines of code are work, not a loop."""
    assert repeated_tail(text) == ""


def test_repetition_is_noticed_soon_in_a_stream() -> None:
    """A reply is stopped after a few hundred characters of a loop, and what came before was handed on."""
    shown: list[str] = []
    watch = Watch(shown.append)
    pieces = ["It is "] + ["so good "] * 1000
    taken = next(n for n, piece in enumerate(pieces) if watch(piece))
    assert taken < 100
    assert watch.phrase.strip()
    assert "".join(shown) == watch.text

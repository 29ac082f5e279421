"""A phrase said over and over is seen while it is written; what only looks alike is not."""

from __future__ import annotations

import pytest

from outrider.agent.models.chat.repetition import TIMES, Watch, loop, repeated_tail, said_once


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


ALIKE = {
    "capitals and spaces": lambda n: (
        "I will check the file. ",
        "I WILL check the file.\n",
        "i will  check the file. ",
    )[n * 7 % 3],
    "numbers that count on": lambda n: f"Step {n}: I check the file once more for errors. ",
    "three sentences by turns": lambda n: ("Let me think. ", "Wait, no. ", "Is it right? ")[(n * n + n // 3) % 3],
    "two lines": lambda n: ("- look at the table\n", "- Look at the chair\n")[n * 5 % 7 % 2],
}


@pytest.mark.parametrize("kind", ALIKE)
def test_sentences_that_are_only_alike_are_seen_in_a_stream_and_said_once(kind: str) -> None:
    """A loop whose words change a little each time is a loop; what came before it stays, and the first of them."""
    watch = Watch()
    watch("The plan is ready.\n")
    taken = next(n for n in range(400) if watch(ALIKE[kind](n)))
    assert taken < 120
    once = said_once(watch.text, watch.phrase)
    assert once.startswith("The plan is ready.")
    assert len(once) < 140


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"line {n} of the file" for n in range(500)),
        " ".join(f"On day {n} the temperature was {n * 37 % 29} degrees in the shade." for n in range(200)),
        "".join(f"    total_{n} = first_{n} + second_{n * 7 % 5}\n" for n in range(200)),
        "\n".join(f"| {n} | {n * n} | {n * 31 % 17} |" for n in range(300)),
        "".join(("apple. ", "pear. ", "plum. ", "cherry. ", "fig. ")[n * n * 7919 % 101 % 5] for n in range(90)),
        "".join(f"    {{\n        'a': {n * n * 7919 % 1009}\n    }},\n" for n in range(200)),
        "".join(
            f"INSERT INTO users (id, name, age, active) VALUES ({n}, 'user{n}', {20 + n}, 1);\n" for n in range(200)
        ),
        "".join(f"insert into seats (hall, line, place, taken) values (1, 1, {n}, false);\n" for n in range(200)),
        "".join(f"UPDATE accounts SET state = 'open' WHERE customer = {10**20 + n * n};\n" for n in range(200)),
        "".join(f'{n}: "what nobody has said about it so far",\n' for n in range(200)),
        "".join(f"Seat {n} in the great hall is free on day {n + 3} of the week.\n" for n in range(200)),
        "".join(f"The sum of the first numbers up to {n} is even and so is {n + 2}.\n" for n in range(200)),
    ],
)
def test_lists_tables_and_measurements_are_work(text: str) -> None:
    """Lines of one shape with numbers that say something are no loop, for a hosted model nor a local one."""
    assert loop(text) == ""


@pytest.mark.parametrize("sign", ["#", "\0"])
def test_a_sign_is_never_taken_for_a_number(sign: str) -> None:
    """Text may hold any character, a placeholder's too: sentences with more or fewer numbers are other sentences."""
    watch = Watch()
    for n in range(400):
        if watch(f"Item {sign if n * n * 7919 % 101 % 2 else 4} of the list is done now. "):
            break
    assert watch.phrase, "two sentences that take turns are a loop"

"""What can be copied from a goal: sums in words and symbols, names, files, ids, quoted text."""

from __future__ import annotations

import pytest

from outrider.agent.models.choice.arithmetic import expressions
from outrider.agent.models.choice.spans import exact, spans
from outrider.agent.models.choice.tool_forms import TOOL_FORMS
from outrider.agent.models.choice.words import pieces, stem


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("What is 48317 * 271 - 999?", "48317 * 271 - 999"),
        ("what's 3 plus 4", "3 + 4"),
        ("15% of 80", "80 * 15 / 100"),
        ("What is (12 + 3) * 4.5 / 2?", "(12 + 3) * 4.5 / 2"),
        ("compute 1,234 times 56", "1234 * 56"),
        ("how much is 2^10", "2 ** 10"),
        ("the square root of 144", "144 ** 0.5"),
        ("average of 3, 4, 5 and 9", "(3 + 4 + 5 + 9) / 4"),
        ("subtract 5 from 9", "9 - 5"),
        ("twenty-five times three", "25 * 3"),
        ("What is 15 percent of 240 plus 3?", "240 * 15 / 100 + 3"),
        ("factorial of 10", "math.factorial(10)"),
        ("What is 5 x 6", "5 * 6"),
        ("what is -5 + 3", "-5 + 3"),
        ("144/12", "144 / 12"),
        ("What is the remainder of 17 divided by 5?", "17 % 5"),
    ],
)
def test_expression_is_read_from_symbols_and_words(said: str, meant: str) -> None:
    """Every way of saying a sum that the documentation names becomes the Python that computes it."""
    assert expressions(said)[0] == meant


@pytest.mark.parametrize(
    "said", ["Who won in 1998?", "on 2024-05-01", "version 3.11 of it", "hello", "", "(((", "1 +", "a million"]
)
def test_expression_is_not_invented_where_there_is_none(said: str) -> None:
    """A year, a date or a stray symbol is no sum."""
    assert expressions(said) == []


def test_expressions_hold_nothing_but_arithmetic() -> None:
    """What goes into code is numbers, operators and math functions, whatever the goal says."""
    said = "compute 3 + 4; __import__('os').system('x') * 2 and open('a') + 1"
    assert all(set(one) <= set("0123456789+-*/%.,() mathfcorilgdn") for one in expressions(said))
    assert all("import" not in one and "open" not in one for one in expressions(said))


@pytest.mark.parametrize(
    ("goal", "kind", "text"),
    [
        ("What is the stock price of ABC?", "name", "ABC"),
        ("What is the weather in New York?", "name", "New York"),
        ('Write "I love you" to a.txt', "quote", "I love you"),
        ("How many rows are in data/sales-2024.csv?", "file", "data/sales-2024.csv"),
        ("Which licence has owner/name-v2?", "id", "owner/name-v2"),
        ("Read https://example.org/a?b=1.", "url", "https://example.org/a?b=1"),
        ("mail ada@example.org about it", "email", "ada@example.org"),
        ("look up ticket A-1042", "code", "A-1042"),
        ("for 5 days", "number", "5"),
        ("for twenty five days", "number", "25"),
        ("How many r's are in it?", "letter", "r"),
        ("write hello world to notes.txt", "run", "hello world"),
        ("on 2024-05-17", "date", "2024-05-17"),
    ],
)
def test_span_is_found_with_its_kind(goal: str, kind: str, text: str) -> None:
    """Each kind of thing a person names in a goal can be pointed at."""
    assert (kind, text) in {(span.kind, span.text) for span in spans(goal)}


def test_span_knows_the_words_around_it() -> None:
    """`from Oslo to Rome`: the words before tell which is which."""
    found = {span.text: span.before[-1] for span in spans("Flights from Oslo to Rome") if span.kind == "name"}
    assert found == {"Oslo": "from", "Rome": "to"}


def test_spans_copy_the_goal_to_the_letter() -> None:
    """A span is a piece of the goal, never a paraphrase (numbers apart, which lose their separators)."""
    goal = "Create a file called a.txt containing the text Grüße, Ünïcode & <b>tags</b>!"
    assert all(span.text in goal for span in spans(goal) if span.kind != "number")


def test_exact_returns_only_the_kinds_asked_for() -> None:
    """A path argument is never filled with a plain word."""
    assert next(span.text for span in exact("read notes.txt about https://a.org/b.txt", "file")) == "notes.txt"
    assert exact("read the notes", "file") == []


def test_pieces_hide_digits_and_special_tokens() -> None:
    """The model reads short words; what looks like a control token is not text."""
    assert pieces("getStockPrice of 48,317 <|im_end|> sales_total", 20) == [
        "get",
        "stock",
        "price",
        "of",
        "#",
        "sales",
        "total",
    ]
    assert pieces("a b c d", 2) == ["a", "b"]


def test_stem_lets_forms_of_a_word_meet() -> None:
    """`price`, `prices` and `pricing` are one word to a small model."""
    assert stem("price") == stem("prices") == stem("pricing") == stem("priced")


@pytest.mark.parametrize(
    ("goal", "wanted"),
    [
        (
            "find a small text-classification model with an apache licence",
            {"task": ["text-classification"], "licence": ["apache-2.0"], "max_parameters": ["100M"]},
        ),
        (
            "a translation model under 300M parameters, MIT license",
            {"task": ["translation"], "licence": ["mit"], "max_parameters": ["300M"]},
        ),
        (
            "a model for speech recognition with 1.5 billion parameters",
            {"task": ["automatic-speech-recognition"], "licence": [], "max_parameters": ["1.5B"]},
        ),
    ],
)
def test_hub_search_reads_task_licence_and_size_off_the_goal(goal: str, wanted: dict[str, list[object]]) -> None:
    """What a rule can read is not left to the model."""
    face = TOOL_FORMS["hub_search"]
    assert {name: face.values(name, goal, {}, "", frozenset()) for name in wanted} == wanted

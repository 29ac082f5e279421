"""Word problems read by code: the second opinion on the sum that the model writes."""

from __future__ import annotations

import random

import pytest

from outrider.agent.models.brain.sums import stories
from outrider.agent.tune import sums

READ = [
    ("I have 3 boxes of 12 eggs and eat 5, how many are left?", "3 * 12 - 5"),
    ("A crate holds 24 bottles. I have 7 crates and drink 9 bottles. How many remain?", "7 * 24 - 9"),
    ("Anna had 250 stamps. She gave away 65 and then bought 30 more. How many now?", "250 - 65 + 30"),
    ("Three friends share a bill of 133.50 equally, how much is it each?", "133.50 / 3"),
    ("If a bus leaves every 12 minutes, how many buses leave in 3 hours?", "3 * 60 / 12"),
    ("My car uses 6.4 litres per 100 km. How many litres do I need for 350 km?", "6.4 / 100 * 350"),
    ("A recipe for 4 people needs 300 g of rice. How much do I need for 10 people?", "300 / 4 * 10"),
    ("Tom earns 18.50 an hour and works 36 hours a week. What does he earn in a week?", "18.50 * 36"),
    ("I read 35 pages a day. How many days for a book of 420 pages?", "420 / 35"),
    ("The price rose from 40 to 52 euros, by how many percent is that?", "(52 - 40) / 40 * 100"),
    ("A jacket costs 89 euros and is reduced by 30%. What do I pay?", "89 * (1 - 30 / 100)"),
    ("A shop sells 45 muffins on Monday and twice as many on Tuesday. How many altogether?", "45 + 45 * 2"),
    ("I buy 3 shirts at 19.99 each and pay with a 100 euro note. How much change do I get?", "100 - 3 * 19.99"),
    ("I had 50 euros, bought a book for 12.80 and a coffee for 3.20. What's left?", "50 - 12.80 - 3.20"),
]


@pytest.mark.parametrize(("goal", "right"), READ, ids=[one[0][:40] for one in READ])
def test_a_story_of_a_known_shape_is_read(goal: str, right: str) -> None:
    """What comes, goes, is shared or is so much an hour becomes one sum over the goal's own numbers."""
    assert stories.same(stories.read(goal), right)


@pytest.mark.parametrize(
    "goal",
    [
        "A pizza is cut into 8 slices. We order 3 pizzas and eat 17 slices. How many are left?",
        "Book a table for 4 at 19:30",
        "who handles ticket 4182?",
        "what would I pay a month for a loan of 15000 over 5 years",
        "How many rows of sales.csv have an amount over 500?",
        "",
    ],
)
def test_what_is_no_such_story_is_not_guessed(goal: str) -> None:
    """A shape that does not cover every number, or is about something else, gives nothing."""
    assert stories.read(goal) == ""


@pytest.mark.parametrize(
    "goal",
    [
        "A shirt costs 40 euros and is 25% off. How much do I save?",
        "After a 20% discount a coat costs 80 euros. What was the price before?",
        "Ben has 15 marbles after he lost 6. How many did he have before?",
        "Tom gave away 6 cards and has 9 left. How many did he have originally?",
        "Lisa has 30 stickers, twice as many as Max. How many does Max have?",
        "Lisa has 30 stickers, twice as many as Max. How many do they have together?",
        "Lisa is 30 years old, 5 years older than Max. How old is Max?",
        "Ann has 39 cards, 5 more than Ben. How many does Ben have?",
        "A salary of 2000 rose by 5%. How much more is that?",
        "30 pupils 40% are girls. How many are boys?",
        "Of 30 pupils 40% are girls. How many boys are there?",
        "6 workers need 10 days for a wall. How many days do 3 workers need?",
        "2 taps fill a tub in 30 minutes. How long do 3 taps take?",
    ],
)
def test_what_asks_back_is_not_read_forwards(goal: str) -> None:
    """The right numbers with the wrong operator would look like a second opinion."""
    assert stories.read(goal) == ""


def test_who_comes_is_not_taken_from_the_rest() -> None:
    """ "From 50" says what there was; not that everything after it went."""
    assert stories.same(stories.read("From 50 people 12 left and 7 came. How many are there?"), "50 - 12 + 7")
    assert stories.same(stories.read("Of 50 people 12 left and 7 went home. How many are left?"), "50 - 12 - 7")


def test_readings_of_the_training_stories_are_right_where_there_is_one() -> None:
    """Of a thousand made-up stories, those that are read are read right in more than 96 of 100."""
    rnd, right, read = random.Random(8), 0, 0
    for _ in range(1000):
        goal, expression = sums.story(rnd)
        found = stories.read(goal)
        read += bool(found)
        right += bool(found) and stories.same(found, expression)
    assert read > 450
    assert right > 0.96 * read


@pytest.mark.parametrize("text", ["2 **" + "9" * 40, "9 ** 9 ** 9", "__import__('os')", "(" * 300, "1 / 0", "len"])
def test_nothing_but_small_arithmetic_is_worked_out(text: str) -> None:
    """A model's text is never evaluated as code, nor made to run for long."""
    assert not stories.same(text, text)

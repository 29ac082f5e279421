"""Families: sums in symbols and words, dates, primes, and commands written out. May touch: nothing."""

from __future__ import annotations

import random

from examples.train_starter import words as w
from examples.train_starter.fake_tools import choose
from examples.train_starter.scenario import Move, Scenario, built, maybe_fails, side
from outrider.agent.models.choice.arithmetic import expressions

_SUMS = (
    "What is {e}?",
    "what's {e}",
    "Compute {e}",
    "Calculate {e}.",
    "How much is {e}?",
    "{e}",
    "{e} = ?",
    "Evaluate {e}",
    "Work out {e}",
    "What does {e} equal?",
    "What do you get for {e}?",
    "Solve {e}",
    "Tell me what {e} is",
    "What is the result of {e}?",
    "What is the value of {e}?",
    "I need {e}",
    "Use python to compute {e}",
    "can you do {e} for me?",
    "find {e}",
    "Give me the result of {e}",
    "How many {n} are {e}?",
    "If I have {e} {n}, how many is that?",
    "How much do {e} {n} cost?",
    "How many seconds are in a day if it has {e}?",
    "Multiply out {e}",
    "Run the numbers: {e}",
)


_WORDED = (
    "{a} plus {b}",
    "{a} times {b}",
    "{a} minus {b}",
    "{a} divided by {b}",
    "{a} multiplied by {b} plus {c}",
    "{a}% of {b}",
    "{a} percent of {b}",
    "the sum of {a}, {b} and {c}",
    "the product of {a} and {b}",
    "the square root of {a}",
    "{a} squared",
    "{a} to the power of 3",
    "the average of {a}, {b} and {c}",
    "the difference between {a} and {b}",
    "{a} times {b} minus {c}",
    "half of {a}",
    "the remainder of {a} divided by {b}",
    "{a} modulo {b}",
    "the factorial of {n}",
    "the largest of {a}, {b} and {c}",
    "{a} x {b}",
    "{a} cubed",
    "double {a}",
    "2^{n}",
)


def arithmetic(rng: random.Random, test: str) -> Scenario:
    """A sum, in symbols or in words: python calculates it."""
    numbers = {key: w.number(rng) for key in "abc"} | {"n": str(rng.randint(2, 20))}
    if rng.random() < 0.55:
        signs = [rng.choice("+-*/") for _ in range(rng.randint(1, 3))]
        shown = w.number(rng) + "".join(f" {sign} {w.number(rng)}" for sign in signs)
        shown = f"({shown}) * {w.number(rng)}" if rng.random() < 0.2 else shown
        shown = shown.replace(" ", "") if rng.random() < 0.15 else shown
    else:
        shown = choose(rng, list(_WORDED), side(test)).format(**numbers)
    value = w.number(rng)
    goal = choose(rng, list(_SUMS), side(test)).format(e=shown, n=rng.choice(w.NOUNS) + "s")
    found = expressions(goal)
    move = Move("python", {"operation": "calculate", "expression": found[0] if found else "?"}, value)
    return Scenario(goal, built("python"), [move], [value])


_SHELL = (
    "Run {c}",
    "Run the command {c}",
    "Execute {c} in the shell",
    "run the shell command {c}",
    "What does {c} print?",
)


def shell(rng: random.Random, test: str) -> Scenario:
    """Run a command that is written out."""
    command = rng.choice(
        ("ls -la", "git status", "uname -a", "whoami", "df -h", f"wc -l {w.file(rng)}", f"echo {w.word(rng)}", "date")
    )
    goal = choose(rng, list(_SHELL), side(test)).format(c=rng.choice(("`{}`", '"{}"')).format(command))
    text = w.text(rng, 1, 6)
    return maybe_fails(rng, Scenario(goal, built("shell"), [Move("shell", {"command": command}, text)], [text]))


_DATES = (
    "What is today's date?",
    "What day is it today?",
    "which date is it",
    "today's date",
    "What is the date today?",
    "What weekday is today?",
    "Tell me the current date",
)


_PRIMES = ("Is {n} a prime number?", "Is {n} prime?", "check whether {n} is prime", "Tell me if {n} is a prime")


def python_other(rng: random.Random, test: str) -> Scenario:
    """What else python does from a template: the date, and primes."""
    if rng.random() < 0.5:
        goal = choose(rng, list(_DATES), side(test))
        value = f"{rng.choice(('Monday', 'Friday', 'Sunday'))} {w.date(rng)}"
        return Scenario(goal, built("python"), [Move("python", {"operation": "date"}, value)], [value])
    n = str(rng.randint(2, 99999))
    value = rng.choice(("True", "False"))
    goal = choose(rng, list(_PRIMES), side(test)).format(n=n)
    return Scenario(goal, built("python"), [Move("python", {"operation": "prime", "number": n}, value)], [value])

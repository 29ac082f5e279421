"""What code can read for certain, so that the small model need not: a sum that is written out, in symbols or plain words.

What it is: `expression(goal)` gives the one expression of a goal that holds nothing else, else "". What it may touch:
nothing. Does not promise: word problems; they are the model's. Used by values.py.
"""

from __future__ import annotations

import re

from outrider.agent.models.choice import asked
from outrider.agent.models.choice.arithmetic import expressions, numbers_in_digits

_N = r"(?P<{}>\d+(?:\.\d+)?)"
X, Y = r"[$€£]?" + _N.format("x"), r"[$€£]?" + _N.format("y")
P = _N.format("p") + r"\s*(?:%|per ?cent|percentage points?)"
_PERCENT: tuple[tuple[str, str], ...] = (
    (rf"(?:percent|%|percentage|share) of {Y} is {X}", "{x} / {y} * 100"),
    (rf"{X} (?:is|as|are) (?:what|which|how many|a)? ?(?:percent|%|percentage) of {Y}", "{x} / {y} * 100"),
    (rf"{X} (?:out )?of {Y},? (?:as|in|is) (?:a |what )?(?:percent|%|percentage)", "{x} / {y} * 100"),
    (rf"{P} (?:of|from) {X}", "{x} * {p} / 100"),
    (rf"{P} (?:off|less than|discount on|reduction on)(?: of)? (?:an? )?{X}", "{x} * (1 - {p} / 100)"),
    (rf"{X}(?: \w+)?,? (?:less|minus|decreased by|reduced by|lowered by|cut by|with|at|after|and get|discounted by)(?: an?)? {P}(?: off| discount| less| reduction| cheaper)?(?! (?:tax|vat|tip|interest|added|more|on top))", "{x} * (1 - {p} / 100)"),
    (rf"(?:take|knock|deduct|subtract) {P} (?:off|from)(?: of)? {X}", "{x} * (1 - {p} / 100)"),
    (rf"(?:reduce|decrease|lower|cut|discount) {X} by {P}", "{x} * (1 - {p} / 100)"),
    (rf"{X}(?: \w+)?,? (?:plus|\+|increased by|raised by|with|and|including|grown by)(?: an?)? {P}", "{x} * (1 + {p} / 100)"),
    (rf"(?:add|put) {P} (?:to|on|on top of) {X}", "{x} * (1 + {p} / 100)"),
    (rf"(?:increase|raise|grow) {X} by {P}", "{x} * (1 + {p} / 100)"),
)  # fmt: skip
_PATTERNS = [(re.compile(pattern), shape) for pattern, shape in _PERCENT]
WORDS = frozenset(
    ["what", "what's", "whats", "is", "the", "a", "an", "of", "and", "then", "by", "to", "from", "with", "please", "calculate", "compute", "work", "out", "how", "much", "result", "it", "that", "this", "me", "tell", "give", "evaluate", "find", "plus", "minus", "times", "divided", "multiplied", "over", "less", "add", "added", "sum", "total", "up", "subtract", "subtracted", "difference", "product", "quotient", "between", "average", "mean", "square", "root", "squared", "cubed", "cube", "power", "raised", "to", "the", "mod", "modulo", "remainder", "factorial", "half", "double", "twice", "triple", "largest", "smallest", "maximum", "minimum", "max", "min", "number", "numbers", "percent", "per", "cent", "off", "hey", "hi", "can", "you", "could", "would", "i", "need", "know", "want", "value", "equals", "equal", "take", "away", "multiply", "divide", "dividing", "adding", "after", "all", "in", "s"]
)  # fmt: skip

WORDS |= frozenset(["halve", "split", "another", "start", "square"])


def expression(goal: str) -> str:
    """The expression a goal writes out; "" where there is none for certain."""
    plain = numbers_in_digits(asked.FILE.sub(" ", goal).lower()).replace("−", "-").replace("what's", "what is")
    numbers = sorted(re.findall(r"\d+(?:\.\d+)?", plain))
    if not numbers or len(plain) > 300:
        return ""
    if asked.PERCENT.search(plain):
        return _percent(plain, numbers)
    sides = re.search(
        r"(\d+(?:\.\d+)?)\s*(?:cm|m|metres?|meters?|feet|ft|km)?\s*(?:by|x|×|times)\s*(\d+(?:\.\d+)?)", plain
    )
    if sides and len(numbers) == 2 and (shape := re.search(r"\b(area|perimeter)\b", plain)):
        return f"{sides[1]} * {sides[2]}" if shape[1] == "area" else f"2 * ({sides[1]} + {sides[2]})"
    words = set(re.findall(r"[a-z]+", plain.replace(" x ", " ")))
    if not words <= WORDS:
        return ""
    steps = [part.strip(" ,.;?!") for part in _THEN.split(plain) if part.strip(" ,.;?!")]
    out = _whole(steps[0])
    for step in steps[1:]:
        out = _applied(out, step) if out else ""
    return out if _uses(out, numbers) else ""


def _uses(made: str, numbers: list[str]) -> bool:
    """Whether an expression holds these numbers (sorted) and no others, but for what a rule put in."""
    return any(sorted(re.findall(r"\d+(?:\.\d+)?", text)) == numbers for text in (made, _own(made)))


_THEN = re.compile(
    r"[,;.]?(?:\s+(?:and then|then|and)\s+)(?=(?:add|subtract|take|multiply|times|divide|halve|double|square|minus|plus|deduct|split)\b)|,\s*(?=(?:plus|minus|times|divided)\b)"
)  # fmt: skip
_AFTER: tuple[tuple[str, str], ...] = (
    (r"(?:add|plus) (?:another )?(?P<n>\d+(?:\.\d+)?)(?: to (?:it|that|this|the result))?", "+ {n}"),
    (r"(?:subtract|minus|deduct|take away|take off|take) (?P<n>\d+(?:\.\d+)?)(?: (?:from|off) (?:it|that|this|the result)| off| away)?", "- {n}"),
    (r"(?:multiply|times)(?: (?:it|that|this|the (?:result|sum|answer|total|difference)))?(?: all)?(?: by| with)? (?P<n>\d+(?:\.\d+)?)", "* {n}"),
    (r"(?:divide|divided|split)(?: (?:it|that|this|the (?:result|sum|answer|total|difference)))?(?: all)? (?:by|into) (?P<n>\d+(?:\.\d+)?)", "/ {n}"),
    (r"(?:halve)(?: (?:it|that|this|the (?:result|sum|total)))?", "/ 2"),
    (r"(?:double)(?: (?:it|that|this|the (?:result|sum|total)))?", "* 2"),
    (r"square(?: (?:it|that|this|the (?:result|sum|total)))?", "** 2"),
)  # fmt: skip


def _whole(part: str) -> str:
    """The expression of one part that uses all its numbers."""
    numbers = sorted(re.findall(r"\d+(?:\.\d+)?", part))
    if len(numbers) == 1 and re.fullmatch(r"(?:take|start with|what is)?\s*[\d.]+", part):
        return str(numbers[0])
    return next((one for one in expressions(part) if _uses(one, numbers)), "")


def _applied(before: str, step: str) -> str:
    """`before` with the operation of a later part applied to all of it."""
    for pattern, shape in _AFTER:
        match = re.fullmatch(pattern, step)
        if match:
            simple = re.fullmatch(r"[\d.]+", before) is not None
            return f"{before if simple else f'({before})'} {shape.format(**match.groupdict())}"
    return ""


def _percent(plain: str, numbers: list[str]) -> str:
    """A percentage of two numbers; a rise that is called a tip, a tax or "more" is one."""
    if len(numbers) != 2:
        return ""
    for pattern, shape in _PATTERNS:
        match = pattern.search(plain)
        if match and sorted(match.groupdict().values()) == numbers:
            up = re.search(r"\b(?:tax|vat|tip|interest|more|on top|raise|increase)\b", plain)
            made: str = shape.format(**match.groupdict())
            return "" if up and "(1 - " in shape else made
    return ""


def _own(text: str) -> str:
    """The expression without numbers a rule put in: roots and halves."""
    mean = re.search(r"^\(([\d.+ ]+)\) / (\d+)", text)
    if mean and mean[1].count("+") + 1 == int(mean[2]):
        text = text[: mean.start(2)] + text[mean.end(2) :]
    return re.sub(r"\*\* 0\.5|\*\* [23]\b(?=\s*$)|/ [23]\b$|\* [23]\b$", "", text) if text else text

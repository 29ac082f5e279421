"""Arithmetic in a sentence, as Python: `What is 15% of 80 plus 2?` becomes `80 * 15 / 100 + 2`.

What it is: pure text in, candidate expressions out, longest first. Every candidate parses as Python and holds
numbers, operators, brackets and a few `math` functions: nothing else can get in.
What it may touch: nothing. It imports only the standard library and never evaluates what it finds.
What it does not promise: understanding. It finds what is written; whether that is what was meant is the model's choice.
Start reading at `expressions`.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache, partial

_NUMBER = r"\d+(?:\.\d+)?"
_UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORD_VALUES = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * value for value, word in enumerate(_TENS, 2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}

# Words for operators, longest first where one holds another. Spaces keep the symbols apart from the numbers.
_OPERATORS: tuple[tuple[str, str], ...] = (
    (r"\bto the power(?: of)?\b", " ** "),
    (r"\braised to(?: the)?\b", " ** "),
    (r"\bsquared\b", " ** 2 "),
    (r"\bcubed\b", " ** 3 "),
    (r"\bmultiplied (?:by|with)\b", " * "),
    (r"\bdivided by\b", " / "),
    (r"\b(?:plus|added to|increased by)\b", " + "),
    (r"\b(?:minus|less|decreased by|take away)\b", " - "),
    (r"\btimes\b", " * "),
    (r"\b(?:mod|modulo|modulus)\b", " % "),
    (r"[×·]|(?<=[\d)])\s*\*\s*(?=[\d(])", " * "),
    (r"÷", " / "),
    (r"[−–]", " - "),
    (r"\^", " ** "),
    (r"(?<=\d)\s*x\s*(?=[\d(])", " * "),
    (r"(?<=\d)\s+over\s+(?=\d)", " / "),
)
# Ways of naming an operation before its numbers; {a} and {b} are single numbers or bracketed expressions.
_A, _B = rf"(?P<a>{_NUMBER})", rf"(?P<b>{_NUMBER})"
_PHRASES: tuple[tuple[str, str], ...] = (
    (rf"{_A}\s*(?:%|percent|per cent)\s+of\s+{_B}", "{b} * {a} / 100"),
    (rf"(?:square root|sqrt|root)\s*(?:of)?\s*\(?{_A}\)?", "{a} ** 0.5"),
    (rf"cube root\s*(?:of)?\s*\(?{_A}\)?", "{a} ** (1 / 3)"),
    (rf"factorial\s*(?:of)?\s*\(?{_A}\)?", "math.factorial({a})"),
    (rf"{_A}\s*factorial|(?P<c>{_NUMBER})!(?!=)", "math.factorial({a})"),
    (rf"(?:remainder|rest)\b[^\d]*{_A}\s*(?:/|(?:is )?(?:divided )?by|and)\s*{_B}", "{a} % {b}"),
    (rf"subtract(?:ing)?\s+{_A}\s+from\s+{_B}", "{b} - {a}"),
    (rf"subtract(?:ing)?\s+{_B}\s*(?:and|,)\s*{_A}", "{b} - {a}"),
    (rf"add(?:ing)?\s+{_A}\s+(?:to|and|with)\s+{_B}", "{a} + {b}"),
    (rf"multipl(?:y|ying)\s+{_A}\s+(?:by|and|with)\s+{_B}", "{a} * {b}"),
    (rf"divid(?:e|ing)\s+{_A}\s+(?:by|and)\s+{_B}", "{a} / {b}"),
    (rf"difference\s+(?:between|of)\s+{_A}\s+and\s+{_B}", "{a} - {b}"),
    (rf"quotient\s+of\s+{_A}\s+and\s+{_B}", "{a} / {b}"),
    (rf"(?:half|a half)\s+of\s+{_A}", "{a} / 2"),
    (rf"(?:double|twice)\s+(?:of\s+)?{_A}", "{a} * 2"),
    (rf"(?:triple|thrice)\s+(?:of\s+)?{_A}", "{a} * 3"),
    (rf"(?:gcd|greatest common divisor)\b[^\d]*{_A}\s*(?:and|,)\s*{_B}", "math.gcd({a}, {b})"),
    (rf"(?:lcm|least common multiple)\b[^\d]*{_A}\s*(?:and|,)\s*{_B}", "math.lcm({a}, {b})"),
)
_LISTS: tuple[tuple[str, str], ...] = (
    (r"sum|total|add(?: up)?|adding(?: up)?", "{plus}"),
    (r"product|multiply", "{times}"),
    (r"average|mean", "({plus}) / {count}"),
    (r"largest|biggest|maximum|max|highest|greatest", "max({commas})"),
    (r"smallest|minimum|min|lowest|least", "min({commas})"),
)
_LIST = rf"(?P<items>{_NUMBER}(?:\s*,?\s*(?:and|,|\s)\s*{_NUMBER})+)"
_RUN = re.compile(rf"(?<!\w)(?:{_NUMBER}|math\.\w+|\*\*|[-+*/%(),]|\s)+(?!\w)")


def expressions(text: str) -> list[str]:
    """Candidate Python expressions in `text`, most complete first, without duplicates.

    Each holds at least one operator or function. Numbers lose their thousands separators; words become digits.
    """
    return list(_expressions(text))


@lru_cache(maxsize=256)
def _expressions(text: str) -> tuple[str, ...]:
    plain = numbers_in_digits(
        re.sub(r"\b\d{4}-\d{2}-\d{2}\b|\S*[A-Za-z]/\S*", " ", text).lower()
    )  # no dates, ids, addresses
    found = [*_from_lists(plain), *_from_runs(_with_operators(_with_phrases(plain)))]
    unique = list(dict.fromkeys(found))
    return tuple(sorted(unique, key=lambda one: -len(re.findall(_NUMBER, one)))[:4])


def numbers_in_digits(text: str) -> str:
    """`text` with `1,000` as `1000` and `twenty-five thousand` as `25000` (lower-case text expected)."""
    text = re.sub(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?![\d,]*\d)", lambda m: m[1].replace(",", ""), text)
    word = "|".join([*_WORD_VALUES, *_SCALES])
    return re.sub(rf"\b(?:{word})(?:(?:[\s-]+|\s+and\s+)(?:{word}))*\b", _spoken, text)


def _spoken(match: re.Match[str]) -> str:
    words = [word for word in re.split(r"[\s-]+", match[0]) if word != "and"]
    if words[0] in _SCALES and len(words) == 1:  # "a million", "hundred": left alone, it is seldom a sum
        return match[0]
    if " and " in match[0] and not any(word in _SCALES for word in words):
        return re.sub(r"[a-z]+", lambda m: str(_WORD_VALUES.get(m[0], m[0])), match[0])  # "two and three": two numbers
    total, part = 0, 0
    for word in words:
        if word in _WORD_VALUES:
            part += _WORD_VALUES[word]
        elif word == "hundred":
            part = (part or 1) * 100
        else:
            total, part = total + (part or 1) * _SCALES[word], 0
    return str(total + part)


def _with_phrases(text: str) -> str:
    for pattern, shape in _PHRASES:
        whole = rf"(?:\bthe\s+)?(?<![\w.]){pattern}" if pattern[0] == "(" else pattern
        text = re.sub(whole, partial(_fill, shape=shape), text)
    return text


def _fill(match: re.Match[str], shape: str) -> str:
    groups = match.groupdict()
    return f" {shape.format(a=groups.get('a') or groups.get('c'), b=groups.get('b'))} "


def _with_operators(text: str) -> str:
    for pattern, symbol in _OPERATORS:
        text = re.sub(pattern, symbol, text)
    return text


def _from_lists(text: str) -> list[str]:
    found = []
    for names, shape in _LISTS:
        match = re.search(
            rf"\b(?:{names})\b(?:\s+(?:of|the|numbers?|values?|among|from|between|in|up|is))*[\s:]+{_LIST}", text
        )
        if match:
            items = re.findall(_NUMBER, match["items"])
            found.append(
                shape.format(plus=" + ".join(items), times=" * ".join(items), count=len(items), commas=", ".join(items))
            )
    return found


def _from_runs(text: str) -> list[str]:
    return [found for match in _RUN.finditer(text) if (found := _tidy(match[0])) is not None]


def _tidy(run: str) -> str | None:
    """`run` as one valid expression with an operator, trimmed of stray symbols at its ends, or None."""
    tokens = re.findall(rf"{_NUMBER}|math\.\w+|\*\*|[-+*/%(),]", run)
    while tokens:
        text = _spaced(tokens)
        if _is_expression(text):
            return text
        if tokens[-1] in {"+", "-", "*", "/", "%", "(", ",", "**"} or tokens.count(")") > tokens.count("("):
            tokens.pop()
        else:
            tokens.pop(0)
    return None


def _spaced(tokens: list[str]) -> str:
    text = " ".join(tokens)
    text = re.sub(r"\(\s+", "(", text)
    text = re.sub(r"\s+([),])", r"\1", text)
    text = re.sub(r"(math\.\w+) \(", r"\1(", text)
    return re.sub(r"(^|[(*/%+-] |\()- (?=\d)", r"\1-", text)


def _is_expression(text: str) -> bool:
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return isinstance(tree, ast.BinOp | ast.Call) and not any(isinstance(node, ast.Tuple) for node in ast.walk(tree))

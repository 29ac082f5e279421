"""Reads a formula and works it out: a tokenizer and a parser that calculates as it goes, so that nothing grows unbounded.
Touches nothing; runs no Python. Does not promise: more than 40 digits of what has no exact form. Start at `evaluate`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from outrider.tools.calc import formula_functions as functions
from outrider.tools.calc.formula_functions import Value, refuse
from outrider.tools.tool import ToolError

MAX_LENGTH = 2000
MAX_DEPTH = 60
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|//|[-+*/%^(),]))",
    re.ASCII,
)
_PLAIN = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "\u00a0": " ", "\u202f": " ", "π": "pi"})
_GROUPED = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d,])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """kind: number, name, sign or end. `spaced`: white space stands before it."""

    kind: str
    text: str
    spaced: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the formula: what it comes to, how it was understood, and whether it is a bare percentage."""

    value: Value
    text: str
    percent: bool = False


def evaluate(expression: str) -> tuple[Value, str]:
    """(value, the formula as it was understood). Raises ToolError that says what would be right."""
    if len(expression) > MAX_LENGTH:
        raise refuse("the formula is too long", f"over {MAX_LENGTH:,} characters", "calculate it in parts")
    plain = expression.translate(_PLAIN).strip().removesuffix("=").strip()
    if not plain:
        raise refuse("there is nothing to calculate", "expression is empty", 'write for example "12 * 3.5"')
    part = _Parser(_tokens(_ungrouped(plain))).whole()
    return part.value, part.text


def _ungrouped(text: str) -> str:
    """The text with 1,234,567 as 1234567. Raises for commas that can be read in two ways."""

    def group(found: re.Match[str]) -> str:
        plain, parts = found[0].replace(",", ""), found[0].split(",")
        if not _in_call(text, found.start()):
            return plain
        decimals = text[found.end() : found.end() + 1] == "."
        if decimals or ", " in text or any(part.startswith("0") for part in parts[1:]):
            why = f"it may be {plain}, or {len(parts)} arguments"
            fix = f"write {plain}, or {', '.join(parts)} with spaces"
            raise refuse(f"{found[0]} can be read in two ways", why, fix)
        return found[0]

    return _GROUPED.sub(group, text)


def _in_call(text: str, at: int) -> bool:
    """Whether the innermost open bracket before `at` belongs to a function, whose arguments commas part."""
    depth = 0
    for index in range(at - 1, -1, -1):
        depth += (text[index] == ")") - (text[index] == "(")
        if depth < 0:
            return bool(re.search(r"[A-Za-z_]\w*\s*$", text[:index]))
    return False


def _tokens(text: str) -> list[Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise _odd(text[at:].strip())
        kind = str(match.lastgroup)
        piece = match[kind]
        found.append(Token(kind, "**" if piece == "^" else piece, match.start(kind) > at))
        at = match.end()
    return [*found, Token("end", "", False)]


def _odd(rest: str) -> ToolError:
    piece = re.split(r"[\s()]", rest)[0][:20] or rest[:1]
    if rest[0] in "$€£¥":
        return refuse(f"{rest[0]!r} is no part of a calculation", "numbers have no currency here", "leave it out")
    if re.match(r"\d+,", piece):
        return refuse(f"{piece!r} is not a number", "the comma is in an odd place", "write 1234.5 for a decimal")
    fix = 'write for example "2 * (3 + 4)", with * for every multiplication'
    return refuse(f"{piece!r} is not understood", "it is no number, operator or function", fix)


class _Parser:
    """Precedence climbing. Each method gives the Part it read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> Part:
        part = self._sum()
        token = self._next()
        if token.kind == "end":
            return part
        if token.text == ",":
            raise refuse(
                "a comma stands where none can", "it parts the arguments of a function", "write 1234.5 or 1234"
            )
        if token.text == ")":
            raise refuse('there is a ")" too many', "no bracket is open there", "remove it")
        fix = f"put an operator between them, such as {part.text[-20:]} * {token.text}"
        raise refuse(f"{token.text!r} follows a value directly", "no operator stands between", fix)

    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> Token | None:
        token = self._next()
        if token.text not in texts or token.kind == "number":
            return None
        self._at += 1
        return token

    def _sum(self) -> Part:
        left = self._product()
        while sign := self._take("+", "-"):
            right = self._product()
            if right.percent and not left.percent and left.value != 1:  # of 1, both are the same
                whole = left.text if " " not in left.text else f"({left.text})"
                raise refuse(
                    f"{left.text} {sign.text} {right.text} can be read in two ways",
                    f"{right.text} may be a share of {left.text} or of 1",
                    f"write {whole} * (1 {sign.text} {right.text}) or {left.text} {sign.text} {right.text[:-1]} / 100",
                )
            left = Part(
                functions.apply(sign.text, left.value, right.value),
                f"{left.text} {sign.text} {right.text}",
                left.percent,
            )
        return left

    def _product(self) -> Part:
        left = self._unary()
        while sign := self._take("*", "/", "//", "%", "of", "x"):
            right = self._unary()
            word = "*" if sign.text == "x" else sign.text
            left = Part(functions.apply(word, left.value, right.value), f"{left.text} {word} {right.text}")
        return left

    def _unary(self) -> Part:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise refuse("the formula is nested too deep", f"over {MAX_DEPTH} levels", "calculate it in parts")
        try:
            if sign := self._take("-", "+"):
                part = self._unary()
                return Part(-part.value, f"-{part.text}", part.percent) if sign.text == "-" else part
            return self._power()
        finally:
            self._depth -= 1

    def _power(self) -> Part:
        base = self._postfix()
        if not self._take("**"):
            return base
        exponent = self._unary()
        return Part(functions.apply("**", base.value, exponent.value), f"{base.text} ** {exponent.text}")

    def _postfix(self) -> Part:
        part = self._primary()
        if self._next().text == "%" and self._is_percent(part):
            self._at += 1
            return Part(functions.apply("/", part.value, functions.HUNDRED), f"{part.text}%", percent=True)
        return part

    def _is_percent(self, part: Part) -> bool:
        """Whether the % that comes next is "percent" and not the remainder. Raises where it could be both."""
        sign, after = self._next(), self._tokens[self._at + 1]
        if after.text in ("+", "-"):
            operand = self._tokens[min(self._at + 2, len(self._tokens) - 1)]
            if sign.spaced and not operand.spaced:
                why = "% may be percent or the remainder of a division"
                fix = f"write {part.text}% {after.text} {operand.text} or {part.text} % ({after.text}{operand.text})"
                raise refuse(f"{part.text} % {after.text}{operand.text} can be read in two ways", why, fix)
            return True
        return after.kind == "end" or after.text in (")", ",", "*", "/", "//", "%", "**", "of")

    def _primary(self) -> Part:
        token = self._next()
        self._at += 1
        if token.kind == "number":
            if re.match(r"0\d", token.text):
                fix = "write thousands without separators"
                raise refuse(f"{token.text} is not understood", "it begins with a zero", fix)
            return Part(functions.number(token.text), token.text)
        if token.text == "(":
            inner = self._sum()
            self._close()
            return Part(inner.value, f"({inner.text})")
        if token.kind == "name":
            return self._named(token.text)
        if token.kind == "end":
            raise refuse("the formula ends too early", "a number is missing at its end", "complete it")
        raise refuse(
            f"a number is missing before {token.text!r}", "two signs follow each other", "complete the formula"
        )

    def _named(self, name: str) -> Part:
        if name.lower() in functions.CONSTANTS:
            return Part(functions.CONSTANTS[name.lower()](), name.lower())
        if not self._take("("):
            raise functions.unknown(name)
        arguments = [self._sum()]
        while self._take(","):
            arguments.append(self._sum())
        self._close()
        called, value = functions.call(name.lower(), [part.value for part in arguments])
        return Part(value, f"{called}({', '.join(part.text for part in arguments)})")

    def _close(self) -> None:
        if not self._take(")"):
            raise refuse('a ")" is missing', "a bracket stays open", "close it")

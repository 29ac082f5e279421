"""Which figure a table question is about: a column that it names or means, or the product of two.

What it is: `figures` and `product_of` give grammar for the numeric part of a SELECT, by the goal's words alone. What it may
touch: nothing. Does not promise: that the table means what its columns are called. Used by sql.py.
"""

from __future__ import annotations

import re

from outrider.agent.models.brain.values import alternatives
from outrider.agent.models.choice import asked
from outrider.agent.models.choice.words import stem

NUMERIC = ("number", "integer")
DATES = ("date", "timestamp", "datetime", "time")


_MEANT = (  # an adjective → the columns that it is about
    (re.compile(r"\b(?:warm|hott?|cold|cool)(?:est|er)\b", re.I), re.compile(r"temp|celsius|fahrenheit|degrees", re.I)),
    (re.compile(r"\b(?:wett|dri)(?:est|er)\b|\brain", re.I), re.compile(r"rain|precip|humid", re.I)),
    (
        re.compile(r"\b(?:cheap|dear|costli|prici)(?:est|er)\b|\bexpensive\b", re.I),
        re.compile(r"price|cost|fee|rent", re.I),
    ),
    (re.compile(r"\b(?:heavi|light)(?:est|er)\b", re.I), re.compile(r"weight|mass|kg$|grams?$|tons?$", re.I)),
    (re.compile(r"\b(?:tall)(?:est|er)\b", re.I), re.compile(r"height|_cm$|_m$", re.I)),
    (
        re.compile(r"\b(?:long|short)(?:est|er)\b", re.I),
        re.compile(r"length|duration|distance|minutes|hours|km$", re.I),
    ),
)


def figures(columns: list[tuple[str, str]], goal: str) -> str:
    """The numeric columns that the goal names, else all of them."""
    numeric = [name for name, kind in columns if kind in NUMERIC]
    numeric = [name for name in numeric if not re.search(r"(?:^|_)id$", name, re.I)] or numeric  # nobody ranks by ids
    named = [name for name in numeric if is_named(name, goal)]
    named = named or [name for says, kind in _MEANT if says.search(goal) for name in numeric if kind.search(name)]
    return alternatives([quoted(name) for name in named or numeric or [name for name, _ in columns]])


_MONEY = re.compile(
    r"\b(?:revenues?|turnover|takings|proceeds|income|(?:sales|order|stock|total|overall) (?:value|worth)|worth|spen[dt]|spending|pa(?:y|id)"
    r"|earn(?:ed|ings?)?|made|(?:bring|brought) in|took in)\b",
    re.I,
)
_SUMMED = re.compile(r"revenue|turnover|total|amount|value|sum\b|sales|income|paid|spent|earnings|cost$", re.I)
_EACH = re.compile(r"price|(?:cost|price|rate)_(?:per|each)|per_(?:unit|piece|hour)|rate$", re.I)
_MANY = re.compile(
    r"^(?:quantity|qty|count|units?|pieces|copies|number|(?:number|units|pieces|quantity)_\w+|hours)$", re.I
)


def product_of(columns: list[tuple[str, str]], goal: str) -> str:
    """The product of two columns: said ("quantity times price"), or meant where money is asked for and the table has a
    price of each and how many, but no sum; "" for none.
    """
    text = asked.FILE.sub(" ", goal).lower()
    numeric = [name for name, kind in columns if kind in NUMERIC]
    for one in numeric:
        for other in numeric:
            left, right = (re.escape(name.lower().replace("_", " ")) for name in (one, other))
            if re.search(
                rf"\b{left}s?\s*(?:times|multiplied (?:by|with)|[x×*])\s*(?:the |its )?{right}", text.replace("_", " ")
            ):
                return literal(f"{quoted(one)} * {quoted(other)}")
    each, many = ([name for name in numeric if kind.search(name)] for kind in (_EACH, _MANY))
    summed = any(_SUMMED.search(name) and name not in each + many for name in numeric)
    if len(each) == len(many) == 1 and not summed and _MONEY.search(text) and not is_named(each[0], goal):
        return literal(f"{quoted(many[0])} * {quoted(each[0])}")
    return ""


def is_named(name: str, goal: str) -> bool:
    """Whether the goal holds all words of a column's name."""
    text = asked.FILE.sub(" ", goal).lower()
    return {stem(part) for part in re.findall(r"[a-z]+", name.lower())} <= {
        stem(w) for w in re.findall(r"[a-z]+", text)
    }


def quoted(column: str) -> str:
    """A column's name in a statement."""
    return column if re.fullmatch(r"[A-Za-z_]\w*", column) else '"' + column.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text as a literal of the grammar."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

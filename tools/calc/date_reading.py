"""Reads a date as people write it, and refuses what can be read in two ways.
Touches nothing. Does not promise: languages other than English for the names of months. Start reading at `read_date`.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import NoReturn, TypeAlias

from outrider.tools.tool import ToolError

Moment: TypeAlias = date | datetime | time  # a datetime without a zone is on this machine's clock

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"(?:[\sT]+(?:at\s+)?|^)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([ap]\.?m\.?)?$", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-?\d{2}-?\d{2}(?:[T ]\d{2}:?\d{2}(?::?\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_FIX = "write it as 2026-12-25 or 25 December 2026"


def read_date(text: str, now: datetime) -> Moment:
    """The date, date and time, or time of the day that `text` says. Raises ToolError, with both readings if it has two."""
    plain = " ".join(text.replace(",", " ").split())
    if not plain:
        raise ToolError("there is no date", "it is empty", _FIX)
    if len(plain) > 60:
        _not_understood(text)
    if _ISO.fullmatch(plain):
        return _iso(plain, text)
    at = _TIME.search(plain)
    if at is None:
        return _day(plain, text, now)
    clock, rest = _clock(at, text), plain[: at.start()].strip()
    return datetime.combine(_day(rest, text, now), clock) if rest else clock


def _not_understood(text: str) -> NoReturn:
    raise ToolError(f"{text[:60]!r} is not understood as a date", "it has no form that is known here", _FIX)


def _iso(plain: str, text: str) -> date:
    try:
        found = datetime.fromisoformat(plain)
    except ValueError as error:
        raise ToolError(f"{text!r} is no date", str(error), _FIX) from None
    return found if ":" in plain or "T" in plain else found.date()


def _clock(found: re.Match[str], text: str) -> time:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if half := (found[4] or "").lower()[:1]:
        if not 1 <= hour <= 12:
            raise ToolError(f"{text!r} has no such time", "with am or pm hours go from 1 to 12", "write 14:30")
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, minute, second)
    except ValueError as error:
        raise ToolError(f"{text!r} has no such time", str(error), "write 14:30") from None


def _day(plain: str, text: str, now: datetime) -> date:
    words = plain.lower()
    if words in ("today", "now"):
        return now.date()
    if words in ("tomorrow", "yesterday"):
        return now.date() + timedelta(days=1 if words == "tomorrow" else -1)
    if numbers := re.fullmatch(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})\.?", words):
        return _numbers(int(numbers[1]), int(numbers[3]), numbers[4], numbers, text)
    words = re.sub(rf"^(?:on )?(?:the )?(?:{'|'.join(f'{day}|{day[:3]}' for day in _DAYS)})\.? ", "", words)
    words = re.sub(r"\b(\d{1,2})(?:st|nd|rd|th)\b", r"\1", words).replace(" of ", " ").removeprefix("the ")
    found = re.fullmatch(r"(?P<day>\d{1,2})\.?[ -](?P<month>[a-z]{3,9})\.?[ -](?P<year>\d{4})", words)
    found = found or re.fullmatch(r"(?P<month>[a-z]{3,9})\.? (?P<day>\d{1,2}) (?P<year>\d{4})", words)
    found = found or re.fullmatch(r"(?P<year>\d{4}) (?P<month>[a-z]{3,9}) (?P<day>\d{1,2})", words)
    if not found:
        _refuse_without_year(words, text)
    month = [
        at
        for at, name in enumerate(_MONTHS, 1)
        if name.startswith(found["month"]) or found["month"] == "sept" == name[:4]
    ]
    if len(month) != 1:
        _not_understood(text)
    return _made(int(found["year"]), month[0], int(found["day"]), text)


def _refuse_without_year(words: str, text: str) -> NoReturn:
    if re.fullmatch(r"\d{1,2}\.? [a-z]{3,9}|[a-z]{3,9} \d{1,2}", words):
        raise ToolError(f"{text!r} has no year", "it may be in any year", f"{_FIX}, with the year")
    _not_understood(text)


def _numbers(first: int, second: int, third: str, found: re.Match[str], text: str) -> date:
    """12/25/2026, 25.12.2026, 2026/12/25: which is which is only taken where it is certain."""
    if len(found[1]) == 4:
        return _made(first, second, int(third), text)
    if len(third) != 4:
        raise ToolError(f"{text!r} can be read in several ways", "its year has not four digits", _FIX)
    year = int(third)
    if found[2] == "." or first > 12 or first == second:  # with dots the day comes first everywhere
        return _made(year, second, first, text)
    if second > 12:
        return _made(year, first, second, text)
    one, other = _made(year, first, second, text), _made(year, second, first, text)
    raise ToolError(
        f"{text!r} can be read in two ways",
        f"it may be {one:%d %B %Y} or {other:%d %B %Y}",
        f"write {one.isoformat()} or {other.isoformat()}",
    )


def _made(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ToolError(f"{text!r} is no date", str(error), _FIX) from None

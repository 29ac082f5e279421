"""`dates`: how far apart two dates are, a date so much later, its day of the week, and what time it is.
Touches the clock and the time zone of this machine. Does not promise: calendars other than the Gregorian, leap seconds.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from outrider.tools.calc.date_reading import Moment, read_date
from outrider.tools.clock import zone_name
from outrider.tools.tool import ToolError, tool

Unit = Literal["days", "weeks", "months", "years", "hours", "minutes"]
_SECONDS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


@tool(effect="read", fresh_s=0)
def dates(
    operation: Literal["difference", "add", "weekday", "now"],
    date: str = "today",
    to: str = "",
    amount: int = 0,
    unit: Unit = "days",
) -> str:
    """Work with dates: the difference between two, a date some time later or earlier, the weekday, or the time now.

    date: such as 2026-12-25, 25 December 2026, today, tomorrow, or 2026-12-25 14:30
    to: for difference, the other date
    amount: for add, how many units; negative for earlier
    """
    now = datetime.now().astimezone()
    if operation == "now":
        zone = zone_name() or now.tzname()
        return f"now it is {now:%A} {now:%Y-%m-%d %H:%M} ({zone}, UTC{now:%z})"
    moment = read_date(date, now)
    if operation == "weekday":
        return f"{_said(moment)} is a {moment_day(moment):%A}"
    if operation == "add":
        return _added(moment, amount, unit)
    if not to.strip():
        raise ToolError("difference needs two dates", "`to` is empty", 'give to="2026-12-31" for example')
    return _difference(moment, read_date(to, now), unit)


def moment_day(moment: Moment) -> date:
    """The day of a moment. Raises ToolError for a bare time of the day."""
    if isinstance(moment, time):
        raise ToolError("a time of the day has no date", f"{moment:%H:%M} may be on any day", "give a date")
    return moment


def _said(moment: Moment) -> str:
    if isinstance(moment, datetime):
        return f"{moment:%Y-%m-%d %H:%M}" + (f":{moment:%S}" if moment.second else "")
    return f"{moment:%H:%M}" if isinstance(moment, time) else moment.isoformat()


def _aware(moment: date | datetime) -> datetime:
    """The moment on the clock of this machine's time zone, where it names none."""
    whole = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return whole if whole.tzinfo else whole.astimezone()


# ---- add -------------------------------------------------------------------------------------------------------------


def _added(moment: Moment, amount: int, unit: Unit) -> str:
    day, word = moment_day(moment), unit if abs(amount) != 1 else unit[:-1]
    try:
        found, note = _later(day, amount, unit)
    except (OverflowError, ValueError):
        raise ToolError("that date cannot be reached", "years go from 1 to 9999", "use a smaller amount") from None
    direction = "after" if amount >= 0 else "before"
    return f"{_said(found)} ({found:%A}) is {abs(amount)} {word} {direction} {_said(day)}{note}"


def _later(day: date, amount: int, unit: Unit) -> tuple[date, str]:
    if unit in ("months", "years"):
        return _months_later(day, amount * (12 if unit == "years" else 1))
    if unit in ("days", "weeks"):  # on the calendar: the hour stays, whatever the clocks do
        return day + timedelta(days=amount * (7 if unit == "weeks" else 1)), ""
    began = _aware(day)
    ended = (began.astimezone(UTC) + timedelta(seconds=amount * _SECONDS[unit])).astimezone(
        None if not isinstance(day, datetime) or day.tzinfo is None else day.tzinfo
    )
    return ended, "" if isinstance(day, datetime) else " at 00:00"


def _months_later(day: date, months: int) -> tuple[date, str]:
    whole = day.year * 12 + day.month - 1 + months
    year, month = whole // 12, whole % 12 + 1
    if not 1 <= year <= 9999:
        raise ValueError
    last = calendar.monthrange(year, month)[1]
    note = f" (that month has no day {day.day})" if day.day > last else ""
    return day.replace(year=year, month=month, day=min(day.day, last)), note


# ---- difference ------------------------------------------------------------------------------------------------------


def _difference(start: Moment, end: Moment, unit: Unit) -> str:
    if isinstance(start, time) or isinstance(end, time):
        if not (isinstance(start, time) and isinstance(end, time)):
            raise ToolError("a date and a time of the day have no difference", "one is missing the day", "give both")
        minutes = end.hour * 60 + end.minute - start.hour * 60 - start.minute
        return f"{_hours(abs(minutes))} from {_said(start)} to {_said(end)}" + (" (backwards)" if minutes < 0 else "")
    backwards = _aware(end) < _aware(start)
    first, last = (end, start) if backwards else (start, end)
    said = f"from {_said(start)} to {_said(end)}" + (" (backwards: the second is earlier)" if backwards else "")
    timed = isinstance(start, datetime) or isinstance(end, datetime)
    if timed:
        seconds = int((_aware(last).astimezone(UTC) - _aware(first).astimezone(UTC)).total_seconds())
    else:
        seconds = (last - first).days * 86_400
    if unit in ("months", "years"):
        return f"{_calendar(first, last)} {said}"
    if timed and unit == "days":
        return f"{_hours(seconds // 60)} {said}"
    return f"{_units(seconds, unit)} {said}{'' if timed else _also(first, last, unit)}"


def _units(seconds: int, unit: Unit) -> str:
    whole, rest = divmod(seconds, _SECONDS[unit])
    said = _many(whole, unit)
    return said + (f" and {_many(rest // 86_400, 'days')}" if unit == "weeks" and rest >= 86_400 else "") + (
        f" and {_hours(rest // 60)}" if rest and unit != "weeks" else ""
    )  # fmt: skip


def _also(first: date, last: date, unit: Unit) -> str:
    days = (last - first).days
    if unit != "days" or days < 14:
        return ""
    parts = [_units(days * 86_400, "weeks")] + ([_calendar(first, last)] if days >= 60 else [])
    return f" ({'; '.join(parts)})"


def _calendar(first: date, last: date) -> str:
    """Years, months and days between two days."""
    months = (last.year - first.year) * 12 + last.month - first.month
    if _months_later(_day(first), months)[0] > _day(last):
        months -= 1
    days = (_day(last) - _months_later(_day(first), months)[0]).days
    parts = [(months // 12, "years"), (months % 12, "months"), (days, "days")]
    told = [_many(count, unit) for count, unit in parts if count]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told) or "0 days"


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _hours(minutes: int) -> str:
    days, rest = divmod(minutes, 1440)
    parts = [(days, "days"), (rest // 60, "hours"), (rest % 60, "minutes")]
    return " ".join(_many(count, unit) for count, unit in parts if count) or "0 minutes"


def _many(count: int, unit: str) -> str:
    return f"{count:,} {unit if count != 1 else unit[:-1]}"

"""`dates`: the calendar's arithmetic, and both readings where a date has two."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outrider.tools.calc.dates import dates
from outrider.tools.tool import ToolContext, ToolError


def said(**arguments: Any) -> str:
    answer = dates.run(dates.check(arguments), ToolContext.__new__(ToolContext))
    assert isinstance(answer, str)
    return answer


@pytest.fixture
def oslo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place whose clocks change."""
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        ("2025-03-14", "2026-01-01", "293 days from 2025-03-14 to 2026-01-01 (41 weeks and 6 days; 9 months and 18 days)"),
        ("3 May 2026", "19 August 2026", "108 days from 2026-05-03 to 2026-08-19 (15 weeks and 3 days; 3 months and 16 days)"),
        ("13/04/2026", "2026-04-01", "12 days from 2026-04-13 to 2026-04-01 (backwards: the second is earlier)"),
        ("8:15", "20:45", "12 hours 30 minutes from 08:15 to 20:45"),
        ("2026-01-01 10:00", "2026-01-02 11:30", "1 day 1 hour 30 minutes from 2026-01-01 10:00 to 2026-01-02 11:30"),
    ],
)  # fmt: skip
def test_dates_says_how_far_apart_two_dates_are(one: str, other: str, answer: str) -> None:
    """In days, and in larger units where that helps."""
    assert said(operation="difference", date=one, to=other) == answer


@pytest.mark.parametrize(
    "written",
    ["2026-12-25", "20261225", "25 December 2026", "December 25, 2026", "Dec 25th 2026", "Friday, 25 December 2026",
     "25.12.2026", "12/25/2026", "25/12/2026", "the 25th of December 2026", "2026/12/25", "25-Dec-2026"],
)  # fmt: skip
def test_dates_reads_dates_as_people_write_them(written: str) -> None:
    """All the same day."""
    assert said(operation="weekday", date=written) == "2026-12-25 is a Friday"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("03/04/2026", "04 March 2026 or 03 April 2026"),
        ("1/2/26", "several ways"),
        ("30 February 2026", "no date"),
        ("5 May", "no year"),
        ("soon", "not understood"),
        ("", "there is no date"),
        ("2026-13-01", "is no date"),
        ("25:00", "no such time"),
    ],
)
def test_dates_refuses_what_has_two_readings_or_none(written: str, why: str) -> None:
    """A guess would be wrong half of the time."""
    with pytest.raises(ToolError, match=why):
        said(operation="weekday", date=written)


def test_dates_stays_in_the_month_when_its_day_is_missing() -> None:
    """31 January and a month."""
    answer = said(operation="add", date="2026-01-31", amount=1, unit="months")
    assert answer == "2026-02-28 (Saturday) is 1 month after 2026-01-31 (that month has no day 31)"


def test_dates_counts_hours_over_the_night_the_clocks_change(oslo: None) -> None:
    """On 29 March 2026 there are 23 hours in Oslo; a day later is the same time of the day all the same."""
    answer = said(operation="add", date="2026-03-28 12:00", amount=24, unit="hours")
    assert answer == "2026-03-29 13:00 (Sunday) is 24 hours after 2026-03-28 12:00"
    assert said(operation="difference", date="2026-03-28 12:00", to="2026-03-29 12:00", unit="hours").startswith(
        "23 hours"
    )
    assert said(operation="add", date="2026-03-28 12:00", amount=1).startswith("2026-03-29 12:00")


def test_dates_says_the_time_and_the_zone(oslo: None) -> None:
    """In the person's place, not in London."""
    assert "(Europe/Oslo, UTC+0" in said(operation="now")


@given(st.dates(date(1900, 1, 1), date(2200, 1, 1)), st.integers(-20_000, 20_000))
def test_dates_adds_what_the_difference_then_is(day: date, amount: int) -> None:
    """There and back."""
    later = (day + timedelta(days=amount)).isoformat()
    assert said(operation="add", date=day.isoformat(), amount=amount).startswith(later)
    assert said(operation="difference", date=day.isoformat(), to=later).startswith(f"{abs(amount):,} day")


@pytest.mark.parametrize("unit", ["days", "weeks", "months", "years", "hours", "minutes"])
def test_dates_refuses_a_year_that_no_calendar_has(unit: str) -> None:
    """Not a crash."""
    with pytest.raises(ToolError, match="cannot be reached"):
        said(operation="add", date="2026-01-01", amount=10**12, unit=unit)

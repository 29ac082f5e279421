"""Eight tools of somebody's own, on offer with every goal of held.py."""

from __future__ import annotations

from typing import Literal

from outrider.tools import tool


@tool
def delivery_fee(weight_kg: float, express: bool = False) -> str:
    """Fee for delivering a parcel.

    weight_kg: weight of the parcel in kg
    express: deliver the next day
    """
    return f"{3.1 + 0.9 * weight_kg + (5 if express else 0):.2f} EUR"


@tool
def opening_hours(store: Literal["Mitte", "Nord", "Hafen"], day: str = "today") -> str:
    """Opening hours of one of our stores."""
    return {"Mitte": "8:15 to 20:45", "Nord": "9:00 to 18:30", "Hafen": "10:00 to 22:00"}[store]


@tool
def loan_payment(principal: float, years: int, rate_percent: float = 5.0) -> str:
    """Monthly payment of a loan.

    principal: how much is borrowed
    years: how long it runs
    rate_percent: interest a year in percent
    """
    r = rate_percent / 1200
    return f"{principal * r / (1 - (1 + r) ** (-12 * years)):.2f} a month"


TICKETS = {
    "4182": ("in review", "Noor Aziz"),
    "4190": ("closed", "Felix Grau"),
    "5021": ("waiting for customer", "Jana Holt"),
}


@tool
def ticket_status(ticket: int) -> str:
    """Status of a support ticket."""
    return TICKETS.get(str(ticket), ("no such ticket", ""))[0]


@tool
def ticket_owner(ticket: int) -> str:
    """Person who is assigned to a support ticket."""
    return TICKETS.get(str(ticket), ("", "no such ticket"))[1]


@tool
def stock_price(symbol: str) -> str:
    """Last closing price of a share by its ticker symbol."""
    return {"ABC": "41.5 dollars", "KLM": "18.2 dollars", "ZED": "230.1 dollars"}.get(symbol.upper(), "unknown symbol")


@tool
def convert_currency(amount: float, source: str, target: str) -> str:
    """Convert an amount of money between currencies."""
    rate = {
        ("USD", "EUR"): 0.9,
        ("EUR", "USD"): 1.11,
        ("USD", "JPY"): 150.0,
        ("GBP", "EUR"): 1.2,
        ("EUR", "CHF"): 0.95,
    }.get((source.upper(), target.upper()))
    return "unknown currency pair" if rate is None else f"{amount * rate:.2f} {target.upper()}"


@tool(effect="read")
def reserve_table(guests: int, time: str, area: Literal["inside", "terrace", "bar"] = "inside") -> str:
    """Reserve a table in our restaurant."""
    return f"reserved for {guests} at {time}, {area}"

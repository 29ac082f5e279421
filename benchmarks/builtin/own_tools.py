"""Eight tools of somebody's own, on offer with every goal of the score."""

from __future__ import annotations

from typing import Literal

from outrider.tools import tool

CASES = {"7731": ("waiting for parts", "Ines Brook"), "7738": ("solved", "Pavel Lund"), "8102": ("open", "Tara Weiss")}
HOURS = {"harbour": "7:30 to 19:00", "centre": "9:00 to 21:00", "airport": "5:00 to 23:30"}
DISHES = {"pad thai": "peanuts, egg", "lasagne": "milk, wheat", "tom kha": "none"}


@tool
def courier_price(weight_kg: float, express: bool = False) -> str:
    """Price of sending a parcel by courier.

    weight_kg: weight in kilograms
    express: whether it arrives the next day
    """
    return f"{4.2 + 1.5 * weight_kg + (6 if express else 0):.2f} EUR"


@tool
def branch_hours(branch: Literal["harbour", "centre", "airport"]) -> str:
    """When one of our branches is open."""
    return HOURS[branch]


@tool
def credit_rate(amount: float, years: int) -> str:
    """Monthly rate of a credit over some years."""
    return f"{amount * 1.08 / (years * 12):.2f} EUR"


@tool
def case_state(case_id: str) -> str:
    """State of a support case."""
    return CASES.get(case_id, ("no such case", ""))[0]


@tool
def case_agent(case_id: str) -> str:
    """Who handles a support case."""
    return CASES.get(case_id, ("", "no such case"))[1]


@tool(effect="read")
def book_seats(train: str, seats: int, carriage: Literal["quiet", "family", "bike"] = "quiet") -> str:
    """Book seats on a train."""
    return f"booked {seats} seats on {train} in the {carriage} carriage"


@tool
def exchange_rate(source: str, target: str) -> str:
    """Rate between two currencies."""
    return {"EURUSD": "1.09", "USDJPY": "151.3", "GBPEUR": "1.17"}.get(source + target, "unknown pair")


@tool
def allergens(dish: str) -> str:
    """Allergens in a dish of our kitchen."""
    return DISHES.get(dish.lower(), "unknown dish")

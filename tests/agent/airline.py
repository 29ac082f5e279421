"""Recorded conversations of an airline's service agent, in the shape benchmarks publish them: made by a seeded generator.

Each is a list of chat messages; the tool messages hold what the tools gave when it was recorded. The recorder calls the plain
functions on a database of its own and knows nothing of Outrider. Like real recordings they hold calls that fail, ids that
repeat, arguments as text, several calls at once, and results that are JSON, plain text and errors.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

CITIES = ("JFK", "SFO", "SEA", "ORD", "DEN", "ATL")
Db = dict[str, Any]


def database() -> Db:
    """Users, flights and reservations."""
    rnd = random.Random(1)
    flights = {
        f"HAT{n:03}": {
            "origin": CITIES[n % 6], "destination": CITIES[(n // 6 + 1 + n) % 6], "status": ("available", "delayed")[n % 5 == 0],
            "prices": {"basic_economy": rnd.randint(50, 99), "economy": rnd.randint(100, 200), "business": rnd.randint(300, 600)},
        }
        for n in range(60)
    }  # fmt: skip
    users = {
        f"user_{n}": {"name": {"first": f"Ann{n}", "last": "O'Neil"}, "membership": ("regular", "gold")[n % 2],
                      "payment": {f"credit_{n}": {"balance": 500 + n}}, "reservations": [f"R{n:04}"]}
        for n in range(40)
    }  # fmt: skip
    reservations = {
        f"R{n:04}": {
            "user": f"user_{n}",
            "flights": [f"HAT{n % 60:03}"],
            "cabin": "economy",
            "bags": n % 3,
            "status": "booked",
        }
        for n in range(40)
    }
    return {"flights": flights, "users": users, "reservations": reservations}


class Airline:
    """The tools, as an airline would write them: text or JSON out, exceptions for what cannot be."""

    def __init__(self) -> None:
        self.db = database()

    def get_user_details(self, user_id: str) -> str:
        """Details of a user.

        user_id: such as "user_3"
        """
        if user_id not in self.db["users"]:
            return "Error: user not found"
        return json.dumps(self.db["users"][user_id])

    def get_reservation_details(self, reservation_id: str) -> dict[str, Any]:
        """Details of a reservation.

        reservation_id: such as "R0003"
        """
        if reservation_id not in self.db["reservations"]:
            raise ValueError(f"reservation {reservation_id} not found")
        found: dict[str, Any] = self.db["reservations"][reservation_id]
        return copy.deepcopy(found)

    def search_direct_flight(self, origin: str, destination: str, cabin: str = "economy") -> list[dict[str, Any]]:
        """Direct flights between two airports.

        origin: three letters
        destination: three letters
        cabin: basic_economy, economy or business
        """
        return [
            {"flight": name, "price": one["prices"][cabin], "status": one["status"]}
            for name, one in self.db["flights"].items()
            if (one["origin"], one["destination"]) == (origin, destination)
        ]

    def calculate(self, expression: str) -> str:
        """The value of an expression of numbers, + and -."""
        if not set(expression) <= set("0123456789+-. "):
            return "Error: invalid characters"
        return str(
            round(sum(float(part) for part in expression.replace("-", "+-").replace(" ", "").split("+") if part), 2)
        )

    def update_reservation_baggages(self, reservation_id: str, total_baggages: int) -> dict[str, Any]:
        """Change the number of bags.

        reservation_id: which one
        total_baggages: how many in all
        """
        self.db["reservations"][reservation_id]["bags"] = total_baggages
        return copy.deepcopy(self.db["reservations"][reservation_id])  # type: ignore[no-any-return]

    def book_reservation(self, user_id: str, flights: list[str], cabin: str, insurance: bool = False) -> dict[str, Any]:
        """Book flights.

        user_id: who flies
        flights: flight numbers
        cabin: which cabin
        insurance: with travel insurance
        """
        name = f"N{len(self.db['reservations']):04}"
        total = sum(self.db["flights"][one]["prices"][cabin] for one in flights) + (30 if insurance else 0)
        made = {"user": user_id, "flights": flights, "cabin": cabin, "bags": 0, "status": "booked", "total": total}
        self.db["reservations"][name] = made
        return {"reservation_id": name, **copy.deepcopy(made)}

    def cancel_reservation(self, reservation_id: str) -> str:
        """Cancel a reservation."""
        self.db["reservations"][reservation_id]["status"] = "cancelled"
        return f"{reservation_id} is cancelled — “refund” of 5–7 days"

    def transfer_to_human_agents(self, summary: str) -> str:
        """Hand over to a person."""
        return "Transfer successful"

    def tools(self) -> dict[str, Callable[..., Any]]:
        """The tools by name."""
        names = [name for name in vars(type(self)) if not name.startswith("_") and name != "tools"]
        return {name: getattr(self, name) for name in names}


READS = ("get_user_details", "get_reservation_details", "search_direct_flight", "calculate")


@dataclass
class Recording:
    """One conversation: chat messages in order."""

    name: str
    messages: list[dict[str, Any]] = field(default_factory=list)


def record(number: int) -> Recording:
    """The conversation of this number; the same at every call."""
    rnd, airline, made = random.Random(number), Airline(), Recording(f"airline-{number:03}")
    user, reservation = f"user_{rnd.randrange(45)}", f"R{rnd.randrange(42):04}"
    made.messages.append({"role": "user", "content": f"Hi, I am {user} and want to talk about {reservation}."})
    for turn in range(rnd.randint(1, 3)):
        if turn:
            made.messages.append({"role": "user", "content": f"And one more thing ({turn}), please."})
        for _ in range(rnd.randint(1, 4)):
            _act(made, airline, rnd, user, reservation)
        made.messages.append({"role": "assistant", "content": f"That is done, {user}. Anything else?"})
    return made


def _act(made: Recording, airline: Airline, rnd: random.Random, user: str, reservation: str) -> None:
    calls = [_choice(rnd, airline, user, reservation) for _ in range(rnd.choice((1, 1, 1, 2, 3)))]
    if len(calls) > 1:  # what changes something stands alone in a reply
        calls = [one for one in calls if one[0] in READS][:2] or calls[:1]
    drafts = [
        {"id": f"call_{rnd.randrange(3)}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments in calls
    ]  # fmt: skip
    made.messages.append({"role": "assistant", "content": None, "tool_calls": drafts})
    for draft, (name, arguments) in zip(drafts, calls, strict=True):
        said = _said(airline, name, arguments)
        made.messages.append({"role": "tool", "tool_call_id": draft["id"], "name": name, "content": said})


def _said(airline: Airline, name: str, arguments: dict[str, Any]) -> str:
    """What the recorder wrote down of a call: text as it is, the rest as JSON, an exception as its class and words."""
    try:
        value = airline.tools()[name](**arguments)
    except Exception as error:
        return f"Error: {type(error).__name__}: {error}"
    return value if isinstance(value, str) else json.dumps(value)


def _choice(rnd: random.Random, airline: Airline, user: str, reservation: str) -> tuple[str, dict[str, Any]]:
    there = reservation if reservation in airline.db["reservations"] else "R0001"
    a, b = rnd.sample(CITIES, 2)
    return rnd.choice([
        ("get_user_details", {"user_id": user}),
        ("get_reservation_details", {"reservation_id": reservation}),
        ("search_direct_flight", {"origin": a, "destination": b}),
        ("search_direct_flight", {"origin": b, "destination": a, "cabin": "business"}),
        ("calculate", {"expression": f"{rnd.randrange(900)} + {rnd.randrange(90)}.5 - {rnd.randrange(50)}"}),
        ("calculate", {"expression": "__import__('os')"}),
        ("update_reservation_baggages", {"reservation_id": there, "total_baggages": rnd.randrange(4)}),
        ("book_reservation", {"user_id": user, "flights": [f"HAT{rnd.randrange(60):03}"], "cabin": "economy", "insurance": True}),
        ("book_reservation", {"user_id": user, "flights": ["HAT999"], "cabin": "business"}),
        ("cancel_reservation", {"reservation_id": there}),
        ("transfer_to_human_agents", {"summary": "the user “insists”\non a refund"}),
    ])  # fmt: skip


def recordings(count: int) -> Iterator[Recording]:
    """That many conversations."""
    return (record(number) for number in range(count))

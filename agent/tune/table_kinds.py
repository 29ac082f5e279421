"""Kinds of tables: their columns, values and ranges. Data, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from outrider.agent.tune.words import CITIES, THINGS


@dataclass(frozen=True, slots=True)
class Domain:
    """A kind of table. texts: column → values. numbers: column → (low, high, decimals). date: a date column or ""."""

    file: str
    thing: str  # what a row is, plural
    texts: dict[str, list[str]]
    numbers: dict[str, tuple[float, float, int]]
    date: str = ""
    name: str = ""  # the column that names a row


COUNTRIES = [
    "Japan",
    "Norway",
    "Brazil",
    "Canada",
    "Spain",
    "Kenya",
    "Italy",
    "Poland",
    "India",
    "Chile",
    "France",
    "Peru",
]
DOMAINS = [
    Domain("sales", "sales", {"region": ["North", "South", "East", "West"], "product": THINGS[:6]}, {"amount": (5, 900, 2), "units": (1, 40, 0)}, "date"),
    Domain("orders", "orders", {"country": COUNTRIES[:6], "status": ["pending", "shipped", "cancelled", "delivered"], "customer": []}, {"total": (10, 999, 2), "items": (1, 12, 0)}, "order_date"),
    Domain("staff", "people", {"department": ["design", "sales", "finance", "support"], "city": CITIES[:6], "name": []}, {"salary": (28000, 99000, 0), "age": (20, 64, 0)}, "hired", "name"),
    Domain("books", "books", {"genre": ["crime", "poetry", "history", "fantasy"], "author": [], "language": ["English", "German", "Spanish"]}, {"pages": (90, 900, 0), "price": (4, 60, 2)}, "published", "title"),
    Domain("stock", "products", {"category": ["tools", "toys", "garden", "kitchen"], "supplier": ["Acme", "Borealis", "Cobalt", "Delmar"]}, {"price": (2, 300, 2), "quantity": (0, 500, 0)}, "", "item"),
    Domain("students", "students", {"class": ["1A", "1B", "2A", "2B"], "subject": ["maths", "biology", "art", "music"]}, {"score": (20, 100, 0), "absences": (0, 20, 0)}, "", "student"),
    Domain("trips", "trips", {"driver": [], "city": CITIES[6:12], "vehicle": ["van", "truck", "bike"]}, {"distance": (2, 400, 1), "fuel": (1, 60, 1)}, "day"),
    Domain("expenses", "expenses", {"category": ["travel", "food", "software", "rent"], "paid_by": ["card", "cash", "transfer"]}, {"amount": (3, 1500, 2)}, "date", "what"),
    Domain("tickets", "tickets", {"priority": ["low", "medium", "high", "urgent"], "team": ["web", "billing", "mobile"], "state": ["open", "closed", "waiting"]}, {"hours": (1, 80, 1), "replies": (0, 30, 0)}, "opened"),
    Domain("weather", "days", {"station": CITIES[12:17], "sky": ["sunny", "cloudy", "rainy"]}, {"temperature": (-9, 38, 1), "rainfall": (0, 40, 1)}, "date"),
    Domain("members", "members", {"plan": ["basic", "plus", "family"], "country": COUNTRIES[6:], "name": []}, {"fee": (5, 80, 2), "visits": (0, 200, 0)}, "joined", "name"),
    Domain("cars", "cars", {"make": ["Toyota", "Volvo", "Fiat", "Skoda"], "colour": ["red", "blue", "black", "white"], "fuel": ["petrol", "diesel", "electric"]}, {"price": (900, 60000, 0), "mileage": (0, 250000, 0), "year": (1998, 2026, 0)}, "", "model"),
    Domain("houses", "houses", {"town": CITIES[:5], "kind": ["flat", "villa", "cottage"]}, {"rooms": (1, 9, 0), "price": (90000, 900000, 0), "area": (25, 320, 0)}, "listed"),
    Domain("matches", "matches", {"home": ["Lions", "Bears", "Hawks", "Wolves"], "away": ["Foxes", "Sharks", "Bulls", "Owls"]}, {"goals": (0, 9, 0), "spectators": (200, 60000, 0)}, "played"),
    Domain("movies", "movies", {"genre": ["drama", "comedy", "thriller"], "director": [], "studio": ["Apex", "Lumen", "Orion"]}, {"rating": (1, 10, 1), "minutes": (70, 210, 0), "year": (1970, 2026, 0)}, "", "title"),
    Domain("plants", "plants", {"family": ["fern", "palm", "cactus"], "light": ["shade", "sun", "half"]}, {"height": (3, 300, 0), "price": (2, 90, 2)}, "", "plant"),
    Domain("calls", "calls", {"agent": [], "outcome": ["solved", "escalated", "dropped"]}, {"duration": (1, 90, 0), "wait": (0, 40, 0)}, "call_date"),
    Domain("invoices", "invoices", {"client": ["Acme", "Borealis", "Cobalt", "Delmar"], "paid": ["yes", "no"]}, {"amount": (40, 9000, 2), "days_late": (0, 90, 0)}, "due_date"),
]  # fmt: skip

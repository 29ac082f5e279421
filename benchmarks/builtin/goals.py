"""120 natural goals, written by hand and never trained on, with what a right run of each says or leaves behind.

What it is: `GOALS`. `says`: texts of which each must be in the answer (several spellings with |). `file`, `holds`: a file
that must exist and hold that; `gone`: one that must not exist; `absent`: texts that must not be in the answer. Kind "impossible": right is to say that it cannot be done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.builtin.files import STAFF, STOCK, Row, orders


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what makes a run of it right."""

    kind: str
    text: str
    says: tuple[str, ...] = ()
    file: str = ""
    holds: str = ""
    gone: str = ""
    absent: tuple[str, ...] = ()


def _sum(text: str, *says: str) -> Goal:
    return Goal("arithmetic", text, says)


def _table(text: str, *says: object) -> Goal:
    return Goal("tables", text, tuple(str(one) for one in says))


def _money(value: float) -> str:
    """A number as it may be written: 12.5, 12.50."""
    return f"{round(value, 2):g}|{value:.2f}|{round(value, 1)}"


O = orders()  # noqa: E741


def n(test: Callable[[Row], bool]) -> int:
    """How many orders fit."""
    return sum(map(test, O))


def t(test: Callable[[Row], bool]) -> float:
    """Their total."""
    return sum(row["total"] for row in O if test(row))


_BY = Counter[str]()
for _row in O:
    _BY[_row["country"]] += _row["total"]
_MOST = max(_BY, key=lambda c: _BY[c])
_TOP = max(O, key=lambda r: r["total"])

ARITHMETIC = [
    _sum("what's 18% of 240", "43.2"), _sum("1,480 less 25 percent", "1110|1,110"), _sum("take 12% off 65", "57.2"), _sum("350 plus 8% sales tax?", "378"),
    _sum("If I put 20 percent tip on a bill of 84.50, what do I pay in all?", "101.4"), _sum("(17 + 5) * 6 - 40", "92"), _sum("add 14 and 38, then halve it", "26"),
    _sum("Divide 96 by 8 and add 17", "29"), _sum("what is 7 to the power of 5", "16807|16,807"), _sum("square root of 1764", "42"), _sum("remainder of 1000 divided by 37", "1"),
    _sum("the average of 12, 19, 31 and 8", "17.5"), _sum("add up 8.75, 12.40 and 3.99, then subtract 5", "20.14"), _sum("A crate holds 24 bottles. I have 7 crates and drink 9 bottles. How many remain?", "159"),
    _sum("Three friends share a bill of 133.50 equally, how much is it each?", "44.5"), _sum("I run 5.2 km four times a week. How many km in 6 weeks?", "124.8"), _sum("What do 13 tickets at 22.50 cost with a booking fee of 4?", "296.5"),
    _sum("My 2,300 salary goes up by 3.5%. New salary?", "2380.5|2,380.5"), _sum("How far does a train going 140 km/h get in 2.5 hours?", "350"), _sum("what percent of 80 is 52?", "65"),
    _sum("How many days between 2026-02-10 and 2026-05-01?", "80"), _sum("Which weekday was 4 July 2025?", "Friday"), _sum("what date is 45 days after 20 March 2026?", "2026-05-04|4 May 2026|May 4"),
    _sum("days from 1 June 2026 to 15 September 2026", "106"), _sum("How many kilometers are 31 miles?", "49.8|49.9"), _sum("convert 68 fahrenheit to celsius", "20"), _sum("2.5 GB in megabytes", "2500|2,500"),
    _sum("how many minutes are 4.5 hours", "270"), _sum("85 kg in pounds", "187.3|187.4"), _sum("a 14 by 9 metre garden: what is its area?", "126"),
]  # fmt: skip
TABLES = [
    _table("How many orders from Norway are in orders.csv?", n(lambda r: r["country"] == "Norway")), _table("how many rows does orders.csv have", 180),
    _table("How many pending orders are there in orders.csv?", n(lambda r: r["status"] == "pending")), _table("How many orders from Japan were cancelled? The file is orders.csv", n(lambda r: r["country"] == "Japan" and r["status"] == "cancelled")),
    _table("what is the sum of total in orders.csv", _money(t(lambda r: True))), _table("total of orders.csv by country", *(_money(v) for v in _BY.values())),
    _table("In orders.csv, which country has the highest total overall?", _MOST), _table("orders in orders.csv with a total over 300, how many?", n(lambda r: r["total"] > 300)),
    _table("average items in orders.csv for Brazil", _money(sum(r["items"] for r in O if r["country"] == "Brazil") / n(lambda r: r["country"] == "Brazil"))),
    _table("how many orders in orders.csv are from March 2026?", n(lambda r: r["order_date"].startswith("2026-03"))), _table("count of orders per status in orders.csv", *(n(lambda r, s=s: r["status"] == s) for s in ("pending", "shipped", "cancelled"))),  # type: ignore[misc]
    _table("biggest total in orders.csv", _money(_TOP["total"])), _table("which order_id has the highest total in orders.csv?", _TOP["order_id"]),
    _table("how many orders between 2026-02-01 and 2026-02-28 does orders.csv hold?", n(lambda r: "2026-02-01" <= r["order_date"] <= "2026-02-28")),
    _table("Which item in stock.csv is the most expensive?", "whiteboard"), _table("list the garden items in stock.csv", "garden hose", "rake"), _table("what is the average price in stock.csv", _money(sum(r["price"] for r in STOCK) / 6)),
    _table("which categories are there in stock.csv?", "office", "garden", "kitchen"), _table("price of the teapot in stock.csv", "27.4"), _table("how many items in stock.csv cost less than 25?", 3),
    _table("Who works in the design team? See staff.json", *(r["name"] for r in STAFF if r["team"] == "design")), _table("who has the highest salary in staff.json", "Hugo Silva"), _table("average age per team in staff.json", "31.5", "38.5", "45"),
    _table("How many customers are in shop.db?", 37),
]  # fmt: skip


def _file(text: str, *says: str, file: str = "", holds: str = "", gone: str = "") -> Goal:
    return Goal("files", text, says, file, holds, gone)


FILES = [
    _file("what is the guest wifi in notes.txt?", "pelican-88"), _file("When is the dentist? It's in notes.txt", "14 May"), _file("which port does the server use according to settings.ini", "8181"), _file("Who prepares the budget? Look in meeting.md", "Farid"),
    _file("when does the contract end? see letter.txt", "30 June 2027"), _file("What version is set in src/app.py?", "2.7"), _file("which files mention flamingo?", "app.py", "guide.md"), _file("find TODO in the files", "old_api.py", "app.py"),
    _file("how many lines are in meeting.md", "5"), _file("list all .md files", "meeting.md", "guide.md"), _file("summarise letter.txt", "30 June 2027|contract"), _file("write 'buy stamps' to errands.txt", file="errands.txt", holds="buy stamps"),
    _file("Create a file fruits.txt with three lines: apple, plum, cherry", file="fruits.txt", holds="apple\nplum\ncherry"), _file("append water the ferns to todo.txt", file="todo.txt", holds="renew passport\nwater the ferns"), _file("rename notes.txt to reminders.txt", file="reminders.txt", holds="pelican", gone="notes.txt"),
    _file("delete todo.txt", gone="todo.txt"), _file("get rid of src/old_api.py please", gone="src/old_api.py"), _file("copy letter.txt to letter_copy.txt", file="letter_copy.txt", holds="Okafor"), _file("in settings.ini change 8181 to 9090", file="settings.ini", holds="port = 9090"),
    _file("replace Thursday with Monday in meeting.md", file="meeting.md", holds="room 204, Monday"), _file("move todo.txt to archive/todo.txt", file="archive/todo.txt", holds="plumber", gone="todo.txt"), _file("what does the paint for the fence cost? notes.txt", "46"),
]  # fmt: skip


def _own(text: str, *says: str) -> Goal:
    return Goal("custom", text, says)


CUSTOM = [
    _own("what does it cost to send a 3 kg parcel by courier?", "8.70"), _own("courier price for 2 kilos, express", "13.20"), _own("I need a 10 kg parcel there by tomorrow, what's the courier price with express?", "25.20"), _own("when is the harbour branch open?", "7:30"),
    _own("opening times of your airport branch", "5:00"), _own("is the centre branch open at 20:00?", "9:00"), _own("monthly rate for a credit of 12000 over 4 years", "270"), _own("How much a month would a 5000 euro credit cost for 2 years?", "225"),
    _own("what is the state of case 7731", "waiting for parts"), _own("is case 7738 solved?", "solved"), _own("who handles case 8102", "Tara Weiss"), _own("Which person is responsible for support case 7731?", "Ines Brook"), _own("book 3 seats on train ICE82", "booked 3"),
    _own("book 2 seats on RE7 in the bike carriage", "2 seats", "bike"), _own("I want 4 seats in the family carriage of train IC9", "4 seats", "family"), _own("exchange rate from EUR to USD", "1.09"), _own("what's the rate USD to JPY", "151.3"), _own("allergens in the lasagne?", "milk"),
    _own("I'm allergic to peanuts, what is in the pad thai?", "peanuts"), _own("state of support case 8102?", "open"),
]  # fmt: skip
STEPS = [
    Goal("steps", "Count the rows in stock.csv and write the number to count.txt", (), "count.txt", "6"), Goal("steps", "what is 15% of 640, save the result to tip.txt", (), "tip.txt", "96"), Goal("steps", "read the number of workers from settings.ini and write it to workers.txt", (), "workers.txt", "6"),
    Goal("steps", "What is 12 * 19, and how many lines does todo.txt have?", ("228", "2")), Goal("steps", "what's the state of case 7731 and who handles it?", ("waiting for parts", "Ines Brook")), Goal("steps", "price of the rake in stock.csv plus 20%", ("20.7",)),
    Goal("steps", "How many orders are in orders.csv, and which weekday is 4 July 2025?", ("180", "Friday")), Goal("steps", "courier price for a 4 kg parcel, write it to courier.txt", (), "courier.txt", "10.20"), Goal("steps", "convert 10 miles to km and store the answer in dist.txt", (), "dist.txt", "16.09"),
    Goal("steps", "find the wifi code in notes.txt and put it in wifi.txt", (), "wifi.txt", "pelican-88"), Goal("steps", "the average price in stock.csv times 3", (_money(3 * sum(r["price"] for r in STOCK) / 6),)), Goal("steps", "delete todo.txt and rename letter.txt to mail.txt", (), "mail.txt", "Okafor", "todo.txt"),
]  # fmt: skip
IMPOSSIBLE = [
    Goal("impossible", text)
    for text in (
        "send Olga an email that I am ill", "order two pizzas", "turn the heating down in my flat", "call a plumber for me", "what did I have for breakfast?", "play something by Bach", "print letter.txt on the office printer",
        "pay the electricity bill", "What is the phone number in settings.ini?", "How many rows does missing.csv have?", "Combien de lignes y a-t-il dans stock.csv ?", "who is the owner of orders.csv's warehouse in Mars City?",
    )
]  # fmt: skip
GOALS = [*ARITHMETIC, *TABLES, *FILES, *CUSTOM, *STEPS, *IMPOSSIBLE]

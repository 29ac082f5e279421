"""63 goals in plain words that nothing was trained or tuned on, half of a list of 126; the other half was used.

What it is: `GOALS`, with `make` for their workspace and `TOOLS` for the eight tools on offer with each. Whoever changes
the built-in model looks at the totals of this list, not at its rows. What it may touch: an empty folder.
"""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

from benchmarks.builtin.goals import Goal

TOOLS = Path(__file__).with_name("held_tools.py")


def _sales() -> list[dict[str, Any]]:
    rnd = random.Random(977)
    return [
        {
            "date": f"2025-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}",
            "region": rnd.choice(["North", "South", "East", "West"]),
            "product": rnd.choice(["kettle", "toaster", "blender", "fan"]),
            "units": rnd.randint(1, 30),
            "amount": round(rnd.uniform(20, 900), 2),
            "rep": rnd.choice(["Amara", "Jonas", "Priya", "Tomas"]),
            "status": rnd.choice(["paid", "open", "refunded"]),
        }
        for _ in range(150)
    ]


EMPLOYEES: list[dict[str, Any]] = [{'name': 'Lena Brandt', 'department': 'Engineering', 'city': 'Hamburg', 'salary': 68000, 'age': 31, 'start_date': '2019-04-01'}, {'name': 'Omar Haddad', 'department': 'Engineering', 'city': 'Lyon', 'salary': 74500, 'age': 44, 'start_date': '2015-09-15'}, {'name': 'Sofia Reyes', 'department': 'Sales', 'city': 'Madrid', 'salary': 51200, 'age': 28, 'start_date': '2022-01-10'}, {'name': 'Viktor Nagy', 'department': 'Sales', 'city': 'Hamburg', 'salary': 49800, 'age': 39, 'start_date': '2018-06-01'}, {'name': 'Chloe Petit', 'department': 'Marketing', 'city': 'Lyon', 'salary': 47300, 'age': 26, 'start_date': '2023-03-20'}, {'name': 'Ben Carter', 'department': 'Support', 'city': 'Leeds', 'salary': 36400, 'age': 33, 'start_date': '2021-11-02'}, {'name': 'Aisha Khan', 'department': 'Support', 'city': 'Leeds', 'salary': 38900, 'age': 52, 'start_date': '2012-02-27'}, {'name': 'Nils Berg', 'department': 'Engineering', 'city': 'Oslo', 'salary': 81000, 'age': 47, 'start_date': '2010-08-16'}, {'name': 'Ruth Cohen', 'department': 'Finance', 'city': 'Leeds', 'salary': 59900, 'age': 41, 'start_date': '2016-05-30'}, {'name': 'Marek Wolf', 'department': 'Finance', 'city': 'Hamburg', 'salary': 62500, 'age': 36, 'start_date': '2020-10-05'}]  # fmt: skip
BOOKS: list[dict[str, Any]] = [{'title': 'Salt Roads', 'author': 'Ida Marsh', 'year': 1998, 'pages': 412, 'rating': 4.1, 'genre': 'history'}, {'title': 'The Tin Moth', 'author': 'Karl Ahn', 'year': 2011, 'pages': 233, 'rating': 3.6, 'genre': 'crime'}, {'title': 'Quiet Engines', 'author': 'Ida Marsh', 'year': 2004, 'pages': 318, 'rating': 4.6, 'genre': 'science'}, {'title': 'Nine Lamps', 'author': 'Joy Okoro', 'year': 2019, 'pages': 187, 'rating': 3.9, 'genre': 'poetry'}, {'title': 'Under Glass', 'author': 'Peter Lund', 'year': 2015, 'pages': 544, 'rating': 4.4, 'genre': 'crime'}, {'title': 'Bread and Rain', 'author': 'Joy Okoro', 'year': 2021, 'pages': 265, 'rating': 4.8, 'genre': 'poetry'}, {'title': 'The Long Ferry', 'author': 'Karl Ahn', 'year': 1987, 'pages': 601, 'rating': 3.2, 'genre': 'history'}]  # fmt: skip
EXPENSES: list[dict[str, Any]] = [{'what': 'train to Bonn', 'category': 'travel', 'cost': 64.5, 'day': '2026-01-12'}, {'what': 'printer paper', 'category': 'office', 'cost': 18.2, 'day': '2026-01-15'}, {'what': 'hotel Bonn', 'category': 'travel', 'cost': 139.0, 'day': '2026-01-13'}, {'what': 'team lunch', 'category': 'food', 'cost': 92.8, 'day': '2026-02-03'}, {'what': 'desk chair', 'category': 'office', 'cost': 215.0, 'day': '2026-02-11'}, {'what': 'coffee beans', 'category': 'food', 'cost': 27.9, 'day': '2026-02-20'}, {'what': 'taxi', 'category': 'travel', 'cost': 23.0, 'day': '2026-03-01'}]  # fmt: skip
TEXTS = {'readme.md': '# Orchard\nOrchard keeps track of apple harvests.\nInstall it with `make setup`.\nLicence: MIT\nMaintainer: Greta Holm\n', 'journal.txt': 'Monday: fixed the gate, saw two herons.\nTuesday: the vet comes on 9 April.\nWednesday: paid the plumber 180 euros.\nThe alarm code is 4471.\n', 'config.yaml': 'host: db.orchard.test\nport: 5544\nretries: 3\nlog_level: warning\nmax_users: 250\n', 'minutes.txt': 'Team meeting, 6 March\nDecisions: the release is postponed to 17 April.\nGreta writes the press text.\nBudget for the stand: 2400 euros.\nNext meeting in room Linden.\n', 'contacts.txt': 'Dr. Weber, dentist, 040 555 013\nMrs. Yilmaz, tax adviser, 040 555 277\nGarage Petersen, 040 555 390\n', 'recipe.txt': 'Pear cake\n250 g flour\n3 eggs\n120 g sugar\nBake for 45 minutes at 175 degrees.\n', 'error.log': '08:01 INFO start\n08:02 ERROR disk full\n08:05 WARNING retry\n08:07 ERROR timeout reading heron.dat\n08:09 INFO stop\n', 'src/util.py': '# FIXME slow\ndef area(w, h):\n    return w * h\n', 'src/main.py': 'from util import area\nVERSION = "3.4.1"\nprint(area(2, 3))  # heron\n', 'src/legacy.py': 'def old():\n    return None\n', 'drafts/plan.txt': 'Plan for June: paint the barn, mow the meadow.\n', 'team_a.txt': 'Kim\nLou\nSam\n', 'team_b.txt': 'Lou\nSam\nToni\n', 'groceries.txt': 'rice\nlentils\n'}  # fmt: skip


def make(folder: Path) -> None:
    """Write the workspace into an empty folder."""
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name, rows in (("sales.csv", _sales()), ("employees.csv", EMPLOYEES), ("books.csv", BOOKS)):
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "expenses.json").write_text(json.dumps(EXPENSES, indent=1), encoding="utf-8")
    with sqlite3.connect(folder / "library.db") as db:
        db.execute("CREATE TABLE members (id INTEGER, name TEXT, city TEXT, joined TEXT)")
        rows = [
            (at, f"Member {at}", ["Kiel", "Bonn", "Ulm"][at % 3], f"20{15 + at % 8}-05-0{1 + at % 9}")
            for at in range(46)
        ]
        db.executemany("INSERT INTO members VALUES (?, ?, ?, ?)", rows)
    db.close()


GOALS = [
    Goal('arithmetic', 'Hi, could you tell me what 23% of 780 comes to?', ('179.4',), '', '', '', ()),
    Goal('arithmetic', 'I bought 4 packs of 6 batteries and used 7 of them. How many batteries do I have now?', ('17',), '', '', '', ()),
    Goal('arithmetic', 'We are 5 people and the dinner was 187.50. How much does each of us owe?', ('37.5',), '', '', '', ()),
    Goal('arithmetic', 'What is 3 to the power of 9?', ('19683|19,683',), '', '', '', ()),
    Goal('arithmetic', 'how much is 17 times 23 minus 100', ('291',), '', '', '', ()),
    Goal('arithmetic', 'A shop sells 45 muffins on Monday and twice as many on Tuesday. How many altogether?', ('135',), '', '', '', ()),
    Goal('arithmetic', 'whats the average of 88, 92, 79 and 95', ('88.5',), '', '', '', ()),
    Goal('arithmetic', 'How many days are there between 14 March 2026 and 2 July 2026?', ('110',), '', '', '', ()),
    Goal('arithmetic', 'What date is 90 days after 2026-01-15?', ('2026-04-15|15 April 2026|April 15',), '', '', '', ()),
    Goal('arithmetic', 'Convert 72 fahrenheit to celsius please', ('22.2',), '', '', '', ()),
    Goal('arithmetic', '3.5 kg in grams', ('3500|3,500',), '', '', '', ()),
    Goal('arithmetic', 'what is the area of a room 4.5 m by 6 m', ('27',), '', '', '', ()),
    Goal('arithmetic', 'I read 35 pages a day. How many days for a book of 420 pages?', ('12',), '', '', '', ()),
    Goal('arithmetic', 'A recipe for 4 people needs 300 g of rice. How much do I need for 10 people?', ('750',), '', '', '', ()),
    Goal('arithmetic', 'Divide 84 by 6, then add 9, and multiply that by 3', ('69',), '', '', '', ()),
    Goal('arithmetic', "what's left of 500 after paying 3 bills of 47.80?", ('356.6',), '', '', '', ()),
    Goal('tables', 'Which region sold the most in sales.csv?', ('South',), '', '', '', ()),
    Goal('tables', 'How many sales in sales.csv have an amount over 500?', ('63',), '', '', '', ()),
    Goal('tables', 'how many toasters were sold in total according to sales.csv?', ('765',), '', '', '', ()),
    Goal('tables', 'how many refunded sales are there in the East? file: sales.csv', ('11',), '', '', '', ()),
    Goal('tables', 'who is the oldest person in employees.csv?', ('Aisha Khan',), '', '', '', ()),
    Goal('tables', 'Who works in Leeds? (employees.csv)', ('Ben Carter', 'Aisha Khan', 'Ruth Cohen'), '', '', '', ('Marek', 'Lena')),
    Goal('tables', 'Which employees started after 2020-01-01? see employees.csv', ('Sofia Reyes', 'Chloe Petit', 'Ben Carter', 'Marek Wolf'), '', '', '', ('Viktor', 'Ruth')),
    Goal('tables', 'What is the best rated book in books.csv', ('Bread and Rain',), '', '', '', ()),
    Goal('tables', 'list the crime books from books.csv', ('The Tin Moth', 'Under Glass'), '', '', '', ('Salt', 'Nine')),
    Goal('tables', 'what was the most expensive thing in expenses.json', ('desk chair',), '', '', '', ()),
    Goal('tables', 'which departments are there in employees.csv?', ('Engineering', 'Sales', 'Marketing', 'Support', 'Finance'), '', '', '', ()),
    Goal('tables', 'Number of units sold per product, sales.csv', ('623', '765', '615', '570'), '', '', '', ()),
    Goal('tables', 'what does the hotel cost in expenses.json', ('139',), '', '', '', ()),
    Goal('files', 'rename groceries.txt to shopping.txt', (), 'shopping.txt', 'rice\nlentils', 'groceries.txt', ()),
    Goal('files', "I don't need src/legacy.py any more, get rid of it", (), '', '', 'src/legacy.py', ()),
    Goal('files', 'What is the alarm code in journal.txt?', ('4471',), '', '', '', ()),
    Goal('files', 'who maintains Orchard? look in readme.md', ('Greta Holm',), '', '', '', ()),
    Goal('files', 'whats the phone number of the tax adviser in contacts.txt', ('040 555 277',), '', '', '', ()),
    Goal('files', 'How many lines does error.log have?', ('5',), '', '', '', ()),
    Goal('files', 'add milk to groceries.txt', (), 'groceries.txt', 'rice\nlentils\nmilk', '', ()),
    Goal('files', 'copy recipe.txt to backup/recipe.txt', (), 'backup/recipe.txt', 'Pear cake', '', ()),
    Goal('files', 'how long do I bake the pear cake? See recipe.txt', ('45',), '', '', '', ()),
    Goal('files', 'list all python files in src', ('util.py', 'main.py', 'legacy.py'), '', '', '', ()),
    Goal('files', 'what are the differences between team_a.txt and team_b.txt', ('Kim', 'Toni'), '', '', '', ()),
    Goal('files', 'put the words see you soon into a file named bye.txt', (), 'bye.txt', 'see you soon', '', ()),
    Goal('custom', 'delivery fee for 7.5 kilos with express please', ('14.85',), '', '', '', ()),
    Goal('custom', 'hi! is the shop in Mitte open at 9 pm?', ('20:45',), '', '', '', ()),
    Goal('custom', 'I want to borrow 8000 for 3 years at 4.5 percent, whats the monthly payment?', ('237.98',), '', '', '', ()),
    Goal('custom', 'Is ticket 4190 closed already?', ('closed',), '', '', '', ()),
    Goal('custom', 'Who is assigned to 5021, the support ticket?', ('Jana Holt',), '', '', '', ()),
    Goal('custom', 'How much is one share of KLM worth at the moment', ('18.2',), '', '', '', ()),
    Goal('custom', 'change 250 pounds, GBP, into EUR', ('300',), '', '', '', ()),
    Goal('custom', 'Please reserve a table for 6 at 19:30 on the terrace', ('6 at 19:30', 'terrace'), '', '', '', ()),
    Goal('custom', 'table for 4 at the bar, 18:15', ('4 at 18:15', 'bar'), '', '', '', ()),
    Goal('custom', 'status of ticket 4182 pls', ('in review',), '', '', '', ()),
    Goal('steps', 'What is 12% of 450? Save the result in share.txt', (), 'share.txt', '54', '', ()),
    Goal('steps', "what's the status of ticket 4190 and who owns it?", ('closed', 'Felix Grau'), '', '', '', ()),
    Goal('steps', 'delete groceries.txt and rename recipe.txt to cake.txt', (), 'cake.txt', 'Pear', 'groceries.txt', ()),
    Goal('steps', 'convert 100 USD to EUR and write the result to money.txt', (), 'money.txt', '90', '', ()),
    Goal('steps', 'How much is the price of the taxi in expenses.json plus 10%?', ('25.3',), '', '', '', ()),
    Goal('steps', 'Add 5 to 7 and multiply the result by 2, then write it to r.txt', (), 'r.txt', '24', '', ()),
    Goal('impossible', 'book me a flight to Rome on Friday', (), '', '', '', ()),
    Goal('impossible', 'call Dr. Weber for me', (), '', '', '', ()),
    Goal('impossible', 'how many rows are in customers.csv?', (), '', '', '', ()),
    Goal('impossible', 'turn off the lights in the kitchen', (), '', '', '', ()),
    Goal('impossible', 'order a new desk chair online', (), '', '', '', ()),
    Goal('impossible', 'post a picture of the barn on instagram', (), '', '', '', ()),
]  # fmt: skip

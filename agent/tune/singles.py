"""Made-up tools that stand alone, mostly with numbers, enums and options; and the hard negatives that look like their work."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from outrider.agent.models.brain.lines import Card
from outrider.agent.tune.nouns import Kit, kit
from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import CITIES, FIRST, MONTHS, THINGS, person, said

LANGS, MONEY = ["German", "Spanish", "Polish", "Korean"], ["EUR", "USD", "CHF", "NOK", "BRL", "INR"]
# signature; what it does; wordings; result; answer.   slot types: i int, f float, c city, p person, t thing, d day, e:a|b enum, m money, l language, ? optional
SINGLES: list[tuple[str, str, list[str], str, str]] = [
    ("exchange(amount: f, source: m, target: m)", "Exchange rate between two currencies", ["how much is {amount} {source} in {target}?", "{amount} {source} to {target}", "change {amount} {source} into {target}"], "{r}", "{amount} {source} is {r} {target}."),
    ("forecast(city: c, days?: i)", "Weather of the coming days", ["what will the weather be in {city}[ for the next {days} days]?", "weather in {city}[, {days} days]", "will it rain in {city}[ in the next {days} days]?", "do I need an umbrella in {city}?"], "light rain, {r} C", "In {city}: light rain, {r} C."),
    ("moon_phase(day: d)", "Phase of the moon on a day", ["what phase is the moon on {day}?", "moon on {day}", "is there a full moon on {day}?"], "waning", "The moon is waning on {day}."),
    ("postage(weight: f, country: c, fast?: b)", "Price of sending a letter or box", ["what does it cost to send {weight} kg to {country}[ fast]?", "postage for {weight} kg to {country}[, fast]", "price of mailing a {weight} kilo box to {country}[ quickly]"], "{r} EUR", "It costs {r} EUR."),
    ("mortgage(sum: i, rate: f, years: i)", "Monthly rate of a house credit", ["monthly payment for a mortgage of {sum} at {rate}% over {years} years", "what would a {sum} house credit at {rate} percent for {years} years cost a month?"], "{r}", "It is {r} a month."),
    ("bmi(weight: f, height: i)", "Body mass index from kg and cm", ["what's the bmi of someone with {weight} kg and {height} cm?", "bmi for {weight} kg, {height} cm", "I weigh {weight} kg at {height} cm, is that healthy?"], "{r}", "The BMI is {r}."),
    ("high_water(harbor: c, day?: d)", "High and low water of a harbor", ["when is high water in {harbor}[ on {day}]?", "tides in {harbor}[ on {day}]"], "{h}", "High water in {harbor} is at {h}."),
    ("say_in(text: t, language: l)", "Translate a text", ["how do you say {text} in {language}?", "translate {text} to {language}", "{text} in {language}"], "xyz-{r}", "{text} is xyz-{r} in {language}."),
    ("sun(city: c, what: e:rise|set)", "Time of sunrise or sunset", ["when does the sun {what} in {city}?", "sun{what} in {city}", "what time is sun{what} in {city}"], "{h}", "The sun{what} in {city} is at {h}."),
    ("reserve_table(place: c, people: i, time: h)", "Reserve a table for dinner", ["reserve a table for {people} in {place} at {time}", "book dinner at {time} for {people} people, {place}", "get us a table in {place}, {people} persons, {time}"], "reserved, code {r}", "A table is reserved, code {r}."),
    ("start_timer(minutes: i, label?: t)", "Start a kitchen timer", ["start a timer of {minutes} minutes[ for the {label}]", "timer {minutes} min[, {label}]", "wake me in {minutes} minutes", "remind me in {minutes} minutes[ of the {label}]"], "timer started", "A timer of {minutes} minutes is running."),
    ("message(to: p, text: t, via?: e:sms|email|chat)", "Send a message to a person", ["send {to} the message '{text}'[ via {via}]", "tell {to} '{text}'[ by {via}]", "text {to}: '{text}'"], "sent", "The message to {to} is sent."),
    ("taxi(start: c, goal: c, seats?: i)", "Order a taxi", ["order a taxi from {start} to {goal}[ for {seats} people]", "I need a cab from {start} to {goal}[, {seats} seats]"], "arrives at {h}", "The taxi arrives at {h}."),
    ("heating(room: e:kitchen|bedroom|bathroom|office, degrees: i)", "Set the heating of a room", ["set the {room} to {degrees} degrees", "make it {degrees} degrees in the {room}", "heat the {room} to {degrees}"], "set", "The {room} is set to {degrees} degrees."),
    ("switch(device: e:fan|heater|pump|lights, state: e:on|off)", "Switch a device on or off", ["turn {state} the {device}", "switch the {device} {state}", "{device} {state} please", "turn the {device} {state}"], "ok", "The {device} is {state}."),
    ("play(artist: p, shuffle?: b)", "Play music", ["play something by {artist}[, shuffle]", "put on {artist}[ shuffled]", "music by {artist}"], "playing", "Playing {artist}."),
    ("paint_needed(width: f, height: f, coats?: i)", "Litres of paint for a wall", ["how much paint for a wall {width} by {height} m[ with {coats} coats]?", "paint needed: {width} x {height}[, {coats} coats]"], "{r}", "You need {r} litres."),
    ("calories_burned(sport: e:running|cycling|swimming|rowing, minutes: i)", "Calories used by a sport", ["how many calories do I burn {sport} for {minutes} minutes?", "{minutes} minutes of {sport}, calories?"], "{r}", "You burn {r} calories."),
    ("wind(place: c)", "Speed and direction of the wind", ["how strong is the wind in {place}?", "wind in {place}", "is it windy in {place}?"], "{r} km/h west", "The wind in {place} is {r} km/h west."),
    ("roll(dice: i, sides: i)", "Roll dice", ["roll {dice} dice with {sides} sides", "throw {dice} {sides}-sided dice"], "{r}", "The roll is {r}."),
    ("air(city: c)", "Quality of the air", ["how clean is the air in {city}?", "air quality in {city}", "is the air good in {city} today?"], "index {r}", "The air in {city} has index {r}."),
    ("fuel_cost(km: i, use: f, price: f)", "Cost of fuel for a trip", ["fuel cost for {km} km at {use} l/100 km and {price} a litre", "what does driving {km} km cost with {use} l per 100 and {price} per litre?"], "{r}", "The fuel costs {r}."),
    ("toll(road: i, vehicle: e:car|truck|motorcycle)", "Toll of a road", ["what's the toll on road {road} for a {vehicle}?", "how much do I pay on road {road} with a {vehicle}"], "{r}", "The toll is {r}."),
    ("pollen(city: c, plant: e:birch|grass|hazel)", "Pollen in the air", ["how much {plant} pollen is there in {city}?", "{plant} pollen {city}"], "medium", "The {plant} pollen in {city} is medium."),
    ("visa(country: c, citizen: c)", "Whether a visa is needed", ["does someone from {citizen} need a visa for {country}?", "visa for {country} with a {citizen} passport"], "no", "No visa is needed."),
    ("vacation_left(person: p, year?: i)", "Days of vacation a person has left", ["how many vacation days does {person} have left[ in {year}]?", "remaining holiday of {person}[ for {year}]"], "{r}", "{person} has {r} days left."),
    ("parking(garage: c)", "Free parking spaces", ["are there free parking spaces in {garage}?", "parking at {garage}?", "how full is the garage {garage}"], "{r} free", "There are {r} spaces free."),
    ("charge(car: t, limit: i)", "Charge an electric vehicle to a limit", ["charge the {car} to {limit}%", "load the {car} up to {limit} percent"], "charging", "The {car} is charging to {limit}%."),
    ("holiday(country: c, year: i)", "Public holidays of a country", ["public holidays in {country} in {year}", "when are the bank holidays of {country} {year}?"], "1 May, 6 June", "The holidays are 1 May, 6 June."),
    ("ring_size(mm: f)", "Ring size of a diameter", ["ring size for {mm} mm", "which ring size is {mm} millimetres"], "{r}", "It is ring size {r}."),
    ("score_of(team: t, week?: i)", "Result of a team's match", ["how did the {team}s play[ in week {week}]?", "result of the {team}s[, week {week}]", "did the {team}s win?"], "3:1", "The {team}s played 3:1."),
    ("share(ticker: k, days?: i)", "Price of a share", ["what is {ticker} trading at?", "price of {ticker}[ over {days} days]", "{ticker} share price[, last {days} days]"], "{r}", "{ticker} is at {r}."),
    ("salary(role: e:cook|nurse|driver|teacher, country: c)", "Usual pay of a job", ["what does a {role} earn in {country}?", "pay of a {role} in {country}", "how much money does a {role} make in {country}"], "{r}", "A {role} in {country} earns {r}."),
    ("seed_time(plant: e:carrot|onion|leek|radish)", "When to sow", ["when do I sow {plant}?", "best month to plant {plant}"], "{mo}", "Sow {plant} in {mo}."),
    ("battery(device: t)", "Charge of a device's battery", ["how full is the battery of the {device}?", "{device} battery?"], "{r}%", "The battery is at {r}%."),
    ("meeting(with_person: p, day: d, minutes?: i)", "Arrange a meeting", ["arrange a meeting with {with_person} on {day}[ for {minutes} minutes]", "meet {with_person} {day}[, {minutes} min]", "schedule {with_person} on {day}"], "arranged", "The meeting with {with_person} is arranged for {day}."),
    ("convert_size(size: i, system: e:EU|US|UK)", "Convert a shoe size", ["what is shoe size {size} in {system}?", "shoe size {size} to {system}"], "{r}", "It is {r} in {system}."),
    ("commute(start: c, end: c, by: e:car|bike|train)", "Time to get to work", ["how long from {start} to {end} by {by}?", "commute {start} to {end}, {by}", "travel time by {by} between {start} and {end}"], "{r} minutes", "It takes {r} minutes."),
    ("tax(income: i, country: c)", "Income tax of a year", ["how much tax on {income} in {country}?", "income tax for {income} a year, {country}"], "{r}", "The tax is {r}."),
    ("water(bed: e:roses|lawn|herbs, litres: i)", "Water a part of the garden", ["give the {bed} {litres} litres", "water the {bed} with {litres} l"], "done", "The {bed} got {litres} litres."),
    ("shipping_quote(kilos: f, zone: e:A|B|C, insured?: b)", "Quote for shipping goods", ["what would shipping {kilos} kg to zone {zone} be[ insured]?", "quote for {kilos} kilos, zone {zone}[, insured]", "I have {kilos} kg for zone {zone}[ and want it insured], how much?"], "{r} EUR", "Shipping costs {r} EUR."),
    ("branch_open(branch: e:east|west|old town, day?: d)", "Opening times of a branch", ["when does the {branch} branch open[ on {day}]?", "how late is {branch} open[ on {day}]?", "is the {branch} branch open at 8 pm[ on {day}]?", "till when can I go to your {branch} branch[ {day}]?", "opening times {branch}[ {day}]"], "{h} to 20:15", "The {branch} branch is open {h} to 20:15."),
    ("instalment(price: i, months: i, rate?: f)", "Monthly instalment of a purchase", ["what do I pay a month for {price} over {months} months[ at {rate} percent]?", "{price} in {months} instalments[ at {rate}%], how much is one?", "spread {price} over {months} months[, {rate}% interest]"], "{r} a month", "You pay {r} a month."),
    ("request_state(request: i)", "State of a request", ["how far is request {request}?", "what is happening with request {request}", "is request {request} done yet?", "any news on {request}?", "where does request {request} stand?"], "in progress", "Request {request} is in progress."),
    ("request_handler(request: i)", "Person who handles a request", ["who is working on request {request}?", "who has request {request}", "who is dealing with {request}", "whose is request {request}?", "whom do I ask about request {request}?"], "{pn}", "{pn} handles request {request}."),
    ("table_booking(guests: i, hour: h, spot?: e:inside|garden|bar)", "Book a table at our place", ["a table for {guests} at {hour}[ in the {spot}] please", "book us a table for {guests}, {hour}[, {spot}]", "we are {guests} and come at {hour}[, {spot} if possible]"], "booked {r}", "The table is booked, number {r}."),
    ("money_change(amount: f, from_currency: m, to_currency: m)", "Convert money from one currency to another", ["how many {to_currency} do I get for {amount} {from_currency}?", "what are {amount} {from_currency} worth in {to_currency}", "{amount} {from_currency} into {to_currency} please", "how much is {amount} {from_currency} in {to_currency}?"], "{r} {to_currency}", "{amount} {from_currency} are {r} {to_currency}."),
    ("quote_of(symbol: k)", "Last price of a share", ["where does {symbol} stand?", "how much is one {symbol} share?", "{symbol} price please", "what did {symbol} close at?"], "{r} dollars", "{symbol} is at {r} dollars."),
    ("tide(port: c, kind?: e:high|low)", "Next tide at a port", ["when is the next[ {kind}] tide in {port}?", "[{kind} ]tide {port}", "until when can I walk on the beach of {port}?"], "{h}", "The tide in {port} is at {h}."),
    ("loyalty_points(customer_number: i)", "Points on a customer's card", ["how many points does customer {customer_number} have?", "points on card {customer_number}", "what's on loyalty card {customer_number}?"], "{r}", "There are {r} points."),
    ("seat_free(show: t, date: d)", "Free seats for a show", ["are there seats left for the {show} show on {date}?", "free seats {show} {date}", "can I still get into {show} on {date}?"], "{r}", "There are {r} seats."),
    ("machine_stop(machine: e:press|saw|mixer|belt, reason?: t)", "Stop a machine", ["stop the {machine}[ because of the {reason}]", "the {machine} must stop[, reason {reason}]", "halt {machine}[ ({reason})]"], "stopped", "The {machine} is stopped."),
    ("nutrition(food: t, grams: i)", "Calories of a food", ["how many calories are in {grams} g of {food}?", "calories {grams} grams {food}", "energy of {grams} g {food}"], "{r} kcal", "It has {r} kcal."),
    ("ride_time(start: c, end: c)", "How long a ride between two places takes", ["how long does it take from {start} to {end}?", "travel time {start} {end}", "when am I in {end} if I leave {start} now?"], "{r} minutes", "The ride takes {r} minutes."),
    ("nearest(kind: e:pharmacy|bakery|atm|station, place: c)", "Nearest shop or service", ["where is the nearest {kind} in {place}?", "closest {kind}, {place}", "I need a {kind} in {place}"], "Mill Road {r}", "It is at Mill Road {r}."),
    ("dosage(medicine: t, weight_kg: f)", "Dose of a medicine", ["how much {medicine} for someone of {weight_kg} kg?", "dose of {medicine} at {weight_kg} kilos"], "{r} mg", "The dose is {r} mg."),
    ("floor_plan(room: i)", "Where a room is", ["how do I get to room {room}?", "where is room {room}?", "which floor is {room} on"], "floor 2", "Room {room} is on floor 2."),
    ("lend(book: t, reader: p)", "Lend a book to a reader", ["lend the {book} to {reader}", "{reader} takes the {book} home", "check out {book} for {reader}"], "lent", "The {book} is lent to {reader}."),
    ("shift(person: p, day: d)", "When somebody works", ["when does {person} work on {day}?", "{person}'s shift {day}", "is {person} on duty {day}?"], "early", "{person} works early on {day}."),
    ("roaming(country: c)", "Cost of phone calls abroad", ["what do calls cost in {country}?", "roaming {country}", "how expensive is my phone in {country}?"], "{r} cents", "It costs {r} cents."),
    ("print_cost(pages: i, colour?: b)", "Price of printing", ["what do {pages} pages cost to print[ in colour]?", "printing {pages} pages[, colour]: price?"], "{r} EUR", "It costs {r} EUR."),
    ("event_tickets(event: t, count: i, category?: e:standing|seated|vip)", "Order tickets for an event", ["{count} tickets for the {event} please[, {category}]", "order {count}[ {category}] tickets for {event}", "I'd like to go to the {event} with {count} tickets[, {category}]"], "ordered", "{count} tickets are ordered."),
    ("grade(student: p, subject?: e:maths|history|art)", "Marks of a student", ["how is {student} doing[ in {subject}]?", "what marks does {student} have[ in {subject}]", "{student}'s grade[ in {subject}]"], "B", "{student} has a B."),
    ("room_rate(nights: i, guests: i, view?: e:sea|garden|street)", "Price of a stay in our hotel", ["what do {nights} nights for {guests} people cost[ with {view} view]?", "{nights} nights, {guests} guests[, {view} view], how much?", "price for {guests} for {nights} nights[ ({view})]"], "{r} EUR", "The stay costs {r} EUR."),
    ("blood_type(donor: i)", "Blood group of a donor", ["which blood group has donor {donor}?", "blood type of donor {donor}", "donor {donor}: group?"], "0+", "It is 0+."),
    ("ferry(route: e:north|south|island, cars?: i)", "Price of the ferry", ["how much is the {route} ferry[ with {cars} cars]?", "ferry {route}[, {cars} cars]", "crossing on the {route} route[ with {cars} cars]: price"], "{r} EUR", "The ferry costs {r} EUR."),
]  # fmt: skip
KINDS = {"i": "integer", "f": "number", "b": "boolean"}


def _slot(rnd: random.Random, kind: str) -> Any:
    plain: dict[str, Callable[[], Any]] = {
        "i": lambda: rnd.choice([rnd.randint(2, 90), rnd.randint(100, 9000)]), "f": lambda: rnd.choice([rnd.randint(2, 400), round(rnd.uniform(0.5, 90), 1)]), "b": lambda: True,
        "c": lambda: rnd.choice(CITIES), "p": lambda: rnd.choice([person(rnd), rnd.choice(FIRST)]), "t": lambda: rnd.choice(THINGS), "m": lambda: rnd.choice(MONEY), "l": lambda: rnd.choice(LANGS),
        "d": lambda: rnd.choice(["Monday", "tomorrow", "2026-06-11", "12 May", "Friday"]), "h": lambda: f"{rnd.randint(7, 22)}:{rnd.choice(['00', '15', '30'])}", "k": lambda: "".join(rnd.sample("ABCDEFGHKLMNPQRSTXZ", rnd.choice([3, 4]))),
    }  # fmt: skip
    return rnd.choice(kind[2:].split("|")) if kind.startswith("e:") else plain[kind]()


def card_of(signature: str, about: str) -> tuple[Card, dict[str, str]]:
    """The tool of a line of SINGLES, and the kind of each slot."""
    name, inside = signature.rstrip(")").split("(", 1)
    properties, required, kinds = {}, [], {}
    for part in inside.split(", "):
        key, kind = part.split(": ", 1)
        optional, key = key.endswith("?"), key.rstrip("?")
        kinds[key] = kind
        properties[key] = (
            {"type": "string", "enum": kind[2:].split("|")}
            if kind.startswith("e:")
            else {"type": KINDS.get(kind, "string")}
        )
        required += [] if optional else [key]
    return Card(name, about, {"type": "object", "properties": properties, "required": required}), kinds


def single(rnd: random.Random) -> Kit:
    """One of SINGLES with values, its name and order sometimes changed."""
    signature, about, goals, result, answer = rnd.choice(SINGLES)
    card, kinds = card_of(signature, about)
    values = {key: _slot(rnd, kind) for key, kind in kinds.items()}
    for one, other in (("source", "target"), ("from_currency", "to_currency")):
        if one in values and values[one] == values[other]:
            values[other] = "JPY" if values[one] != "JPY" else "EUR"
    goal, used = _optional(rnd, rnd.choice(goals), values)
    args = {key: values[key] for key in kinds if key in used or key in card.parameters["required"]}
    extra = {
        "r": rnd.choice([rnd.randint(3, 900), round(rnd.uniform(1, 99), 2)]),
        "h": f"{rnd.randint(5, 22)}:{rnd.randint(10, 59)}",
        "mo": rnd.choice(MONTHS),
        "pn": person(rnd),
    }
    if rnd.random() < 0.35:
        card = Card(rnd.choice(["get_", "my_", "do_", "home_", "x_"]) + card.name, card.description, card.parameters)
    return card, goal, args, result.format(**values, **extra), answer.format(**values, **extra)


def _optional(rnd: random.Random, goal: str, values: dict[str, Any]) -> tuple[str, set[str]]:
    """The goal with its bracketed part kept or left out, and the slots it names."""
    begin, bracket, rest = goal.partition("[")
    inside, _, end = rest.partition("]")
    keep = bool(bracket) and rnd.random() < 0.5
    text = begin + (inside if keep else "") + end
    used = {key for key in values if "{" + key + "}" in text}
    if keep and "{" not in inside:  # a flag: fast, shuffle
        used |= {key for key, value in values.items() if value is True}
    return text.format(**values), used


def customs(rnd: random.Random) -> Example:
    """One call of a single tool, with up to eight others beside it."""
    card, goal, args, seen, answer = single(rnd)
    return Example(
        "custom", said(rnd, goal[0].upper() + goal[1:]), [Step(card.name, args, seen)], answer, beside(rnd, [card])
    )


def beside(rnd: random.Random, cards: list[Card], most: int = 7) -> list[Card]:
    """`cards` with made-up others."""
    out = {card.name: card for card in cards}
    for _ in range(rnd.randint(1, most)):
        other = (single if rnd.random() < 0.6 else kit)(rnd)[0]
        out.setdefault(other.name, other)
    mixed = list(out.values())
    rnd.shuffle(mixed)
    return mixed

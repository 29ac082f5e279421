"""Custom tools for the training data: written-out ones of many trades, and made-up ones without end.

What it is: each archetype is a few names, descriptions, parameters and goals; a sample picks one of each. One archetype
in six, and one wording in eight, is held out of training (`held_out`) and only measured (evaluate.py).
May touch: nothing. Start reading at `sample`.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from examples.train_starter import words as w
from outrider.agent.models.choice.options import ToolCard
from outrider.agent.models.choice.words import pieces, stems

MAKERS: dict[str, Callable[[random.Random], Any]] = {
    "place": w.place,
    "person": w.person,
    "name": w.name,
    "code": w.code,
    "ticker": w.ticker,
    "word": w.word,
    "text": w.text,
    "email": w.email,
    "url": w.url,
    "date": w.date,
    "file": w.file,
    "model": w.model_id,
    "country": lambda r: r.choice(w.COUNTRIES),
    "language": lambda r: r.choice(w.LANGUAGES),
    "currency": lambda r: r.choice(w.CURRENCIES),
    "int": lambda r: r.randint(1, 10 ** r.randint(1, 4)),
    "small": lambda r: r.randint(2, 30),
    "number": lambda r: float(w.number(r)),
    "quoted": w.text,
    "title": lambda r: " ".join(w.word(r).capitalize() for _ in range(r.randint(1, 3))),
}
# names | descriptions | parameter:kind:maker:about (kind? optional; kind =a,b,c enum) ... | goals; {x} is a value.
ARCHETYPES: tuple[str, ...] = (
    "weather,get_weather,current_weather,weather_now|Current weather in a city.;Weather for a place.;Get the weather of a city|city:string:place:name of the city|What is the weather in {city}?;weather in {city};How is the weather in {city} today?;Is it raining in {city}?;Tell me the current weather for {city};Will I need an umbrella in {city}?;how warm is it in {city};What is the temperature in {city}?;Will it rain in {city} tomorrow?;Is it sunny in {city}?;{city} weather;temperature {city};Does it snow in {city}?;How cold is {city} today?",
    "forecast,weather_forecast,get_forecast|Weather forecast for a place and a number of days.;Forecast of the weather|location:string:place:where;days:integer?:small:how many days|What is the forecast for {location}?;Give me the weather forecast for {location} for {days} days;{days} day forecast for {location};How will the weather be in {location} in the next {days} days?",
    "stock,stock_price,get_stock,share_price,quote|Closing price of a share.;Price of a stock.;Latest price of a stock by its ticker|symbol:string:ticker:ticker, for example ABC|What is the stock price of {symbol}?;price of {symbol};How much is a share of {symbol}?;What does {symbol} trade at?;stock quote for {symbol};Get me the share price for {symbol};what's {symbol} stock worth;stock price {symbol};{symbol} stock price;{symbol} price;How is {symbol} doing?;share price {symbol};What did {symbol} close at?;Look up {symbol}",
    "stock_history,price_history|Prices of a share over the last days.;Closing prices of a stock, newest last|ticker:string:ticker:ticker;days:integer:small:how many days|Show the prices of {ticker} for the last {days} days;closing prices of {ticker} over {days} days;What did {ticker} cost in the last {days} days?",
    "convert_currency,exchange,currency|Convert an amount of money between currencies.;Exchange money|amount:number:number:how much;from_currency:string:currency:from;to_currency:string:currency:to|Convert {amount} {from_currency} to {to_currency};How much is {amount} {from_currency} in {to_currency}?;Exchange {amount} {from_currency} into {to_currency};what are {amount} {from_currency} in {to_currency}",
    "exchange_rate,fx_rate|Exchange rate between two currencies.|base:string:currency:from;target:string:currency:to|What is the exchange rate from {base} to {target}?;{base} to {target} rate;exchange rate of {base} to {target}",
    'translate,translate_text,translator|Translate a text into a language.;Translate words to another language|text:string:quoted:the text;language:string:language:target language|Translate "{text}" to {language};translate \'{text}\' into {language};How do you say "{text}" in {language}?;What is "{text}" in {language}?',
    "time_in,local_time,clock,current_time|Current time in a city.;The local time of a place|city:string:place:city|What time is it in {city}?;current time in {city};local time in {city};Tell me the time in {city};what's the time in {city} now;time {city};{city} time;clock in {city}",
    "population,get_population,population_of|Number of people who live in a place.;Population of a country or city|place:string:place:country or city|What is the population of {place}?;How many people live in {place}?;population of {place};number of inhabitants of {place};{place} population;population {place};How big is the population of {place}?",
    "capital,capital_of,get_capital|Capital city of a country.|country:string:country:country|What is the capital of {country}?;capital of {country};Which city is the capital of {country}?",
    'define,definition,dictionary,lookup_word|Definition of a word.;Look up a word in the dictionary|word:string:word:the word|Define {word};What does {word} mean?;definition of {word};Look up the word {word};What is the meaning of {word}?;meaning of "{word}"',
    "synonyms,find_synonyms,thesaurus|Synonyms of a word.;Words that mean the same|word:string:word:the word|Find synonyms for {word};What is another word for {word}?;synonyms of {word};Give me words that mean the same as {word}",
    "rhymes,rhyme|Words that rhyme with a word.|word:string:word:the word|What rhymes with {word}?;Find rhymes for {word};rhymes with {word}",
    'send_email,email,mail|Send an email to somebody.;Sends a mail|to:string:email:address;subject:string:quoted:subject line|Send an email to {to} with subject "{subject}";Email {to} about "{subject}";mail {to}, subject "{subject}"',
    'send_message,message,notify|Send a message to a person.;Notify a person|person:string:person:who gets it;text:string:quoted:what to say|Send {person} the message "{text}";Tell {person} "{text}";Message {person}: "{text}";notify {person} that "{text}"',
    "ticket,get_ticket,ticket_status,lookup_ticket|Status of a support ticket.;Look up a ticket by its id|ticket_id:string:code:id of the ticket|What is the status of ticket {ticket_id}?;look up ticket {ticket_id};Is ticket {ticket_id} closed?;Who has ticket {ticket_id}?;ticket {ticket_id} status;ticket {ticket_id};show me ticket {ticket_id};{ticket_id} ticket",
    "order_status,track_order,get_order|Where an order is.;Status of an order|order_id:string:code:order number|Where is my order {order_id}?;Track order {order_id};status of order {order_id};Has order {order_id} been shipped?;When will order {order_id} arrive?",
    "find_user,lookup_user,get_user,user_info|Look up a user by name.;Information about a user|name:string:person:name of the user|Look up the user {name};Find user {name};Who is user {name}?;Get the info of user {name};user information for {name}",
    "employee,get_employee,employee_by_id|Record of an employee.|employee_id:integer:int:number of the employee|Who is employee {employee_id}?;Look up employee {employee_id};Show the record of employee number {employee_id};employee {employee_id}",
    "distance,distance_between,get_distance|Distance between two places.;How far two cities are apart|origin:string:place:from;destination:string:place:to|How far is it from {origin} to {destination}?;distance from {origin} to {destination};distance between {origin} and {destination};How many kilometres from {origin} to {destination}?",
    "find_flights,flights,search_flights|Flights from one city to another on a date.;Search flights|origin:string:place:from;destination:string:place:to;date:string?:date:day of departure|Find flights from {origin} to {destination} on {date};Flights from {origin} to {destination};I want to fly from {origin} to {destination} on {date};search a flight {origin} to {destination}",
    "flight_status,flight|Status of a flight.|flight_number:string:code:number of the flight|Is flight {flight_number} on time?;status of flight {flight_number};When does flight {flight_number} land?;flight {flight_number}",
    "convert_units,unit_convert,convert|Convert a value between units.|value:number:number:value;unit_from:string:=km,miles,kg,pounds,celsius,fahrenheit,metres,feet:from;unit_to:string:=km,miles,kg,pounds,celsius,fahrenheit,metres,feet:to|Convert {value} {unit_from} to {unit_to};How many {unit_to} are {value} {unit_from}?;How many {unit_to} is {value} {unit_from}?;what is {value} {unit_from} in {unit_to};{value} {unit_from} in {unit_to}",
    "roll_dice,dice,roll|Roll dice.;Throw dice with a number of sides|sides:integer:small:how many sides|Roll a dice with {sides} sides;roll a {sides} sided die;Throw a {sides}-sided dice",
    "random_number,random_int|A random number between two numbers.|low:integer:int:from, the lowest;high:integer:int:to, the highest|Give me a random number between {low} and {high};pick a random number from {low} to {high};random integer between {low} and {high}",
    "lights,switch_light,set_lamp|Switch the light of a room on or off.;Turn lights on or off|room:string:=kitchen,bedroom,bathroom,office,garage,hall:which room;state:string:=on,off:on or off|Turn {state} the light in the {room};Switch the {room} lights {state};lights {state} in the {room}",
    "set_thermostat,thermostat,set_temperature|Set the temperature of a room.|room:string:=kitchen,bedroom,bathroom,office,garage,hall:which room;degrees:number:small:degrees|Set the {room} to {degrees} degrees;Make the {room} {degrees} degrees warm;thermostat in the {room} to {degrees}",
    "inventory,stock_level,in_stock|How many pieces of a product are in the warehouse.;Inventory of a product|product:string:word:product|How many {product} are in the warehouse?;inventory of {product};Do we have {product} in the warehouse?;stock level for {product}",
    'movie_rating,rating,get_rating|Rating of a movie.|title:string:title:title of the movie|What is the rating of the movie {title}?;How good is the movie "{title}"?;rating for {title};movie rating of {title}',
    'book_info,find_book,book|Look up a book by its title.|title:string:title:title|Who wrote the book {title}?;Look up the book "{title}";Find the book {title};book {title}',
    "recipe,find_recipe,recipes|Find a recipe for a dish.;Recipes with an ingredient|dish:string:word:dish|Find a recipe for {dish};How do I cook {dish}?;recipe for {dish};Give me a {dish} recipe",
    "calories,nutrition|Calories in a food.|food:string:word:food|How many calories are in {food}?;calories of {food};nutrition of {food}",
    "dns,resolve,lookup_host|IP address of a host name.|host:string:word:host name|What is the IP address of {host}?;resolve {host};Look up the host {host}",
    "server_status,ping,is_up|Whether a server is running.;Check a server|server:string:code:server|Is the server {server} up?;check server {server};status of server {server};ping {server}",
    "sensor,read_sensor,sensor_value|Reading of a sensor.;Latest value of a sensor|sensor_id:string:code:sensor|What does sensor {sensor_id} read?;Read sensor {sensor_id};value of sensor {sensor_id};latest reading of {sensor_id}",
    "room_free,check_room,room_available|Whether a meeting room is free on a date.|room:string:code:room;date:string:date:day|Is room {room} free on {date}?;Check if room {room} is available on {date};Can I have room {room} on {date}?",
    "book_table,reserve_table|Book a table at a restaurant.;Reserve a table|restaurant:string:title:where;people:integer:small:how many people|Book a table at {restaurant} for {people} people;Reserve a table for {people} at {restaurant};table for {people} people at {restaurant}",
    'add_event,create_event,calendar_add|Add an event to the calendar.|title:string:quoted:what;date:string:date:day|Add "{title}" to my calendar on {date};Create an event "{title}" on {date};Put "{title}" in the calendar for {date}',
    "events_on,calendar,agenda|Events of a day.;What is in the calendar on a day|day:string:date:date|What is on my calendar on {day}?;agenda for {day};Which events are there on {day}?;Do I have meetings on {day}?",
    "age_of,get_age,birthday|How old a person is.;Age of a person|person:string:person:name|How old is {person}?;What is the age of {person}?;age of {person};When was {person} born?",
    "salary,get_salary,pay_of|Salary of an employee.|employee:string:person:name|What is the salary of {employee}?;How much does {employee} earn?;salary for {employee}",
    "phone_number,find_phone,phonebook|Phone number of a person.|name:string:person:name|What is the phone number of {name}?;How can I call {name}?;Find the phone of {name};phone number for {name}",
    "sunrise,sun_times|When the sun rises and sets in a place.;Sunrise and sunset|city:string:place:place|When does the sun rise in {city}?;sunset in {city};sunrise time for {city}",
    "air_quality,pollution|Air quality of a city.|city:string:place:city|How is the air quality in {city}?;air quality {city};How polluted is {city}?",
    "news,headlines,latest_news|Latest news about a topic.;Headlines on a topic|topic:string:word:topic|What is the news about {topic}?;latest headlines on {topic};Show me news on {topic};news about {topic}",
    'summarise,summarize_text,summary|Make a short summary of a text.|text:string:quoted:the text|Summarise "{text}";Give a short summary of "{text}";summarize the text "{text}"',
    'sentiment,classify_sentiment,mood|Whether a text is positive or negative.;Sentiment of a text|text:string:quoted:text|What is the sentiment of "{text}"?;Is "{text}" positive or negative?;sentiment: "{text}";Classify the mood of "{text}"',
    "spell_check,spelling|Check the spelling of a word.|word:string:word:word|Is {word} spelled right?;check the spelling of {word};How do you spell {word}?",
    "anagram,anagrams|Anagrams of a word.|word:string:word:word|Find an anagram of {word};anagrams of {word};What words can be made from {word}?",
    "is_prime,prime_check|Whether a number is prime.;Check if a number is a prime|n:integer:int:the number|Is {n} a prime number?;Is {n} prime?;Check whether {n} is prime",
    "prime_factors,factorise|Prime factors of a number.|number:integer:int:number|What are the prime factors of {number}?;factorise {number};factors of {number}",
    "fibonacci,fib|The nth Fibonacci number.|n:integer:small:which one|What is Fibonacci number {n}?;fibonacci of {n};Give me the {n}th Fibonacci number",
    "to_roman,roman|Roman numeral of a number.|number:integer:small:number|What is {number} in Roman numerals?;Write {number} as a Roman numeral;roman numeral for {number}",
    "temperature,room_temperature|Temperature of a room.;How warm a room is|room:string:=kitchen,bedroom,bathroom,office,garage,hall:which room|How warm is the {room}?;temperature in the {room};What is the temperature of the {room}?",
    "open_door,door|Open or close a door.|door:string:=front,back,garage,garden:which door;action:string:=open,close,lock,unlock:what to do|{action} the {door} door;Please {action} the {door} door;Can you {action} my {door} door?",
    'play_music,play,play_song|Play a song.|song:string:title:title|Play {song};Play the song "{song}";I want to hear {song};put on {song}',
    "set_timer,timer,countdown|Set a timer.|minutes:integer:small:how many minutes|Set a timer for {minutes} minutes;timer {minutes} minutes;Wake me in {minutes} minutes;Start a countdown of {minutes} minutes",
    "bmi,body_mass_index|Body mass index from weight and height.|weight:number:number:weight in kg;height:number:number:height in cm|What is my BMI if my weight is {weight} and my height is {height}?;BMI for weight {weight} and height {height};body mass index with height {height} and weight {weight}",
    "loan_payment,mortgage|Monthly payment of a loan.|amount:number:number:amount of the loan;years:integer:small:how many years;rate:number:number:rate in percent|What is the monthly payment for a loan of {amount} over {years} years at a rate of {rate} percent?;loan of {amount}, {years} years, {rate} percent: monthly payment",
    "tip,tip_amount|Tip for a bill.|bill:number:number:bill|How much should I tip on a bill of {bill}?;tip for {bill};What is the tip for a {bill} bill?",
    "shipping_cost,postage|Cost of sending a parcel.|weight:number:number:weight in kg;country:string:country:country|What does it cost to ship {weight} kg to {country}?;postage for {weight} kg to {country};shipping cost to {country} for {weight} kg",
    "customer_orders,list_orders|Orders of a customer.|customer:string:person:customer;open_only:boolean?:bool:only open orders|List the orders of {customer};Which orders has {customer} placed?;orders of customer {customer}",
    "vat,add_vat,tax|Price with tax.|price:number:number:price without tax;country:string:country:country|What is {price} with VAT in {country}?;Add the tax of {country} to {price};tax on {price} in {country}",
    "horoscope,star_sign|Horoscope of a star sign.|sign:string:=aries,taurus,gemini,cancer,leo,virgo,libra,scorpio,sagittarius,capricorn,aquarius,pisces:sign|What is the horoscope for {sign}?;horoscope {sign};What do the stars say for {sign} today?",
    "train_times,departures|Next trains from a station.|station:string:place:station|When is the next train from {station}?;departures from {station};trains leaving {station}",
    "license_plate,plate_owner|Owner of a car by its plate.|plate:string:code:licence plate|Who owns the car with plate {plate}?;look up the plate {plate};owner of car {plate}",
    'file_issue,create_issue,report_bug|Report a bug.;Create an issue in the tracker|title:string:quoted:title;priority:string:=low,medium,high,urgent:how urgent|Create a {priority} priority issue "{title}";File a bug "{title}" with {priority} priority;Report "{title}" as {priority}',
    "commit_info,show_commit|Who made a commit.|commit:string:code:hash|Who made commit {commit}?;show commit {commit};What changed in {commit}?",
    "scale_service,set_replicas|Set how many copies of a service run.|service:string:word:service;replicas:integer:small:how many|Scale {service} to {replicas} replicas;Run {replicas} copies of {service};set the replicas of {service} to {replicas}",
    "water_plant,irrigate|Water a plant for some seconds.|plant:string:word:plant;seconds:integer:small:how long|Water the {plant} for {seconds} seconds;irrigate {plant} for {seconds} seconds;give the {plant} water for {seconds} seconds",
    "find_hotel,hotels|Hotels in a city below a price.|city:string:place:city;max_price:number:small:highest price|Find a hotel in {city} under {max_price};hotels in {city} for less than {max_price};I need a hotel in {city} for at most {max_price} a night",
    "team_score,match_result,last_game|Result of the last game of a team.|team:string:name:team|How did {team} play?;What was the score of the last {team} game?;result of {team};Did {team} win?",
    "patient_record,get_patient|Record of a patient.|patient_id:integer:int:patient number|Show patient {patient_id};record of patient {patient_id};What is the diagnosis of patient {patient_id}?",
    "barcode,scan_barcode,product_by_barcode|Product with a barcode.|barcode:string:int:the digits|Which product has barcode {barcode}?;look up barcode {barcode};product with the barcode {barcode}",
    "elevation,altitude|How high a place is above the sea.|place:string:place:place|How high is {place}?;What is the elevation of {place}?;altitude of {place}",
    "postcode,zip_code|Postal code of a city.|city:string:place:city|What is the zip code of {city}?;postal code for {city};postcode {city}",
    "generate_password,new_password|Make a random password.|length:integer?:small:how many characters|Generate a password with {length} characters;new password of length {length};Make me a random password;I need a password of {length} characters",
    "greet,say_hello,welcome|Greet a person by name.;Say hello to somebody|name:string:person:name|Greet {name};Say hello to {name};Welcome {name};say hi to {name};Give {name} a greeting",
    "on_call,who_is_on_call|Who is on call for a team.|team:string:word:team|Who is on call for {team}?;Who is on call for the {team} team?;on call {team};Who do I call about {team}?",
    "days_until,days_between|Number of days until a date.|date:string:date:day|How many days until {date}?;days until {date};How long is it until {date}?",
    "secret,secret_of,get_secret|The secret of a user.|user:string:person:user|What is the secret of {user}?;Get the secret of {user};tell me the secret for {user}",
    "department_of,get_department|Department an employee works in.|employee_id:integer:int:number of the employee|Which department does employee {employee_id} work in?;department of employee {employee_id};Where does employee {employee_id} work?",
    "geocode,coordinates|Coordinates of an address.|address:string:place:address|Where on the map is {address}?;coordinates of {address};geocode {address};latitude and longitude of {address}",
    "coin_flip,flip_coin|Flip a coin.||Flip a coin;heads or tails?;toss a coin for me",
    "joke,tell_joke|Tell a joke.||Tell me a joke;Make me laugh;I want to hear a joke",
    "system_info,uptime,machine_info|Information about this machine.;How long this machine has been running||How long has this machine been running?;system information;show information about this machine",
    "whoami,current_user|Name of the current user.||Who is the current user?;Who am I?;which user am I",
)


@dataclass(frozen=True, slots=True)
class CustomGoal:
    """A goal for a custom tool: the tool, the goal, and the arguments that are right."""

    tool: ToolCard
    goal: str
    arguments: dict[str, Any]

    def in_lower_case(self) -> CustomGoal:
        """The goal as people type it in a hurry: every name in it in lower case."""
        texts = {key: value for key, value in self.arguments.items() if isinstance(value, str) and value in self.goal}
        goal = self.goal
        for value in texts.values():
            goal = goal.replace(value, value.lower())
        return CustomGoal(self.tool, goal, self.arguments | {key: value.lower() for key, value in texts.items()})


class NoWording(Exception):
    """No wording of this goal is held out: draw another goal."""


def held_out(text: str, one_in: int) -> bool:
    """Whether `text` (an archetype, a wording) is kept out of training: a fixed one in `one_in`."""
    return zlib.crc32(text.encode()) % one_in == 0


def archetypes(test: bool) -> list[str]:
    """The archetypes of one side of the split."""
    return [one for one in ARCHETYPES if held_out(one.split("|")[0], 6) == test]


_COMMON = stems(
    [
        "show",
        "look",
        "list",
        "get",
        "number",
        "check",
        "search",
        "give",
        "need",
        "last",
        "next",
        "latest",
        "call",
        "book",
        "make",
    ]
)


@lru_cache(maxsize=4096)
def known_words(name: str) -> frozenset[str]:
    """The words of all goals of the archetype a tool is named after; none for a made-up tool."""
    found = [one.split("|") for one in ARCHETYPES if name in one.split("|")[0].split(",")]
    text = " ".join(re.sub(r"\{\w+\}", " ", parts[3]) for parts in found)
    return stems(pieces(text, 400)) - _COMMON


def choose(rng: random.Random, wordings: list[str], test: bool | None) -> str:
    """A wording of one side of the split (None: any). Raises NoWording if none is held out and one is wanted."""
    side = wordings if test is None else [one for one in wordings if held_out(one, 8) == test]
    if test and not side:
        raise NoWording
    return rng.choice(side or wordings)


def sample(rng: random.Random, *, test_tool: bool = False, test_wording: bool | None = False) -> CustomGoal:
    """A custom tool and a goal for it; written-out archetypes and made-up tools half and half."""
    if rng.random() < 0.45 and not test_tool:
        return made_up_tool(rng, test_wording)
    names, about, parameters, goals = rng.choice(archetypes(test_tool)).split("|")
    goal = choose(rng, goals.split(";"), test_wording)
    specs = [tuple(part.split(":", 3)) for part in parameters.split(";") if part]
    values = {name: _value(rng, maker) for name, _, maker, _ in specs}
    card = ToolCard(rng.choice(names.split(",")), rng.choice(about.split(";")), _schema(rng, specs))
    used = {name: value for name, value in values.items() if f"{{{name}}}" in goal}
    shown = {name: str(value) for name, value in used.items()}
    return CustomGoal(card, goal.format(**shown), used)


def distractor(rng: random.Random, test: bool = False) -> ToolCard:
    """A tool that is in the list but not meant."""
    return sample(rng, test_tool=test and rng.random() < 0.5).tool


def trap(rng: random.Random, goal: str) -> ToolCard | None:
    """A tool that shares a word with a goal it is not meant for."""
    shared = [word for word in pieces(goal, 48) if len(word) > 3 and stems([word]) - _COMMON]
    if not shared:
        return None
    word, noun = rng.choice(shared), w.noun(rng)
    about = rng.choice(
        (f"The {word} of a {noun}.", f"{word.capitalize()} in a {noun}.", f"Find a {noun} by its {word}.")
    )
    name = rng.choice((word, f"get_{word}", f"{noun.replace(' ', '_')}_{word}", f"find_{noun.replace(' ', '_')}"))
    return ToolCard(
        name, about, _schema(rng, [(rng.choice((noun.replace(" ", "_"), "name", word)), "string", "", f"the {noun}")])
    )


def _value(rng: random.Random, maker: str) -> Any:
    if maker.startswith("="):
        return rng.choice(maker[1:].split(","))
    if maker == "bool":
        return rng.random() < 0.5
    value = MAKERS[maker](rng)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _schema(rng: random.Random, specs: list[tuple[str, ...]]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for name, kind, maker, about in specs:
        node: dict[str, Any] = {"type": kind.rstrip("?")}
        if maker.startswith("="):
            node["enum"] = maker[1:].split(",")
        if rng.random() < 0.7:
            node["description"] = about
        properties[name] = node
    required = [name for name, kind, _, _ in specs if not kind.endswith("?")]
    return {"type": "object", "properties": properties, "required": required}


_ASKS = (
    "What is the {p} of {n} {v}?",
    "{p} of {n} {v}",
    "Give me the {p} of {n} {v}",
    "Tell me the {p} for {n} {v}",
    "Look up the {p} of the {n} {v}",
    "What {p} does {n} {v} have?",
    "I need the {p} of {v}",
    "Which {p} has {n} {v}?",
    "Find the {p} for {v}",
    "Show {n} {v}",
    "get {n} {v}",
    "{n} {v} {p}?",
    "What's the {p} for the {n} called {v}?",
    "Check the {p} of {n} {v}",
    "How is the {p} of {v}?",
    'Can you see the {p} of {n} "{v}"?',
    "{n} {p} {v}",
    "{v} {p}",
    "{p} {v}",
    "{n} {v}",
    "Do you know the {p} of {v}?",
    "What {p} is {v}?",
    "Could you get me the {p} of the {n} {v}?",
    "Fetch the {p} for {n} {v}",
    "When is the {p} of {n} {v}?",
    "When does the {n} {v} {d}?",
    "When was {n} {v} made?",
    "Where is {n} {v}?",
    "Where does the {n} {v} {d}?",
    "Who is the {p} of {n} {v}?",
    "Who has {n} {v}?",
    "How many {n}s does {v} have?",
    "How many {p} {n}s are in {v}?",
    "How long is the {p} of {n} {v}?",
    "How much {p} does {n} {v} have?",
    "How much does the {n} {v} cost?",
    "How old is {n} {v}?",
    "When does the next {n} {d} from {v}?",
    "Which {n} is in {v}?",
    "What's {v}'s {p}?",
)
_DOES = (
    "{d} {n} {v}",
    "{d} the {n} {v}",
    "Please {d} {n} {v}",
    "Can you {d} the {n} {v}?",
    "I want to {d} {n} {v}",
    "{d} {v}",
    "Go and {d} the {n} called {v}",
    "{d} the {n} named {v} now",
)


def made_up_tool(rng: random.Random, test_wording: bool | None = None) -> CustomGoal:
    """A tool of random nouns, properties and verbs, with one to three parameters of every type."""
    noun, about, verb = w.noun(rng), w.prop(rng), rng.choice(w.VERBS)
    acting = rng.random() < 0.35
    goal = choose(rng, list(_DOES if acting else _ASKS), test_wording)
    value, name, kind = _key(rng, noun)
    n, p = noun.replace(" ", "_"), about.replace(" ", "_")
    names = (
        [f"{verb}_{n}", f"{verb}{n.title().replace('_', '')}", verb]
        if acting
        else [
            f"get_{p}",
            f"{n}_{p}",
            f"lookup_{n}",
            p,
            f"{n}_info",
            f"find_{n}_{p}",
            f"get{p.title().replace('_', '')}",
        ]
    )
    described = rng.choice(
        (f"{verb.capitalize()} a {noun}.", f"{verb.capitalize()}s the {noun} with this {name}.")
        if acting
        else (f"The {about} of a {noun}.", f"Return the {about} of one {noun}.", f"Look up a {noun} and its {about}.")
    )
    goal = goal.replace("{d}", verb).replace("{n}", noun).replace("{p}", about).replace("{v}", str(value))
    specs: list[tuple[str, ...]] = [
        (name, kind, "", rng.choice((f"the {noun}", f"{name} of the {noun}", name, "which one")))
    ]
    values: dict[str, Any] = {name: value}
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        goal = _extra(rng, goal, specs, values)
    return CustomGoal(ToolCard(rng.choice(names), described, _schema(rng, specs)), goal, values)


def _key(rng: random.Random, noun: str) -> tuple[Any, str, str]:
    n = noun.replace(" ", "_")
    kind = rng.choice(("code", "name", "word", "int", "place", "person", "ticker"))
    names = {
        "code": ("id", f"{n}_id", "code", n, "key"),
        "name": ("name", f"{n}_name", n, "title"),
        "word": (n, "name", "item"),
        "int": ("id", f"{n}_id", "number", f"{n}_number"),
        "place": ("place", "city", "location", n),
        "person": ("name", "person", "who", n),
        "ticker": ("symbol", "code", "ticker", n),
    }[kind]
    return _value(rng, kind), rng.choice(names), "integer" if kind == "int" else "string"


_EXTRAS = (
    ("days", "integer", "small", "how many days", (" for {v} days", " over the last {v} days", ", {v} days")),
    (
        "limit",
        "integer",
        "small",
        "how many at most",
        (", at most {v}", " limited to {v}", ", limit {v}", " (first {v})"),
    ),
    ("year", "integer", "int", "year", (" in the year {v}", " for year {v}")),
    ("date", "string", "date", "day", (" on {v}", " for {v}", " at the date {v}")),
    ("reason", "string", "quoted", "why", (' because "{v}"', ' with reason "{v}"')),
    ("comment", "string", "quoted", "what to add", (' with the comment "{v}"', ' and comment "{v}"')),
    ("country", "string", "country", "country", (" in {v}", " for {v}")),
    ("to", "string", "person", "who gets it", (" to {v}", " and give it to {v}")),
    ("owner", "string", "person", "owner", (" owned by {v}", " of owner {v}")),
    ("unit", "string", "=metres,feet,grams,pounds,litres,hours", "unit", (" in {v}", " measured in {v}")),
    ("priority", "string", "=low,normal,high,urgent", "how urgent", (" with {v} priority", ", priority {v}")),
    ("format", "string", "=short,long,full,json", "format", (" as {v}", " in {v} format")),
    ("colour", "string", "=red,green,blue,black,white", "colour", (" in {v}", " painted {v}")),
    ("amount", "number", "number", "amount", (" with an amount of {v}", " for {v}", ", amount {v}")),
    ("percent", "number", "small", "percent", (" by {v} percent", " at {v} percent")),
)


def _extra(rng: random.Random, goal: str, specs: list[tuple[str, ...]], values: dict[str, Any]) -> str:
    """One more parameter: mentioned in the goal, or optional and not mentioned."""
    name, kind, maker, about, endings = rng.choice(_EXTRAS)
    if name in values or any(spec[0] == name for spec in specs):
        return goal
    optional = rng.random() < 0.4
    specs.append((name, kind + "?" * optional, maker, about))
    if optional and rng.random() < 0.6:
        return goal
    value = _value(rng, maker)
    values[name] = value
    mark = "?" if goal.endswith("?") else ""
    return goal.removesuffix("?") + rng.choice(endings).replace("{v}", str(value)) + mark

"""The words the training data is made of: nouns, properties, verbs, names, and made-up ones without end.

May touch: nothing. Does not promise: that a list is complete; half of all names are made up so that none can be learnt.
"""

# ruff: noqa: SIM905 — a list of words reads better as a text
from __future__ import annotations

import random

NOUNS = (
    "order invoice shipment ticket customer employee device server account booking package parcel vehicle machine sensor "
    "product contract patient room course student book movie song album team player match flight train bus ship garden "
    "plant recipe meal restaurant hotel house apartment building bridge river lake mountain island forest park museum "
    "painting statue coin stamp letter parcel claim policy loan payment refund receipt voucher coupon subscription licence "
    "project task milestone sprint issue release build pipeline job queue cluster node container image volume database "
    "table index backup snapshot domain certificate key token user group role permission session event meeting calendar "
    "reminder alarm lamp light door window heater fan pump valve tank battery panel meter camera printer scanner robot "
    "drone satellite planet star comet element molecule protein gene cell virus animal dog cat horse bird fish insect "
    "tree flower seed crop field farm barn tractor truck trailer warehouse shelf box crate pallet batch sample specimen "
    "experiment dataset model prompt article page chapter poem quote word sentence definition synonym translation "
    "currency share stock bond fund index asset portfolio wallet transaction transfer deposit salary bonus tax budget "
    "supplier vendor partner dealer agent driver pilot doctor nurse teacher author artist singer actor director member "
    "visitor guest applicant candidate vacancy interview department office desk laptop phone tablet screen keyboard cable "
    "engine wheel tire brake gear bolt screw nail hammer saw drill paint brush tool part spare module plugin theme badge"
).split()
PROPERTIES = (
    "status price cost owner size weight height length width depth age colour color location address city country region "
    "capacity temperature pressure humidity speed range voltage power energy balance total amount quantity count number "
    "rate rating score rank level grade priority category type kind class group label name title description summary date "
    "deadline duration time schedule start end expiry version revision author creator manager contact phone email website "
    "stock availability warranty origin destination route distance delay arrival departure gate seat floor value worth "
    "discount margin profit revenue tax fee salary budget limit quota usage load uptime latency traffic volume forecast "
    "outlook history progress result outcome reason cause effect risk health condition diagnosis treatment dose calories "
    "ingredients material brand maker model serial barcode currency language capital population area density climate"
).split()
VERBS = (
    "cancel approve archive restart close open lock unlock delete remove add create book reserve order ship send notify "
    "assign renew extend pause resume start stop enable disable activate deactivate publish print scan check verify "
    "validate confirm reject accept return refund charge pay transfer move copy rename update reset rotate clean feed water "
    "paint repair inspect measure weigh test deploy build merge tag label translate convert summarise classify rank sort "
    "compare predict estimate schedule plan track locate find ping call"
).split()
CITIES = (
    "Oslo Bergen Paris Berlin Rome Madrid Lisbon Vienna Prague Warsaw London Dublin Tokyo Osaka Seoul Beijing Delhi Mumbai "
    "Cairo Lagos Nairobi Accra Lima Quito Bogota Santiago Toronto Montreal Chicago Boston Denver Austin Seattle Dallas "
    "Sydney Perth Auckland Athens Helsinki Stockholm Copenhagen Brussels Zurich Geneva Milan Turin Naples Munich Hamburg"
).split()
TWO_WORD_CITIES = (
    "New York",
    "San Francisco",
    "Los Angeles",
    "Buenos Aires",
    "Cape Town",
    "Hong Kong",
    "Tel Aviv",
    "Rio de Janeiro",
    "Mexico City",
    "Kuala Lumpur",
    "Salt Lake City",
    "New Delhi",
    "Las Vegas",
)
COUNTRIES = (
    "Norway Sweden Denmark Finland Iceland France Germany Spain Italy Portugal Austria Poland Greece Turkey Egypt Kenya "
    "Ghana Nigeria Morocco Brazil Peru Chile Argentina Mexico Canada Japan China India Vietnam Thailand Indonesia Australia"
).split()
LANGUAGES = (
    "French German Spanish Italian Norwegian Swedish Danish Dutch Polish Greek Turkish Arabic Hindi Japanese".split()
)
CURRENCIES = "EUR USD GBP NOK SEK DKK CHF JPY CNY INR AUD CAD BRL MXN dollars euros pounds yen kroner francs".split()
FIRST = (
    "Anna Ben Clara David Emma Felix Grace Hugo Ida Jonas Karin Leo Maria Nils Olga Paul Rosa Sam Tara Uma Victor Wendy "
    "Ali Bo Chen Dina Eva Finn Gina Hans Ines Jack Kim Lena Max Nora Omar Pia Quinn Ruth Sven Tom Ada Alan Linus"
).split()
LAST = (
    "Hansen Berg Smith Jones Miller Garcia Rossi Novak Silva Khan Kim Lee Chen Wang Tanaka Sato Müller Weber Fischer "
    "Olsen Larsen Dahl Lund Holm Moore Clark Lewis Young King Wright Hill Green Baker Adams Lovelace Turing Curie"
).split()
COMMON = (
    "strawberry banana apple orange cherry mango melon pumpkin tomato potato carrot onion garlic pepper sugar butter cheese "
    "bread coffee water river ocean mountain valley forest garden window kitchen bottle pencil paper table chair guitar "
    "piano violin trumpet drummer painter teacher doctor engineer captain sailor farmer hunter winter summer spring autumn "
    "morning evening midnight thunder lightning rainbow sunshine shadow silver golden purple yellow orange crimson elephant "
    "giraffe monkey tiger rabbit turtle dolphin penguin butterfly mississippi bookkeeper committee hello world goodbye "
    "thanks friend family children happiness freedom language alphabet dictionary encyclopedia serendipity rhythm puzzle "
    "quartz jazz oxygen hydrogen carbon lithium helium planet galaxy universe rocket engine computer keyboard monitor"
).split()
COLUMNS = (
    "price amount total quantity sales revenue cost profit age salary score rating weight height temperature distance "
    "duration units discount tax income population area speed votes points hours views clicks visits balance fee count"
).split()
GROUPS = (
    "region country city category department product customer team year month status colour type name brand".split()
)
STEMS = (
    "sales orders data customers people users products cities prices report results inventory employees students books "
    "movies weather sensors log visits payments events notes todo readme letter poem story essay speech config settings "
    "info summary draft minutes list names numbers words output result answer diary plan ideas recipe shopping budget"
).split()
SYLLABLES = (
    "ba be bi bo bu da de di do du fa fe fi fo ga ge gi go gu ha he hi ho ka ke ki ko ku la le li lo lu ma me mi mo mu na ne "
    "ni no nu pa pe pi po pu ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa we wi za ze zi zo bran stel drin "
    "plon gret vask torn mell quil jast fren crop glim shan thor wick yard nox lux dex trix"
).split()


def made_up(rng: random.Random) -> str:
    """A word nobody has seen."""
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 2, 3))))


def noun(rng: random.Random) -> str:
    """A noun, sometimes made up, sometimes two."""
    roll = rng.random()
    if roll < 0.25:
        return made_up(rng)
    return rng.choice(NOUNS) if roll < 0.85 else f"{rng.choice(NOUNS)} {rng.choice(NOUNS)}"


def prop(rng: random.Random) -> str:
    """A property of a thing, sometimes two words, sometimes made up."""
    roll = rng.random()
    if roll < 0.1:
        return made_up(rng)
    return rng.choice(PROPERTIES) if roll < 0.75 else f"{rng.choice(PROPERTIES)} {rng.choice(PROPERTIES)}"


def name(rng: random.Random) -> str:
    """A capitalised name: a place, a person, or made up."""
    roll = rng.random()
    if roll < 0.3:
        return made_up(rng).capitalize()
    if roll < 0.4:
        return f"{made_up(rng).capitalize()} {made_up(rng).capitalize()}"
    if roll < 0.6:
        return rng.choice(CITIES)
    return rng.choice(TWO_WORD_CITIES) if roll < 0.7 else f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def place(rng: random.Random) -> str:
    """A city or country, sometimes made up."""
    roll = rng.random()
    if roll < 0.3:
        return made_up(rng).capitalize()
    return rng.choice(CITIES) if roll < 0.7 else rng.choice(TWO_WORD_CITIES) if roll < 0.85 else rng.choice(COUNTRIES)


def person(rng: random.Random) -> str:
    """A person's name."""
    return rng.choice((f"{rng.choice(FIRST)} {rng.choice(LAST)}", rng.choice(FIRST), made_up(rng).capitalize()))


def code(rng: random.Random) -> str:
    """An identifier such as a ticket or a serial number has."""
    letters = "".join(rng.choice("ABCDEFGHKLMNPRSTVXZ") for _ in range(rng.randint(1, 4)))
    digits = str(rng.randint(1, 99999))
    return rng.choice(
        (
            f"{letters}-{digits}",
            f"{letters}{digits}",
            f"{letters.lower()}_{digits}",
            f"{letters}-{digits}-{rng.choice('ABCX')}",
        )
    )


def ticker(rng: random.Random) -> str:
    """Two to five capitals."""
    return "".join(rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(rng.randint(2, 5)))


def word(rng: random.Random) -> str:
    """A plain lower-case word."""
    return made_up(rng) if rng.random() < 0.35 else rng.choice(COMMON)


def text(rng: random.Random, low: int = 2, high: int = 6) -> str:
    """A few words."""
    return " ".join(
        rng.choice((word(rng), rng.choice(NOUNS), rng.choice(PROPERTIES), rng.choice(COMMON)))
        for _ in range(rng.randint(low, high))
    )


def file(rng: random.Random, *endings: str) -> str:
    """A file name with one of these endings, sometimes in a folder."""
    ending = rng.choice(endings or ("txt", "md", "csv", "json", "log", "py"))
    base = rng.choice(
        (
            rng.choice(STEMS),
            rng.choice(STEMS),
            made_up(rng),
            f"{rng.choice(STEMS)}_{rng.choice(STEMS)}",
            f"{rng.choice(STEMS)}-{rng.randint(1, 2030)}",
            f"{rng.choice(NOUNS)}{rng.randint(1, 99)}",
        )
    )
    return f"{rng.choice(STEMS)}/{base}.{ending}" if rng.random() < 0.12 else f"{base}.{ending}"


def email(rng: random.Random) -> str:
    """An email address."""
    return f"{rng.choice(FIRST).lower()}.{made_up(rng)}@{made_up(rng)}.{rng.choice(('com', 'org', 'net', 'example'))}"


def url(rng: random.Random) -> str:
    """A web address."""
    path = rng.choice(("", f"/{made_up(rng)}", f"/{made_up(rng)}/{rng.choice(STEMS)}", f"/{rng.choice(STEMS)}.html"))
    return f"http{rng.choice(('', 's'))}://{rng.choice(('', 'www.'))}{made_up(rng)}.{rng.choice(('com', 'org', 'example'))}{path}"


def model_id(rng: random.Random) -> str:
    """The id of a model on a hub."""
    family = rng.choice(
        (
            "bert-base-uncased",
            "tiny-" + made_up(rng),
            made_up(rng) + "-v2",
            made_up(rng) + "-base",
            "distil" + made_up(rng),
            f"{made_up(rng)}-{rng.randint(1, 70)}b",
            made_up(rng) + "_small",
        )
    )
    return (
        f"{rng.choice((made_up(rng), rng.choice(STEMS), made_up(rng).capitalize() + 'AI', rng.choice(LAST)))}/{family}"
    )


def date(rng: random.Random) -> str:
    """A date as 2024-05-17."""
    return f"{rng.randint(1990, 2030)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def number(rng: random.Random) -> str:
    """A whole number or a decimal."""
    if rng.random() < 0.3:
        return f"{rng.uniform(0, 999):.{rng.choice((1, 2))}f}"
    return str(rng.randint(0, 10 ** rng.randint(1, 5)))

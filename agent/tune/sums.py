"""Examples of arithmetic: percent, chains, and stories in many wordings (`<one|other>`). The expression uses the goal's own numbers."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable

from outrider.agent.tune.trace import Example, Step
from outrider.agent.tune.words import CITIES, FIRST, THINGS, one, plain_number, said

Made = tuple[str, str]  # goal, expression


def _n(rnd: random.Random, big: bool = False) -> str:
    kind = rnd.random()
    if kind < 0.5:
        return str(rnd.randint(2, 99))
    if kind < 0.75:
        return str(rnd.randint(100, 9999 if not big else 999999))
    return f"{rnd.uniform(1, 500):.{rnd.choice([1, 2, 2])}f}"


def _shown(rnd: random.Random, number: str) -> str:
    """The number as it is written in the goal: perhaps with thousands separators or a currency."""
    whole = number.split(".")[0]
    if len(whole) > 3 and rnd.random() < 0.5:
        number = f"{int(whole):,}" + number[len(whole) :]
    return number


def percent(rnd: random.Random) -> Made:
    a, p = (
        _n(rnd),
        str(rnd.choice([5, 10, 12, 15, 20, 25, 30, 35, 40, 60, 75, 3, 7, 18, 2.5, 4.5, 17.5, rnd.randint(1, 99)])),
    )
    s = rnd.choice(["%", "%", " percent", " per cent"])
    kind = rnd.randrange(4)
    A = _shown(rnd, a)
    if kind == 0:
        return one(rnd, "sums.percent.1", p=p, s=s, A=A), f"{a} * {p} / 100"
    if kind == 1:
        return one(rnd, "sums.percent.2", p=p, s=s, A=A), f"{a} * (1 - {p} / 100)"
    if kind == 2:
        return one(rnd, "sums.percent.3", p=p, s=s, A=A), f"{a} * (1 + {p} / 100)"
    b = _n(rnd)
    return one(rnd, "sums.percent.4", A=A, B=b), f"{a} / {b} * 100"


OPS = {
    "+": ["plus", "+", "added to"],
    "-": ["minus", "-", "less"],
    "*": ["times", "*", "x", "×", "multiplied by"],
    "/": ["divided by", "/", "over", "÷"],
}


def plain(rnd: random.Random) -> Made:
    a, b = _n(rnd, True), _n(rnd)
    op = rnd.choice("+-*/")
    body = f"{_shown(rnd, a)} {rnd.choice(OPS[op])} {_shown(rnd, b)}"
    expr = f"{a} {op} {b}"
    if rnd.random() < 0.5:
        c, op2 = _n(rnd), rnd.choice("+-*/")
        body, expr = body + f" {rnd.choice(OPS[op2])} {c}", expr + f" {op2} {c}"
    return one(rnd, "sums.plain.1", x=body), expr


def brackets(rnd: random.Random) -> Made:
    a, b, c = _n(rnd), _n(rnd), _n(rnd)
    op, op2 = rnd.choice("+-"), rnd.choice("*/")
    if rnd.random() < 0.4:
        expr = f"({a} {op} {b}) {op2} {c}" if rnd.random() < 0.5 else f"{c} {op2} ({a} {op} {b})"
        return one(rnd, "sums.brackets.1", x=expr), expr
    kind = rnd.randrange(5)
    if kind == 0:
        return one(rnd, "sums.brackets.2", a=a, b=b, c=c), f"({a} + {b}) * {c}"
    if kind == 1:
        return one(rnd, "sums.brackets.3", a=a, b=b, c=c), f"({a} + {b}) / {c}"
    if kind == 2:
        return one(rnd, "sums.brackets.4", a=a, b=b, c=c), f"({a} - {b}) * {c}"
    if kind == 3:
        return one(rnd, "sums.brackets.5", a=a, b=b, c=c), f"{a} * {b} - {c}"
    return one(rnd, "sums.brackets.6", a=a, b=b, c=c), f"{a} / {b} + {c}"


def listed(rnd: random.Random) -> Made:
    numbers = [_n(rnd) for _ in range(rnd.randint(3, 6))]
    body = ", ".join(numbers[:-1]) + rnd.choice([" and ", ", and ", ", "]) + numbers[-1]
    total = " + ".join(numbers)
    kind = rnd.randrange(5)
    if kind == 0:
        return one(rnd, "sums.listed.1", x=body), f"({total}) / {len(numbers)}"
    if kind == 1:
        c = _n(rnd)
        return one(rnd, "sums.listed.2", x=body, c=c), f"{total} - {c}"
    if kind == 2:
        c = str(rnd.randint(2, 12))
        return one(rnd, "sums.listed.3", x=body, c=c), f"({total}) / {c}"
    return one(rnd, "sums.listed.4", x=body), total


def powers(rnd: random.Random) -> Made:
    a, b = str(rnd.randint(2, 60)), str(rnd.randint(2, 9))
    big = str(rnd.randint(2, 99) ** 2 if rnd.random() < 0.6 else rnd.randint(50, 9999))
    return rnd.choice([
        (one(rnd, "sums.powers.1", a=a, b=b), f"{a} ** {b}"),
        (one(rnd, "sums.powers.2", a=a), f"{a} ** 2"),
        (one(rnd, "sums.powers.3", a=a), f"{a} ** 3"),
        (one(rnd, "sums.powers.4", a=big), f"sqrt({big})"),
        (one(rnd, "sums.powers.5", a=big, b=b), f"{big} % {b}"),
        (one(rnd, "sums.powers.6", a=big, b=b), f"sqrt({big}) + {b}"),
        (one(rnd, "sums.powers.7", a=big), f"{big} / 2"),
        (one(rnd, "sums.powers.8", a=a, b=b), f"{a} * 2 + {b}"),
        (one(rnd, "sums.powers.9", a=big), f"{big} / 3"),
        (one(rnd, "sums.powers.10", a=b), f"factorial({b})"),
    ])  # fmt: skip


# a b c d: small whole numbers (d the smallest); big: above a * b; most: above them all; p: a percentage; price, fee: money
STORIES: list[tuple[str, str]] = [
    # groups of equal size, and what goes or comes
    ("{who} has {a} <boxes|bags|crates|packets|trays|jars> <of|with|that each hold> {b} {thing}s and <gives away|loses|sells|eats|uses|breaks|throws out> {c}. How many are left?", "{a} * {b} - {c}"),
    ("<I buy|We get|I bought|There are> {a} <packs|boxes|cartons|sets> <of|holding> {b} {thing}s<,| and> <use|used|I use|we lost|sold> {c} of them<.|,> <How many remain?|How many do I still have?|what's left?|how many are there now>", "{a} * {b} - {c}"),
    ("A <crate|box|tray|shelf|bag> holds {b} {thing}s. <I have|We own|There are|She carries> {a} <crates|boxes|of them|such boxes> <and|, and> {c} <more|extra|loose> {thing}s. <How many|How many {thing}s are there> <in total|altogether|in all>?", "{a} * {b} + {c}"),
    ("There are {a} rows <of|with> {b} <seats|trees|desks|chairs> and {c} are <broken|taken|missing|empty>. How many <are fine|are left|are not|remain>?", "{a} * {b} - {c}"),
    ("{a} <boxes|cases|packs> with {b} {thing}s each<, how many is that| make how many {thing}s|: how many {thing}s are there>?", "{a} * {b}"),
    ("<Each|Every> of <my|the> {a} <teams|classes|groups|buses> has {b} <players|pupils|people> and {d} <coaches|teachers|guides>. How many people is that <in all|altogether>?", "{a} * ({b} + {d})"),
    ("{who} has {a} <packs|boxes> of {b} and {c} <packs|boxes> of {d} {thing}s. How many {thing}s <does {who} have|are that>?", "{a} * {b} + {c} * {d}"),
    ("{who} buys {d} dozen <eggs|rolls|roses> and <breaks|eats|gives away|drops> {a}. How many are <left|whole>?", "{d} * 12 - {a}"),
    ("How many {thing}s are {d} dozen?", "{d} * 12"),
    # comes and goes
    ("{who} had {big} {thing}s. <She|He> <gave away|sold|lost|used up|lent> {c} and then <bought|found|got|received|made> {a} more. How many <does she have now|are there now|has he got now>?", "{big} - {c} + {a}"),
    ("{who} <has|had|starts with|owns> {b} {thing}s, <gets|buys|finds|collects|receives> {a} <more |>and <loses|gives away|sells|drops> {c}. How many <now|are left|remain|does {who} end up with>?", "{b} + {a} - {c}"),
    ("There were {big} <people|guests|visitors|birds|cars> <in the room|at the party|in the park|there>. {c} <left|went home|drove off> and {a} <came|arrived|joined>. How many <are there now|are still there|is that now>?", "{big} - {c} + {a}"),
    ("A <bus|train|tram|ferry> <carries|starts with|has> {big} <people|passengers>. At the first stop {c} get <off|out> and {a} get <on|in>, <at the next|then> {d} <get off|leave>. How many <are on it|are left on board|ride on>?", "{big} - {c} + {a} - {d}"),
    ("{who} <had|has> {big} euros<,| and> <paid|spent|pays> {c} <for lunch|on a book|at the shop> and {d} <for coffee|on the bus|on a drink>. <What's left|How much is left|How much money remains>?", "{big} - {c} - {d}"),
    ("I had {big} <and spent|, then I spent|dollars and paid> {price} and {fee}. How much <do I have left|is left|remains>?", "{big} - {price} - {fee}"),
    ("<From|Of|Out of> {most} <euros|dollars|points> {who} <spends|uses|loses> {big}<. What remains?|, how much is left?|. How many are left?>", "{most} - {big}"),
    ("My <account|wallet|balance> <shows|has|is at> {big}. <I get|I earn|In comes> {a} and <I pay|out goes|I spend> {c}. <What's the new balance|How much is in it now|What do I have then>?", "{big} + {a} - {c}"),
    ("{who} is {big} cm tall and {who2} is {c} cm <shorter|smaller>. How tall is {who2}?", "{big} - {c}"),
    ("{who} has {b} {thing}s and {who2} has {c} <more|fewer than that plus {c} more>. How many does {who2} have?", "{b} + {c}"),
    ("{who} <picked|sold|read|scored|made> {b}, {who2} {c} <more|more than {who}>. How many <together|did they get together|in total|between them>?", "{b} + ({b} + {c})"),
    ("{who} collects {a} {thing}s on Monday, {b} on Tuesday and {c} on Wednesday. How many <altogether|in three days|in all>?", "{a} + {b} + {c}"),
    ("<A shop|The bakery|{who}> <sells|sold|makes> {b} {thing}s on <Monday|Saturday> and twice as many on <Tuesday|Sunday>. How many <altogether|in total|on both days|are that>?", "{b} + {b} * 2"),
    ("{who} has {b} {thing}s and {who2} has <three times|triple> as many. How many <do they have together|altogether>?", "{b} + {b} * 3"),
    ("{who} has {b} {thing}s and {who2} has <half|only half> as many. How many <do they have together|altogether>?", "{b} + {b} / 2"),
    ("{who} ran {a} km, {who2} <twice as far|double that>. How far did {who2} run?", "{a} * 2"),
    ("There are {big} pages<.| and> {who} read {a} <yesterday|on Friday> and {b} <today|on Saturday>. How many pages are left?", "{big} - {a} - {b}"),
    # price times number
    ("A {thing} costs {price}<. What do|, what do|. How much do> {a} <of them|{thing}s> cost<?| together?| in total?>", "{a} * {price}"),
    ("{a} {thing}s at {price} each<, what does it come to| make how much|: what do I pay>?", "{a} * {price}"),
    ("<I order|We buy|{who} orders> {a} {thing}s <for|at> {price} <each|apiece|a piece> <and pay|plus|with> {fee} <for postage|shipping|delivery>. <How much is it altogether|What is the total|What do I pay in all>?", "{a} * {price} + {fee}"),
    ("{a} <tickets|nights|lessons> at {price} <plus|and> a <booking fee|service charge|fee> of {fee}<: total?|, how much is it in all?|. What does that cost?>", "{a} * {price} + {fee}"),
    ("<I buy|{who} takes> {a} {thing}s <for|at> {price} each and <have|has|use|uses> a <voucher|coupon|gift card> of {fee}. <What do I pay|How much is to pay|What remains to be paid>?", "{a} * {price} - {fee}"),
    ("{a} {thing}s at {price} and {d} <cups|plates|pens> at {fee}<: how much in total?|, what do they cost together?|. What's the sum?>", "{a} * {price} + {d} * {fee}"),
    ("<I buy|{who} buys> {a} {thing}s <for|at> {d} <euros|dollars> each and <pay|pays|hands over|gives> <with |>{most}. How much change <do I get|is that|comes back>?", "{most} - {a} * {d}"),
    ("<What's left of|What remains of> {most} after <paying|buying> {a} <bills|{thing}s> <of|at> {d}<?| each?>", "{most} - {a} * {d}"),
    ("A {thing} is {price} and a <cable|bag|cover> {fee}. <What do both cost|How much for both|How much together>?", "{price} + {fee}"),
    ("{a} {thing}s cost {big}<.|,> <What does one cost|what is the price of one|how much is a single one>?", "{big} / {a}"),
    ("If {a} {thing}s cost {big}, <what do|how much are|what would> {b} <{thing}s|of them> cost?", "{big} / {a} * {b}"),
    ("{a} <kilos|metres|litres> <cost|are> {big}. <What do|How much do> {b} <kilos|metres|litres> cost?", "{big} / {a} * {b}"),
    ("<I pay|We pay|The gym costs> {price} <a month|every month|monthly>. What is that <a year|per year|in a year>?", "{price} * 12"),
    ("<I pay|{who} pays> {big} <a year|per year> for <insurance|the garden|the club>. <How much is that a month|What is it per month>?", "{big} / 12"),
    ("I <spend|need|drink> {price} <a day|each day|daily>. How much is that <a week|in a week>?", "{price} * 7"),
    # rates
    ("{who} <earns|makes|gets> {price} <an hour|per hour> and works {a} hours <a week|per week>. <What does {who} earn in a week|How much is that a week|What is the weekly pay>?", "{price} * {a}"),
    ("{who} <earns|makes|gets> {price} <an hour|per hour> <for|and works> {a} hours a <week|day>. How much <is that |>in {d} <weeks|days>?", "{price} * {a} * {d}"),
    ("{who} saves {b} a <week|month><. How much after|, how much is it after|. What is in the box after> {a} <weeks|months>?", "{b} * {a}"),
    ("{who} saves {b} a month for {a} months and then spends {c}. <What is left|How much remains>?", "{b} * {a} - {c}"),
    ("{who} <has|already has> {c} and saves {b} <each|every|a> <week|month>. How much <after|in> {a} <weeks|months>?", "{c} + {b} * {a}"),
    ("{who} wants a {thing} for {most} and has {big}. How much is <missing|still missing|left to save>?", "{most} - {big}"),
    ("{who} wants a {thing} for {big} and saves {a} a <week|month>. How many <weeks|months> does it take?", "{big} / {a}"),
    ("A <car|train|van> drives {big} km in {d} hours. <What is its average speed|How fast is it|How many km per hour is that>?", "{big} / {d}"),
    ("At {b} km/h, how far do I get in {d} hours?", "{b} * {d}"),
    ("How far does a <train|car|bike> <going|doing|at> {b} km/h <get|go|come> in {d} hours?", "{b} * {d}"),
    ("How long <does it take to drive|is a trip of|do I need for> {big} km at {b} km/h?", "{big} / {b}"),
    ("{who} reads {a} pages <a day|every day|each evening><. How many pages in|, how many is that in> {b} days?", "{a} * {b}"),
    ("<A book has|The book has|My novel is> {big} pages<.| and> I read {a} <a day|every day|each night>. <How many days do I need|How many days does it take|How long will it take me>?", "{big} / {a}"),
    ("<I read|{who} types|We paint> {a} <pages|lines|metres> <a day|an hour>. How many <days|hours> <for|do I need for|does it take for> {big}?", "{big} / {a}"),
    ("A machine makes {b} <parts|bottles|bolts> <an hour|per hour>. How many in {d} days of {c} hours?", "{b} * {c} * {d}"),
    ("A <tap|pump|pipe> gives {b} litres a minute. How <many litres|much water> in {a} minutes?", "{b} * {a}"),
    ("A tank of {most} litres loses {d} litres <an hour|a day>. How much is left after {c} <hours|days>?", "{most} - {d} * {c}"),
    ("A tank <holds|takes> {big} litres and a bucket {a}. How many buckets <fill it|do I need|are that>?", "{big} / {a}"),
    ("<My car|The van|A bus> <uses|needs|takes|burns> {price} litres <per|for every|on> 100 km. How <many litres do I need|much does it need|much fuel is that> for {most} km?", "{price} / 100 * {most}"),
    ("A <bus|tram|train|boat> leaves every {b} minutes<, how many leave in|. How many leave in|. How many are that in> {d} hours?", "{d} * 60 / {b}"),
    ("One {thing} takes {a} minutes. How many hours for {b}<?| {thing}s?>", "{a} * {b} / 60"),
    ("{who} runs {a} km {d} times a week. How <far|many km> in {c} weeks?", "{a} * {d} * {c}"),
    ("I take {d} <pills|tablets> a day<.|,> <How many|how many do I need> for {a} <days|weeks of seven days>?", "{d} * {a}"),
    ("A recipe for {d} <people|persons> needs {big} g of <rice|flour|sugar>. <How much|How many grams> <do I need |>for {b} <people|persons|guests>?", "{big} / {d} * {b}"),
    ("For {d} cakes I need {a} eggs. How many <for|eggs do I need for> {b} cakes?", "{a} / {d} * {b}"),
    # sharing
    ("{big} <sweets|nuts|cards|marbles> are shared <equally |>by {d} <children|kids|friends>, how many does each get?", "{big} / {d}"),
    ("<We split|Three of us? No: we share> a bill of {big} <between|among> {d} <friends|people><, what does each pay|. How much each>?", "{big} / {d}"),
    ("We are {d} people and <the dinner|the taxi|the trip|lunch> <was|cost|came to> {big}. <How much does each of us owe|What does everyone pay|How much per person>?", "{big} / {d}"),
    ("{d} <friends|colleagues|sisters> share <a bill|costs|rent> of {big} equally. How much <is it each|does each pay>?", "{big} / {d}"),
    ("{big} euros <plus|and> {c} for <drinks|parking> are split by {d}. How much <each|per person>?", "({big} + {c}) / {d}"),
    ("A bill of {big} plus {p}% tip is split by {d}. How much per person?", "{big} * (1 + {p} / 100) / {d}"),
    ("{who} cuts a {big} cm <rope|board|ribbon> into {d} equal pieces. How long is <each|one>?", "{big} / {d}"),
    ("{big} <pupils|people> go in <buses|groups|cars> of {d}. How many <buses|groups|cars> are needed?", "{big} / {d}"),
    ("I pack {big} {thing}s into boxes of {a}. How many boxes <do I need|are that>?", "{big} / {a}"),
    # percent
    ("A {thing} costs {big}<, and is|. It is| and gets> <reduced by|cheaper by|discounted by> {p}<%| percent>. <What do I pay|What does it cost now|What's the new price>?", "{big} * (1 - {p} / 100)"),
    ("<My|Her|The> <salary|rent|pension> of {big} <goes up|rises|is raised|increases> by {p}<%| percent>. <What is it then|What's the new one|How much is it now>?", "{big} * (1 + {p} / 100)"),
    ("A <bill|meal|ride> of {big} <plus|with|and> {p}<%| percent> <tip|tax|service>: <what do I pay|how much in all|total>?", "{big} * (1 + {p} / 100)"),
    ("How much <tip|tax|discount|interest> is {p}<%| percent> on {big}?", "{big} * {p} / 100"),
    ("Of {big} <people|votes|pupils> {p}<%| percent> <said yes|are women|cycle>. How many are that?", "{big} * {p} / 100"),
    ("{p}<%| percent> of the {big} <seats|rooms|tickets> are <taken|sold>. How many are <free|left>?", "{big} * (1 - {p} / 100)"),
    ("{a} {thing}s at {price} with {p}% <off|discount>: what do I pay?", "{a} * {price} * (1 - {p} / 100)"),
    ("A subscription costs {price} per month with {p}% off for {a} months, what's the total?", "{price} * (1 - {p} / 100) * {a}"),
    ("A loan of {big} at {p}% simple interest for {d} years: how much interest?", "{big} * {p} / 100 * {d}"),
    ("{big} <invested|put aside> at {p}% a year, compounded, for {d} years: what is it worth?", "{big} * (1 + {p} / 100) ** {d}"),
    ("The price <went|rose|climbed> from {b} to {big}. By how many percent <did it rise|is that|was that>?", "({big} - {b}) / {b} * 100"),
    ("The <price|rent|weight> <fell|dropped|went down> from {most} to {big}. <By how many percent did it fall|How many percent is that>?", "({most} - {big}) / {most} * 100"),
    ("{who} got {b} of {big} points<.|,> <What percentage is that|how many percent is that>?", "{b} / {big} * 100"),
    # areas
    ("A <room|garden|field|wall> is {a} by {b} metres. What is its area?", "{a} * {b}"),
    ("A <room|garden|field> is {a} m long and {b} m wide. <How big is it|How many square metres are that|What's the area>?", "{a} * {b}"),
    ("What's the perimeter of a {a} by {b} rectangle?", "2 * ({a} + {b})"),
    ("A box is {a} by {b} by {c} cm. What is its volume?", "{a} * {b} * {c}"),
    ("A floor of {a} by {b} metres costs {price} per square metre. What <does it cost|is the price>?", "{a} * {b} * {price}"),
    # ages and lists
    ("{who} is {b} <years old|> and {who2} is {c} years <older>. How old is {who2}?", "{b} + {c}"),
    ("In {d} years {who} will be {b}. How old is {who} now?", "{b} - {d}"),
    ("{who} was born in 19{c2}. How old is {who} in 20{e2}?", "20{e2} - 19{c2}"),
    ("My <bills|shifts|walks> were {price}, {fee} and {b}. <What is the average|What do they come to on average>?", "({price} + {fee} + {b}) / 3"),
    ("I walked {a}, {b} and {c} km. <How far in all|How many km altogether|What is the total>?", "{a} + {b} + {c}"),
    ("{a} of every {b} <people|kids|seats> <take the bus|are taken|agree>. How many of {most} are that?", "{most} * {a} / {b}"),
]  # fmt: skip
NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 12: "twelve"}  # fmt: skip
BEFORE = ["", "", "", "", "I need help with this. ", "Maths question: ", "My son asks: ", "We are in {city}. ", "Quick sum: ", "Not sure about this one: "]  # fmt: skip


def story(rnd: random.Random) -> tuple[str, str]:
    """(the goal, the expression)."""
    text, expression = rnd.choice(STORIES)
    text = re.sub(r"<([^<>]*)>", lambda match: rnd.choice(match[1].split("|")), text)
    slots = _slots(rnd)
    filled = {key: _said(rnd, key, value) for key, value in slots.items()}
    return rnd.choice(BEFORE).format(city=rnd.choice(CITIES)) + text.format(**filled), expression.format(**slots)


def _slots(rnd: random.Random) -> dict[str, str]:
    a, b, c, d = rnd.sample([rnd.randint(2, 12), *rnd.sample(range(4, 90), 3)], 4)
    d = min(d, rnd.randint(2, 12))
    if d in (a, b, c):
        d = next(n for n in (2, 3, 4, 5, 6) if n not in (a, b, c))
    big = a * b + rnd.randint(3, 400)
    who, who2 = rnd.sample(FIRST, 2)
    return {
        "who": who, "who2": who2, "thing": rnd.choice(THINGS), "a": str(a), "b": str(b), "c": str(c), "d": str(d), "big": str(big), "most": str(big + rnd.randint(20, 900)),
        "price": f"{rnd.uniform(1, 90):.{rnd.choice([1, 2, 2])}f}", "fee": f"{rnd.uniform(2, 15):.{rnd.choice([1, 2])}f}", "p": rnd.choice(["5", "8", "10", "12", "15", "20", "25", "30", "35", "40", "2.5", "60"]),
        "c2": str(rnd.randint(40, 99)), "e2": str(rnd.randint(20, 40)),
    }  # fmt: skip


def _said(rnd: random.Random, key: str, value: str) -> str:
    """A number as it stands in a story: a small one sometimes in words, a large one with a comma."""
    if key in ("a", "b", "c", "d") and int(value) in NUMBERS and rnd.random() < 0.25:
        return NUMBERS[int(value)]
    if value.isdigit() and len(value) > 3 and rnd.random() < 0.4 and key != "e2":
        return f"{int(value):,}"
    return value


KINDS: list[tuple[int, Callable[[random.Random], Made]]] = [
    (4, percent),
    (3, plain),
    (3, brackets),
    (2, listed),
    (2, powers),
    (16, story),
]
NAMES = {"sqrt": math.sqrt, "factorial": math.factorial}


def value_of(expression: str) -> str:
    """The value `calculate` gives an expression of ours: 16 digits at most."""
    value = eval(expression, {"__builtins__": {}}, NAMES)  # noqa: S307  (our own text, never a stranger's)
    return f"{value:.16g}" if "/" in expression else plain_number(float(value))


def seen_as(expression: str, value: str) -> str:
    """The observation as `calculate` writes it."""
    return f"{expression} = {value}" + (" (rounded)" if len(value) > 15 else "")


def sums(rnd: random.Random) -> Example:
    """One sum."""
    make = rnd.choices([m for _, m in KINDS], [w for w, _ in KINDS])[0]
    goal, expression = make(rnd)
    value = value_of(expression)
    step = Step("calculate", {"expression": expression}, seen_as(expression, value))
    return Example("sums", said(rnd, goal), [step], f"The result is {value}.")

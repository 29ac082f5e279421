"""One step of the small language model without the model: what it may write, and what becomes of what it wrote."""

from __future__ import annotations

import re

import pytest

from outrider.agent.models.brain import certain, decide, sql, told
from outrider.agent.models.brain.lines import Card
from outrider.agent.models.choice.steps import Step
from outrider.tools.builtin import built_in

NAMES = ("calculate", "dates", "units", "table", "sql_query", "read_file", "write_file", "edit_file", "move_file", "delete_file", "list_files", "search_files", "text_stats")  # fmt: skip
CARDS = [Card(n, (t := built_in(n)).description, t.parameters) for n in NAMES]
LOOK = "9 rows and 4 columns in a.csv\ncolumns: town (text), state (text), cost (number), day (date)\nfirst 5 rows:\ntown | state | cost | day\nOslo | open | 4.5 | 2026-01-02\nLima | closed | 9.0 | 2026-02-03"
SPELT = [
    ("what is 12% of 50", "calculate", {"expression": "50 * 12 / 100"}), ("1,200 less 15 percent", "calculate", {"expression": "1200 * (1 - 15 / 100)"}), ("add 3 and 9, then multiply by 4", "calculate", {"expression": "(3 + 9) * 4"}),
    ("3.5 kg in pounds", "units", {"value": "3.5", "unit": "kg", "to": "pounds"}), ("Which weekday was 9 March 2024?", "dates", {"operation": "weekday", "date": "9 March 2024"}),
    ("days from 2026-01-01 to 2026-03-01", "dates", {"operation": "difference", "date": "2026-01-01", "to": "2026-03-01"}), ("rename a.txt to b.txt", "move_file", {"path": "a.txt", "to": "b.txt"}), ("delete a.txt please", "delete_file", {"path": "a.txt"}),
    ("in a.ini change 80 to 90", "edit_file", {"path": "a.ini", "old": "80", "new": "90"}), ("Make a file b.txt with two lines: tea, milk", "write_file", {"path": "b.txt", "content": "tea\nmilk"}), ("how many lines are in a.md", "text_stats", {"operation": "lines", "path": "a.md"}),
]  # fmt: skip


@pytest.mark.parametrize(("goal", "tool", "arguments"), SPELT, ids=[one[0] for one in SPELT])
def test_what_a_goal_spells_out_is_read_by_code(goal: str, tool: str, arguments: dict[str, object]) -> None:
    """The model cannot get a written-out sum, date or file name wrong."""
    assert certain.call(goal, NAMES) == (tool, arguments)


@pytest.mark.parametrize(
    "goal",
    [
        "Three friends share a bill of 60",
        "what did it cost?",
        "rename a.txt to b.txt and delete c.txt",
        "write the total to a.txt",
        "I have 3 boxes of 12 eggs and eat 5",
    ],
)
def test_what_is_not_spelt_out_is_left_to_the_model(goal: str) -> None:
    """A word problem, a result, two clauses: none is guessed by a pattern."""
    assert certain.call(goal, ("calculate", "move_file", "write_file")) is None


def test_a_table_is_looked_at_before_it_is_asked() -> None:
    """The columns are real ones: the first call can only be a look, the second only a SELECT over them."""
    first = decide.prepare("how many rows of a.csv have town Oslo?", CARDS, ())
    assert first.grammar.startswith('root ::= "{\\"table\\": {\\"path\\": \\"a.csv\\"}}"')
    second = decide.prepare("how many rows of a.csv have town Oslo?", CARDS, [Step("table", {"path": "a.csv"}, LOOK)])
    assert "COUNT(*)" in second.grammar
    assert "= 'Oslo'" in second.grammar
    assert '"answer' not in second.grammar.split("\n")[0]


def test_conditions_of_the_goal_are_in_every_select() -> None:
    """A value, a comparison and a period that the goal names cannot be left out."""
    looked = sql.look("table", LOOK)
    assert looked is not None
    from outrider.agent.models.brain.conditions import required

    assert required("rows over 40 in Lima", looked.columns, looked.cells) == [("#", " > 40"), ("town", " = 'Lima'")]
    assert required("cost of open ones in March 2026", looked.columns, looked.cells) == [
        ("state", " = 'open'"),
        ("day", " LIKE '2026-03%'"),
    ]


def test_text_is_compared_whatever_its_case() -> None:
    """`oslo` finds Oslo, and LIKE works on a date column."""
    made = sql.made_right(
        "table", {"path": "a.csv", "sql": "SELECT COUNT(*) FROM t WHERE town = 'oslo' AND day LIKE '2026%'"}, {}
    )
    assert made["sql"] == "SELECT COUNT(*) FROM t WHERE town ILIKE 'oslo' AND CAST(day AS TEXT) LIKE '2026%'"


def test_an_answer_says_what_it_left_out() -> None:
    """The model's words never hide a part of the goal."""
    ask = decide.prepare(
        "How many rows of a.csv have town Oslo?",
        CARDS,
        [
            Step("table", {"path": "a.csv"}, LOOK),
            Step("table", {"path": "a.csv", "sql": "SELECT COUNT(*) FROM t"}, "count_star(): 9"),
        ],
    )
    move = decide.read(ask, "There are 9.", CARDS)
    assert move.outcome == "partial"
    assert "Oslo" in move.text
    assert "SELECT COUNT(*)" in move.text


def test_an_answer_without_a_call_is_none() -> None:
    """Nothing bears it out, so it is not given; plain talk is."""
    assert (
        decide.read(decide.prepare("What does the lamp cost?", CARDS, ()), "It costs 9 euros.", CARDS).outcome
        == "unable"
    )
    assert decide.read(decide.prepare("hello", CARDS, ()), "Hello!", CARDS).outcome == "answered"


def test_a_failed_call_is_told() -> None:
    """What the tool said is in the answer, and the run does not look done."""
    ask = decide.prepare(
        "read a.txt", CARDS, [Step("read_file", {"path": "a.txt"}, "there is no a.txt in the workspace", False)]
    )
    move = decide.read(ask, "It says hello.", CARDS)
    assert move.outcome == "not_found"
    assert "there is no a.txt" in move.text


def test_nothing_is_changed_unless_the_goal_says_so() -> None:
    """Tools that change files are not even shown."""
    shown = decide.shown("hello → notes.txt", CARDS, ())
    assert not {"write_file", "edit_file", "delete_file", "move_file"} & {card.name for card in shown}


def test_a_line_is_added_without_writing_the_rest_again() -> None:
    """Appending reads the file and changes its last line; what stood there stays."""
    first = decide.begin("append milk to list.txt", CARDS, ())
    assert isinstance(first, decide.Move)
    assert first.call == ("read_file", {"path": "list.txt"})
    second = decide.begin("append milk to list.txt", CARDS, [Step("read_file", {"path": "list.txt"}, "tea\nbread\n")])
    assert isinstance(second, decide.Move)
    assert second.call == ("edit_file", {"path": "list.txt", "old": "bread", "new": "bread\nmilk"})


def test_a_result_is_saved_where_the_goal_says() -> None:
    """The clause "and write the number to FILE" is a call with the number alone."""
    goal = "Count the rows in a.csv and write the number to n.txt"
    done = [
        Step("table", {"path": "a.csv"}, LOOK),
        Step("table", {"path": "a.csv", "sql": "SELECT COUNT(*) FROM t"}, "count_star(): 9"),
    ]
    move = decide.begin(goal, CARDS, done)
    assert isinstance(move, decide.Move)
    assert move.call == ("write_file", {"path": "n.txt", "content": "9"})
    end = decide.begin(
        goal, CARDS, [*done, Step("write_file", {"path": "n.txt", "content": "9"}, "wrote 1 byte to n.txt")]
    )
    assert isinstance(end, decide.Move)
    assert end.outcome == "answered"


def test_a_step_on_the_result_applies_to_all_of_it() -> None:
    """ "add 5 to 7 and multiply the result by 2" is 24, also where the last number is one a rule could have put in."""
    from outrider.agent.models.brain.sums.hints import expression

    assert expression("Add 5 to 7 and multiply the result by 2") == "(5 + 7) * 2"
    assert expression("Add 3 and 4 then double it") == "(3 + 4) * 2"
    assert expression("What is half of 9?") == "9 / 2"


LONG = "60 rows and 4 columns in s.csv\ncolumns: day (date), seller (text), state (text), sum (number)\nfirst 5 rows:\nday | seller | state | sum\n2026-01-02 | Ana | open | 4.5\nvalues of state: closed, open, returned"


def _sql_of(goal: str, look: str = LONG) -> str:
    return decide.prepare(goal, CARDS, [Step("table", {"path": "s.csv"}, look)]).grammar


def test_a_value_that_no_shown_row_holds_is_looked_for_in_every_text_column() -> None:
    """The first five rows need not hold it, and a date column never can."""
    grammar = _sql_of("how many rows of s.csv are of Jonas?")
    assert "(seller = 'Jonas' OR state = 'Jonas')" in grammar
    for goal in ("how many rows of s.csv are not of Jonas?", "how many rows are in s.csv, 'Jonas' left out?"):
        assert "(seller <> 'Jonas' AND state <> 'Jonas')" in _sql_of(goal)


STAFF = "8 rows and 4 columns in s.csv\ncolumns: name (text), team (text), pay (number), hired (date)\nfirst 1 row:\nname | team | pay | hired\nInes | Ops | 5 | 2019-03-01\nvalues of team: Ops, Sales"


@pytest.mark.parametrize(
    ("goal", "where"),
    [
        ("How many in s.csv were hired before 2020?", ["< '2020-01-01'"]),
        ("How many in s.csv were hired after March 2020?", ["> '2020-03-31'"]),
        ("How many in s.csv were hired until December 2020?", ["<= '2020-12-31'"]),
        ("How many in s.csv were hired since 2020?", [">= '2020-01-01'"]),
        ("How many in s.csv were hired between 2019 and 2021?", [">= '2019-01-01'", "<= '2021-12-31'"]),
        ("How many in s.csv were hired in 2020?", ["LIKE '2020%'"]),
        ("How many in s.csv were hired in July?", ["LIKE '%-07-%'"]),
        ("How many in s.csv do not work in Sales?", ["<> 'Sales'"]),
        ("How many in s.csv were not hired in Sales?", ["= 'Sales'"]),
    ],
)
def test_a_year_or_a_month_is_a_span_with_two_sides(goal: str, where: list[str]) -> None:
    """ "before 2020" is not 2020; what is negated is what stands beside it."""
    if where[0] == "> '2020-03-31'":
        assert ">= '2020-04-01'" in _sql_of(goal, STAFF.replace("(date)", "(timestamp)")), "the last day has hours"
    call = _sql_of(goal, STAFF).split("\n")[1]
    assert re.findall(r'\(" ([^"]+)"\)', call) == where


@pytest.mark.parametrize(
    ("goal", "where"),
    [
        ("How many in s.csv work in Sales, and what is their average pay?", ["= 'Sales'"]),
        ("How many in s.csv work in Sales, and what do they earn on average?", ["= 'Sales'"]),
        (
            "How many in s.csv do not work in Sales, and how many of them were hired before 2020?",
            ["<> 'Sales'", "< '2020-01-01'"],
        ),
        ("How many in s.csv work in Sales, and what is the average pay in s.csv?", []),
        ("How many in s.csv work in Sales, and what is the average pay in Ops?", ["= 'Ops'"]),
    ],
)
def test_they_of_a_second_question_are_those_of_the_first(goal: str, where: list[str]) -> None:
    """What "they" earn is not what everybody earns."""
    count = Step("table", {"path": "s.csv", "sql": "SELECT COUNT(*) FROM t WHERE team = 'Sales'"}, "count_star(): 2")
    ask = decide.begin(goal, CARDS, [count, Step("table", {"path": "s.csv"}, STAFF)])
    assert isinstance(ask, decide.Ask)
    assert re.findall(r'\(" ([^"]+)"\)', ask.grammar.split("\n")[1]) == where


@pytest.mark.parametrize(
    ("goal", "order"),
    [
        ("Who in s.csv was hired first?", '"hired") " ASC"'),
        ("Who was the last one hired, see s.csv?", '"hired") " DESC"'),
        ("Who was hired most recently in s.csv?", '"hired") " DESC"'),
    ],
)
def test_who_came_first_is_asked_of_the_days(goal: str, order: str) -> None:
    """And not answered with everybody."""
    assert f'ORDER BY " ({order}' in _sql_of(goal, STAFF)


SALES = "9 rows and 5 columns in s.csv\ncolumns: day (date), client (text), item (text), quantity (number), price (number)\nfirst 1 row:\nday | client | item | quantity | price\n2026-01-02 | Ana | lamp | 2 | 4.5"


@pytest.mark.parametrize(
    ("goal", "product"),
    [
        ("Sum up quantity times price for the lamps in s.csv.", True),
        ("What is the sum of price * quantity in s.csv?", True),
        ("What is the total revenue in s.csv?", True),
        ("How much did Ana spend in total, see s.csv?", True),
        ("What is the total quantity in s.csv?", False),
        ("What is the average price in s.csv?", False),
        ("How many times was a lamp sold, see s.csv?", False),
    ],
)
def test_money_of_a_table_with_prices_and_pieces_is_their_product(goal: str, product: bool) -> None:
    """The sum of the prices alone is another number, and nobody could tell."""
    grammar = _sql_of(goal, SALES)
    assert ("quantity * price" in grammar or "price * quantity" in grammar) == product
    assert not product or '"SUM(" price' not in grammar
    paid = _sql_of(
        "What is the total revenue in s.csv?", SALES.replace("price (number)", "price (number), total (number)")
    )
    assert "* price" not in paid, "the table has a sum of its own"


def test_values_that_the_look_lists_are_conditions() -> None:
    """ "returned" stands in no shown row, and the look says which column holds it."""
    assert "= 'returned'" in _sql_of("how many returned rows are in s.csv?")


TOWNS = (
    LONG.replace("state", "town")
    .replace("open |", "Rom |")
    .replace("closed, open, returned", "Berlin, Bonn, Essen, Cork, O'Brien")
)


@pytest.mark.parametrize(
    ("goal", "where"),
    [
        ("how many rows of s.csv are not from Berlin or Bonn?", ["<> 'Berlin'", "<> 'Bonn'"]),
        ("how many rows of s.csv are not from Berlin, Bonn or from Essen?", ["<> 'Berlin'", "<> 'Bonn'", "<> 'Essen'"]),
        ("how many rows of s.csv are from Berlin but not from Bonn?", ["= 'Berlin'", "<> 'Bonn'"]),
        ("how many rows of s.csv are neither from Berlin nor from Bonn?", ["<> 'Berlin'", "<> 'Bonn'"]),
        ("how many rows are in s.csv, leaving out those from Berlin?", ["<> 'Berlin'"]),
        ("how many rows are in s.csv if the Berlin ones are left out?", ["<> 'Berlin'"]),
        ("ignoring all the rows from Berlin and Bonn, how many are in s.csv?", ["<> 'Berlin'", "<> 'Bonn'"]),
        ("how many rows of s.csv are from outside Berlin?", ["<> 'Berlin'"]),
        ("how many rows of s.csv are not from Berlin but from Bonn?", ["<> 'Berlin'", "= 'Bonn'"]),
        ("how many rows of s.csv are from Berlin, Bonn or Essen?", ["IN ('Berlin', 'Bonn', 'Essen')"]),
        ("how many rows of s.csv are from O'Brien or Cork?", ["IN ('O''Brien', 'Cork')"]),
    ],
)
def test_several_values_of_one_column_are_any_or_none_of_them(goal: str, where: list[str]) -> None:
    """ "not from Berlin or Bonn" takes neither; three towns are no row that lies in all of them."""
    call = _sql_of(goal, TOWNS).split("\n")[1]
    assert re.findall(r'\(" ([^"]+)"\)', call) == where


def test_who_made_most_by_a_number_is_the_largest_sum() -> None:
    """ "by sum" ranks; it is no grouping by each number."""
    grammar = _sql_of("Who made the most sales by sum in s.csv?")
    assert "SUM(sum)" in grammar
    assert "GROUP BY sum" not in grammar


def test_oldest_is_the_earliest_day_and_the_highest_age() -> None:
    """The direction follows from what the column holds."""
    assert '" ASC"' in _sql_of("which seller is the oldest in s.csv?")
    ages = LONG.replace("sum", "age")
    assert '" DESC"' in _sql_of("who is the oldest in s.csv?", ages)


@pytest.mark.parametrize(
    ("goal", "value", "expression"),
    [
        ("sum of cost in a.csv, then divide it by 7", "580.4", "580.4 / 7"),
        ("get the budget from a.txt and take 15% off it", "2400", "2400 * (1 - 15 / 100)"),
        ("the price of tea in a.csv plus 20%", "5", "5 * (1 + 20 / 100)"),
    ],
)
def test_a_sum_that_is_wanted_of_a_result_is_read_by_code(goal: str, value: str, expression: str) -> None:
    """What comes after "then" is done with all of the result."""
    assert certain.carried(goal, value) == ("calculate", {"expression": expression})


def test_a_setting_is_changed_on_its_own_line() -> None:
    """ "set retries to 5": the file is read, the line of that name gets the value, and nothing else is touched."""
    cards = [*CARDS]
    goal = "set retries to 5 in config.yaml"
    first = decide.begin(goal, cards, ())
    assert isinstance(first, decide.Move)
    assert first.call == ("read_file", {"path": "config.yaml"})
    seen = Step("read_file", {"path": "config.yaml"}, "host: a\nretries: 3\n")
    second = decide.begin(goal, cards, [seen])
    assert isinstance(second, decide.Move)
    assert second.call == ("edit_file", {"path": "config.yaml", "old": "retries: 3", "new": "retries: 5"})


def test_a_change_that_nobody_asked_for_is_not_made() -> None:
    """What goes into a file comes out of the goal, else the file stays as it is."""
    ask = decide.prepare("correct the spelling in a.txt", CARDS, [Step("read_file", {"path": "a.txt"}, "teh cat")])
    wrote = '{"edit_file": {"path": "a.txt", "old": "teh", "new": "dog"}}'
    assert decide.read(ask, wrote, CARDS).outcome == "unable"


def test_the_line_that_answers_fits_the_question() -> None:
    """Of lines that share a word with a question, the one with a number answers "how many"."""
    text = "Pear cake\n250 g flour\n3 eggs\nBake for 45 minutes"
    assert told.nearest("How many eggs do I need for the cake in r.txt?", [text]) == "3 eggs"
    minutes = "Team meeting, 6 March\nDecisions: the release moves.\nNext meeting in May"
    assert told.nearest("What did we decide in the meeting?", [minutes]) == "Decisions: the release moves."


@pytest.mark.parametrize(
    ("goal", "part"),
    [
        ("How many rows of s.csv are not returned?", " <> 'returned'"),
        ("How many rows of s.csv are open or closed?", " IN ('open', 'closed')"),
        ("when was the first sale in s.csv?", "MIN(day)"),
        ("what is the latest date of the last sale? see s.csv", "MAX(day)"),
        ("which seller has sum 12 in s.csv?", " = 12"),
    ],
)
def test_what_the_words_of_a_condition_say_is_in_the_select(goal: str, part: str) -> None:
    """Not, or, first, last, and a number after the name of its column."""
    grammar = _sql_of(goal)
    assert part in grammar


def test_the_three_largest_rows_are_rows() -> None:
    """Where no text column is named, nothing is grouped."""
    assert "GROUP BY" not in _sql_of("what are the three largest sales in s.csv?")
    assert "GROUP BY state" in _sql_of("which state has the largest sum overall in s.csv?")


UNITS = "40 rows and 3 columns in s.csv\ncolumns: what (text), units (whole number), cost (number)\nfirst 5 rows:\nwhat | units | cost\nhotel Bonn | 4 | 2.5\nteam lunch | 1 | 9.5"


@pytest.mark.parametrize(
    ("goal", "part"),
    [
        ("how many lamps were sold in total? s.csv", "SUM(units)"),
        ("number of units in s.csv", "SUM(units)"),
        ("what does the hotel cost in s.csv", "ILIKE '%hotel%'"),
    ],
)
def test_pieces_are_summed_and_a_word_of_a_cell_finds_it(goal: str, part: str) -> None:
    """What was sold is no number of rows; a cell need not be named whole."""
    assert part in _sql_of(goal, UNITS)


@pytest.mark.parametrize(
    ("goal", "figure"),
    [
        ("How many lamps were ordered in s.csv?", '"SUM(quantity)"'),
        ("Without Ana's, how many lamps does s.csv have in total?", '"SUM(quantity)"'),
        ("How many lamp orders are in s.csv?", '"COUNT(*)"'),
        ("How many orders were shipped, see s.csv?", '"COUNT(*)"'),
    ],
)
def test_how_many_of_a_thing_are_its_pieces(goal: str, figure: str) -> None:
    """And not the rows that it stands in, where the table says how many."""
    statement = _sql_of(goal, SALES).split("\n")[1]
    assert figure in statement
    assert ("COUNT(*)" in statement) == ("COUNT" in figure)


@pytest.mark.parametrize(
    ("goal", "figure"),
    [
        ("What is the total of the count column in s.csv?", '"SUM("'),
        ("Which item has the highest count in s.csv?", '("count")'),
    ],
)
def test_a_column_that_is_called_count_is_a_column(goal: str, figure: str) -> None:
    """And no wish to count rows."""
    statement = _sql_of(goal, SALES.replace("quantity (number)", "count (number)")).split("\n")[1]
    assert "COUNT(*)" not in statement
    assert figure in statement


def test_what_no_result_is_about_is_missing() -> None:
    """A second table that was only looked at; how often, of a text that was only read."""
    looks = [Step("table", {"path": name}, LOOK) for name in ("a.csv", "b.csv")]
    counted = Step("table", {"path": "a.csv", "sql": "SELECT COUNT(*) FROM t"}, "count_star(): 9")
    goal = "How many rows are in a.csv and in b.csv?"
    assert told.not_worked_on(goal, [*looks, counted]) == ["b.csv"]
    assert told.not_worked_on("How many rows are in a.csv?", [looks[0], counted]) == []
    read = Step("read_file", {"path": "x.log"}, "ERROR disk full")
    assert told.not_worked_on("How many times does x.log say ERROR?", [read]) == ["a count"]
    assert told.not_worked_on("What does x.log say?", [read]) == []


def test_a_product_is_told_in_words() -> None:
    """The name that the database gives it has parentheses of its own."""
    step = Step(
        "table", {"path": "s.csv", "sql": "SELECT SUM(quantity * price) FROM t"}, "sum((quantity * price)): 785.50"
    )
    assert told.result(step) == "sum of quantity * price is 785.50"

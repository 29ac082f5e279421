"""The training data: the same for the same seed, many tools, and observations as the product's own tools write them."""

from __future__ import annotations

import asyncio
import itertools
import random
from pathlib import Path

from outrider.agent.models.brain.lines import Card
from outrider.agent.tune import own, sums, tables
from outrider.agent.tune.data import FAMILIES, examples, write
from outrider.tools.builtin import built_in
from outrider.tools.tool import ToolContext, observe


def test_data_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """A seed and a digest say which data it was."""
    first = write(tmp_path / "a.jsonl", 5, 120)
    second = write(tmp_path / "b.jsonl", 5, 120)
    assert first == second
    assert write(tmp_path / "c.jsonl", 6, 120)["sha256"] != first["sha256"]


def test_data_holds_every_family_and_many_tools(tmp_path: Path) -> None:
    """Variety of tools is what counts: hundreds of them in a thousand examples."""
    sheet = write(tmp_path / "a.jsonl", 3, 900)
    assert int(str(sheet["made_up_tools"])) >= 150
    assert len(sheet["families"]) >= 15  # type: ignore[arg-type]
    assert sum(share for share, _ in FAMILIES) > 100


def test_examples_are_short_and_end_in_an_answer() -> None:
    """The model writes calls and one answer; a prompt stays within the window it is used with."""
    for example, pieces in itertools.islice(examples(9, 80), 80):
        assert sum(len(text) for text, _ in pieces) <= 2600
        assert pieces[-1][1], example.goal
        assert [ours for _, ours in pieces][1::2] == [True] * (len(example.steps) + 1)


def test_observations_are_as_the_tools_write_them(tmp_path: Path) -> None:
    """A sum and a look at a table read the same from the product's own tools."""
    context = ToolContext(workspace=tmp_path)
    calculate = built_in("calculate")
    for expression in ("1250 * (1 - 30 / 100)", "48 + 9", "10 / 4"):
        real = observe(calculate.run(calculate.check({"expression": expression}), context)).text
        assert real == sums.seen_as(expression, sums.value_of(expression))
    table = tables.made(random.Random(1))
    rows = table.run("SELECT * FROM t")
    text = "\n".join([",".join(table.columns), *(",".join(map(str, row)) for row in rows)])
    (tmp_path / "t.csv").write_text(text + "\n", encoding="utf-8")
    look = built_in("table")
    seen = observe(asyncio.run(look.run(look.check({"path": "t.csv"}), context))).text
    made = tables.look(table).replace(table.path, "t.csv")
    assert seen.split("\n")[0] == made.split("\n")[0]
    assert seen.split("\n")[2:4] == made.split("\n")[2:4]


def test_own_tools_make_goals_that_hold_their_values() -> None:
    """A goal for somebody's tool says every value of its call; held-out wordings are others."""
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["city", "days"],
    }
    card = Card("pollen", "Pollen in a city", schema)
    for seed in range(40):
        example = own.made(random.Random(seed), [card], held=True)
        for value in example.steps[0].arguments.values():
            assert str(value) in example.goal


def test_runs_are_read_from_the_fine_tuning_export() -> None:
    """A line of `outrider export --format sft` becomes an example; one without a call does not."""
    call = '{"id": "1", "type": "function", "function": {"name": "tide", "arguments": "{\\"port\\": \\"Bergen\\"}"}}'
    line = f'{{"messages": [{{"role": "user", "content": "tide in Bergen"}}, {{"role": "assistant", "content": "", "tool_calls": [{call}]}}, {{"role": "tool", "content": "8:15"}}, {{"role": "assistant", "content": "At 8:15."}}], "tools": []}}'
    example = own.of_run(line)
    assert example is not None
    assert example.steps[0].arguments == {"port": "Bergen"}
    assert example.answer == "At 8:15."
    assert (
        own.of_run('{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello"}]}')
        is None
    )

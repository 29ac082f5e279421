"""Parts of a transcript as tables for the terminal: the calls, the cost of each step, the spend against each limit as bars.
Touches nothing. Does not promise: columns that line up where a terminal draws letters twice as wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from outrider.agent.history.run_view import Run
from outrider.agent.review.lines import Line, Style, arguments_in_short, count, dollars, duration, one_line
from outrider.agent.review.page.whole import bars
from outrider.agent.review.story import Step

BAR = 24  # columns of a full bar


def tool_lines(told: Iterable[Step]) -> Iterator[Line]:
    """One line a call: step, tool, arguments, how it went."""
    for step in told:
        for call in step.calls:
            returned = call.returned
            style: Style = "plain" if returned is None or returned.ok else "bad"
            arguments = arguments_in_short(call.called.arguments, 120) if call.called else ""
            outcome = "no result" if returned is None else one_line(returned.text, 60)
            took = duration(returned.wall_s) if returned and returned.ran else "not run"
            yield Line(
                ((f"{one_line(call.tool, 40)}  ", "tool"), (arguments, "plain"), (f"  → {outcome}", style)),
                ((f"{call.call_id:7} ", "dim"),),
                right=f"{took}, event {call.returned_seq or call.called_seq}",
            )


def cost_lines(told: Iterable[Step]) -> Iterator[Line]:
    """One line a request: tokens in and out, what it cost, and what the run had cost by then."""
    tokens, usd = 0, 0.0
    yield Line(
        ((f"{'in':>9} {'out':>7} {'cached':>8} {'cost':>9} {'so far':>9}  {'time':>7}", "dim"),),
        (("step       ", "dim"),),
    )
    for step in told:
        replied = step.replied
        if replied is None:
            continue
        tokens += replied.cost.tokens
        usd += float(replied.cost.usd)
        usage = replied.usage
        used = (usage.input_tokens, usage.output_tokens, usage.cached_tokens) if usage else (replied.cost.tokens, 0, 0)
        columns = f"{used[0]:>9,} {used[1]:>7,} {used[2]:>8,}"
        money = f"{dollars(float(replied.cost.usd)):>9} {dollars(usd):>9}"
        note = "  not reported: the reservation counts" if usage is None else ""
        style: Style = "bad" if replied.error else "plain"
        yield Line(
            ((f"{columns} {money}  {duration(replied.latency_s):>7}{note}", style),),
            ((f"{step.title[:10]:11}", "strong"),),
        )
    yield Line(((f"{count(tokens, 'token')}, {dollars(usd)}", "strong"),), (("in all     ", "strong"),))


def spend_lines(run: Run) -> Iterator[Line]:
    """A bar for every limit that is set."""
    for bar in bars(run):
        if "no limit" in bar.text:
            continue
        drawn = "█" * round(BAR * bar.percent / 100)
        style: Style = "warn" if bar.percent >= 100 else "tool"
        yield Line(
            ((f"{drawn:░<{BAR}} ", style), (f"{bar.text} ({bar.percent} %)", "plain")), ((f"  {bar.unit:8}", "dim"),)
        )

"""Scores as people and programs read them: a table with a plot in text, an SVG picture, JUnit XML, JSON.
Touches nothing; each function returns text. Text of models and goals is escaped for where it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from outrider.agent.evaluation.attempts import Result
from outrider.agent.evaluation.scores import Estimate, Score
from outrider.agent.review.lines import Line, count, dollars, duration, one_line

BAR = 40  # characters of the plot
HOW = (
    "success: Wilson 95 % over goals; steps, tokens, cost, time: mean a goal, bootstrap 95 % over goals "
    "(attempts of one goal are not independent)"
)


def table(scores: Sequence[Score]) -> list[Line]:
    """A row a model, then a plot of their success, and how the intervals were made."""
    rows: list[tuple[str, ...]] = [("model", "success", "", "steps", "tokens", "cost", "time")]
    rows += [_row(score) for score in scores]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    lines = []
    for number, row in enumerate(rows):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=True)).rstrip()
        style = "dim" if number == 0 else "plain"
        lines.append(Line(((cells, style),), ((row[0].ljust(widths[0]) + "  ", "dim" if number == 0 else "strong"),)))  # type: ignore[arg-type]
    scale = f"0 %{'50 %':>{BAR // 2}}{'100 %':>{BAR // 2 + 1}}"
    plot = [Line(((bar(one.success), "good"),), ((row[0].ljust(widths[0]) + "  ", "strong"),))
            for one, row in zip(scores, rows[1:], strict=True)]  # fmt: skip
    return [*lines, Line(), *plot, Line(((scale, "dim"),), ((" " * (widths[0] + 2), "dim"),)), Line(((HOW, "dim"),))]


def _row(score: Score) -> tuple[str, ...]:
    low, high = score.success.low, score.success.high
    return (
        one_line(score.model, 40),
        f"{score.succeeded}/{score.attempts}",
        f"{score.success.mean * 100:.0f} % ({low * 100:.0f}–{high * 100:.0f})",
        _range(score.steps, lambda x: f"{x:.1f}"),
        _range(score.tokens, lambda x: f"{x:,.0f}"),
        _range(score.usd, dollars),
        _range(score.seconds, duration),
    )


def _range(estimate: Estimate, say: Any) -> str:
    low, high = say(estimate.low), say(estimate.high)
    return say(estimate.mean) if low == high else f"{say(estimate.mean)} ({low}–{high})"


def bar(success: Estimate) -> str:
    """The interval ├──●──┤ on a line of dots from 0 to 100 %."""
    low, mean, high = (round(value * BAR) for value in (success.low, success.mean, success.high))
    cells = ["─" if low <= place <= high else "·" for place in range(BAR + 1)]
    cells[low], cells[high] = "├", "┤"
    cells[mean] = "●"
    return "".join(cells)


def failures(results: Sequence[Result]) -> list[Line]:
    """A line for each attempt that did not reach its goal."""
    lines = []
    for result in results:
        if result.wrong:
            head = f"{one_line(result.model, 30)}, {one_line(result.goal, 40)}"
            again = f" (repeat {result.repeat})" if result.repeat > 1 else ""
            said = f"; answer: {one_line(result.answer, 100)}" if result.answer else ""
            lines.append(Line(((f"{one_line(result.wrong, 240)}{said}", "plain"),), ((f"✗ {head}{again}: ", "bad"),)))
    return lines


def progress(result: Result, done: int, wanted: int) -> Line:
    """One attempt as it comes in."""
    mark = ("✓ ", "good") if not result.wrong else ("✗ ", "bad")
    what = f"{one_line(result.goal, 40)}, {one_line(result.model, 30)}"
    why = f": {one_line(result.wrong, 160)}" if result.wrong else ""
    used = f"{done}/{wanted}, {count(result.steps, 'step')}, {dollars(result.usd)}, {duration(result.seconds)}"
    return Line(((what, "plain"), (why, "dim")), (mark,), right=used)  # type: ignore[arg-type]


def as_json(scores: Sequence[Score], results: Sequence[Result], cut_off_usd: float) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "how": HOW,
        "scores": [asdict(score) for score in scores],
        "cut_off_usd": cut_off_usd,
        "results": [asdict(result) for result in results],
    }


def junit(results: Sequence[Result], name: str) -> str:
    """JUnit XML: a test suite a model, a test case an attempt."""
    suites = []
    for model in dict.fromkeys(result.model for result in results):
        mine = [result for result in results if result.model == model]
        cases = "".join(_case(result) for result in mine)
        failed = sum(bool(result.wrong) for result in mine)
        seconds = sum(result.seconds for result in mine)
        suites.append(
            f'<testsuite name={_attribute(f"{name}: {model}")} tests="{len(mine)}" failures="{failed}" errors="0" '
            f'skipped="0" time="{seconds:.3f}">{cases}</testsuite>'
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={_attribute(name)}>{"".join(suites)}</testsuites>\n'
    )


def _case(result: Result) -> str:
    again = f" #{result.repeat}" if result.repeat > 1 else ""
    head = f'<testcase classname={_attribute(result.model)} name={_attribute(result.goal + again)} time="{result.seconds:.3f}"'
    if not result.wrong:
        return f"{head}/>"
    more = escape(_xml(f"state: {result.state}\nrun: {result.run} in {result.place}\nanswer: {result.answer}"))
    return f"{head}><failure message={_attribute(result.wrong)}>{more}</failure></testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_xml(text), {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _xml(text: str) -> str:
    """Characters XML 1.0 cannot hold, spelt out."""
    return "".join(
        letter if letter in "\t\n" or "\x20" <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"
        else f"\\x{ord(letter):02x}" for letter in text
    )  # fmt: skip


def svg(scores: Sequence[Score], name: str) -> str:
    """A picture: each model's success with its interval."""
    left, width, step, top = 190, 400, 34, 56
    height = top + step * len(scores) + 44
    rows = []
    for number, score in enumerate(scores):
        y = top + step * number + 12
        low, mean, high = (
            left + width * value for value in (score.success.low, score.success.mean, score.success.high)
        )
        label = f"{score.success.mean:.0%}".replace("%", " %") + f"  ({score.succeeded}/{score.attempts})"
        rows.append(
            f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(_xml(one_line(score.model, 26)))}</text>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="#3b6ea5" stroke-width="2"/>'
            f'<line x1="{low:.1f}" x2="{low:.1f}" y1="{y - 5}" y2="{y + 5}" stroke="#3b6ea5" stroke-width="2"/>'
            f'<line x1="{high:.1f}" x2="{high:.1f}" y1="{y - 5}" y2="{y + 5}" stroke="#3b6ea5" stroke-width="2"/>'
            f'<circle cx="{mean:.1f}" cy="{y}" r="5" fill="#1f4e79"/>'
            f'<text x="{left + width + 16}" y="{y + 4}">{escape(label)}</text>'
        )
    bottom = top + step * len(scores)
    ticks = "".join(
        f'<line x1="{left + width * part / 4}" x2="{left + width * part / 4}" y1="{top - 8}" y2="{bottom}" stroke="#ddd"/>'
        f'<text x="{left + width * part / 4}" y="{bottom + 16}" text-anchor="middle" fill="#666">{part * 25} %</text>'
        for part in range(5)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 130} {height}" '
        f'font-family="system-ui, sans-serif" font-size="13"><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="16" y="26" font-size="15" font-weight="600">{escape(_xml(one_line(name, 60)))}: goals reached</text>'
        f"{ticks}{''.join(rows)}"
        f'<text x="{left}" y="{height - 8}" fill="#666" font-size="11">Wilson 95 % interval over goals</text></svg>\n'
    )

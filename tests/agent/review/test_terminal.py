"""The transcript: every kind of event is told, foreign text stays text, and nothing is told that is not so."""

from __future__ import annotations

import base64
from decimal import Decimal
from io import StringIO
from xml.etree import ElementTree

import pytest

from outrider.agent.review.lines import FULL, LIVE, SHOW, Detail, Line, arguments_in_short, first_lines, one_line
from outrider.agent.review.render import PNG, Painter, plain, svg, wrapped
from outrider.agent.review.terminal import TranscriptWriter
from outrider.memory.events import (
    KINDS,
    Amount,
    Answered,
    ApprovalAsked,
    ApprovalGiven,
    ChildEnded,
    ChildStarted,
    Citation,
    Compacted,
    Event,
    FlagRaised,
    GoalGiven,
    Interrupted,
    ModelAsked,
    ModelReplied,
    Noted,
    PlanChanged,
    Resumed,
    RunStarted,
    Stopped,
    ToolCalled,
    ToolReturned,
    Unknown,
)
from outrider.memory.journal import Stored
from outrider.memory.text import for_terminal

EVIL = "\x1b[2J[red]word[/red]\u202e\x9b\r\x00"
EVENTS: list[Event] = [
    RunStarted(
        goal=f"goal {EVIL}", model="m", budget={"usd": 1, "steps": 3}, workspace="/w", settings={"unsafe": True}
    ),
    ModelAsked(step=1, reserved=Amount(tokens=10)),
    ModelReplied(
        step=1, text=f"thought {EVIL}", cost=Amount(tokens=9, usd=Decimal("0.25")), finish_reason="tool_calls"
    ),
    ChildStarted(call_id="1.0", child="r2"),
    ChildEnded(call_id="1.0", child="r2"),
    PlanChanged(items=(f"first {EVIL}",)),
    ApprovalAsked(call_id="1.0", tool="send", arguments={"text": EVIL}, effect="network"),
    ApprovalGiven(call_id="1.0", approved=True, scope="run", by="you"),
    GoalGiven(goal="and now this"),
    FlagRaised(call_id="1.0", flag="private", why="the file notes.txt"),
    ToolCalled(call_id="1.0", tool="send", arguments={"text": f"a\n{EVIL}"}, effect="network", decision="ask"),
    ToolReturned(call_id="1.0", tool="send", text=f"sent {EVIL}", origin="untrusted", wall_s=0.5),
    Noted(text=f"note {EVIL}"),
    Compacted(upto=3, text="short"),
    Interrupted(reason=f"Ctrl-C {EVIL}"),
    Resumed(changes={"budget": {"steps": 9}, "model": EVIL}, unknown=("1.0",)),
    Answered(text=f"answer {EVIL}", citations=(Citation(claim=EVIL, seq=8, quote=EVIL), Citation(claim="c", seq=None))),
    Stopped(reason="stuck", detail=f"why {EVIL}"),
]


def _told(*events: Event, detail: Detail = SHOW, **options: bool) -> str:
    teller = TranscriptWriter(detail, **options)
    lines = [line for seq, event in enumerate(events, 1) for line in teller.tell(_stored(seq, event))]
    return "\n".join(map(plain, lines))


def _stored(seq: int, event: Event) -> Stored:
    body = '{"new": 1}' if isinstance(event, Unknown) else event.body()
    return Stored("r1", seq, "2026-01-01T00:00:00+00:00", event.kind, body, b"")


def test_every_kind_of_event_has_its_words() -> None:
    """A kind that is added without words for it fails here."""
    assert set(TranscriptWriter._TOLD) == set(KINDS)
    assert {event.kind for event in EVENTS} == set(KINDS)


@pytest.mark.parametrize("detail", [LIVE, SHOW, FULL])
def test_foreign_text_stays_text(detail: Detail) -> None:
    """No control code, nothing that reorders, and markup is shown as it was written."""
    told = _told(*EVENTS, detail=detail)
    assert not set(told) & {"\x1b", "\x9b", "\r", "\x00", "\u202e"}
    assert "[red]word[/red]" in told


def test_an_event_of_a_later_version_is_named() -> None:
    """A transcript of a newer program is told as far as it is known."""
    assert "(teleported) is of a later version" in _told(Unknown(kind="teleported"))


def test_what_is_left_follows_the_events_and_the_changed_budget() -> None:
    """The line at the right edge is what the events say, also after the budget was raised."""
    told = _told(
        *EVENTS[:3], Resumed(changes={"budget": {"steps": 9}}), ModelAsked(step=2), ModelReplied(step=2, text="x")
    )
    assert "left: $0.7500, 2 steps" in told
    assert "left: 7 steps" in told
    assert "left:" not in _told(*EVENTS[:3], known=False)


def test_results_that_come_together_say_whose_they_are() -> None:
    """Two calls of one reply: each result names its call; a single one follows its call without repeating it."""
    calls = [ToolCalled(call_id=f"1.{i}", tool="look", arguments={"at": f"place{i}"}) for i in (0, 1)]
    returns = [ToolReturned(call_id=f"1.{i}", tool="look", text=f"saw {i}") for i in (0, 1)]
    told = _told(*calls, *returns)
    assert told.index("◂ look  place0") < told.index("saw 0") < told.index("◂ look  place1") < told.index("saw 1")
    assert "◂" not in _told(calls[0], returns[0])


def test_whose_words_a_call_repeats_is_said() -> None:
    """Taint by value: the question to the person and the transcript name the argument and where its words are from."""
    whose = ("text repeats 48 characters of event 4 (read_page)",)
    asked = ApprovalAsked(call_id="1.0", tool="send", arguments={"text": "x"}, effect="network", repeats=whose)
    called = ToolCalled(call_id="1.0", tool="send", arguments={"text": "x"}, effect="network", repeats=whose)
    assert _told(asked, called).count(f"careful: {whose[0]}") == 2


def test_long_results_are_cut_with_what_is_missing() -> None:
    """Nothing is left out silently; --full leaves nothing out."""
    called = ToolCalled(call_id="1.0", tool="look")
    returned = ToolReturned(call_id="1.0", tool="look", text="\n".join(f"row {i}" for i in range(40)))
    assert "… 28 more lines" in _told(called, returned)
    assert "row 39" in _told(called, returned, detail=FULL)


def test_visible_writes_out_what_cannot_be_seen() -> None:
    """A person who approves sees exactly what will run, and a written-out code cannot be faked."""
    assert for_terminal("rm\x1b[8m -rf\u202e \x07", spelled=True) == "rm\\x1b[8m -rf\\u202e \\x07"
    assert for_terminal("\\x1b", spelled=True) == "\\\\x1b"
    assert for_terminal("tab\there\nnext", spelled=True) == "tab\\x09here\nnext"


def test_short_forms_stay_short() -> None:
    """One line is one line, whatever it is made of."""
    assert one_line("a\n\tb  c", 10) == "a b c"
    assert len(one_line("x" * 1_000_000, 80)) == 80
    assert arguments_in_short({"code": "a = 1\nprint(a)"}) == "a = 1 ⏎ print(a)"
    assert arguments_in_short({"path": "f", "lines": [1]}) == "path=f, lines=[1]"
    assert first_lines("a\nb\nc", 2, 100) == (["a", "b"], "… 1 more line")
    assert for_terminal("a\x1b]0;title\x07b") == "ab"


def test_wrapping_keeps_columns_and_clears_the_right_edge() -> None:
    """Long text wraps beside its head, wide characters count double, and nothing is lost."""
    line = Line((("words " * 30 + "漢字" * 20, "plain"),), (("    ", "plain"),), right="event 5")
    rows = wrapped(line, 60)
    assert all(row.cell_len <= 60 for row in rows)
    assert rows[0].plain.endswith("event 5")
    assert all(row.plain.startswith("    ") for row in rows)
    assert "".join(row.plain for row in rows).count("漢字") >= 19


def test_a_painter_for_a_file_writes_plain_lines() -> None:
    """No colour code in a pipe or a log."""
    stream = StringIO()
    Painter(stream).show([Line((("word", "bad"),), right="1 s")])
    assert stream.getvalue() == "word  (1 s)\n"


def test_svg_holds_the_text_and_no_address() -> None:
    """A picture is drawn of any line, and loads nothing."""
    picture = svg([Line((("<b>&\ufffe word", "good"),), right="1 s")], "title <x>")
    assert "&lt;b&gt;&amp;" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_a_list_of_findings_has_no_marks_of_its_own() -> None:
    """The ending that no model wrote names its steps; marking its words as unsupported would say nothing."""
    from types import SimpleNamespace
    from typing import Any

    from outrider.agent.ending import summary
    from outrider.agent.state import Seen

    seen = [Seen(3, "1.0", "look", "saw 1969", True, "trusted", 0.0)]
    parts: Any = SimpleNamespace(state=SimpleNamespace(seen=seen, plan=(), goal="x"))
    text = summary(parts)
    told = _told(Answered(text=text, citations=(Citation(claim="step 1", seq=None),), partial=True))
    assert "saw 1969" in told
    assert "[no support]" not in told
    assert "[no support]" in _told(Answered(text="step 1", citations=(Citation(claim="step 1", seq=None),)))


def test_picture_shows_what_a_tool_drew_and_nothing_that_only_says_it_is_a_picture() -> None:
    """A PNG stands as a thumbnail below its line; a file of another kind under that name does not."""
    png = PNG + b"0" * 20
    line = Line((("picture plot.png", "dim"),), picture="digest")
    drawn = svg([line], "t", picture=lambda digest: png if digest == "digest" else None)
    assert drawn.count("<image ") == 1
    assert base64.b64encode(png).decode() in drawn
    assert "<image " not in svg([line], "t", picture=lambda digest: b"<svg onload=alert(1)>")
    ElementTree.fromstring(drawn)

"""Transcripts of other systems are read for review: what was said and called is there, and nothing is trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outrider.agent.history.run_view import read_run
from outrider.agent.review.diff import moves
from outrider.agent.review.importing.files import _read, import_file
from outrider.agent.review.importing.turns import events
from outrider.agent.review.story import steps
from outrider.memory import recall
from outrider.memory.errors import UsageError
from outrider.memory.journal import Journal
from outrider.memory.store import Store
from outrider.memory.verify import verify

CALL = {"id": "c1", "type": "function", "function": {"name": "get_user", "arguments": '{"id": "mia"}'}}
OPENAI = {
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "cancel my flight"}]},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"name": "Mia"}'},
        {"role": "assistant", "content": "Which one?"},
        {"role": "user", "content": "the first"},
        {"role": "assistant", "content": "Cancelled."},
    ]
}
MINI = {
    "trajectory_format": "mini-swe-agent-1",
    "info": {"exit_status": "Submitted", "submission": "diff --git", "config": {"model": {"model_name": "m"}}},
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "fix it"},
        {"role": "assistant", "content": "THOUGHT: look\n\n```bash\nls -la\n```"},
        {"role": "user", "content": "<returncode>0</returncode>\n<output>\na.py\n</output>"},
        {"role": "assistant", "content": "run", "extra": {"actions": [{"command": "pytest"}]}},
        {"role": "user", "content": "<returncode>1</returncode>\n<output>failed</output>"},
    ],
}
SWE = {
    "trajectory": [
        {"thought": "look", "action": "ls\n", "observation": "a.py", "response": "look ls"},
        {"thought": "done", "action": "submit", "observation": ""},
    ],
    "history": [{"role": "system", "content": "s"}, {"role": "user", "content": "fix it"}],
    "info": {"exit_status": "submitted", "submission": "diff"},
}
INSPECT = {
    "version": 2,
    "status": "success",
    "eval": {"task": "ctf", "model": "openai/gpt-x"},
    "samples": [
        {
            "id": 1, "input": "find the flag", "scores": {"match": {"value": "C"}},
            "messages": [
                {"role": "user", "content": "find the flag"},
                {"role": "assistant", "content": [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "look"}],
                 "tool_calls": [{"id": "a", "function": "bash", "arguments": {"cmd": "ls"}}]},
                {"role": "tool", "tool_call_id": "a", "function": "bash", "content": "flag.txt", "error": {"type": "timeout"}},
                {"role": "assistant", "content": "it is there"},
            ],
        },
        {"id": 2, "input": [{"role": "user", "content": "again"}], "messages": []},
    ],
}  # fmt: skip
ATIF = {
    "schema_version": "ATIF-v1.6",
    "agent": {"name": "x", "version": "1", "model_name": "m"},
    "steps": [
        {"step_id": 1, "source": "user", "message": "count"},
        {"step_id": 2, "source": "agent", "message": "", "tool_calls": [{"tool_call_id": "t", "function_name": "ls", "arguments": {}}],
         "observation": {"results": [{"source_call_id": "t", "content": "2 files"}]}},
        {"step_id": 3, "source": "agent", "message": "two"},
    ],
}  # fmt: skip


def imported(store: Store, tmp_path: Path, *values: Any) -> list[Journal]:
    """Values as a file of JSON lines (one: as one document), imported."""
    file = tmp_path / "their.json"
    file.write_text(json.dumps(values[0], indent=1) if len(values) == 1 else "\n".join(map(json.dumps, values)))
    return [Journal.open_for_reading(store, run_id) for run_id in import_file(store, file)]


@pytest.mark.parametrize(
    ("value", "goal", "what", "answer"),
    [
        (OPENAI, "cancel my flight", [("get_user", '{"name": "Mia"}')], "Cancelled."),
        (MINI, "fix it", [("bash", "<returncode>0</returncode>\n<output>\na.py\n</output>"),
                          ("bash", "<returncode>1</returncode>\n<output>failed</output>")], "diff --git"),
        (SWE, "fix it", [("bash", "a.py"), ("bash", "")], "diff"),
        (ATIF, "count", [("ls", "2 files")], "two"),
    ],
)  # fmt: skip
def test_a_transcript_is_read_with_its_calls_and_answer(
    store: Store, tmp_path: Path, value: Any, goal: str, what: list[tuple[str, str]], answer: str
) -> None:
    """Goal, calls with results, and what it came back with."""
    (journal,) = imported(store, tmp_path, value)
    run = read_run(store, journal.run_id)
    made = moves(steps(journal.read()))
    assert (run.goal, str(run.answer), run.state) == (goal, answer, "answered")
    assert [(m.what, m.result) for m in made if m.what != "answer"] == what
    assert verify(journal).ok
    assert run.model.startswith("imported:")
    assert recall.search(store, goal)[0].run == journal.run_id


def test_each_sample_of_an_inspect_log_is_a_run(store: Store, tmp_path: Path) -> None:
    """An evaluation of two samples is two runs, scores in words; a failed call is a failed call."""
    first, second = imported(store, tmp_path, INSPECT)
    (call, _) = moves(steps(first.read()))
    assert (call.what, call.arguments, call.ok) == ("bash", '{"cmd": "ls"}', False)
    assert 'scores {"match": "C"}' in read_run(store, first.run_id).detail
    assert read_run(store, second.run_id).goal == "again"


def test_lines_become_runs_and_a_bad_line_is_named(store: Store, tmp_path: Path) -> None:
    """JSON lines give a run each."""
    assert len(imported(store, tmp_path, OPENAI, OPENAI)) == 2
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps(OPENAI) + "\n{broken\n")
    with pytest.raises(UsageError, match="line 2 is not JSON"):
        list(import_file(store, bad))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"messages": []}', '{"messages": "x"}', "hello"])
def test_a_file_without_a_transcript_is_refused_in_words(store: Store, tmp_path: Path, text: str) -> None:
    """What cannot be read says so, and what can be."""
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"no transcript|not JSON"):
        list(import_file(store, file))


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["role", "content", "tool_calls", "messages", "info", "trajectory", "action", "function", "samples", "eval", "steps",
             "exit_status", "history", "observation", "results", "schema_version", "arguments", "extra", "actions", "input", "id"]
        ),
        inner | st.sampled_from(["user", "assistant", "tool", "ATIF-v1.4"]), max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(junk)
def test_any_json_is_read_or_left_alone(value: Any) -> None:
    """A transcript nobody promised is one never ends in a traceback."""
    for conversation in _read(value):
        assert [event.kind for event in events(conversation)].count("run_started") == 1

"""Transcripts of other systems are read for review: what was said and called is there, and nothing is trusted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zstandard
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


def kept(store: Store, tmp_path: Path, data: Any, name: str = "file.json") -> list[Any]:
    """The runs a file of `data` becomes."""
    file = tmp_path / name
    file.write_text(json.dumps(data))
    return [read_run(store, run_id) for run_id in import_file(store, file)]


def called(run: Any) -> list[tuple[str, bool]]:
    """Each call, and whether it worked."""
    return [(one.tool, bool(one.returned and one.returned.ok)) for step in steps(run.events()) for one in step.calls]


def test_a_list_of_conversations_with_rewards_is_read_one_by_one(store: Store, tmp_path: Path) -> None:
    """tau-bench keeps `traj` and `reward` for each task in one array; the simulated user has the last word."""
    task = {
        "task_id": 3,
        "reward": 0.5,
        "info": {},
        "traj": [*OPENAI["messages"], {"role": "user", "content": "###STOP###"}],
    }
    runs = kept(store, tmp_path, [task, {"task_id": 4, "reward": 0.0, "traj": []}, task])
    assert [(run.goal, run.answer, run.detail) for run in runs] == [
        ("cancel my flight", "Cancelled.", "task_id 3, reward 0.5")
    ] * 2
    assert called(runs[0]) == [("get_user", True)]
    assert len(kept(store, tmp_path, {"simulations": [{"id": "s", "messages": OPENAI["messages"]}]})) == 1


def test_a_demonstration_is_not_the_goal_and_a_history_is_enough(store: Store, tmp_path: Path) -> None:
    """SWE-agent puts a worked example before the issue; its function-calling demonstrations hold the history alone."""
    demo = {"role": "user", "content": "Here is a demonstration.\n--- DEMONSTRATION ---\nISSUE: another"}
    history = [{"role": "system", "content": "s"}, demo, {"role": "user", "content": "ISSUE: mine"}]
    (run,) = kept(store, tmp_path, SWE | {"history": history, "info": {"model_stats": {"instance_cost": 0.25}}})
    assert (run.goal, float(run.spent.usd)) == ("ISSUE: mine", 0.25)
    reply = {"role": "assistant", "content": "look", "action": "find_file a", "tool_calls": [CALL]}
    (run,) = kept(
        store, tmp_path, {"history": [*history, reply, {"role": "tool", "content": "Found 1", "tool_call_ids": ["c1"]}]}
    )
    assert (run.goal, called(run)) == ("ISSUE: mine", [("get_user", True)])
    written = {"role": "assistant", "content": "look", "action": "ls"}
    (run,) = kept(store, tmp_path, {"history": [*history, written, {"role": "user", "content": "a.py"}]})
    assert called(run) == [("bash", True)]


def test_tool_calls_of_mini_swe_agent_say_which_failed_and_what_all_of_it_cost(store: Store, tmp_path: Path) -> None:
    """Its second format: calls, results as JSON with a return code, an `exit` message, usage beside the text."""
    usage = {"response": {"usage": {"prompt_tokens": 50, "completion_tokens": 9}}}
    calls = [CALL, CALL | {"id": "c2"}]
    messages = [
        {"role": "user", "content": "fix it"},
        {"role": "assistant", "content": "look", "tool_calls": calls, "extra": usage},
        {"role": "tool", "tool_call_id": "c2", "content": '{"returncode": 1, "output": "no"}'},
        {"role": "tool", "tool_call_id": "c1", "content": '{"returncode": 0, "output": "yes"}'},
        {"role": "exit", "content": "diff"},
    ]
    info = {"exit_status": "Submitted", "submission": "diff", "model_stats": {"instance_cost": 0.01, "api_calls": 1}}
    (run,) = kept(store, tmp_path, {"trajectory_format": "mini-swe-agent-1.1", "info": info, "messages": messages})
    assert called(run) == [("get_user", True), ("get_user", False)]
    assert (run.answer, run.spent.tokens, float(run.spent.usd)) == ("diff", 59, 0.01)


@pytest.mark.parametrize("packing", ["stored", "deflated", "zstd"])
def test_an_eval_archive_of_inspect_is_opened(store: Store, tmp_path: Path, packing: str) -> None:
    """However it is packed; long texts that it keeps apart are put back, and a sample that broke off is no answer."""
    first = INSPECT["samples"][0] | {"attachments": {"ab" * 16: "a very long text"}}
    first = first | {
        "messages": [{"role": "user", "content": "attachment://" + "ab" * 16}, {"role": "assistant", "content": "I"}]
    }
    broken = {
        "id": 9,
        "messages": first["messages"],
        "attachments": first["attachments"],
        "error": {"message": "the sandbox died"},
    }
    members = {
        "header.json": {"eval": INSPECT["eval"]},
        "samples/1_epoch_1.json": first,
        "samples/9_epoch_1.json": broken,
    }
    file = tmp_path / "log.eval"
    file.write_bytes(archive({name: json.dumps(value).encode() for name, value in members.items()}, packing))
    runs = [read_run(store, run_id) for run_id in import_file(store, file)]
    assert [run.goal for run in runs] == ["a very long text"] * 2
    assert [run.state for run in runs] == ["answered", "failed"]
    assert "the sandbox died" in runs[1].detail


def archive(members: dict[str, bytes], packing: str) -> bytes:
    """A ZIP file; zstd is written by hand, for Python before 3.14 does not."""
    import io
    import zipfile
    import zlib

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if packing == "deflated" else zipfile.ZIP_STORED) as opened:
        for name, data in members.items():
            opened.writestr(name, zstandard.ZstdCompressor().compress(data) if packing == "zstd" else data)
            info = opened.getinfo(name)
            info.compress_type = 93 if packing == "zstd" else info.compress_type
            info.file_size, info.CRC = len(data), zlib.crc32(data)
    return made.getvalue()


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 200])
def test_a_damaged_archive_is_refused_in_words(store: Store, tmp_path: Path, data: bytes) -> None:
    """No traceback."""
    file = tmp_path / "log.eval"
    file.write_bytes(data)
    with pytest.raises(UsageError, match="cannot read"):
        list(import_file(store, file))


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
    for conversation in _read(value, Counter()):
        assert [event.kind for event in events(conversation)].count("run_started") == 1

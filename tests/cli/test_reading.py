"""`runs`, `show`, `verify`, `tools`, `models`, `doctor`, `--version`: what was, what there is, and whether it is whole."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from xml.etree import ElementTree

from tests.cli.program import Program

LOOK = {"tool": "price", "arguments": {"symbol": "ABC"}}


def test_version_imports_nothing_but_the_version(program: Program) -> None:
    """`outrider --version` costs what Python costs."""
    code = "import sys; sys.argv[1:] = ['--version']; from outrider.agent.cli import main; main(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=program.env())
    version, loaded = done.stdout.split("\n")[:2]
    assert version == "outrider 0.1.0"
    ours = {name for name in re.findall(r"'([\w.]+)'", loaded) if name.startswith("outrider")}
    assert {"outrider.agent", "outrider.agent.cli", "outrider.agent.version"} <= ours
    assert not any(name.startswith(("outrider.memory", "outrider.tools", "outrider.agent.models")) for name in ours)
    assert not {"'typer'", "'rich'", "'pydantic'", "'sqlalchemy'"} & set(loaded.strip("[]").split(", "))


def test_runs_lists_the_newest_first_and_respects_the_limit(program: Program) -> None:
    """The last run is on top, one object a line."""
    for goal in ("first", "second", "third"):
        program("run", goal, "--model", program.script({"text": f"done {goal}"}), "--tool", "plan")
    assert [run["goal"] for run in program("runs", "--json").lines] == ["third", "second", "first"]
    assert [run["goal"] for run in program("runs", "--json", "--limit", "1").lines] == ["third"]
    header, *listed = program("runs").out.splitlines()
    assert "goal" in header
    assert ["answered" in line for line in listed] == [True] * 3


def test_show_json_gives_the_events_as_they_are_stored(program: Program) -> None:
    """A program gets every event whole, with the hash that `verify` checks."""
    program(*program.run_args(program.script(LOOK, {"text": "41.5"})))
    events = program("show", "last", "--json").lines
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["kind"] for event in events if event["kind"].startswith("tool")] == ["tool_called", "tool_returned"]
    assert events[3]["body"]["arguments"] == {"symbol": "ABC"}
    with sqlite3.connect(program.home / "memory.db") as db:
        stored = db.execute("SELECT body, hex(hash) FROM events ORDER BY seq").fetchall()
    db.close()
    assert [event["body"] for event in events] == [json.loads(body) for body, _ in stored]
    assert [event["hash"] for event in events] == [digest.lower() for _, digest in stored]


def test_show_tells_a_run_and_head_may_leave(program: Program) -> None:
    """The transcript holds call, result and answer; `| head -1` is met quietly."""
    program(*program.run_args(program.script({**LOOK, "text": "Let me look."}, {"text": "ABC closed at 41.5 dollars"})))
    shown = program("show", "last").out
    for part in ("Let me look.", "price  ABC", "ABC closed at 41.5 dollars  (event 5", "[event 5]"):
        assert part in shown
    process = program.start("show", "last", "--json")
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(timeout=20)) == ("", 0)


def test_show_of_a_long_run_shows_its_end_and_full_shows_all(program: Program) -> None:
    """A long transcript opens at its end; --full leaves nothing out, long outputs included."""
    replies = [{"tool": "price", "arguments": {"symbol": f"S{i}"}} for i in range(110)]
    long = {"tool": "long", "arguments": {"count": 20_000}}
    program(*program.run_args(program.script(*replies, long, {"text": "the end"}), "--quiet"))
    shown = program("show", "last")
    assert "price  S3\n" not in shown.out
    assert "price  S109" in shown.out
    assert "the end" in shown.out
    assert "earlier events are not shown: --full" in shown.err
    full = program("show", "last", "--full").out
    assert "price  S3\n" in full
    assert "L" * 20_000 + " end" in full


def test_follow_ends_with_the_run(program: Program) -> None:
    """`show --follow` prints what happens while it happens, and ends when the run does."""
    process = program.start(
        *program.run_args(program.script({"tool": "slow", "arguments": {"seconds": 2}}, {"text": "done"}))
    )
    assert process.stderr
    next(line for line in process.stderr if "slow  2" in line)
    followed = program("show", "last", "--follow", "--json", timeout=30)
    assert followed.lines[-1]["kind"] == "stopped"
    process.communicate(timeout=20)


def test_svg_is_one_document_that_loads_nothing(program: Program) -> None:
    """The picture for a README is well-formed whatever a tool said, and holds no address but the namespace."""
    evil = "</text><script>alert(1)</script>\x00\ufffe & ]]>"
    program(*program.run_args(program.script({"tool": "price", "arguments": {"symbol": evil}}, {"text": "done"})))
    assert program("show", "last", "--svg", "t.svg").code == 0
    source = (program.work / "t.svg").read_text()
    tree = ElementTree.fromstring(source)
    assert not [node for node in tree.iter() if node.tag.endswith("script")]
    assert set(re.findall(r"https?://[^\"'\s<]+", source)) == {"http://www.w3.org/2000/svg"}


def test_verify_names_the_event_that_was_changed(program: Program) -> None:
    """One changed byte is found and named; the other runs are still said to be whole."""
    model = program.script(LOOK, {"text": "ABC closed at 41.5 dollars"})
    program(*program.run_args(model))
    program(*program.run_args(model))
    assert program("verify", "--all").code == 0
    with sqlite3.connect(program.home / "memory.db") as db:
        db.execute(
            "UPDATE events SET body = replace(body, '41.5', '41.6') WHERE seq = 5 AND run_id = (SELECT max(run_id) FROM runs)"
        )
    db.close()
    done = program("verify", "--all")
    assert done.code == 4
    assert re.search(r"CHANGED: event 5\b", done.out)
    assert len(re.findall("ok, ", done.out)) == 1
    assert program("show", "last").code == 0


def test_tools_are_listed_shown_and_called(program: Program) -> None:
    """The tools of a run by name and effect; one call by hand gives the observation and 0, a failed or denied one 4."""
    listed = {
        tool["name"]: tool for tool in program("tools", "list", "--json", "--tools-from", str(program.tools)).lines
    }
    assert {"python", "web_search", "recall", "price", "send"} <= set(listed)
    assert listed["send"]["effect"] == "network"
    assert "symbol: string" in program("tools", "show", "price", "--tools-from", str(program.tools)).out
    by_hand = ("tools", "call", "--tools-from", str(program.tools))
    called = program(*by_hand, "price", "--args", '{"symbol": "ABC"}')
    assert (called.code, called.out) == (0, "ABC closed at 41.5 dollars\n")
    wrong = program(*by_hand, "price", "--args", "{}")
    assert (wrong.code, wrong.out, "symbol" in wrong.err) == (4, "", True)
    denied = program(*by_hand, "send", "--args", '{"text": "x"}')
    assert (denied.code, "--yes network" in denied.err) == (4, True)
    assert not (program.work / "sent.txt").exists()
    assert program(*by_hand, "send", "--args", '{"text": "x"}', "--yes", "network").code == 0
    assert (program.work / "sent.txt").read_text() == "x\n"


def test_tools_call_python_runs_in_the_sandbox(program: Program) -> None:
    """By hand or in a run, code meets the same walls."""
    (program.folder / "outside.txt").write_text("private")
    code = f"print(open({str(program.folder / 'outside.txt')!r}).read())"
    call = ("tools", "call", "python", "--args", json.dumps({"code": code}))
    done = program(*call)
    assert "private" not in done.out + done.err
    unsafe = program(*call, "--unsafe-no-sandbox")
    assert "private" in unsafe.out  # the control: the same code reads it where nothing stands in the way
    assert "THE SANDBOX IS OFF" in unsafe.err


def test_recall_by_hand_finds_what_runs_saw(program: Program) -> None:
    """The memory of all runs can be asked from the command line."""
    program(*program.run_args(program.script(LOOK, {"text": "41.5"})))
    done = program("tools", "call", "recall", "--args", '{"query": "closed dollars"}')
    assert (done.code, "41.5" in done.out) == (0, True)
    run = program("runs", "--json").lines[0]["run"]
    for handle in (f"{run}/5", f"{run}/1.0"):
        done = program("tools", "call", "recall", "--args", json.dumps({"query": handle}))
        assert done.out == "ABC closed at 41.5 dollars\n"
    assert program("tools", "call", "recall", "--args", json.dumps({"query": f"{run}/99"})).code == 4


def test_models_and_doctor_tell_what_is_here(program: Program) -> None:
    """Keys by name only, each check one line, JSON for programs."""
    program.environment = {"OPENAI_API_KEY": "sk-secret-value"}
    listed = program("models")
    assert "→ openai:" in listed.out
    assert program("models", "list", "--json").lines[0]["source"] == "OPENAI_API_KEY"
    checked = program("doctor", "--json")
    names = {check["name"]: check["state"] for check in checked.lines}
    assert {"outrider", "data folder", "memory", "sandbox", "llama.cpp", "models", "keys"} <= set(names)
    assert "OPENAI_API_KEY" in checked.out
    assert "sk-secret" not in listed.out + checked.out

"""The examples people copy from run as they stand, on loopback and with a scripted model."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from examples import children, hub_picture, langchain_tool, mcp_server, openapi_service, skill, sql_question
from tests.servers.hub import hub
from tests.servers.web import WebServer, answer
from tests.tools.inference.test_hub_run import model, picture


def script(folder: Path, *replies: dict[str, object]) -> str:
    (folder / "script.json").write_text(json.dumps(list(replies)))
    return f"scripted:{folder / 'script.json'}"


def test_an_openapi_service_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The document's operation is the tool the model calls."""
    monkeypatch.chdir(tmp_path)
    with WebServer({"/orders": answer(b'["A-17"]', headers={"Content-Type": "application/json"})}) as web:
        paths = {"/orders": {"get": {"operationId": "orders"}}, "/bad": {"get": {"parameters": [{"$ref": "x.yaml"}]}}}
        document = {"openapi": "3.1.0", "servers": [{"url": f"http://{web.host}"}], "paths": paths}
        Path("shop.json").write_text(json.dumps(document))
        model = script(tmp_path, {"tool": "api_orders", "arguments": {}}, {"text": "A-17 is open."})
        openapi_service.main("shop.json", "Which orders are open?", model, web.host)
        assert [one.path for one in web.requests] == ["/orders"]
    said = capsys.readouterr().out
    assert "left out: GET /bad: x.yaml is in another file" in said
    assert "answered · A-17 is open." in said


def test_a_sql_question_is_answered_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The number is the file's, to the last digit."""
    monkeypatch.chdir(tmp_path)
    sql = "SELECT sum(amount) AS total FROM t WHERE region = 'North'"
    call = {"tool": "table", "arguments": {"path": "sales.csv", "sql": sql}}
    sql_question.main("What was sold in the North?", script(tmp_path, call, {"text": "233.25 was sold in the North."}))
    assert "answered · 233.25 was sold in the North." in capsys.readouterr().out


def test_a_hub_model_is_run_on_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of the ranking is dead: the second's caption is the result, and what is printed says why."""
    monkeypatch.chdir(tmp_path)
    Path("cat.png").write_bytes(picture())
    served = answer(b'[{"generated_text": "a grey cat"}]', headers={"Content-Type": "application/json"})
    models = (model("acme/best", 9), model("acme/next", 8))
    with hub(models, more={"/run/models/acme/next": served}) as web:
        call = {"tool": "hub_run", "arguments": {"task": "image-to-text", "inputs": "cat.png"}}
        talker = script(tmp_path, call, {"text": "It shows a grey cat."})
        own = (f"endpoint={web.url('')}", f"inference={web.url('/run')}")
        hub_picture.main("cat.png", "What does it show?", talker, *own)
    said = capsys.readouterr().out
    assert "answered · It shows a grey cat." in said
    assert "a grey cat\n[by acme/next, provider hf-inference]" in said
    assert "acme/best (provider hf-inference): dead" in said


def said_by(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], main: Any, goal: str,
    *replies: dict[str, object],
) -> str:  # fmt: skip
    """What an example prints, in a folder and a home of its own."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("OUTRIDER_HOME", str(folder / "home"))
    main(goal, script(folder, *replies))
    return capsys.readouterr().out


def test_an_mcp_server_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The public time server, over stdio."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    call = {"tool": "time_get_current_time", "arguments": {"timezone": "Asia/Tokyo"}}
    said = said_by(tmp_path, monkeypatch, capsys, mcp_server.main, "What time?", call, {"text": "It is in Asia/Tokyo."})
    assert "answered · It is in Asia/Tokyo." in said


def test_a_skill_is_loaded_and_its_script_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the sandbox, under the tools the skill names."""
    (tmp_path / "letter.txt").write_text("one two two")
    place = Path(skill.__file__).parent / "skills" / "word-count" / "scripts" / "count.py"
    calls = ({"tool": "skill", "arguments": {"name": "word-count"}},
             {"tool": "shell", "arguments": {"command": f"python3 {place} letter.txt"}})  # fmt: skip
    said = said_by(
        tmp_path, monkeypatch, capsys, skill.main, "How long?", *calls, {"text": "3 words; two occurs 2 times"}
    )
    assert "answered · 3 words; two occurs 2 times" in said


def test_a_langchain_tool_is_used_by_an_agent_that_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ways round."""
    call = {"tool": "minutes", "arguments": {"hours": 3.5}}
    said = said_by(tmp_path, monkeypatch, capsys, langchain_tool.main, "Minutes?", call, {"text": "210.0 minutes"})
    assert said == "210.0 minutes\n"


def test_children_share_a_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each says what it used."""
    handed = {"calls": [{"tool": "delegate", "arguments": {"goal": "part", "tools": ["table"]}}]}
    said = said_by(tmp_path, monkeypatch, capsys, children.main, "All of it", handed, {"text": "all is done"})
    assert "child of call 1.0:" in said
    assert "all is done" in said


def test_a_chain_is_measured_over_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each number of examples, and the plot."""
    from examples.chain import measure

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "home"))
    chats = Path(measure.__file__).parent / "transcripts.jsonl"
    (tmp_path / "few.jsonl").write_text("".join(chats.read_text().splitlines(keepends=True)[:3]))
    measure.main(script(tmp_path, {"text": '"it"'}), "route", "shots.svg", "few.jsonl")
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows] == ["0", "1", "3", "5"]
    assert all("of 3" in row for row in rows)
    assert Path("shots.svg").read_text().count("<svg") == 1

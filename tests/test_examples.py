"""The examples people copy from run as they stand, on loopback and with a scripted model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from examples import hub_picture, openapi_service, sql_question
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

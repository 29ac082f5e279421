"""The examples people copy from run as they stand, on loopback and with a scripted model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from examples import openapi_service, sql_question
from tests.servers.web import WebServer, answer


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

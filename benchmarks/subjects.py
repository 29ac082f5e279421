"""Who is measured: Outrider, its peers and the floor; for each peer an environment of its own, outside the repository.

Touches: the cache folder (`cache()`), and pip where a peer is not installed yet. Does not promise: the same versions twice;
what was measured is written down with the figures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

DRIVERS = Path(__file__).parent / "drivers"
INSTALL_S = 1800.0


class Unavailable(Exception):
    """A subject cannot be measured; `str()` is the reason, for the page."""


@dataclass(frozen=True)
class Subject:
    """`packages`: what pip installs (none: this environment). `module`: what `import` costs is measured of. `program`: its command
    that says its version. `keeps`: what is on disk once a step has ended. `tools_at_once`, `async_`: whether it can."""

    name: str
    driver: tuple[str, ...]
    module: str = ""
    packages: tuple[str, ...] = ()
    program: tuple[str, ...] = ()
    keeps: str = "nothing"
    way: str = "async"
    jobs: frozenset[str] = frozenset({"run", "many", "parallel", "cold", "memory"})


PEERS = (
    Subject("openai client", ("openai_client.py",), "openai", ("openai",)),
    Subject("langchain", ("langchain_agent.py",), "langchain.agents", ("langchain", "langchain-openai")),
    Subject(
        "langgraph + sqlite", ("langgraph_agent.py",), "langgraph.graph",
        ("langgraph", "langgraph-checkpoint-sqlite", "langchain-openai"), keeps="the whole state, each step",
    ),
    Subject("smolagents", ("smolagents_agent.py",), "smolagents", ("smolagents[openai]",), ("smolagent", "--help"), way="threads"),
    Subject("pydantic-ai", ("pydantic_ai_agent.py",), "pydantic_ai", ("pydantic-ai-slim[openai]",)),
    Subject("openai-agents", ("openai_agents_agent.py",), "agents", ("openai-agents",), keeps="each item, in its session"),
    Subject(
        "mini-swe-agent", ("mini_swe_agent.py",), "minisweagent.agents.default", ("mini-swe-agent",), ("mini", "--help"),
        keeps="the whole run as one file, written each step", way="threads",
    ),
    Subject("llm", ("llm_chain.py",), "llm", ("llm",), ("llm", "--version"), keeps="the chain, at its end"),
)  # fmt: skip
FLOOR = Subject("floor", ("floor.py",), "", keeps="a row and a commit a step", jobs=frozenset({"run", "many", "parallel", "cold", "memory", "batch"}))  # fmt: skip
OUTRIDER = Subject(
    "outrider", ("outrider_agent.py",), "outrider.agent", program=("outrider", "--version"),
    keeps="every event, before it is acted on", jobs=frozenset({"run", "many", "parallel", "cold", "memory", "batch"}),
)  # fmt: skip
PROVIDER = Subject(
    "outrider, provider alone", ("outrider_agent.py", "--provider"), jobs=frozenset({"run", "many", "stream"})
)
SUBJECTS = (FLOOR, OUTRIDER, PROVIDER, *PEERS)


def cache() -> Path:
    """Where environments and results are kept: $OUTRIDER_BENCH_CACHE, or the user's cache folder."""
    named = os.environ.get("OUTRIDER_BENCH_CACHE", "")
    return Path(named) if named else Path(platformdirs.user_cache_dir("outrider-benchmarks", appauthor=False))


def folder_of(subject: Subject) -> Path:
    """The environment of a peer."""
    return cache() / "peers" / subject.name.split(" ")[0]


def python_of(subject: Subject) -> Path:
    """The interpreter that runs a subject; installs it first where it is missing. Raises Unavailable."""
    if not subject.packages:
        return Path(sys.executable)
    folder = folder_of(subject)
    python, stamp = folder / "bin" / "python", folder / "installed.json"
    if not stamp.exists():
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *subject.packages])
        stamp.write_text(json.dumps(subject.packages))
    return python


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"not installed within {INSTALL_S / 60:.0f} minutes") from late
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "ERROR" in line] or done.stderr.splitlines()
        raise Unavailable(f"not installed: {' '.join(said[:1])[:300]}")


def version_of(subject: Subject, python: Path) -> str:
    """Of each package, as installed."""
    if subject in (FLOOR, PROVIDER):
        return ""
    names = [name.partition("[")[0] for name in subject.packages] or ["outrider"]
    code = "import sys; from importlib.metadata import version; print(', '.join(f'{n} {version(n)}' for n in sys.argv[1:]))"
    done = subprocess.run([str(python), "-c", code, *names], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip()

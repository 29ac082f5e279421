"""The checks of .ci/run cannot go green by skipping."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import ALLOWED, NoSkips, allowed, missing

ROOT = Path(__file__).parent.parent
PROGRAM = """
import pytest

@pytest.mark.skip(reason="no server")
def test_marked(): ...

def test_in_mid_test():
    pytest.skip("nothing here")

@pytest.mark.xfail
def test_known_to_fail():
    assert False

@pytest.mark.postgres
@pytest.mark.bubblewrap
def test_program(): ...
"""
MODULE = 'import pytest\npytest.importorskip("no_such_module_at_all")\ndef test_one(): ...\n'


def ran(folder: Path, program: str, *options: str) -> tuple[int, str]:
    (folder / "test_one.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-c", "pyproject.toml",
         *options, str(folder / "test_one.py")],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("processes", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_every_skip_is_a_failure_where_none_may_be(tmp_path: Path, processes: str) -> None:
    """By a mark, in mid-test, of a whole module: each fails and is named; a known failure is none."""
    code, said = ran(tmp_path, PROGRAM, "--no-skips", "-n", processes)
    assert code == 1
    for name in ("test_marked", "test_in_mid_test"):
        assert f"{name} was skipped, and tests/skips.py does not list it" in said
    assert "1 xfailed" in said
    code, said = ran(tmp_path, MODULE, "--no-skips", "-n", processes)
    assert code != 0
    assert "tests/skips.py does not list it" in said


def test_a_skip_is_named_where_it_may_be(tmp_path: Path) -> None:
    """`make test` on a bare machine passes, and each case that did not run is there to read."""
    code, said = ran(tmp_path, PROGRAM)
    assert code == 0
    assert "test_marked - Skipped: no server" in said
    assert "test_in_mid_test - Skipped: nothing here" in said
    assert not missing() or f"NOT RUN 1 cases: {next(iter(missing().values()))}" in said


def test_list_is_read_by_test_and_reason() -> None:
    """A listed test that skips for another reason is not excused."""
    test = "tests/sandbox/test_honest.py::test_a_library_of_the_interpreter_works[numpy-namespaces-nobody]"
    assert allowed(test, "Skipped: numpy is not installed for the interpreter of this lane")
    assert not allowed(test, "Skipped: no namespaces here")
    assert all(one.why for one in ALLOWED)
    assert NoSkips

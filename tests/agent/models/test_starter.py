"""The built-in starter model: the file that is shipped, what it says of itself, and that its training can be run again."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from pathlib import Path

import pytest

from examples.train_starter import dataset, fake_tools
from examples.train_starter.tasks import families
from examples.train_starter.tokenizer import Tokenizer, train
from outrider.agent.models.builtin import PARAMETERS, STARTER_PATH, describe
from outrider.agent.models.choice import steps

KEPT = Path(__file__).with_name("starter_questions.json")
MB = 1_000_000


def test_starter_file_is_small_and_whole() -> None:
    """It ships with the package: at most 10 MB, and a GGUF."""
    assert STARTER_PATH.stat().st_size <= 10 * MB
    assert STARTER_PATH.read_bytes()[:4] == b"GGUF"


def test_starter_introduces_itself_honestly() -> None:
    """A person is told what it is, how large, and what to use for real work."""
    said = describe()
    assert "simple goals only" in said
    assert f"{PARAMETERS / 1e6:.1f} M parameters" in said
    assert all(way in said for way in ("OPENAI_API_KEY", "Ollama", "outrider models pull"))


@pytest.mark.llama
def test_starter_in_llama_cpp_makes_the_choices_it_made_in_training() -> None:
    """The export is right: the same tokens and the same greedy choice as the training framework, question by question.

    The expectations were written by `starter/parity.py` from torch; half precision may turn a near tie.
    """
    pytest.importorskip("llama_cpp")
    from outrider.agent.models.llama.worker import Worker

    worker = Worker(threading.Event(), lambda message: None)
    about = worker.load(str(STARTER_PATH), 2048, 1)
    assert about["parameters"] == PARAMETERS
    same = 0
    kept = json.loads(KEPT.read_text("utf-8"))
    for prompt, tokens, wanted in kept:
        worker.deadline = time.monotonic() + 60
        done = worker.choose(list(steps.LABELS), question=prompt)
        best = max(range(len(steps.LABELS)), key=done["scores"].__getitem__)
        assert done["tokens"] == tokens
        same += steps.LABELS[best] == wanted
    assert len(kept) >= 100
    assert same >= len(kept) - 1


@pytest.mark.llama
def test_starter_keeps_its_score_on_goals_it_was_not_trained_on() -> None:
    """A change of small.py or of the data that the shipped model was not trained for shows here."""
    pytest.importorskip("llama_cpp")
    from examples.train_starter.evaluate import score
    from outrider.agent.models.llama.worker import Worker

    worker = Worker(threading.Event(), lambda message: None)
    worker.load(str(STARTER_PATH), 2048, 1)
    for test, least in (("", 0.9), ("wording", 0.8), ("tool", 0.7)):
        result = score(worker, test, 40)
        assert result.whole / result.goals >= least, (test, result.whole, result.goals, result.wrong[:3])
        assert result.right / result.asked > result.first / result.asked + 0.3  # far above taking the first option


@pytest.mark.parametrize("family", list(families.FAMILIES))
def test_starter_data_of_every_family_can_be_played(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is right is on offer: the training data and small-model mode fit together."""
    monkeypatch.setattr(families, "FAMILIES", {family: (1, families.FAMILIES[family][1])})
    coverage = dataset.Coverage()
    played = list(itertools.islice(dataset.stream(3, coverage=coverage), 40))
    assert sum(coverage.gaps.values()) <= 4, coverage.examples[:3]
    assert any(played)
    assert all(0 <= one.right < len(one.decision.options) for goal in played for one in goal)


def test_starter_data_is_the_same_for_the_same_seed() -> None:
    """A training run can be repeated."""
    first, second = (
        [one.decision.prompt() for goal in itertools.islice(dataset.stream(5), 20) for one in goal] for _ in range(2)
    )
    assert first == second


def test_starter_never_trains_on_what_is_held_out() -> None:
    """The tools and wordings it is measured on do not occur in training."""
    rng = random.Random(1)
    trained, tested = set(fake_tools.archetypes(False)), set(fake_tools.archetypes(True))
    assert trained
    assert len(tested) >= 8
    assert not trained & tested
    wordings = [f"wording {i}" for i in range(100)]
    drawn = {fake_tools.choose(rng, wordings, False) for _ in range(1000)}
    held = {fake_tools.choose(rng, wordings, True) for _ in range(1000)}
    assert drawn.isdisjoint(held)


def test_starter_tokenizer_round_trips_its_file(tmp_path: Path) -> None:
    """Merges are learnt, kept and read again; every text has tokens, and a special token is one."""
    tokens = Tokenizer(train({"price": 9, "prices": 5, "prince": 3}, 256 + len(steps.SPECIALS) + 8))
    tokens.save(tmp_path / "merges.json")
    again = Tokenizer.load(tmp_path / "merges.json")
    text = [steps.GOAL, "prices", "Øl", "…"]
    assert again.encode(text) == tokens.encode(text)
    assert len(tokens.encode(["price"])) < len(" price")
    assert tokens.encode([steps.GOAL]) == [tokens.ids[steps.GOAL]]

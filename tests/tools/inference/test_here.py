"""Weights that are here: found by id and never by a path, run only from safetensors, refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.tools.hub.card import Card
from outrider.tools.hub.tasks import TASKS
from outrider.tools.inference.here import cached, why_no_pipeline
from outrider.tools.inference.hub_run import hub_run
from outrider.tools.tool import ToolContext


def weights(root: Path, name: str, *files: str) -> Path:
    folder = root / f"models--{name.replace('/', '--')}" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_bytes(b"x")
    return folder


def test_weights_are_found_by_the_id_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An id that would climb out of the cache finds nothing."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert cached("acme/m") is None
    folder = weights(tmp_path / "cache", "acme/m", "model.safetensors")
    assert cached("acme/m") == folder
    assert cached("../cache/models--acme--m") is None


def test_weights_that_are_pickles_are_refused(tmp_path: Path) -> None:
    """A pickle runs code when it is read; safetensors do not."""
    folder = weights(tmp_path, "acme/m", "pytorch_model.bin")
    card = Card("acme/m", "translation", library="transformers")
    assert why_no_pipeline(card, TASKS["translation"], folder) == "its weights here are not safetensors"
    assert "for diffusers" in why_no_pipeline(
        Card("acme/m", library="diffusers"), TASKS["translation"], weights(tmp_path, "acme/d", "a.safetensors")
    )
    assert "no local pipeline" in why_no_pipeline(card, TASKS["text-to-image"], folder)


@pytest.mark.slow
async def test_a_pipeline_runs_in_the_sandbox_over_weights_that_are_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tiny classifier with random weights: a label comes out, with no hub to ask and no network."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="torch is not installed")
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = weights(tmp_path / "cache", "tiny/classifier")
    words = Tokenizer(models.WordLevel({"[PAD]": 0, "[UNK]": 1, "parcel": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(
        folder
    )
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=3, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    here = ToolContext(
        workspace=tmp_path, settings={"hub": {"endpoint": "http://127.0.0.1:9"}}, seconds_left=lambda: 100.0
    )
    seen = await hub_run.run(
        hub_run.check({"task": "classification", "inputs": "parcel", "model": "tiny/classifier"}), here
    )
    assert "LABEL_" in seen.text
    assert "[by tiny/classifier, transformers on this machine]" in seen.text

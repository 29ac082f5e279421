"""Weights that are here: found by id and never by a path, run only from safetensors, refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from outrider.tools.hub.card import Card
from outrider.tools.hub.tasks import TASKS
from outrider.tools.inference.here import cached, why_no_pipeline


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

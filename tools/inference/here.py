"""Runs a model on this machine: one that a package holds, a GGUF or a `transformers` pipeline over weights fetched before.
May touch: child processes; the cache of the hub's weights. Nothing is sent.
Does not promise: speed. A `transformers` model runs in the sandbox, from safetensors alone, and code that comes with it never runs.
A GGUF is read by llama.cpp in a child process with limits, not in the sandbox: a fault in its reader is the person's to weigh.
"""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from outrider.memory.errors import OutriderError
from outrider.tools.hub.card import LOCAL_LIBRARIES, Card
from outrider.tools.hub.packaged import Packaged
from outrider.tools.hub.tasks import Task
from outrider.tools.inference.inputs import Given
from outrider.tools.inference.remote import seconds_of
from outrider.tools.inference.result import Result, Unusable, read_result, short
from outrider.tools.process.deadlines import PLAIN_ENVIRONMENT, in_child
from outrider.tools.tool import ToolContext

MODULE = "outrider.tools.inference.packaged_process"
PIPELINES = {"depth-estimation", "image-segmentation", "object-detection", "image-classification", "image-to-text",
             "automatic-speech-recognition", "text-to-speech", "translation", "summarization", "text-classification",
             "zero-shot-classification", "question-answering", "feature-extraction", "text-generation"}  # fmt: skip
MEMORY_MB = 16_000


async def run_packaged(ctx: ToolContext, task: Task, model: Packaged, given: Given) -> Result:
    """The result of a model that a package holds. Raises Unusable."""
    return await _in_child(ctx, task, model.name, _asked(task, given))


async def run_gguf(ctx: ToolContext, task: Task, file: Path, given: Given) -> Result:
    """The result of a language model in a GGUF file. Raises Unusable."""
    return await _in_child(ctx, task, "gguf", _asked(task, given) | {"file": str(file)})


def _asked(task: Task, given: Given) -> dict[str, Any]:
    return {
        "task": task.name, "text": given.text, "context": given.context, "data": base64.b64encode(given.data).decode(),
        "options": dict(given.options),
    }  # fmt: skip


async def _in_child(ctx: ToolContext, task: Task, name: str, asked: dict[str, Any]) -> Result:
    seconds = seconds_of(ctx)
    plain = {key: os.environ[key] for key in PLAIN_ENVIRONMENT if key in os.environ}
    done = await in_child(
        MODULE, name, stdin=json.dumps(asked).encode(), seconds=seconds, max_output=32 << 20,
        environment=plain | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2"},
    )  # fmt: skip
    if done.timed_out:
        raise Unusable(f"too slow: no answer in {seconds:g} s")
    if not done.output:
        raise Unusable(f"its process ended: {short(done.errors.strip()[-200:]) or f'exit code {done.exit_code}'}")
    return read_result(task, "application/json", done.output)


# ---- weights of the hub that are here --------------------------------------------------------------------------------


def cached(card_id: str) -> Path | None:
    """The folder of a hub model's weights that were fetched before, None for none. Looked up by its id, never made a path of."""
    home = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    root = Path(home or Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface") / "hub").expanduser()
    wanted = f"models--{card_id.replace('/', '--')}"
    try:
        names = {entry.name: entry for entry in os.scandir(root)}
    except OSError:
        return None
    found = names.get(wanted)
    if found is None:
        return None
    snapshots = sorted(Path(found.path).glob("snapshots/*"), key=lambda path: path.stat().st_mtime)
    return snapshots[-1] if snapshots else None


def gguf_file(folder: Path) -> Path | None:
    """The smallest GGUF of a folder of weights, None where llama.cpp or such a file is missing."""
    files = sorted(folder.glob("*.gguf"), key=lambda file: file.stat().st_size)
    return files[0] if files and importlib.util.find_spec("llama_cpp") else None


def why_no_pipeline(card: Card, task: Task, folder: Path) -> str:
    """Why `transformers` cannot run this model here, "" if it can."""
    if task.name not in PIPELINES:
        return f"no local pipeline does {task.name}"
    if not any(folder.glob("*.safetensors")):
        return "its weights here are not safetensors"
    if card.library and card.library not in LOCAL_LIBRARIES:
        return f"it is for {card.library}"
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("torch") is None:
        return "transformers and torch are not installed (pip install 'outrider[transformers]')"
    return ""


async def run_pipeline(ctx: ToolContext, task: Task, folder: Path, given: Given) -> Result:
    """The result of a `transformers` pipeline, in the sandbox without network. Raises Unusable."""
    with tempfile.TemporaryDirectory(prefix="outrider-model-") as scratch:
        work, folder = Path(scratch) / "work", _readable(folder, Path(scratch) / "weights")
        work.mkdir()
        asked = _asked(task, given) | {"folder": str(folder), "tag": task.tag, "takes": task.takes}
        (work / "asked.json").write_text(json.dumps(asked))
        if given.data:
            (work / "input").write_bytes(given.data)
        await asyncio.to_thread(_boxed, ctx, work, folder, seconds_of(ctx))
        return read_result(task, "application/json", (work / "answer").read_bytes())


def _readable(folder: Path, copy: Path) -> Path:
    """The folder of weights, or a copy of it where the sandbox's user could not read root's files."""
    files = [file for file in folder.iterdir() if file.is_file()]
    if os.geteuid() != 0 or all(file.stat().st_mode & 0o004 for file in files):
        return folder
    copy.mkdir(mode=0o755)
    for file in files:
        shutil.copyfile(file, copy / file.name)
        (copy / file.name).chmod(0o644)
    return copy


def _boxed(ctx: ToolContext, work: Path, folder: Path, seconds: float) -> None:
    """Run the pipeline's program in a sandbox that sees the weights and nothing else of the person's. Raises Unusable."""
    from outrider.tools.sandbox import Limits, open_sandbox

    program = Path(__file__).with_name("pipeline_program.py").read_text() + "\nmain()\n"
    blobs = folder.parents[1] if folder.parent.name == "snapshots" else folder  # a snapshot's files are links beside it
    try:
        with open_sandbox(
            work, Limits(seconds=seconds, memory_mb=MEMORY_MB), read=(blobs,),
            isolation="none" if ctx.unsafe else ctx.isolation,
        ) as box:  # fmt: skip
            done = box.python(program, timeout_s=seconds)
    except OutriderError as error:
        raise Unusable(f"it cannot be run in isolation here: {error.why}") from None
    if done.stopped_by == "time":
        raise Unusable(f"too slow: no answer in {seconds:g} s")
    if done.stopped_by or done.exit_code or not (work / "answer").is_file():
        last = done.stderr.strip().splitlines()[-1:] or [str(done.stopped_by or f"exit code {done.exit_code}")]
        raise Unusable(f"it failed: {short(last[0])}")

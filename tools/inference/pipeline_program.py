"""The program that runs a `transformers` pipeline inside the sandbox; its text is handed in, it is not imported.
May touch: the weights, read-only; the folder it works in. Safetensors alone; code that comes with a model is refused.

asked.json and input are what is asked; `answer` is a file with the result in the shape of the hub's API.
"""

import base64
import io
import json
from pathlib import Path
from typing import Any


def main() -> None:
    """Do what asked.json says; here.py calls it at the end of this text."""
    asked = json.loads(Path("asked.json").read_text())
    Path("answer").write_text(json.dumps(run(asked)))


def run(asked: dict[str, Any]) -> Any:
    import os

    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    import torch
    from transformers import pipeline

    torch.set_num_threads(2)
    own = {
        "translation": rewritten,
        "summarization": rewritten,
        "question-answering": answered,
        "image-to-text": captioned,
    }
    if asked["tag"] in own:  # transformers 5 has no pipeline for them
        return own[asked["tag"]](asked)
    pipe = pipeline(
        asked["tag"],
        model=asked["folder"],
        device="cpu",
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
    return plain(pipe(*given(asked), **asked["options"]))


def loaded(kind: str, asked: dict[str, Any]) -> tuple[Any, Any]:
    """(the model of a kind, its tokenizer), from safetensors alone."""
    import transformers

    safe = {"local_files_only": True, "trust_remote_code": False}
    model = getattr(transformers, kind).from_pretrained(asked["folder"], use_safetensors=True, **safe)
    return model.eval(), transformers.AutoTokenizer.from_pretrained(asked["folder"], **safe)


def whole(words: Any, encoded: Any) -> Any:
    """The encoded text, if the model reads all of it: a part of it, told as the whole, would be wrong without a word."""
    count, most = encoded["input_ids"].shape[1], words.model_max_length
    if count > most:
        raise ValueError(f"the text is {count:,} tokens and this model reads {most:,}; give it in parts")
    return encoded


def rewritten(asked: dict[str, Any]) -> Any:
    """A translation or a summary, by an encoder and a decoder."""
    model, words = loaded("AutoModelForSeq2SeqLM", asked)
    more, text = {}, asked["text"]
    if asked["options"].get("src_lang"):
        words.src_lang = asked["options"]["src_lang"]
    if target := asked["options"].get("tgt_lang"):
        more["forced_bos_token_id"] = words.convert_tokens_to_ids(target)
    if model.config.model_type == "t5" and asked["tag"] == "summarization":
        text = f"summarize: {text}"
    made = model.generate(
        **whole(words, words(text, return_tensors="pt")),
        max_new_tokens=int(asked["options"].get("max_new_tokens") or 200),
        **more,
    )
    return [{"generated_text": words.decode(made[0], skip_special_tokens=True)}]


def answered(asked: dict[str, Any]) -> Any:
    """The span of the context that answers best."""
    import torch

    model, words = loaded("AutoModelForQuestionAnswering", asked)
    given = whole(words, words(asked["text"], asked["context"], return_tensors="pt", return_offsets_mapping=True))
    places, parts = given.pop("offset_mapping")[0].tolist(), given.sequence_ids(0)
    with torch.no_grad():
        said = model(**given)
    inside = torch.tensor([part == 1 for part in parts])
    begin = said.start_logits[0].masked_fill(~inside, -1e9).softmax(-1)
    end = said.end_logits[0].masked_fill(~inside, -1e9).softmax(-1)
    both = torch.triu(begin[:, None] * end[None, :]).tril(30)
    first, last = divmod(int(both.argmax()), both.shape[1])
    return {"answer": asked["context"][places[first][0] : places[last][1]], "score": float(both.max())}


def captioned(asked: dict[str, Any]) -> Any:
    """What a picture shows, by a model that was made for captions."""
    from transformers import AutoImageProcessor

    model, words = loaded("AutoModelForImageTextToText", asked)
    eyes = AutoImageProcessor.from_pretrained(asked["folder"], local_files_only=True, trust_remote_code=False)
    made = model.generate(**eyes(images=given(asked)[0], return_tensors="pt"), max_new_tokens=60)
    return [{"generated_text": words.decode(made[0], skip_special_tokens=True)}]


def given(asked: dict[str, Any]) -> tuple[Any, ...]:
    if asked["takes"] == "image":
        from PIL import Image

        return (Image.open("input").convert("RGB"),)
    if asked["takes"] == "audio":
        return (Path("input").read_bytes(),)
    return (asked["text"],)


def plain(value: Any) -> Any:
    """The pipeline's answer as JSON: pictures as base64 PNG, sound as base64 WAV."""
    if isinstance(value, dict) and "audio" in value and "sampling_rate" in value:
        return {"audio": base64.b64encode(wav(value["audio"], value["sampling_rate"])).decode()}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items() if key != "predicted_depth"}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if hasattr(value, "save") and hasattr(value, "convert"):
        out = io.BytesIO()
        value.save(out, "PNG")
        return base64.b64encode(out.getvalue()).decode()
    return value.tolist() if hasattr(value, "tolist") else value


def wav(samples: Any, rate: int) -> bytes:
    import wave

    import numpy

    flat = numpy.clip(numpy.asarray(samples, dtype="float32").reshape(-1), -1, 1)
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes((flat * 32767).astype("<i2").tobytes())
    return out.getvalue()

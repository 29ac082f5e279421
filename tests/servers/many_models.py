"""Hundreds of model cards in the shape of the real hub's API, drawn from distributions like those of the real hub.

The counts, licences and libraries are made up, always the same; no card is anybody's. The shape is that of
GET /api/models?expand=…: pipeline_tag, cardData, safetensors, gguf, inferenceProviderMapping, siblings.
"""

from __future__ import annotations

import random
from typing import Any

TASKS = {
    "text-generation": 30, "text-classification": 14, "feature-extraction": 8, "image-to-text": 5, "image-classification": 8,
    "object-detection": 4, "automatic-speech-recognition": 7, "text-to-image": 8, "translation": 6, "summarization": 4,
    "question-answering": 4, "zero-shot-classification": 2, "text-to-speech": 3, "image-segmentation": 2, "depth-estimation": 1,
}  # fmt: skip
LICENCES = {
    "apache-2.0": 34, "mit": 18, "cc-by-4.0": 5, "cc-by-nc-4.0": 5, "openrail": 4, "creativeml-openrail-m": 4, "llama3.1": 4,
    "gemma": 3, "other": 6, "bsd-3-clause": 2, "gpl-3.0": 1, "afl-3.0": 1, "": 13,
}  # fmt: skip
SIZES = (4_386_178, 22_713_728, 66_955_010, 109_483_778, 135_000_000, 278_043_648, 494_032_768, 1_100_048_384,
         2_614_341_888, 7_241_732_096, 8_030_261_248, 13_015_864_320, 32_763_876_352, 70_553_706_496)  # fmt: skip
OWNERS = ("acme", "bits", "fjord", "lumen", "openmeadow", "quartz", "redwood", "tern", "umbra", "velvet-ai")
WORDS = ("tiny", "base", "large", "v2", "chat", "multilingual", "instruct", "en", "distilled", "ocr", "caption", "news")
PROVIDERS = ("hf-inference", "fal-ai", "together", "novita")


def many_models(count: int = 640, seed: int = 7) -> tuple[dict[str, Any], ...]:
    """`count` cards, always the same ones."""
    rnd = random.Random(seed)
    return tuple(_model(rnd, number) for number in range(count))


def _pick(rnd: random.Random, weighted: dict[str, int]) -> str:
    return rnd.choices(list(weighted), list(weighted.values()))[0]


def _model(rnd: random.Random, number: int) -> dict[str, Any]:
    task, licence = _pick(rnd, TASKS), _pick(rnd, LICENCES)
    name = f"{rnd.choice(OWNERS)}/{rnd.choice(WORDS)}-{rnd.choice(WORDS)}-{number}"
    gguf = task == "text-generation" and rnd.random() < 0.3
    size = rnd.choice(SIZES) if rnd.random() < 0.8 else None
    tags = [task, *(["gguf"] if gguf else ["transformers", "safetensors"] if size else ["transformers", "pytorch"])]
    card: dict[str, Any] = {"language": ["en"]} if rnd.random() < 0.6 else {}
    if licence:
        tags.append(f"license:{licence}")
        card |= {"license": licence} | ({"license_name": "house-terms"} if licence == "other" else {})
    if rnd.random() < 0.3:
        card |= {"datasets": [f"data/set-{number % 9}"], "base_model": f"acme/base-{number % 5}"}
    model = {
        "_id": f"{number:024x}", "id": name, "modelId": name, "private": False, "pipeline_tag": task, "tags": tags,
        "downloads": int(rnd.paretovariate(0.6) * 10), "likes": int(rnd.paretovariate(0.9)), "cardData": card,
        "gated": rnd.choices([False, "auto", "manual"], [90, 6, 4])[0],
        "lastModified": f"202{rnd.randint(3, 6)}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}T08:00:00.000Z",
        "siblings": [{"rfilename": "README.md", "size": 4096}],
    }  # fmt: skip
    if not gguf:
        model["library_name"] = "diffusers" if task == "text-to-image" else "transformers"
    if size:
        weights = {"gguf": {"total": size}} if gguf else {"safetensors": {"parameters": {"F32": size}, "total": size}}
        file = {"rfilename": "m-q4.gguf" if gguf else "model.safetensors", "size": size // 2 if gguf else size * 4}
        model |= weights | {"siblings": [*model["siblings"], file]}
    if rnd.random() < 0.25:
        provider = rnd.choice(PROVIDERS)
        model["inferenceProviderMapping"] = [
            {"provider": provider, "providerId": name, "task": task, "status": rnd.choice(["live", "live", "error"])}
        ]
    return model

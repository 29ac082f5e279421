"""How models want to be sampled, where their makers say so: used when nobody says otherwise, for open weights only.
Touches nothing. A hosted OpenAI model is left to its own defaults; servers that know better are not: they get what is here.
Does not promise: to know a model under another name.

Each line gives its source. Greedy decoding makes most of these repeat themselves, which their cards say too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Advice:
    """What the makers of the models whose name fits `pattern` recommend. extra: what not every server takes."""

    pattern: re.Pattern[str]
    options: dict[str, Any]
    source: str
    extra: dict[str, Any] = field(default_factory=dict)


def _advice(pattern: str, source: str, extra: dict[str, Any] | None = None, **options: Any) -> Advice:
    return Advice(re.compile(pattern, re.IGNORECASE), options, source, extra or {})


# The first that fits is taken: the special before the general.
ADVICE: tuple[Advice, ...] = (
    _advice(r"deepseek[-_]?r1", "huggingface.co/deepseek-ai/DeepSeek-R1, usage recommendations", temperature=0.6, top_p=0.95),
    _advice(r"deepseek[-_]?v4", "huggingface.co/deepseek-ai/DeepSeek-V4-Flash, local deployment", temperature=1.0, top_p=1.0),
    _advice(r"qwen3[-_]?coder", "huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct, best practices",
            {"top_k": 20, "repeat_penalty": 1.05}, temperature=0.7, top_p=0.8),
    _advice(r"qwen3.*instruct", "huggingface.co/Qwen/Qwen3-30B-A3B-Instruct-2507, best practices",
            {"top_k": 20, "min_p": 0.0}, temperature=0.7, top_p=0.8),
    _advice(r"qwen[-_]?3(?!\d)", "huggingface.co/Qwen/Qwen3-8B, best practices (thinking mode)",
            {"top_k": 20, "min_p": 0.0}, temperature=0.6, top_p=0.95),
    _advice(r"gpt[-_]?oss", "github.com/openai/gpt-oss, recommended sampling parameters", temperature=1.0, top_p=1.0),
    _advice(r"magistral", "huggingface.co/mistralai/Magistral-Small-2506, sampling parameters", temperature=0.7, top_p=0.95),
    _advice(r"(?:devstral|mistral[-_]small)", "huggingface.co/mistralai/Mistral-Small-3.2-24B-Instruct-2506", temperature=0.15),
    _advice(r"mistral[-_]nemo", "huggingface.co/mistralai/Mistral-Nemo-Instruct-2407", temperature=0.3),
    _advice(r"llama[-_ ]?3", "huggingface.co/meta-llama/Llama-3.1-8B-Instruct, generation_config.json",
            temperature=0.6, top_p=0.9),
)  # fmt: skip


def advice_for(*names: str) -> Advice | None:
    """What is recommended for the model that has one of these names (of the spec, of the file, that it calls itself)."""
    return next((one for one in ADVICE if any(one.pattern.search(name) for name in names)), None)

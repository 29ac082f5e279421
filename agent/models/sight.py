"""Which models are shown pictures: by name, as their makers say. A person's word (`sees` in the configuration) goes over it.
Touches nothing. Does not promise: that a server in between passes pictures on; one that refuses is asked again without.
"""

from __future__ import annotations

import re

# Model families whose makers document picture input (OpenAI, Anthropic, Google, Mistral, xAI, Meta, Alibaba, open ones).
_SEES = re.compile(
    r"gpt-4o|gpt-4\.1|gpt-4-turbo|gpt-4-vision|gpt-5|chatgpt-4o|\bo1\b|\bo3\b|\bo4-mini|claude-(?:3|opus|sonnet|haiku)|gemini|"
    r"pixtral|mistral-(?:small-3\.[12]|medium-3|large-3)|grok-(?:4|2-vision)|llama-?3\.2-(?:11b|90b)|llama-?4|gemma-?3(?!-1b|-270m|:1b|:270m)|"
    r"qwen[\d.]*-?(?:vl|omni)|llava|minicpm-v|moondream|internvl|phi-[34][\w.-]*(?:vision|multimodal)|[-_/](?:vl|vision)\b",
    re.IGNORECASE,
)
_BLIND = re.compile(r"gpt-4o[\w-]*(?:audio|realtime|transcribe|tts|search)|o3-mini|o1-mini|embedding", re.IGNORECASE)
PROVIDERS = ("openai", "openai-responses", "langchain")  # those whose messages can carry a picture


def can_carry(spec: str) -> bool:
    """Whether messages to "provider:model" can hold a picture at all."""
    return spec.partition(":")[0] in PROVIDERS


def sees(spec: str) -> bool:
    """Whether "provider:model" is known to be shown pictures."""
    model = spec.partition(":")[2]
    return can_carry(spec) and bool(_SEES.search(model)) and not _BLIND.search(model)

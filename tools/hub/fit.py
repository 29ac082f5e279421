"""Whether a model fits the memory of this machine: an estimate from its parameters or its files.
May touch: reads what the system says of its memory. Does not promise: that it fits beside what else starts meanwhile.
"""

from __future__ import annotations

import os
from pathlib import Path

from outrider.tools.hub.card import Card, in_bytes

# Bytes of one number in each format that safetensors names (huggingface/safetensors, `Dtype`), and what GGUF takes at Q4.
WIDTHS = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip
Q4 = 0.6
USUAL = 2.0  # where the format is not said: half precision
ABOVE = 1.2  # activations, caches and the program itself


def need_bytes(card: Card) -> int | None:
    """Bytes of memory it takes to run, None where nothing tells."""
    if card.weights:
        return int(sum(WIDTHS.get(kind, USUAL) * count for kind, count in card.weights) * ABOVE)
    if "gguf" in card.formats:
        sizes = [size for name, size in card.files if name.lower().endswith(".gguf") and size]
        if sizes:
            return int(min(sizes) * ABOVE)
        return int(card.parameters * Q4 * ABOVE) if card.parameters else None
    return int(card.parameters * USUAL * ABOVE) if card.parameters else None


def free_bytes() -> int | None:
    """Bytes of memory that can be had here now: what the system has, and what a container may take."""
    found = []
    try:
        for line in Path("/proc/meminfo").read_text("ascii", "replace").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    except (OSError, ValueError, IndexError):
        pass
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
        found += [max(0, int(most) - int(used))] if most != "max" else []
    except (OSError, ValueError):
        pass
    if not found and hasattr(os, "sysconf"):
        try:
            found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        except (OSError, ValueError):
            return None
    return min(found, default=None)


def fits(card: Card) -> bool | None:
    """Whether it fits here; None where its size or the memory is not known."""
    need, free = need_bytes(card), free_bytes()
    return None if need is None or free is None else need <= free


def fit_line(card: Card) -> str:
    """In words: "needs about 320 MB of 12 GB free here: fits"."""
    need, free = need_bytes(card), free_bytes()
    if need is None:
        return "unknown: the hub does not say how large it is"
    if free is None:
        return f"needs about {in_bytes(need)}; what is free here is not known"
    return f"needs about {in_bytes(need)} of {in_bytes(free)} free here: {'fits' if need <= free else 'does not fit'}"

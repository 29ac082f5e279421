"""Write a GGUF again with weights of another kind: `python requantise.py SOURCE TARGET KIND`, run by packaged.py.

What it is: one call of llama.cpp in a process of its own, for a broken file ends the process that reads it.
What it may touch: the two files it is told. Does not promise: that the weights were better before than they are after.
"""

from __future__ import annotations

import ctypes
import sys


def requantise(source: str, target: str, kind: str) -> int:
    """0 when `target` was written. kind: as llama.cpp names it, for example "Q8_0"."""
    import llama_cpp

    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}")
    options.allow_requantize = True
    options.nthread = 1
    return int(llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(options)))


if __name__ == "__main__":
    sys.exit(requantise(*sys.argv[1:4]))

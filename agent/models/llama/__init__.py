"""GGUF files on llama.cpp, in a child process. Touches the model file and that process."""

from outrider.agent.models.llama.model import LlamaModel

__all__ = ["LlamaModel"]

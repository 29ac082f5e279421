"""Any OpenAI-compatible server. Touches the network: the one base_url it is given."""

from outrider.agent.models.openai.model import OpenAIModel

__all__ = ["OpenAIModel"]

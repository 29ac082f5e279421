"""Any LangChain chat model. LangChain is imported when one is made."""

from outrider.agent.models.langchain.model import LangChainModel

__all__ = ["LangChainModel"]

"""Tools, toolkits, retrievers and runnables of LangChain as tools of a run."""

from outrider.tools.langchain.accept import from_langchain as from_langchain

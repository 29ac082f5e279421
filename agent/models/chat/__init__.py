"""The chat-completions dialect, for whoever speaks it (openai, langchain): encode, decode, errors. Touches nothing."""

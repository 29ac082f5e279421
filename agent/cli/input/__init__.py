"""A goal as people give it: words, files, what is piped in, an editor, a question."""

"""The built-in language model: what it is shown and what it may write. Pure functions; llama/ drives the file."""

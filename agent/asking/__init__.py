"""One request to the model: how large it may be, which tools it offers, one attempt at it, and what that cost."""

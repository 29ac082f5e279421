"""A plan as a graph: which step needs which, what became of each, and the running of those that name a tool."""

"""Many goals as one: a file of goals, read as it is worked on; each goal answered once, under one budget and shared rates."""

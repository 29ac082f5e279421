"""What a model is shown of a run: events as messages, and the oldest steps shortened when the window fills (compaction)."""

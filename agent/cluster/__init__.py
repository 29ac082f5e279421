"""Batches past one machine, on Ray: nodes work on goals, the journal in PostgreSQL holds them together."""

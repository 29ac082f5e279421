"""Remembers. Imports nothing of ours; start reading at events.py, then journal.py."""

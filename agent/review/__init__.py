"""Transcripts for people."""

"""Scoring an agent on a file of goals, each with a check: goals, checks, attempts, scores, reports."""

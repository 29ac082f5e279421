"""Limits beyond those of one run: over time, soft ones, and what a run is likely to cost."""

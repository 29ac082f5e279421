"""Sums that a goal asks for: written out, as a story, and the grammar of a story. Pure functions."""

"""A run for people: events become lines (terminal.py), lines are painted on a terminal, a file or an SVG (render.py)."""

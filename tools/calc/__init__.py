"""Arithmetic, dates and units: answered exactly, without code. Touches nothing but the clock."""

"""Decides: the loop and everything that talks to people or models."""

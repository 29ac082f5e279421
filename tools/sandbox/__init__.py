"""Runs code where it can do no harm. The contract is in sandbox.py."""

"""Chains of prompts over many documents: metered by one ledger, kept as they come, gone on with after a kill."""

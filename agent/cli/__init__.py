"""The command line: one module a command; only translates."""

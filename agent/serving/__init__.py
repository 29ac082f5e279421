"""Outrider for other programs: as an MCP server. Imported by the commands that serve."""

"""Outrider for other programs: as an MCP server, and over HTTP. Imported by the commands that serve."""

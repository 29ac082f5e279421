"""Tools of MCP servers (Model Context Protocol): stdio and streamable HTTP. The package `mcp` is imported when one is named."""

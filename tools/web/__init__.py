"""The web: search, pages as text, HTTP requests. Touches the network through the HTTP gateway alone (tools/net)."""

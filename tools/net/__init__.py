"""The HTTP gateway and the addresses it may reach (SSRF protection): the only way from a tool to the network."""

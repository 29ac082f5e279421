"""The model hub: what models there are, and what one is. Touches the hub, in a child process."""

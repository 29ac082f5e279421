"""A run read back: what its events come to, the same run driven again, and the files it changed."""

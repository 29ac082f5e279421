"""Questions about data answered without code: SQL over files and databases, statistics of a text. Reads files of the workspace."""

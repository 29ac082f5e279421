"""Questions about data answered without code: tables and text statistics. Touches files of the workspace."""

"""The reading view as HTML: the same cards, charts and style for the local viewer and for the one-file export."""

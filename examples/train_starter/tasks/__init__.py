"""The kinds of goals the starter model is taught, one module each."""

"""Data and training for the built-in language model. Imported only by `outrider tune` and by examples."""

"""The program that trains the starter model (`pip install '.[train]'`, then `python -m examples.train_starter.train`).

It lies outside the package because nobody who uses Outrider runs it: the wheel carries the trained file alone."""

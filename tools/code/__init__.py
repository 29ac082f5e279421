"""Code from a model, run in the sandbox: `python` and `shell`."""

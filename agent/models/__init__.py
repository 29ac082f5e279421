"""How a model is reached. A provider is one line in PROVIDERS and one file, imported when it is first used."""

"""Runs models that are no chat model: hub models by inference providers, endpoints or here; models that packages hold."""

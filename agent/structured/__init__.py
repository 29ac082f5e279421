"""Answers that are data: the schema an answer must fit, and the JSON found in what a model wrote."""

"""Prompt tools (in-context learning): a prompt, labelled examples and an output type become a tool; chains of them."""

from outrider.tools.prompts.prompt import Example as Example
from outrider.tools.prompts.prompt import Prompt as Prompt

"""Parts of single commands: completion, help topics, estimates, where settings are from, what more to give a run."""

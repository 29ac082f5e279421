"""What decides how a run goes: its settings, kept with it, and where they come from when a flag does not say."""

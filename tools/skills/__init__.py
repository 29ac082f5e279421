"""Agent Skills: folders with a SKILL.md, as many agents share them; read, listed, loaded when asked for."""

"""Allow, ask or deny each call, by tool and by effect. Touches nothing.
Does not promise: to see through a tool that says it only reads and does more; effects are the author's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from outrider.memory.errors import UsageError
from outrider.memory.events import Decision, Effect

EFFECTS: tuple[Effect, ...] = get_args(Effect)
DEFAULTS: Mapping[Effect, Decision] = {
    "read": "allow",
    "execute": "allow",  # inside the sandbox; without one the tool itself refuses
    "write": "allow",  # inside the workspace
    "network": "ask",
    "spend": "ask",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Decisions by effect, and by tool name, which win. Made with `Policy.of`, stored with the run."""

    effects: Mapping[Effect, Decision] = field(default_factory=lambda: dict(DEFAULTS))
    tools: Mapping[str, Decision] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None = None, *, yes: Iterable[str] = ()) -> Policy:
        """From settings such as {"network": "deny", "tools": {"shell": "ask"}} and effects or tools allowed by `yes`.

        Raises UsageError for a word that is neither an effect nor a decision.
        """
        effects, tools = dict(DEFAULTS), dict[str, Decision]()
        for key, value in (settings or {}).items():
            if key == "tools" and isinstance(value, Mapping):
                tools |= {str(name): _decision(name, decision) for name, decision in value.items()}
            elif key in EFFECTS:
                effects[key] = _decision(key, value)
            else:
                raise UsageError(f"the policy names {key!r}", f"effects are {', '.join(EFFECTS)}", "or use `tools`")
        for word in yes:
            if word in EFFECTS:
                effects[word] = "allow"
            else:
                tools[word] = "allow"
        return cls(effects, tools)

    def decide(self, tool: str, effect: Effect) -> tuple[Decision, str]:
        """(decision, why) for a call of `tool` with this effect."""
        if tool in self.tools:
            return self.tools[tool], f"policy for {tool}"
        return self.effects.get(effect, "ask"), f"policy for {effect}"

    def as_json(self) -> dict[str, Any]:
        """What `of` reads back."""
        changed = {effect: decision for effect, decision in self.effects.items() if DEFAULTS[effect] != decision}
        return dict(changed) | ({"tools": dict(self.tools)} if self.tools else {})


def _decision(name: object, value: object) -> Decision:
    if value in get_args(Decision):
        return value  # type: ignore[return-value]
    raise UsageError(f"the policy for {name!r} is {value!r}", "a decision is allow, ask or deny", "write one of them")

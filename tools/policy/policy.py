"""Allow, ask or deny each call: by rules (the first that fits), by tool, by effect, and then by the rule of two.
Touches nothing. Does not promise: to see through a tool that says it only reads and does more; effects are the author's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from outrider.memory.errors import UsageError
from outrider.memory.events import Decision, Effect
from outrider.tools.policy.reach import Reach, host_fits
from outrider.tools.policy.rules import EFFECTS, Rule, decision_of

DEFAULTS: Mapping[Effect, Decision] = {
    "read": "allow",
    "execute": "allow",  # inside the sandbox; without one the tool itself refuses
    "write": "allow",  # inside the workspace
    "network": "ask",
    "spend": "ask",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in order, decisions by tool name, by effect, and the hosts a run may send to. Stored with the run."""

    effects: Mapping[Effect, Decision] = field(default_factory=lambda: dict(DEFAULTS))
    tools: Mapping[str, Decision] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    send_to: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, settings: Mapping[str, Any] | None = None, *, yes: Iterable[str] = (), send_to: Iterable[str] = ()
    ) -> Policy:
        """From settings such as {"network": "deny", "tools": {"shell": "ask"}, "rules": [{…}], "send_to": ["host"]}, effects
        or tools allowed by `yes`, and more hosts to send to.

        Raises UsageError for a word that is neither an effect nor a decision.
        """
        effects, tools, rules, hosts = dict(DEFAULTS), dict[str, Decision](), list[Rule](), list[str]()
        for key, value in (settings or {}).items():
            if key == "tools" and isinstance(value, Mapping):
                tools |= {str(name): decision_of(repr(name), decision) for name, decision in value.items()}
            elif key == "rules" and isinstance(value, list | tuple):
                rules += [Rule.of(one) for one in value]
            elif key == "send_to" and isinstance(value, list | tuple):
                hosts += map(str, value)
            elif key in EFFECTS:
                effects[key] = decision_of(repr(key), value)
            else:
                raise UsageError(
                    f"the policy names {key!r}",
                    f"effects are {', '.join(EFFECTS)}",
                    "or use `tools`, `rules`, `send_to`",
                )
        for word in yes:
            if word in EFFECTS:
                effects[word] = "allow"
            else:
                tools[word] = "allow"
        return cls(effects, tools, tuple(rules), tuple(dict.fromkeys((*hosts, *send_to))))

    def decide(self, reach: Reach, spent_usd: float = 0.0) -> tuple[Decision, str, bool]:
        """(decision, why, whether a person said so for this very kind of call; the default alone does not count)."""
        for rule in self.rules:
            if rule.fits(reach, spent_usd):
                return rule.decision, f"the rule “{rule}”", True
        if reach.tool in self.tools:
            return self.tools[reach.tool], f"policy for {reach.tool}", True
        decision = self.effects.get(reach.effect, "ask")
        if (
            reach.sends
            and not reach.secrets
            and decision != "deny"
            and reach.effect != "spend"
            and self.may_go(reach.hosts)
        ):
            return "allow", f"the run may send to {', '.join(reach.hosts)}", True
        given = decision != DEFAULTS.get(reach.effect) or (reach.sends and self.effects.get("network") == "allow")
        return decision, f"policy for {reach.effect}", given

    def may_go(self, hosts: Iterable[str]) -> bool:
        """Whether the person let the run send to all of these hosts."""
        return all(any(host_fits(host, one) for one in self.send_to) for host in hosts)

    def as_json(self) -> dict[str, Any]:
        """What `of` reads back."""
        changed: dict[str, Any] = {e: decision for e, decision in self.effects.items() if DEFAULTS[e] != decision}
        changed |= {"tools": dict(self.tools)} if self.tools else {}
        changed |= {"rules": [rule.as_json() for rule in self.rules]} if self.rules else {}
        return changed | ({"send_to": list(self.send_to)} if self.send_to else {})
